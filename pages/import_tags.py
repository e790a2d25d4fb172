"""Import tags: a table from a spreadsheet, looked at first, then carried out."""

import streamlit as st

from pages.parts import sheet
from tagger.web import runtime

app = runtime.current()

st.title("Import tags")
st.caption(
    "A CSV file with a column id or path, and a column tags (all a photo shall have, "
    "with ; between), or columns add and remove. An export can be edited and brought "
    "back. Nothing changes before you have seen what would."
)
sheet.show(app)
