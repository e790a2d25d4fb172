"""Charts: counts as pictures, each with a title and a unit, readable in both themes.

Colours are left to the theme, which has a palette for light and one for dark.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import altair as alt
import streamlit as st

from pages.parts import wording
from tagger.catalogue.questions import TagCount

_BAR_PX = 26
_AROUND_PX = 90  # title, axis and its title
_MONTHS_PX = 340
_MOST_MONTHS = 72  # more bars than that are counted by year
_PICKED = "picked"

Row = dict[str, Any]


def tags_clicked(tags: Sequence[TagCount], *, key: str) -> str | None:
    """Photos by tag, most frequent first; answers the tag whose bar was clicked."""
    event = st.altair_chart(
        tags_chart(tags),
        on_select="rerun",
        key=key,
        alt="Photos by tag, as a bar chart",
    )
    st.caption("Click a bar to see its photos.")
    points = event.selection.get(_PICKED) or []
    return str(points[0]["tag"]) if points else None


def months(counts: Sequence[tuple[str, int]], *, key: str) -> None:
    """Photos by the month they were taken in."""
    st.altair_chart(
        months_chart(counts), key=key, alt="Photos by the month taken, as a bar chart"
    )


def tags_chart(tags: Sequence[TagCount]) -> alt.Chart:
    rows = [{"tag": tag.name, "photos": tag.count} for tag in tags]
    picked = alt.selection_point(name=_PICKED, fields=["tag"], on="click")
    names = alt.Axis(
        labelLimit=150, labelPadding=8, labelOverlap=False, ticks=False, domain=False
    )
    chart: alt.Chart = (
        alt.Chart(
            alt.InlineData(values=rows),
            title="Most frequent tags",
            height=_BAR_PX * len(rows) + _AROUND_PX,
        )
        .mark_bar(cornerRadiusEnd=3, cursor="pointer")
        .encode(
            x=alt.X("photos:Q", title="Photos", axis=_whole_numbers()),
            y=alt.Y("tag:N", sort=None, title=None, axis=names),
            opacity=alt.condition(picked, alt.value(1), alt.value(0.4)),
            tooltip=[alt.Tooltip("tag:N", title="Tag"), _photos()],
        )
        .add_params(picked)
    )
    return chart


def months_chart(counts: Sequence[tuple[str, int]]) -> alt.Chart:
    few = len(_every_month(counts)) <= _MOST_MONTHS
    unit = "month" if few else "year"
    rows = by_month(counts) if few else by_year(counts)
    names = alt.Axis(labelAngle=0, labelOverlap=True, ticks=False)
    chart: alt.Chart = (
        alt.Chart(
            alt.InlineData(values=rows),
            title=f"Photos by {unit} taken",
            height=_MONTHS_PX,
        )
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X("taken:N", sort=None, title=unit.capitalize(), axis=names),
            y=alt.Y("photos:Q", title="Photos", axis=_whole_numbers()),
            tooltip=[alt.Tooltip("taken:N", title="Taken"), _photos()],
        )
    )
    return chart


def by_month(counts: Sequence[tuple[str, int]]) -> list[Row]:
    known = dict(counts)
    return [
        {"taken": wording.month(month, short=True), "photos": known.get(month, 0)}
        for month in _every_month(counts)
    ]


def by_year(counts: Sequence[tuple[str, int]]) -> list[Row]:
    years: Counter[str] = Counter()
    for month, photos in counts:
        years[month[:4]] += photos
    first, last = int(counts[0][0][:4]), int(counts[-1][0][:4])
    return [
        {"taken": str(year), "photos": years[f"{year:04d}"]}
        for year in range(first, last + 1)
    ]


def _every_month(counts: Sequence[tuple[str, int]]) -> list[str]:
    """From the first month to the last, those without a photo included."""
    first, last = (
        12 * int(month[:4]) + int(month[5:]) - 1
        for month in (counts[0][0], counts[-1][0])
    )
    return [f"{at // 12:04d}-{at % 12 + 1:02d}" for at in range(first, last + 1)]


def _photos() -> Any:
    return alt.Tooltip("photos:Q", title="Photos", format=",")


def _whole_numbers() -> alt.Axis:
    return alt.Axis(tickMinStep=1, format=",d", tickCount=5)
