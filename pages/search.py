"""Search: one box, answered while typing; the best matches first."""

import streamlit as st

from pages.parts import empty, exports, facets, insight, searchbox, wall
from pages.parts.wording import count, plain
from tagger.catalogue import finding, questions
from tagger.catalogue.query.fields import FIELDS
from tagger.catalogue.questions import Wanted
from tagger.errors import QueryError
from tagger.tracking import folders
from tagger.web import runtime

FACETS = 24
FORMS = {
    "beach dog": "with both words, in any form; the best matches come first",
    '"red car"': "with these words in a row",
    "mount*": "with a word that begins so",
    "beach -people": "without a word",
    "dog OR cat": "with either",
    "(dog OR cat) beach": "brackets hold together what belongs together",
    "~happy children": "whose descriptions mean about this",
    **{f"{f.name}:{f.example}": f.means for f in FIELDS.values()},
}

app = runtime.current()

st.title("Search")

if not questions.counts(app.catalogue).total:
    empty.no_photos(folders.every(app.db))
    st.stop()

query = searchbox.show(
    label="Search your photos", placeholder="What should the photo show?"
)
with st.popover("What can be written", icon=":material/help:", type="tertiary"):
    st.table(
        {"Write": [f"`{form}`" for form in FORMS], "to find photos": FORMS.values()}
    )

asked = Wanted(query=query, sort="relevance")
try:
    found = finding.find(
        app.catalogue,
        asked,
        after=wall.place(asked, key="search"),
        limit=wall.PHOTOS_A_PAGE,
        typing=True,
    )
except QueryError as error:
    searchbox.point_at(error)
    st.stop()
page, wanted = found.page, found.wanted

if wanted.query.removesuffix("*") != query:
    st.caption(plain(f"Nothing matches {query}. These match {wanted.query}"))
facets.show(questions.tag_counts(app.catalogue, wanted, limit=FACETS), wanted.query)

if not page.images:
    empty.no_match()
    st.stop()

with st.container(
    horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
):
    total = count(page.total, "photo")
    st.text(f"{total} found" if query else f"All {total}, newest first")
    exports.show(wanted)
insight.show(app, wanted)
wall.show(page, wanted, label=f"{total} found", key="search")
