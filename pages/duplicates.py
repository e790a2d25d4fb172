"""Duplicates: photos that are there more than once, or look the same, side by side."""

import streamlit as st

from pages.parts import alike_form, empty, groups, photo
from pages.parts.wording import count, megabytes, plain
from tagger.catalogue import questions
from tagger.errors import QueryError
from tagger.tracking import folders
from tagger.web import runtime

GROUPS_A_PAGE = 20

app = runtime.current()

st.title("Duplicates")

if not questions.counts(app.catalogue).total:
    empty.no_photos(folders.every(app.db))
    st.stop()

asked = alike_form.show()
try:
    with st.spinner("Comparing photos"):
        listed = app.duplicates.listed(
            asked.query, asked.alike, start=asked.start, limit=GROUPS_A_PAGE
        )
except QueryError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.code(error.pointer, language=None)
    st.stop()

if listed.plain:
    st.caption(
        f"{count(listed.plain, 'picture')} of a flat colour or a slope could not be "
        "compared by look: any two such pictures are close to each other."
    )
if not listed.total:
    empty.no_duplicates(near=asked.alike.near)
    st.stop()

st.text(
    f"{count(listed.total, 'group')} of {count(listed.photos, 'photo')}. All but the "
    f"first of each take {megabytes(listed.spare_bytes)}. Nothing is deleted here."
)
groups.show(listed, left=photo.left(), key="duplicates_groups")
alike_form.turn(listed.start, len(listed.groups), listed.total, page=GROUPS_A_PAGE)
photo.show_asked([copy.card.id for group in listed.groups for copy in group.photos])
