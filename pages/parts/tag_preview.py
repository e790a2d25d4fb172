"""Tag preview: what a change of tags would touch, looked at before it is made.

The preview stands in the address; only its button changes anything, once.
"""

from contextlib import AbstractContextManager

import streamlit as st

from pages.parts import grid, tag_address, tag_wording, who
from pages.parts.wording import count, plain
from tagger.acting import Role
from tagger.catalogue import questions
from tagger.errors import TaggerError
from tagger.tracking.edits import Edit
from tagger.web import tagchanges
from tagger.web.runtime import Runtime
from tagger.web.tagchanges import OF_THE_LISTS, Change, What

LOOK_AT = 12
ROW_PX = 110
_TOLD = "tags_told"
# As the audit log calls them.
_CALLED = {
    What.RENAME: "rename tag",
    What.MERGE: "merge tags",
    What.DELETE: "delete tag",
    What.SYNONYM: "add synonym",
    What.UNSYNONYM: "remove synonym",
    What.BAN: "add ban",
    What.UNBAN: "remove ban",
}


def show(app: Runtime, change: Change) -> None:
    """What would change, some of the photos, and the two ways on."""
    told()
    with st.container(border=True, key="tags_preview"):
        st.subheader(tag_wording.sentence(change), anchor=False)
        if change.what in OF_THE_LISTS:
            _past(change)
        try:
            with st.spinner("Counting photos"), who.trying(needed(change.what)):
                edit = tagchanges.carry(app.db, change, dry_run=True)
        except TaggerError as error:
            st.error(plain(str(error)), icon=":material/error:")
            st.button("Back", key="tags_back", on_click=tag_address.leave)
            return
        _touches(app, change, edit)
        with st.container(horizontal=True):
            if edit.photos or change.what in OF_THE_LISTS:
                st.button(
                    _label(change, edit),
                    type="primary",
                    key="tags_go",
                    on_click=_go,
                    args=(app, change),
                )
            st.button("Cancel", key="tags_cancel", on_click=tag_address.leave)


def told() -> None:
    """What the last change came to, if there is no progress to show of it."""
    kind, text = st.session_state.pop(_TOLD, (None, ""))
    if kind == "done":
        st.success(text, icon=":material/check:")
    elif kind is not None:
        st.error(text, icon=":material/error:")


def _past(change: Change) -> None:
    st.checkbox(
        "Photos tagged so far follow, too",
        key=tag_address.bound("past", change.past),
        on_change=_write_past,
        help="Without it, only answers to come are meant. Tags that a person gave, or "
        "that were in a file, stay in either case.",
    )


def _write_past() -> None:
    value = st.session_state["tags_past"]
    st.session_state["tags_past_known"] = value
    tag_address.put("past", "" if value else "0")


def _touches(app: Runtime, change: Change, edit: Edit) -> None:
    if change.what in OF_THE_LISTS and not change.past:
        st.text("No photo changes now; it holds for answers to come.")
        return
    st.text(tag_wording.photos(edit.photos, edit.files))
    there = app.tags.named(change.to) if change.what is What.RENAME else None
    if there is not None:
        st.warning(
            f"**{tag_wording.short(there.name)}** is on {count(there.count, 'photo')} "
            "already: the two become one tag.",
            icon=":material/merge:",
        )
    cards = questions.cards(app.catalogue, edit.file_ids[:LOOK_AT])
    if cards:
        shown = f"{len(cards)} of {count(edit.photos, 'photo')} that change"
        grid.show(cards, label=shown, key="tags_look", row_px=ROW_PX)
        if edit.photos > len(cards):
            st.caption(f"{shown}.")


def _label(change: Change, edit: Edit) -> str:
    what = tag_wording.ACTIONS[change.what]
    if not edit.photos:
        return what
    return f"{what}: {count(edit.photos, 'photo')}"


def _go(app: Runtime, change: Change) -> None:
    """Make the change; its progress is shown from then on."""
    try:
        with _acting(change):
            edit = tagchanges.carry(app.db, change, dry_run=False)
    except TaggerError as error:
        st.session_state[_TOLD] = "refused", plain(str(error))
        return
    app.take()  # so that the screens show it at once
    after(change)
    tag_address.follow(edit.id)
    if edit.id is None:
        st.session_state[_TOLD] = "done", f"{tag_wording.sentence(change)}: done."


def needed(what: What) -> Role:
    """Who may do it: the lists hold for all answers to come, as settings do."""
    return Role.ADMIN if what in OF_THE_LISTS else Role.EDITOR


def _acting(change: Change) -> AbstractContextManager[None]:
    detail = {"tags": change.tags, "to": change.to}
    return who.doing(_CALLED[change.what], needs=needed(change.what), **detail)


def after(change: Change) -> None:
    """Go on at the tag they became, where one was looked at."""
    tag_address.leave()
    tag_address.pick(())
    if tag_address.opened() is None:
        return
    if change.what in (What.RENAME, What.MERGE):
        tag_address.open_tag(change.to)
    elif change.what is What.DELETE:
        tag_address.open_tag(None)
