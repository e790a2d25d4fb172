"""Review filters: which of the photos that wait are meant, as the address says."""

from collections.abc import Sequence

import streamlit as st

from tagger.catalogue import questions
from tagger.catalogue.questions import Wanted
from tagger.catalogue.store import Catalogue
from tagger.errors import shown
from tagger.records import Folder, ImageState

ADDRESS = "folder"
_KEY, _ALL = "review_folder", 0


def folder(known: Sequence[Folder]) -> int | None:
    """One of the folders, or None for all."""
    names = {one.id: shown(one.path) for one in known}
    asked = st.query_params.get(ADDRESS, "")
    chosen = int(asked) if asked.isdecimal() and int(asked) in names else _ALL
    st.session_state[_KEY] = chosen
    value = st.selectbox(
        "Folder",
        [_ALL, *names],
        format_func=lambda one: names.get(one, "All folders"),
        key=_KEY,
        width=260,
        on_change=_write,
    )
    return value or None


def _write() -> None:
    value = st.session_state[_KEY]
    if value:
        st.query_params[ADDRESS] = str(value)
    else:
        st.query_params.pop(ADDRESS, None)


def wanted(query: str, folder_id: int | None) -> Wanted:
    """The photos that wait, as a question."""
    return Wanted(query=query, folder_id=folder_id, state=ImageState.REVIEW)


def count(catalogue: Catalogue, query: str, folder_id: int | None) -> int:
    """How many photos wait. Raises `QueryError`."""
    return questions.page(catalogue, wanted(query, folder_id), limit=1).total
