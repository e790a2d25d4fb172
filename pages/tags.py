"""Tags: all of them, each with what it is on, to be put in order."""

import streamlit as st

from pages.parts import (
    empty,
    tag_address,
    tag_job,
    tag_list,
    tag_pairs,
    tag_sheet,
)
from tagger.catalogue import questions
from tagger.tracking import folders
from tagger.web import runtime

app = runtime.current()

st.title("Tags")

if not questions.counts(app.catalogue).total:
    empty.no_photos(folders.every(app.db))
    st.stop()

tag_job.show(app)
opened = tag_address.opened()
if opened is not None:
    tag_sheet.show(app, opened)
else:
    view = tag_address.view()
    if view == tag_address.SUGGESTIONS:
        tag_pairs.show(app)
    elif view == tag_address.CHANGES:
        tag_job.show_all(app)
    else:
        tag_list.show(app)
