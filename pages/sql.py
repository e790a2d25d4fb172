"""SQL: questions to the catalogue in a language analysts know, read-only."""

import streamlit as st

from pages.parts import sql_answer, sql_editor, sql_tables
from tagger.web import runtime

app = runtime.current()

st.title("SQL")
st.caption(
    "Ask the catalogue in DuckDB's SQL. Nothing can be changed from here; "
    "docs/SQL.md tells more."
)

question_side, tables_side = st.columns([2, 1], gap="large")
with question_side:
    asked = sql_editor.show(app.config.data_dir)
    if asked is not None:
        sql_answer.show(app, asked)
with tables_side:
    sql_tables.show()
