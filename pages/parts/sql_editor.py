"""SQL editor: where a question is written, taken from the examples, or saved.

The text lives under one key of its visitor. What puts another text there runs before
the box is made, because Streamlit lets nobody change a box that is on the page.
"""

from pathlib import Path

import streamlit as st

from pages.parts import who
from pages.parts.wording import plain
from tagger.acting import Role
from tagger.catalogue.sqlexamples import EXAMPLES
from tagger.errors import TaggerError
from tagger.web import saved

TEXT, NAME, ASKED, _TOLD = "sql_text", "sql_name", "sql_asked", "sql_told"
LINES_PX = 220


def show(data_dir: Path) -> str | None:
    """The editor; answers the question that was asked last, if any."""
    st.session_state.setdefault(TEXT, next(iter(EXAMPLES.values())))
    with st.container(horizontal=True):
        with st.popover("Examples", icon=":material/lightbulb:"):
            for name, text in EXAMPLES.items():
                _offer(name, text)
        with st.popover("Saved", icon=":material/bookmark:"):
            _saved(data_dir)
    with st.form("sql_form", border=False):
        st.text_area(
            "Question, one SELECT",
            key=TEXT,
            height=LINES_PX,
            help="Ctrl+Enter asks it.",
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.form_submit_button(
                "Ask",
                type="primary",
                icon=":material/play_arrow:",
                key="sql_ask",
                on_click=_ask,
            )
            if who.may(Role.EDITOR):
                _keep(data_dir)
    if told := st.session_state.pop(_TOLD, None):
        st.caption(plain(told))
    asked = st.session_state.get(ASKED)
    return None if asked is None else str(asked)


def _keep(data_dir: Path) -> None:
    st.text_input(
        "Name",
        key=NAME,
        max_chars=saved.LONGEST_NAME,
        placeholder="A name, to save it",
        label_visibility="collapsed",
        width=220,
    )
    st.form_submit_button("Save", key="sql_save", on_click=_save, args=(data_dir,))


def _saved(data_dir: Path) -> None:
    known = saved.every(data_dir)
    if not known:
        st.caption("No question is saved yet.")
    for number, one in enumerate(known):
        with st.container(horizontal=True):
            _offer(one.name, one.sql, key=f"sql_saved_{number}")
            if who.may(Role.EDITOR):
                st.button(
                    "Remove",
                    key=f"sql_remove_{number}",
                    type="tertiary",
                    icon=":material/delete:",
                    on_click=_remove,
                    args=(data_dir, one.name),
                )


def _offer(name: str, text: str, *, key: str | None = None) -> None:
    """A button that puts a question into the box."""
    st.button(plain(name), key=key, type="tertiary", on_click=_put, args=(name, text))


def _put(name: str, text: str) -> None:
    st.session_state[TEXT] = text
    st.session_state[NAME] = "" if name in EXAMPLES else name
    st.session_state.pop(ASKED, None)


def _ask() -> None:
    st.session_state[ASKED] = st.session_state[TEXT]


def _save(data_dir: Path) -> None:
    try:
        name, text = st.session_state[NAME], st.session_state[TEXT]
        with who.doing("save question", name=name, sql=text):
            kept = saved.save(data_dir, name, text)
        st.session_state[_TOLD] = f"Saved as {kept.name}."
    except TaggerError as error:
        st.session_state[_TOLD] = str(error)


def _remove(data_dir: Path, name: str) -> None:
    try:
        with who.doing("remove question", name=name):
            saved.remove(data_dir, name)
        st.session_state[_TOLD] = f"Removed {name}."
    except TaggerError as error:
        st.session_state[_TOLD] = str(error)
