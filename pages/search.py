"""Search: one box, answered while typing; the best matches first."""

import streamlit as st

from pages.parts import empty, exports, facets, wall
from pages.parts.wording import count
from tagger.catalogue import questions
from tagger.catalogue.questions import Wanted
from tagger.tracking import folders
from tagger.web import runtime

FACETS = 24
HELP = """Every part must hold; the best matches come first.

| Write | to find photos |
| --- | --- |
| `beach dog` | with both words, in any form |
| `"red car"` | with these words in a row |
| `mount*` | with a word that begins so |
| `tag:dog` | with exactly this tag |
| `folder:italy` | in a folder whose path contains this |
| `beach -people` | without a word |
"""

app = runtime.current()

st.title("Search")

if not questions.counts(app.catalogue).total:
    empty.no_photos(folders.every(app.db))
    st.stop()

query = st.text_input(
    "Search your photos",
    key="q",
    type="search",
    placeholder="What should the photo show?",
    live="300ms",
    bind="query-params",
    help=HELP,
)
wanted = Wanted(query=query, sort="relevance")
page = wall.page(app.catalogue, wanted, key="search")
if not page.images and query[-1:].isalnum():  # the last word may be half typed
    wanted = Wanted(query=f"{query}*", sort="relevance")
    page = wall.page(app.catalogue, wanted, key="search_begun")
facets.show(questions.tag_counts(app.catalogue, wanted, limit=FACETS), "q")

if not page.images:
    empty.no_match()
    st.stop()

with st.container(
    horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
):
    found = count(page.total, "photo")
    st.text(f"{found} found" if query.strip() else f"All {found}, newest first")
    exports.show(wanted)
wall.show(page, label=f"{found} found", key="search")
