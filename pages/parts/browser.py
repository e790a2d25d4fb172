"""Browser: the directories of this machine, below what may be browsed, to pick one.

The address holds the directory one is in, so that a link opens the same.
"""

from typing import Any

import streamlit as st

from pages.parts.component import component
from tagger.errors import UsageError
from tagger.web import browsing
from tagger.web.browsing import Directory, Listing

ADDRESS = "browse"
ROOTS = "roots"  # in the address: one is browsing, and in no directory yet
_KEY = "folders_browser"

_browser = component(
    "browser",
    '<div class="browser" data-testid="browser"></div>',
)


def is_open() -> bool:
    """Whether the address says that one is browsing."""
    return ADDRESS in st.query_params


def open_at(at: str | None) -> None:
    """Be in this directory, at the list of roots if it is empty; None: nowhere."""
    if at is None:
        st.query_params.pop(ADDRESS, None)
    else:
        st.query_params[ADDRESS] = at or ROOTS


def show(named: tuple[str, ...]) -> bytes | None:
    """The directories; answers the one that one is in. Raises `UsageError`."""
    asked = str(st.query_params.get(ADDRESS, ROOTS))
    try:
        found = browsing.listing(named, "" if asked == ROOTS else asked)
    except UsageError:
        _browser(data=_data(browsing.listing(named)), key=_KEY, on_open_change=_opened)
        raise
    _browser(data=_data(found), key=_KEY, on_open_change=_opened)
    return found.path


def _opened() -> None:
    at = st.session_state[_KEY].open
    if isinstance(at, str):
        open_at(at)


def _data(found: Listing) -> dict[str, Any]:
    return {
        "above": [_told(one) for one in found.above],
        "inside": [_told(one) for one in found.inside],
        "note": found.note,
    }


def _told(one: Directory) -> dict[str, Any]:
    return {"at": one.at, "name": one.name, "problem": one.problem}
