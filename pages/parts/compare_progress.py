"""Compare progress: how far a comparison is, and the ways to end it or to go on."""

import streamlit as st

from pages.parts import compare_list, told, who
from pages.parts.wording import count
from tagger.tracking import comparisons
from tagger.tracking.comparisons import FEW_PHOTOS
from tagger.tracking.contested import Comparison, State
from tagger.web import runtime
from tagger.web.runtime import Runtime

LOOK_EVERY_S = 1.5


def show(app: Runtime, one: Comparison) -> None:
    """A line with buttons, and a bar while it goes on."""
    if one.state is State.WAITING:
        _going_on(one.id, one.answered + one.failed)
    elif one.state is State.CANCELLED:
        left = one.questions - one.answered - one.failed
        st.info(
            f"Cancelled: {count(left, 'question')} of {one.questions:,} were not asked."
        )
    elif one.failed:
        st.warning(
            f"{count(one.failed, 'answer')} of {one.questions:,} are missing or could "
            "not be used; each says why below."
        )
    with st.container(
        horizontal=True, vertical_alignment="center", key="compare_buttons"
    ):
        _buttons(app, one)
    if len(one.photos) < FEW_PHOTOS:
        st.caption(
            f"{count(len(one.photos), 'photo')}: fewer than {FEW_PHOTOS} say little "
            "about a model."
        )


def _buttons(app: Runtime, one: Comparison) -> None:
    if one.state is State.WAITING:
        st.button(
            "Cancel",
            icon=":material/stop_circle:",
            key="compare_cancel",
            on_click=_cancel,
            args=(app, one.id),
        )
    elif one.left:
        cut = one.state is State.CANCELLED
        st.button(
            "Go on" if cut else "Ask the failed again",
            icon=":material/play_circle:" if cut else ":material/replay:",
            key="compare_go_on",
            on_click=_go_on,
            args=(app, one.id),
        )
    compare_list.delete_button(app, one)


def _cancel(app: Runtime, comparison_id: int) -> None:
    with (
        told.refusals(),
        who.doing("cancel comparison", comparison_id=comparison_id),
    ):
        comparisons.cancel(app.db, comparison_id)


def _go_on(app: Runtime, comparison_id: int) -> None:
    with (
        told.refusals(),
        who.doing("continue comparison", comparison_id=comparison_id),
    ):
        if not comparisons.go_on(app.db, comparison_id):
            st.toast("Nothing is left to ask: answers that cannot be used stay.")


@st.fragment(run_every=LOOK_EVERY_S)
def _going_on(comparison_id: int, shown: int) -> None:
    """The bar; once there is something new the page is made anew."""
    app = runtime.current()
    with told.refusals():
        now = comparisons.read(app.db, comparison_id)
        done = now.answered + now.failed
        if now.state is not State.WAITING or done != shown:
            st.rerun()
        st.progress(
            done / now.questions, f"{done:,} of {count(now.questions, 'question')}"
        )
        if app.status().state == "stopped":
            st.warning("The tagger does not run; this goes on once it does.")
        elif not now.is_worked_on:
            st.caption("It begins in a moment, after comparisons that came before.")
