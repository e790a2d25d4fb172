"""Folder tree: the folders with how many photos lie in each and below; one narrows.

The browser asks for the levels that are opened (`/api/tree`), with the other filters
in force, so a library of tens of thousands of folders costs what is looked at. The
folder chosen stands in the address.
"""

from typing import Any

import streamlit as st

from pages.parts.component import component
from tagger.catalogue.query import writing
from tagger.catalogue.questions import Wanted

TREE_URL = "/api/tree"
ADDRESS = "dir"
HTML = (
    '<div class="title" id="folders-title">Folders</div>'
    '<div class="tree" role="tree" aria-labelledby="folders-title" '
    'data-testid="folders"></div><div class="trouble" role="status"></div>'
)

_tree = component("foldertree", HTML)


def asked() -> str:
    """The folder the address names, with a slash at its end; empty for all."""
    path = str(st.query_params.get(ADDRESS, ""))
    return path if not path or path.endswith("/") else f"{path}/"


def clause(path: str) -> str:
    """One folder and all below it, as a query says it."""
    return writing.field("folder", f"^{path}") if path else ""


def choose(path: str) -> None:
    """Put a folder into the address; none if it is empty."""
    if path:
        st.query_params[ADDRESS] = path
    else:
        st.query_params.pop(ADDRESS, None)


def show(wanted: Wanted, *, version: int | None, key: str) -> None:
    """The tree. `wanted` are the filters besides the folder.

    `version` tells one state of the catalogue from the next.
    """
    filters: dict[str, Any] = {"tag": list(wanted.tags)}
    if wanted.state:
        filters["state"] = [wanted.state]
    if wanted.month:
        filters["month"] = [wanted.month]
    name = f"{key}_tree"
    _tree(
        data={
            "url": TREE_URL,
            "filters": filters,
            "version": version,
            "chosen": asked(),
        },
        key=name,
        on_picked_change=lambda: _picked(st.session_state[name].picked),
    )


def _picked(path: object) -> None:
    if isinstance(path, str):
        choose("" if path == asked() else path)
