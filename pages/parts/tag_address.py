"""Tag address: what the Tags page shows, as its address says; a link opens the same.

An input is set from the address when that was changed elsewhere, and only then: while
somebody types, what comes back from here is a moment old.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from tagger.web.tagchanges import Change, What

ALL, SUGGESTIONS, CHANGES = "all", "suggestions", "changes"
VIEWS = {ALL: "All tags", SUGGESTIONS: "Suggestions", CHANGES: "Changes"}
MOST_PICKED = 100
_VIEW, _TAG, _EDIT, _PICK, _PHOTO = "view", "tag", "edit", "pick", "photo"
_DO, _TO, _PAST = "do", "to", "past"


def view() -> str:
    """The choice between the views, and the one in force."""
    asked = said(_VIEW)
    st.radio(
        "Show",
        list(VIEWS),
        format_func=lambda name: VIEWS[name],
        key=bound(_VIEW, asked if asked in VIEWS else ALL),
        on_change=write,
        args=(_VIEW,),
        horizontal=True,
        label_visibility="collapsed",
    )
    return asked if asked in VIEWS else ALL


def said(name: str) -> str:
    """What the address says, which anybody may have typed."""
    return str(st.query_params.get(name, ""))


def number(name: str) -> int:
    """The same as a number; 0 for what is none."""
    text = said(name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def bound(name: str, value: Any) -> str:
    """The key of an input that holds `value`, unless it was just typed into."""
    key, known = f"tags_{name}", f"tags_{name}_known"
    if key not in st.session_state or st.session_state.get(known) != value:
        st.session_state[key] = st.session_state[known] = value
    return key


def write(name: str, *drops: str) -> None:
    """Put what an input holds into the address, and drop what belonged to the old."""
    value = st.session_state[f"tags_{name}"]
    st.session_state[f"tags_{name}_known"] = value
    put(name, "" if value is None else str(value))
    for other in drops:
        st.query_params.pop(other, None)


def turn(name: str, page: int, pages: int) -> None:
    """The ways to the other pages of a list, if it has several."""
    if pages > 1:
        st.pagination(pages, key=bound(name, page), on_change=write, args=(name,))


def put(name: str, value: str) -> None:
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def opened() -> str | None:
    """The one tag that is looked at, if any."""
    return said(_TAG) or None


def open_tag(name: str | None) -> None:
    """Look at one tag, or at none."""
    leave()
    st.query_params.pop(_PHOTO, None)
    put(_TAG, name or "")


def picked() -> tuple[str, ...]:
    """The tags that are chosen, each once."""
    return tuple(dict.fromkeys(st.query_params.get_all(_PICK)))[:MOST_PICKED]


def pick(names: Sequence[str]) -> None:
    """Choose these tags and no others."""
    if names:
        st.query_params[_PICK] = list(names)[:MOST_PICKED]
    else:
        st.query_params.pop(_PICK, None)


def change(tags: Sequence[str]) -> Change | None:
    """What is to be done to these tags; None where nothing was chosen."""
    asked = said(_DO)
    if asked not in [*What]:
        return None
    return Change(
        what=What(asked), tags=tuple(tags), to=said(_TO), past=said(_PAST) != "0"
    )


def ask(what: What | str | None, to: str = "") -> None:
    """Choose what is to be done, and which tag they become."""
    put(_DO, what or "")
    put(_TO, to)


def leave() -> None:
    """Nothing is to be done."""
    for name in (_DO, _TO, _PAST):
        st.query_params.pop(name, None)


def edit() -> int:
    """The id of the edit whose progress is shown; 0 for none."""
    return number(_EDIT)


def follow(edit_id: int | None) -> None:
    """Show how far an edit is, or none."""
    put(_EDIT, str(edit_id or ""))
