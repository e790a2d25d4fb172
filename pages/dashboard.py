"""Dashboard: how much there is, what is in it, and what needs a person."""

import streamlit as st

from pages.parts import (
    activity,
    empty,
    explore,
    failures,
    grid,
    places,
    queue,
    standing,
)
from tagger.catalogue import questions
from tagger.catalogue.questions import Wanted
from tagger.tracking import folders
from tagger.web import runtime

NEWEST_SHOWN = 14

app = runtime.current()
counts = questions.counts(app.catalogue)

st.title("Dashboard")
standing.show_model(app.status())

if not counts.total:
    empty.no_photos(folders.every(app.db))
    st.stop()

status = app.status()
figures = {
    "Photos": counts.total,
    "Tagged": counts.tagged,
    **({"To review": counts.review} if counts.review else {}),
    "Waiting": status.queued + status.working,
    "Photos/min": round(status.photos_a_minute or 0),
    "Failed": counts.failed,
    "Different tags": counts.tags,
}
with st.container(horizontal=True, key="dashboard_counts"):
    for name, figure in figures.items():
        st.metric(name, f"{figure:,}", border=True, width=128)

queue.show(app)

newest = questions.page(app.catalogue, Wanted(), limit=NEWEST_SHOWN)
opened = grid.show(
    newest.images, label="Newest photos", key="dashboard_newest", row_px=150
)
if opened is not None:
    places.photo(opened)

explore.show(app)
failures.show(app)
activity.show(app.catalogue)
