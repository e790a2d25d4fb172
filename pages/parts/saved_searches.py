"""Saved searches: kept under a name, opened with a click, renamed and deleted."""

from pathlib import Path

import streamlit as st

from pages.parts import places, told, who
from pages.parts.wording import plain
from tagger.acting import Role
from tagger.errors import TaggerError
from tagger.web import searches
from tagger.web.searches import Search

SHOWN = 30


def show(data_dir: Path) -> None:
    """The list in the sidebar, each a button that opens it; nothing without one."""
    with st.sidebar, told.refusals():
        known = searches.every(data_dir)
        if not known:
            return
        with st.expander("Saved searches", expanded=True, icon=":material/bookmark:"):
            for number, search in enumerate(known[:SHOWN]):
                _open(number, search)
            if len(known) > SHOWN:
                st.caption(f"The first {SHOWN}; all are under Change.")
            if who.may(Role.EDITOR):
                _change(data_dir, known)


def _open(number: int, search: Search) -> None:
    if st.button(
        plain(search.name),
        key=f"saved_open_{number}",
        type="tertiary",
        help=plain(search.query),
        width="stretch",
    ):
        places.search(search.query, sort=search.sort)


def _change(data_dir: Path, known: list[Search]) -> None:
    with st.popover("Change", icon=":material/edit:", type="tertiary"):
        chosen = st.selectbox("Search", [one.name for one in known], key="saved_chosen")
        st.text_input("New name", key="saved_new_name", max_chars=searches.LONGEST_NAME)
        with st.container(horizontal=True):
            st.button(
                "Rename",
                key="saved_rename",
                on_click=_rename,
                args=(data_dir, str(chosen)),
            )
            st.button(
                "Delete",
                key="saved_delete",
                on_click=_delete,
                args=(data_dir, str(chosen)),
            )


def _rename(data_dir: Path, name: str) -> None:
    try:
        to = st.session_state["saved_new_name"]
        with who.doing("rename search", name=name, to=to):
            renamed = searches.rename(data_dir, name, to)
    except TaggerError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        st.session_state["saved_chosen"] = renamed.name
        st.session_state["saved_new_name"] = ""


def _delete(data_dir: Path, name: str) -> None:
    try:
        with who.doing("remove search", name=name):
            searches.remove(data_dir, name)
    except TaggerError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        st.session_state.pop("saved_chosen", None)


def offer(data_dir: Path, query: str, sort: str) -> None:
    """The way to keep the search that is shown, for all who use this app."""
    if not who.may(Role.EDITOR):
        return
    with st.popover(
        "Save this search", icon=":material/bookmark_add:", disabled=not query.strip()
    ):
        st.text_input(
            "Name",
            key="saved_name",
            placeholder="Summers by the sea",
            max_chars=searches.LONGEST_NAME,
            help="A search of the same name gives way to this one.",
        )
        st.button(
            "Save",
            key="saved_save",
            type="primary",
            on_click=_save,
            args=(data_dir, query, sort),
        )


def _save(data_dir: Path, query: str, sort: str) -> None:
    try:
        name = st.session_state["saved_name"]
        with who.doing("save search", name=name, query=query):
            kept = searches.save(data_dir, name, query, sort)
    except TaggerError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        st.toast(f"Saved as {plain(kept.name)}.", icon=":material/check:")
        st.session_state["saved_name"] = ""
