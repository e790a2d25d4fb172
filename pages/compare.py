"""Compare models: several models or prompts asked about the same few photos."""

import streamlit as st

from pages.parts import (
    compare_address,
    compare_form,
    compare_list,
    compare_progress,
    compare_result,
    empty,
    judge,
)
from pages.parts.wording import plain
from tagger.catalogue import questions
from tagger.errors import UsageError
from tagger.tracking import comparisons, folders
from tagger.web import runtime

app = runtime.current()

st.title("Compare models")

if not questions.counts(app.catalogue).total:
    empty.no_photos(folders.every(app.db))
    st.stop()

asked = compare_address.comparison()
if not asked:
    compare_form.show(app)
    compare_list.show(app)
    st.stop()

compare_address.way_back()
try:
    whole = comparisons.whole(app.db, asked)
except UsageError as error:
    st.error(plain(f"{error}. It may have been deleted."), icon=":material/error:")
    st.stop()

st.subheader(plain(whole.comparison.name), anchor=False)
compare_progress.show(app, whole.comparison)
if whole.answers:
    blind = compare_address.blind()
    judge.show(app, whole, blind=blind)
    compare_result.show(app, whole, blind=blind)
