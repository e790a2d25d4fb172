"""Gallery: every photograph, narrowed by tag, folder, month and state."""

import streamlit as st

from pages.parts import empty, filters, wall
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

if not page.images:
    empty.nothing_fits()
    st.stop()

st.caption(count(page.total, "photo"))
wall.show(
    page, wanted, label=f"{count(page.total, 'photo')} in the gallery", key="gallery"
)
