"""Review: what models propose for photos, accepted, corrected or rejected."""

import streamlit as st

from pages.parts import empty, review_desk, review_filters, searchbox, told
from tagger.catalogue import questions
from tagger.errors import QueryError
from tagger.tracking import folders
from tagger.web import runtime

app = runtime.current()

st.title("Review")

known = folders.every(app.db)
if not questions.counts(app.catalogue).total:
    empty.no_photos(known)
    st.stop()

review_desk.told()
if not questions.counts(app.catalogue).review:
    empty.nothing_to_review(any(folder.review for folder in known))
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    query = searchbox.show(
        label="Narrow what waits", placeholder="All photos that wait"
    )
    folder_id = review_filters.folder(known)
try:
    total = review_filters.count(app.catalogue, query, folder_id)
except QueryError as error:
    searchbox.point_at(error)
    st.stop()

if not total:
    empty.nothing_waits_there()
    st.stop()

with told.refusals():
    review_desk.bulk(app, query, folder_id)
review_desk.show(query, folder_id, total)
