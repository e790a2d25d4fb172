"""Search: one box, answered while typing; the best matches first."""

import streamlit as st

from pages.parts import (
    copylink,
    empty,
    exports,
    facets,
    filters,
    insight,
    saved_searches,
    searchbox,
    wall,
)
from pages.parts.wording import count, plain
from tagger.catalogue import finding, questions
from tagger.catalogue.query.fields import FIELDS
from tagger.catalogue.questions import Wanted
from tagger.errors import QueryError
from tagger.tracking import folders
from tagger.web import runtime

SORTS = {"relevance": "Best match first", **filters.SORTS}
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
saved_searches.show(app.config.data_dir)

if not questions.counts(app.catalogue).total:
    empty.no_photos(folders.every(app.db))
    st.stop()

query = searchbox.show(
    label="Search your photos", placeholder="What should the photo show?"
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    sort = filters.order(SORTS)
    filters.size()
    saved_searches.offer(app.config.data_dir, query, st.query_params.get("sort", ""))
    copylink.show(key="search_link")
    with st.popover("What can be written", icon=":material/help:", type="tertiary"):
        st.table(
            {"Write": [f"`{form}`" for form in FORMS], "to find photos": FORMS.values()}
        )

asked = Wanted(query=query, sort=sort)
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
facets.show(app, questions.tag_counts(app.catalogue, wanted, limit=facets.MOST), wanted)

if not page.images:
    empty.no_match()
    st.stop()

with st.container(
    horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
):
    total = count(page.total, "photo")
    st.text(f"{total} found" if query else f"All {total}")
    exports.show(wanted)
insight.show(app, wanted)
wall.show(page, wanted, label=f"{total} found", key="search", row_px=filters.row_px())
