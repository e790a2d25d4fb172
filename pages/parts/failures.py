"""Failures: which photos could not be finished, why, and the way to try again."""

import streamlit as st

from pages.parts import places, wording
from tagger.catalogue import questions
from tagger.records import ImageState
from tagger.tracking import jobs
from tagger.web.runtime import Runtime


def show(app: Runtime) -> None:
    """A table of reasons with their counts; nothing where nothing failed."""
    reasons = questions.failures(app.catalogue)
    if not reasons:
        return
    st.subheader("What needs a look", anchor=False)
    st.dataframe(
        [
            {
                "Photos": failure.count,
                "State": wording.STATES[failure.state],
                "Why": failure.reason,
            }
            for failure in reasons
        ],
        hide_index=True,
        alt="Reasons why photos are not finished, with their counts",
        key="dashboard_failures",
    )
    with st.container(horizontal=True):
        if st.button("Try failed photos again", icon=":material/replay:"):
            again = jobs.retry_failed(app.db)
            st.toast(f"{wording.count(again, 'photo')} queued again")
        if st.button("Show failed photos", icon=":material/photo_library:"):
            places.gallery(state=ImageState.FAILED)
