"""Failures: which photos could not be finished, why, and the way to try again.

One trouble is one row, however many photos it befell.
"""

import os

import streamlit as st

from pages.parts import places, told, who, wording
from tagger.acting import Role
from tagger.errors import shown
from tagger.records import ImageState
from tagger.tracking import reasons
from tagger.tracking.reasons import Group
from tagger.web.runtime import Runtime


def show(app: Runtime) -> None:
    """A table of reasons with their counts; nothing where nothing failed."""
    groups = reasons.groups(app.db)
    if not groups:
        return
    st.subheader("What needs a look", anchor=False)
    event = st.dataframe(
        [
            {
                "Photos": group.photos,
                "State": wording.STATES[group.state],
                "Why": group.reason,
                "For example": shown(os.path.basename(group.example)),
            }
            for group in groups
        ],
        column_config={"Why": st.column_config.TextColumn(width="large")},
        hide_index=True,
        alt="Reasons why photos are not finished, with their counts",
        on_select="rerun",
        selection_mode="multi-row",
        key="dashboard_failures",
    )
    chosen = [groups[row] for row in event.selection.rows if row < len(groups)]
    with st.container(horizontal=True, vertical_alignment="center"):
        can_retry = who.may(Role.EDITOR)
        if can_retry:
            _again(app, chosen)
        if st.button("Show failed photos", icon=":material/photo_library:"):
            places.gallery(state=ImageState.FAILED)
        if can_retry and not chosen and len(groups) > 1:
            st.caption("Select rows to try only those again.")


def _again(app: Runtime, chosen: list[Group]) -> None:
    label = "Try the selected again" if chosen else "Try failed photos again"
    if not st.button(label, icon=":material/replay:"):
        return
    kinds = [group.kind for group in chosen]
    with told.refusals():
        with who.doing("retry", kinds=kinds):
            again = sum(reasons.retry(app.db, kind=kind) for kind in kinds or [None])
        app.forget_status()
        st.toast(f"{wording.count(again, 'photo')} queued again")
