"""Tag job: how far a change of tags is in the files, and the way to take it back."""

import streamlit as st

from pages.parts import tag_address, tag_preview, tag_wording, who
from pages.parts.wording import ago, count, plain
from tagger.acting import Role
from tagger.errors import TaggerError
from tagger.tracking import underway, undoables, unediting
from tagger.tracking.underway import Underway
from tagger.tracking.undoables import Undoable
from tagger.web import runtime
from tagger.web.runtime import Runtime

LOOK_EVERY_S = 1.0
LISTED = 30
KINDS = frozenset({"rename", "merge", "delete", "vocabulary", "undo"})


def show(app: Runtime) -> None:
    """The edit the address names, if there is one."""
    edit = underway.of(app.db, tag_address.edit()) if tag_address.edit() else None
    known = undoables.of(app.db, edit.id) if edit else None
    if edit is None or not _is_of_tags(edit, known):
        if tag_address.change(()) is None:
            tag_preview.told()
        return
    with st.container(border=True, key="tags_job"):
        st.markdown(tag_wording.done(edit, known) + ".")
        tag_preview.told()
        if edit.finished_at is None:
            _progress(edit.id)
        else:
            _outcome(edit)
        with st.container(horizontal=True):
            can_undo = known is not None and known.undone_by is None
            if can_undo and who.may(Role.EDITOR):
                _undo(app, edit)
            st.button(
                "Close", key="tags_job_close", on_click=tag_address.follow, args=(None,)
            )
        _undone(known)


def show_all(app: Runtime) -> None:
    """The last changes of tags, each to be looked at and taken back."""
    every = underway.listed(app.db, limit=LISTED)
    told = [(edit, undoables.of(app.db, edit.id)) for edit in every]
    listed = [(edit, known) for edit, known in told if _is_of_tags(edit, known)]
    if not listed:
        st.info("No tag was changed yet.", icon=":material/history:")
        return
    for edit, known in listed:
        with st.container(
            horizontal=True,
            horizontal_alignment="distribute",
            vertical_alignment="center",
        ):
            st.markdown(
                f"{tag_wording.done(edit, known)}, {count(edit.photos, 'photo')}, "
                f"{ago(edit.created_at)}{'' if edit.finished_at else ', under way'}"
            )
            st.button(
                "Look, or take back" if who.may(Role.EDITOR) else "Look",
                key=f"tags_change_{edit.id}",
                on_click=tag_address.follow,
                args=(edit.id,),
            )


def _is_of_tags(edit: Underway, known: Undoable | None) -> bool:
    """Whether it changed tags on many photos; one photo's are in its own view."""
    if edit.kind == "undo":
        return "old" in edit.detail
    return edit.kind in KINDS or (edit.kind == "tags" and known is not None)


@st.fragment(run_every=LOOK_EVERY_S)
def _progress(edit_id: int) -> None:
    """The bar; when the edit is finished, the page is made anew."""
    app = runtime.current()
    edit = underway.of(app.db, edit_id)
    if edit is None or edit.finished_at is not None:
        app.take()
        st.rerun()
    done = edit.photos - edit.left
    st.progress(
        min(1.0, done / max(1, edit.photos)),
        text=f"{done:,} of {count(edit.photos, 'photo')} done",
    )
    if app.status().state == "stopped":
        st.caption("Screens show it already; files follow once the tagger runs.")
    else:
        st.caption("Screens show it already; files follow.")
    _troubles(edit)


def _outcome(edit: Underway) -> None:
    _troubles(edit)
    st.success(f"Done: {count(edit.done, 'photo')}.", icon=":material/check:")


def _troubles(edit: Underway) -> None:
    for number, why in (
        (edit.failed, "could not be changed"),
        (edit.not_written, "could not be written so far; tried again"),
        (edit.away, "cannot be reached now; they follow once they can"),
    ):
        if number:
            st.warning(f"{count(number, 'photo')} {why}.", icon=":material/warning:")


def _undo(app: Runtime, edit: Underway) -> None:
    st.button(
        "Undo",
        key="tags_undo",
        icon=":material/undo:",
        on_click=_take_back,
        args=(app, edit),
        help="The photos get back the tags they had. What was said of a photo since "
        "stays.",
    )


def _take_back(app: Runtime, edit: Underway) -> None:
    try:
        with who.doing("undo edit", edit_id=edit.id):
            undone = unediting.undo(app.db, edit.id)
    except TaggerError as error:
        st.session_state["tags_told"] = "refused", plain(str(error))
        return
    app.take()
    tag_address.follow(undone.id)
    old = edit.detail.get("old") or ()
    if tag_address.opened() is not None and old:
        tag_address.open_tag(str(old[0]))


def _undone(known: Undoable | None) -> None:
    if known is not None and known.undone_by is not None:
        st.caption("It was taken back.")
