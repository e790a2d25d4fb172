"""Compare list: the comparisons there are, to be opened and deleted."""

import streamlit as st

from pages.parts import compare_address, told, who, wording
from pages.parts.wording import count, plain
from tagger.tracking import comparisons
from tagger.tracking.contested import Comparison, State
from tagger.web.runtime import Runtime

SHOWN = 50
STATES = {
    State.WAITING: "Going on",
    State.DONE: "Done",
    State.CANCELLED: "Cancelled",
}
_COLOURS = {State.WAITING: "blue", State.DONE: "green", State.CANCELLED: "gray"}


def show(app: Runtime) -> None:
    """The newest first."""
    known = comparisons.every(app.db)
    if not known:
        return
    st.subheader("Comparisons", anchor=False)
    for one in known[:SHOWN]:
        with st.container(border=True, key=f"comparison_{one.id}"):
            _entry(app, one)
    if len(known) > SHOWN:
        st.caption(f"The newest {SHOWN} of {len(known):,}.")


def badge(one: Comparison) -> None:
    """How it stands."""
    st.badge(STATES[one.state], color=_COLOURS[one.state])


def _entry(app: Runtime, one: Comparison) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            plain(one.name),
            key=f"comparison_open_{one.id}",
            type="tertiary",
            on_click=compare_address.open_it,
            args=(one.id,),
        )
        badge(one)
        st.caption(
            f"{count(len(one.contenders), 'contender')}, "
            f"{count(len(one.photos), 'photo')}, {one.chosen:,} judged, "
            f"{wording.ago(one.created_at)}",
            width="content",
        )
        delete_button(app, one)


def delete_button(app: Runtime, one: Comparison) -> None:
    """Deleting, after a second click."""
    with st.popover(
        "Delete", icon=":material/delete:", key=f"comparison_delete_{one.id}"
    ):
        st.write("Its answers and choices go. Photos stay as they are.")
        st.button(
            "Delete this comparison",
            key=f"comparison_gone_{one.id}",
            on_click=_delete,
            args=(app, one.id),
        )


def _delete(app: Runtime, comparison_id: int) -> None:
    with told.refusals():
        with who.doing("remove comparison", comparison_id=comparison_id):
            comparisons.remove(app.db, comparison_id)
        compare_address.leave()
