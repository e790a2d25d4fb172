"""SQL answer: what a question found, as a table, a chart, or files to save."""

import json
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from pages.parts import downloads, sql_chart
from pages.parts.downloads import Download
from pages.parts.wording import count, plain
from tagger.catalogue.sql import Answer
from tagger.errors import SqlError
from tagger.web import asked
from tagger.web.runtime import Runtime

FILE_URL = "/api/sql/file"
FORMATS = {"csv": "CSV", "parquet": "Parquet", "jsonl": "JSON lines"}
_KEPT = "sql_answer"


def show(app: Runtime, text: str) -> None:
    """Ask, once for each question, and show what came of it."""
    try:
        answer = _answer(app, text)
    except SqlError as error:
        st.error(plain(str(error)), icon=":material/error:")
        if error.pointer:
            st.code(error.pointer, language=None)
        return
    _said(answer)
    if not answer.rows:
        return
    drawing = sql_chart.drawing(answer)
    view = "Table"
    if drawing is not None:
        view = st.radio(
            "Shown as",
            ["Table", "Chart"],
            horizontal=True,
            key="sql_view",
            label_visibility="collapsed",
        )
    if drawing is not None and view == "Chart":
        sql_chart.show(answer, drawing)
    else:
        st.dataframe(table(answer), hide_index=True, key="sql_table")
    _files(app, text)


def _answer(app: Runtime, text: str) -> Answer:
    """The answer of this visitor's last question, or a fresh one to another."""
    kept_text, kept = st.session_state.get(_KEPT, (None, None))
    pressed = st.session_state.get("sql_ask")
    if kept is None or kept_text != text or pressed:
        kept = asked.answer_on_screen(app, text)
        st.session_state[_KEPT] = text, kept
    found: Answer = kept
    return found


def _said(answer: Answer) -> None:
    rows = count(len(answer.rows), "row")
    took = f"in {answer.seconds:.2f} s"
    if answer.cut:
        st.warning(
            f"Cut at {rows}, as the setting says; there are more. A file has more.",
            icon=":material/content_cut:",
        )
    st.caption(f"{rows} {took}")


def table(answer: Answer) -> dict[str, list[Any]]:
    """The columns as a table takes them: each name once, and nothing nested."""
    columns: dict[str, list[Any]] = {}
    for number, column in enumerate(answer.columns):
        name = column.name
        while name in columns:
            name += "'"
        columns[name] = [_cell(row[number]) for row in answer.rows]
    return columns


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return [
            _cell(each) if isinstance(each, dict | list) else each for each in value
        ]
    return value


def _files(app: Runtime, text: str) -> None:
    token = app.sql_links.token(text)
    links = [
        Download(
            label,
            f"{FILE_URL}/{token}?{urlencode({'format': name})}",
            f"Save the answer as {label}",
        )
        for name, label in FORMATS.items()
    ]
    downloads.show(links, key="sql_files", width="content")
