"""Edit told: what the last edit of a selection came to, how far it is, and its undo.

What was changed shows at once; the files follow as the tagger comes to them. The Tags
page lists it among the last changes, to be taken back later.
"""

from dataclasses import dataclass

import streamlit as st

from pages.parts import told, who
from pages.parts.wording import count
from tagger.tracking import underway, undophoto, unediting
from tagger.tracking.edits import Edit
from tagger.web import runtime
from tagger.web.runtime import Runtime

LOOK_EVERY_S = 2.0
# More than these the screen does not wait for; they follow in the background.
AT_ONCE = 2_000
_KEY = "edit_told"
_UNDOS = frozenset({unediting.KIND, undophoto.KIND})


@dataclass(frozen=True, slots=True)
class _Told:
    """An edit that was made; `is_undo` says that it took another one back."""

    edit_id: int
    photos: int
    files: int
    is_undo: bool
    can_be_undone: bool


def made(app: Runtime, edit: Edit) -> None:
    """An edit was made: the screens shall show it, and say so."""
    assert edit.id is not None
    st.session_state[_KEY] = _Told(
        edit.id,
        edit.photos,
        edit.files,
        is_undo=edit.kind in _UNDOS,
        can_be_undone=unediting.can_undo(app.db, edit.id),
    )
    if edit.photos <= AT_ONCE:
        app.take()  # so that the screens show it at once


def is_any() -> bool:
    """Whether there is an edit to speak of."""
    return _KEY in st.session_state


def show() -> None:
    """What the edit came to, with its undo."""
    known = st.session_state.get(_KEY)
    if known is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="edit_told"):
        _progress(known)
        if known.can_be_undone and not known.is_undo and known.photos:
            st.button(
                "Undo",
                icon=":material/undo:",
                key="edit_undo",
                on_click=_undo,
                args=(known.edit_id,),
            )
        st.button("Dismiss", key="edit_dismiss", type="tertiary", on_click=_dismiss)


def _progress(known: _Told) -> None:
    now = underway.of(runtime.current().db, known.edit_id)
    if now is None or now.finished_at is not None:
        st.markdown(_sentence(known, None), width="content")
    else:
        _watched(known)


@st.fragment(run_every=LOOK_EVERY_S)
def _watched(known: _Told) -> None:
    """The same while files are still to be written; then the page is made anew."""
    app = runtime.current()
    now = underway.of(app.db, known.edit_id)
    if now is None or now.finished_at is not None:
        app.take()
        st.rerun()
    st.markdown(_sentence(known, now.left), width="content")


def _sentence(known: _Told, left: int | None) -> str:
    did = "Undone:" if known.is_undo else "Changed"
    said = f"{did} {count(known.photos, 'photo')}."
    if left is None or not known.files:
        return said
    if runtime.current().status().state == "stopped":
        return f"{said} {count(left, 'file')} to be written once the tagger runs."
    return f"{said} {count(left, 'file')} still to be written."


def _undo(edit_id: int) -> None:
    app = runtime.current()
    with told.refusals():
        with who.doing("undo edit", edit_id=edit_id):
            undone = unediting.undo(app.db, edit_id)
        made(app, undone)


def _dismiss() -> None:
    st.session_state.pop(_KEY, None)
