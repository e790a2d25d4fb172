"""Tag table: tags, each with its photos by year, who says it, and some pictures."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.parts import tag_address, tag_wording, who
from pages.parts.component import component
from tagger.acting import Role
from tagger.catalogue.tagtable import Row
from tagger.web import pictures

_table = component("tagtable", '<div class="tags" data-testid="tagtable"></div>')


def show(rows: Sequence[Row], *, picked: Sequence[str], key: str) -> None:
    """Show the tags; a click opens one, check marks choose several."""

    def opened() -> None:
        name = st.session_state[key].opened
        if isinstance(name, str):
            tag_address.open_tag(name)

    def checked() -> None:
        marks = st.session_state[key].checked
        if isinstance(marks, dict):
            chosen = dict.fromkeys(tag_address.picked())
            for name, mark in marks.items():
                chosen[name] = None
                if not mark:
                    del chosen[name]
            tag_address.pick(list(chosen))

    years = sorted({year for row in rows for year, _ in row.years})
    span = _span(years)
    data = {
        "rows": [_row(row, span, chosen=row.tag.name in picked) for row in rows],
        "may_choose": who.may(Role.EDITOR),
        "years": [span[0], span[-1]] if span else [],
    }
    _table(data=data, key=key, on_opened_change=opened, on_checked_change=checked)


def _span(years: Sequence[str]) -> list[str]:
    """Every year from the first to the last; a camera's clock may be centuries off."""
    if not years or not all(year.isdecimal() for year in years):
        return list(years)
    first, last = int(years[0]), int(years[-1])
    return [f"{year:04d}" for year in range(max(first, last - 99), last + 1)]


def _row(row: Row, span: Sequence[str], *, chosen: bool) -> dict[str, Any]:
    by_year = dict(row.years)
    said = sum(number for _, number in row.sources) or 1
    return {
        "name": row.tag.name,
        "count": row.tag.count,
        "chosen": chosen,
        "trend": [by_year.get(year, 0) for year in span],
        "sources": [
            [tag_wording.source(source), round(100 * number / said)]
            for source, number in row.sources
        ],
        "photos": [
            {"src": pictures.thumbnail_url(card), "name": card.name}
            for card in row.examples
        ],
    }
