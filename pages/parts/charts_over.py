"""Charts over time and by camera: bars and lines that lead to the photos they count.

Colours are left to the theme, which has a palette for light and one for dark; lines
have marks of different shapes besides, so that they are told apart without colour.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import streamlit as st

from pages.parts import wording
from tagger.catalogue.insights import Camera, TagMonth

HEIGHT_PX = 320
_BAR_PX = 26
_AROUND_PX = 90
_LEAST_PX = 170  # of less, title and axis would leave nothing to the bars
_PICKED = "picked"

Row = dict[str, Any]


def photos_over_time(
    counts: Sequence[tuple[str, int]], *, by_year: bool, key: str
) -> str | None:
    """Photos by month or year taken; answers the one whose bar was clicked."""
    unit = "year" if by_year else "month"
    return _clicked(
        time_chart(counts, by_year=by_year),
        "when",
        key=key,
        alt_text=f"Photos by the {unit} taken, as a bar chart",
    )


def tags_over_time(counts: Sequence[TagMonth], *, by_year: bool, key: str) -> None:
    """Photos of each tag by month or year, as lines."""
    st.altair_chart(
        tags_chart(counts, by_year=by_year),
        key=key,
        alt="Photos with each tag by the time taken, as lines",
    )


def cameras(counts: Sequence[Camera], *, key: str) -> str | None:
    """Photos by camera; answers the one whose bar was clicked."""
    return _clicked(
        cameras_chart(counts),
        "camera",
        key=key,
        alt_text="Photos by camera, as a bar chart",
    )


def time_chart(counts: Sequence[tuple[str, int]], *, by_year: bool) -> alt.Chart:
    rows = time_rows(counts, by_year=by_year)
    unit = "year" if by_year else "month"
    picked = alt.selection_point(name=_PICKED, fields=["when"], on="click")
    chart: alt.Chart = (
        alt.Chart(
            alt.InlineData(values=rows),
            title=f"Photos by {unit} taken",
            height=HEIGHT_PX,
        )
        .mark_bar(cornerRadiusEnd=2, cursor="pointer")
        .encode(
            x=alt.X("when:O", title=unit.capitalize(), axis=_times()),
            y=alt.Y("photos:Q", title="Photos", axis=_whole_numbers()),
            opacity=alt.condition(picked, alt.value(1), alt.value(0.4)),
            tooltip=[alt.Tooltip("said:N", title="Taken"), _photos()],
        )
        .add_params(picked)
    )
    return chart


def tags_chart(counts: Sequence[TagMonth], *, by_year: bool) -> alt.Chart:
    unit = "year" if by_year else "month"
    tag = alt.Legend(title="Tag", orient="top", labelLimit=180, columns=4)
    chart: alt.Chart = (
        alt.Chart(
            alt.InlineData(values=tag_rows(counts, by_year=by_year)),
            title=f"Tags by {unit} taken",
            height=HEIGHT_PX,
        )
        .mark_line(point=alt.OverlayMarkDef(size=46))
        .encode(
            x=alt.X("when:O", title=unit.capitalize(), axis=_times()),
            y=alt.Y("photos:Q", title="Photos", axis=_whole_numbers()),
            color=alt.Color("tag:N", legend=tag, sort=None),
            shape=alt.Shape("tag:N", legend=tag, sort=None),
            tooltip=[
                alt.Tooltip("tag:N", title="Tag"),
                alt.Tooltip("said:N", title="Taken"),
                _photos(),
            ],
        )
    )
    return chart


def cameras_chart(counts: Sequence[Camera]) -> alt.Chart:
    rows = [{"camera": one.name, "photos": one.photos} for one in counts]
    picked = alt.selection_point(name=_PICKED, fields=["camera"], on="click")
    names = alt.Axis(
        labelLimit=180, labelPadding=8, labelOverlap=False, ticks=False, domain=False
    )
    chart: alt.Chart = (
        alt.Chart(
            alt.InlineData(values=rows),
            title="Photos by camera",
            height=max(_BAR_PX * len(rows) + _AROUND_PX, _LEAST_PX),
        )
        .mark_bar(cornerRadiusEnd=3, cursor="pointer")
        .encode(
            x=alt.X("photos:Q", title="Photos", axis=_whole_numbers()),
            y=alt.Y("camera:N", sort=None, title=None, axis=names),
            opacity=alt.condition(picked, alt.value(1), alt.value(0.4)),
            tooltip=[alt.Tooltip("camera:N", title="Camera"), _photos()],
        )
        .add_params(picked)
    )
    return chart


def time_rows(counts: Sequence[tuple[str, int]], *, by_year: bool) -> list[Row]:
    """A row for each month or year from the first on, those without a photo too."""
    known: dict[str, int] = {}
    for month, photos in counts:
        when = month[:4] if by_year else month
        known[when] = known.get(when, 0) + photos
    return [
        {"when": when, "said": _said(when), "photos": known.get(when, 0)}
        for when in _every(sorted(known), by_year=by_year)
    ]


def tag_rows(counts: Sequence[TagMonth], *, by_year: bool) -> list[Row]:
    """A row for each tag and time, nought where a tag was on no photo of that time."""
    known: dict[tuple[str, str], int] = {}
    for one in counts:
        which = one.tag, one.month[:4] if by_year else one.month
        known[which] = known.get(which, 0) + one.photos
    times = _every(sorted({when for _, when in known}), by_year=by_year)
    return [
        {
            "when": when,
            "said": _said(when),
            "tag": tag,
            "photos": known.get((tag, when), 0),
        }
        for tag in dict.fromkeys(tag for tag, _ in known)
        for when in times
    ]


def _every(times: Sequence[str], *, by_year: bool) -> list[str]:
    if not times:
        return []
    if by_year:
        return [f"{year:04d}" for year in range(int(times[0]), int(times[-1]) + 1)]
    first, last = (12 * int(t[:4]) + int(t[5:]) - 1 for t in (times[0], times[-1]))
    return [f"{at // 12:04d}-{at % 12 + 1:02d}" for at in range(first, last + 1)]


def _said(when: str) -> str:
    return wording.month(when) if "-" in when else when


def _clicked(chart: alt.Chart, field: str, *, key: str, alt_text: str) -> str | None:
    event = st.altair_chart(chart, on_select="rerun", key=key, alt=alt_text)
    points = event.selection.get(_PICKED) or []
    return str(points[0][field]) if points else None


def _times() -> alt.Axis:
    return alt.Axis(labelAngle=0, labelOverlap=True, ticks=False)


def _photos() -> Any:
    return alt.Tooltip("photos:Q", title="Photos", format=",")


def _whole_numbers() -> alt.Axis:
    return alt.Axis(tickMinStep=1, format=",d", tickCount=5)
