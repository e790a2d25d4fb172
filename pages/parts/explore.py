"""Explore: the dashboard's charts, one view at a time, so that the page stays calm.

Only the view that is shown counts anything, once for each state of the catalogue; it
stands in the address, so that a link opens the same. Each leads to the photos.
"""

from collections.abc import Callable

import streamlit as st

from pages.parts import charts, charts_over, cloud, counted, explore_tables, places
from tagger.catalogue import insights
from tagger.catalogue.insights import Camera, TagMonth
from tagger.catalogue.query import writing
from tagger.catalogue.questions import Wanted
from tagger.catalogue.store import Catalogue
from tagger.web.runtime import Runtime

TAGS_SHOWN = 12
CLOUD_TAGS = 90
TAGS_OFFERED = 200
TAGS_AT_FIRST = 4
MOST_LINES = 8
YEARS_FROM_MONTHS = 72  # more months than that are counted by year at first
_VIEW, _BY, _TAG = "view", "by", "over"
BY = {"month": "By month", "year": "By year"}


def show(app: Runtime) -> None:
    """The choice, and the view chosen."""
    st.subheader("What is in your photos", anchor=False)
    asked = str(st.query_params.get(_VIEW, ""))
    view = asked if asked in VIEWS else next(iter(VIEWS))
    st.radio(
        "Show",
        list(VIEWS),
        format_func=lambda name: VIEWS[name][0],
        key=_bound(_VIEW, view),
        on_change=_write,
        args=(_VIEW,),
        horizontal=True,
        label_visibility="collapsed",
    )
    with st.container(key=f"dashboard_{view}"):
        VIEWS[view][1](app)


def _overview(app: Runtime) -> None:
    tags_side, months_side = st.columns(2, gap="large")
    with tags_side:
        if tags := counted.tags(app.catalogue, limit=TAGS_SHOWN):
            picked = charts.tags_clicked(tags, key="dashboard_tags")
            if picked is not None:
                places.gallery(tag=picked)
        else:
            st.caption("No photo has a tag yet.")
    with months_side:
        if months := counted.months(app.catalogue, Wanted()):
            charts.months(months, key="dashboard_months")
        else:
            st.caption("No photo says when it was taken.")


def _cloud(app: Runtime) -> None:
    tags = counted.tags(app.catalogue, limit=CLOUD_TAGS)
    if not tags:
        st.caption("No photo has a tag yet.")
        return
    if (picked := cloud.show(tags, key="dashboard_cloud_tags")) is not None:
        places.gallery(tag=picked)


def _time(app: Runtime) -> None:
    months = counted.months(app.catalogue, Wanted())
    if not months:
        st.caption("No photo says when it was taken.")
        return
    asked = str(st.query_params.get(_BY, ""))
    usual = "year" if len(months) > YEARS_FROM_MONTHS else "month"
    by = asked if asked in BY else usual
    st.radio(
        "By",
        list(BY),
        format_func=lambda name: BY[name],
        key=_bound(_BY, by),
        on_change=_write,
        args=(_BY,),
        horizontal=True,
        label_visibility="collapsed",
    )
    by_year = by == "year"
    when = charts_over.photos_over_time(
        months, by_year=by_year, key=f"dashboard_over_{by}"
    )
    st.caption("Click a bar to see its photos.")
    if when is not None:
        places.gallery(month=when)
    _tags_over_time(app, by_year=by_year)


def _tags_over_time(app: Runtime, *, by_year: bool) -> None:
    known = [tag.name for tag in counted.tags(app.catalogue, limit=TAGS_OFFERED)]
    if not known:
        return
    asked = [tag for tag in st.query_params.get_all(_TAG) if tag in known]
    tags = asked[:MOST_LINES] or known[:TAGS_AT_FIRST]
    st.multiselect(
        "Tags",
        known,
        key=_bound(_TAG, tags),
        max_selections=MOST_LINES,
        on_change=_write_tags,
        placeholder="The most frequent ones",
    )
    state = counted.state(app.catalogue)
    found = _tag_months(app.catalogue, state, tuple(tags))
    if found:
        charts_over.tags_over_time(found, by_year=by_year, key="dashboard_tag_months")
    else:
        st.caption("No photo with these tags says when it was taken.")


def _cameras(app: Runtime) -> None:
    found = _camera_counts(app.catalogue, counted.state(app.catalogue))
    if not found:
        st.caption("No photo says which camera took it.")
        return
    picked = charts_over.cameras(found, key="dashboard_camera_bars")
    st.caption("Click a bar to see its photos.")
    if picked is not None:
        places.search(writing.field("camera", picked))


VIEWS: dict[str, tuple[str, Callable[[Runtime], None]]] = {
    "overview": ("Overview", _overview),
    "cloud": ("Tag cloud", _cloud),
    "time": ("Over time", _time),
    "together": ("Tags together", explore_tables.together),
    "cameras": ("Cameras", _cameras),
    "models": ("Models and prompts", explore_tables.models),
}


@st.cache_data(max_entries=50, show_spinner="Counting")
def _tag_months(
    _catalogue: Catalogue, state: counted.State, tags: tuple[str, ...]
) -> list[TagMonth]:
    return insights.tags_by_month(_catalogue, tags)


@st.cache_data(max_entries=5, show_spinner="Counting")
def _camera_counts(_catalogue: Catalogue, state: counted.State) -> list[Camera]:
    return insights.cameras(_catalogue)


def _bound(name: str, value: object) -> str:
    """The key of an input that holds `value`, unless it was just changed there."""
    key, known = f"dashboard_{name}_input", f"dashboard_{name}_known"
    if key not in st.session_state or st.session_state.get(known) != value:
        st.session_state[key] = st.session_state[known] = value
    return key


def _write(name: str) -> None:
    value = st.session_state[f"dashboard_{name}_input"]
    st.session_state[f"dashboard_{name}_known"] = value
    st.query_params[name] = value


def _write_tags() -> None:
    chosen = list(st.session_state[f"dashboard_{_TAG}_input"])
    st.session_state[f"dashboard_{_TAG}_known"] = chosen
    if chosen:
        st.query_params[_TAG] = chosen
    else:
        st.query_params.pop(_TAG, None)
