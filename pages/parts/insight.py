"""Insight: what the photos of a search have in common, counted on request."""

from typing import Any

import streamlit as st

from pages.parts.wording import plain
from tagger.catalogue import breakdown
from tagger.catalogue.breakdown import Asked, Breakdown
from tagger.catalogue.questions import Wanted
from tagger.web.runtime import Runtime

MOST = 200
KINDS = {
    "years": "Years",
    "months": "Months",
    "folders": "Folders",
    "cameras": "Cameras",
    "lenses": "Lenses",
    "formats": "Formats",
    "models": "Models",
    "ratings": "Ratings",
    "states": "States",
    "tagging": "Untagged",
    "together": "Tags together",
    "time": "Tags over time",
    "singletons": "Tags of one photo",
    "drift": "Models compared",
}
_NAMES = {
    "photo_id": "Photo",
    "only_first": "Only the first says it",
    "only_second": "Only the second says it",
    "both": "Both say it",
}


def show(app: Runtime, wanted: Wanted) -> None:
    """A fold that counts nothing until it is opened."""
    fold = st.expander(
        "Count these photos",
        icon=":material/bar_chart:",
        key="search_insight",
        on_change="rerun",
    )
    if not fold.open:
        return
    with fold:
        by = st.selectbox(
            "By",
            list(KINDS),
            format_func=lambda kind: KINDS[kind],
            key="search_insight_by",
            width=240,
        )
        asked = Asked(wanted=wanted, limit=MOST)
        _table(breakdown.break_down(app.catalogue, app.db, by, asked))


def _table(found: Breakdown) -> None:
    if found.note:
        st.caption(plain(found.note))
    if not found.rows:
        st.caption("There is nothing to count here.")
        return
    columns: dict[str, list[Any]] = {
        _name(column): [
            "(none)" if row[number] is None else row[number] for row in found.rows
        ]
        for number, column in enumerate(found.columns)
    }
    shown = {}
    if "Photos" in columns:
        most = max(columns["Photos"])
        shown["Photos"] = st.column_config.ProgressColumn(
            format="%d", min_value=0, max_value=most
        )
    st.dataframe(
        columns, hide_index=True, column_config=shown, key=f"search_by_{found.by}"
    )


def _name(column: str) -> str:
    return _NAMES.get(column, column.capitalize())
