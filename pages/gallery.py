"""Gallery: every photograph, narrowed by tag, folder, month and state; its timeline."""

import streamlit as st

from pages.parts import empty, filters, foldertree, saved_searches, timeline, wall
from pages.parts.wording import count
from tagger.catalogue import questions
from tagger.tracking import folders
from tagger.web import runtime

app = runtime.current()

st.title("Gallery")

known = folders.every(app.db)
if not questions.counts(app.catalogue).total:
    empty.no_photos(known)
    st.stop()

wanted = filters.show(app.catalogue, known)
page = wall.page(app.catalogue, wanted, key="gallery")
saved_searches.show(app.config.data_dir)
with st.sidebar:
    foldertree.show(wanted, version=app.catalogue.seen(), key="gallery")

if not page.images:
    empty.nothing_fits()
    st.stop()

photos = count(page.total, "photo")
st.text(photos)
wall.show(
    page,
    wanted,
    label=f"{photos} in the gallery",
    key="gallery",
    row_px=filters.row_px(),
)
timeline.show(app.catalogue, wanted, page, key="gallery")
