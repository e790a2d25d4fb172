"""Selection bar: how many photos are selected, and what can be done with all of them.

It stands at the bottom of the window as long as something is selected, or an edit of a
selection is still worth a word.
"""

import random

import streamlit as st

from pages.parts import bulk_tags, edit_told, exports, places, review_desk, told, who
from pages.parts.selection import Selection
from pages.parts.wording import count
from tagger.acting import Role
from tagger.tracking import controls
from tagger.tracking.comparisons import MOST_PHOTOS
from tagger.tracking.reviewing import Decision
from tagger.web import runtime


def show(selection: Selection) -> None:
    """The bar; nothing where there is nothing to say."""
    if who.may(Role.EDITOR):
        bulk_tags.show_asked(selection)
    if not selection.count and not edit_told.is_any():
        return
    with st.bottom:
        edit_told.show()
        if selection.count:
            _bar(selection)


def _bar(selection: Selection) -> None:
    with st.container(
        horizontal=True, vertical_alignment="center", key="selection_bar"
    ):
        st.markdown(f"**{count(selection.count, 'photo')} selected**", width="content")
        can_change = who.may(Role.EDITOR)
        if can_change:
            _change(selection)
        _export(selection)
        if can_change:
            _compare(selection)
        if selection.count < selection.total:
            st.button(
                f"Select all {selection.total:,} found",
                key="selection_all",
                type="tertiary",
                on_click=selection.take_all,
            )
        st.button(
            "Clear",
            icon=":material/close:",
            key="selection_clear",
            type="tertiary",
            on_click=selection.clear,
        )


def _change(selection: Selection) -> None:
    st.button(
        "Tags",
        icon=":material/sell:",
        key="selection_tags",
        on_click=bulk_tags.open_it,
    )
    _tag_now(selection)
    _review(selection)


def _tag_now(selection: Selection) -> None:
    photos = count(selection.count, "photo")
    with st.popover("Tag now", icon=":material/bolt:", key="selection_now"):
        st.write(
            f"{photos} go ahead of all others, even while the queue is paused. What "
            "people said of them stays."
        )
        if st.button("Tag those that wait", key="selection_now_go"):
            _queue(selection, ask_again=False)
        if st.button("Ask the model again about all", key="selection_again_go"):
            _queue(selection, ask_again=True)


def _queue(selection: Selection, *, ask_again: bool) -> None:
    app = runtime.current()
    with told.refusals(), st.spinner("Queueing…"):
        ids = selection.ids(app.catalogue)
        with who.doing("want now", ids=ids, ask_again=ask_again):
            queued = controls.want_now(app.db, ids, ask_again=ask_again)
        app.forget_status()
        if queued:
            st.toast(f"{count(queued, 'photo')} are next in line.")
        else:
            st.toast("None of these waits; ask again to have them described anew.")


def _review(selection: Selection) -> None:
    app = runtime.current()
    if not app.status().review:
        return
    with st.popover("Review", icon=":material/rate_review:", key="selection_review"):
        st.write(
            f"What is proposed for those of {count(selection.count, 'photo')} that "
            "wait for review is accepted, and written. Others stay as they are."
        )
        if st.button("Accept all that wait", key="selection_accept_go"):
            with told.refusals(), st.spinner("Accepting…"):
                ids = selection.ids(app.catalogue)
                review_desk.decide(app, ids, Decision.ACCEPT)
                st.rerun()


def _export(selection: Selection) -> None:
    with st.popover("Export", icon=":material/download:", key="selection_export"):
        st.write(f"The words of {count(selection.count, 'photo')}, as a file.")
        exports.show_selection(runtime.current(), selection.picked)


def _compare(selection: Selection) -> None:
    """Of many photos a sample is taken."""
    if st.button("Compare models", icon=":material/balance:", key="selection_compare"):
        ids = selection.ids(runtime.current().catalogue)
        places.compare(random.sample(ids, min(len(ids), MOST_PHOTOS)))
