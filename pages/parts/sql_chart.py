"""SQL chart: an answer as a picture, where its columns make one.

Numbers over time become a line, numbers of anything else bars.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import streamlit as st

from tagger.catalogue.sql import Answer, Column

MOST_BARS = 60
MOST_POINTS = 2000
_BAR_PX = 24
_AROUND_PX = 80
_LINE_PX = 340
_TIMES = ("DATE", "TIMESTAMP")
_NUMBERS = ("INT", "DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "BIGINT", "SMALLINT")


@dataclass(frozen=True, slots=True)
class Drawing:
    """Which column goes along, which is drawn, and whether as a line over time."""

    along: int
    drawn: int
    is_line: bool


def drawing(answer: Answer) -> Drawing | None:
    """What can be drawn of an answer; None where its columns make no picture."""
    drawn = [n for n, column in enumerate(answer.columns) if _is_number(column)]
    times = [n for n, c in enumerate(answer.columns) if c.kind.startswith(_TIMES)]
    texts = [n for n, column in enumerate(answer.columns) if column.kind == "VARCHAR"]
    if not answer.rows or not drawn:
        return None
    if times:
        return Drawing(times[0], _value(answer.columns, drawn), True)
    if texts:
        return Drawing(texts[0], _value(answer.columns, drawn), False)
    return Drawing(drawn[0], drawn[1], False) if len(drawn) > 1 else None


def show(answer: Answer, drawing: Drawing) -> None:
    """The picture, and how much of the answer it leaves out."""
    most = MOST_POINTS if drawing.is_line else MOST_BARS
    chart = _chart(answer, drawing, most)
    st.altair_chart(chart, key="sql_chart", alt="The answer as a chart")
    if len(answer.rows) > most:
        st.caption(f"The first {most:,} of {len(answer.rows):,} rows.")


def _chart(answer: Answer, drawing: Drawing, most: int) -> alt.Chart:
    along, drawn = answer.columns[drawing.along], answer.columns[drawing.drawn]
    # Names of columns can be anything; those of the chart's own fields are plain.
    rows = [
        {
            "along": "" if row[drawing.along] is None else str(row[drawing.along]),
            "drawn": row[drawing.drawn],
        }
        for row in answer.rows[:most]
    ]
    hints = [
        alt.Tooltip("along:N", title=along.name),
        alt.Tooltip("drawn:Q", title=drawn.name),
    ]
    if drawing.is_line:
        line: alt.Chart = (
            alt.Chart(alt.InlineData(values=rows), height=_LINE_PX)
            .mark_line(point=len(rows) < 100)
            .encode(
                x=alt.X("along:T", title=along.name),
                y=alt.Y("drawn:Q", title=drawn.name),
                tooltip=hints,
            )
        )
        return line
    names = alt.Axis(labelLimit=150, labelPadding=8, ticks=False, domain=False)
    bars: alt.Chart = (
        alt.Chart(
            alt.InlineData(values=rows),
            height=_BAR_PX * len({row["along"] for row in rows}) + _AROUND_PX,
        )
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X("drawn:Q", title=drawn.name),
            y=alt.Y("along:N", sort=None, title=along.name, axis=names),
            tooltip=hints,
        )
    )
    return bars


def _value(columns: Sequence[Column], numbers: Sequence[int]) -> int:
    """The first number that is no mere id."""
    named = [n for n in numbers if columns[n].name not in ("id", "photo_id")]
    return (named or list(numbers))[0]


def _is_number(column: Column) -> bool:
    kind = column.kind
    return not kind.endswith("]") and kind.lstrip("U").startswith(_NUMBERS)
