"""Timeline: the months beside a wall of photos; a click goes to the photos of one.

Months are in the order of the date taken, so going to one lists the photos by that.
"""

from dataclasses import replace
from typing import Any

import streamlit as st

from pages.parts import counted, wall, wording
from pages.parts.component import component
from tagger.catalogue import questions
from tagger.catalogue.questions import Page, Sort, Wanted
from tagger.catalogue.store import Catalogue
from tagger.errors import UsageError

HTML = (
    '<div class="timeline" role="toolbar" aria-orientation="vertical" '
    'data-testid="timeline"></div><div class="hint" aria-hidden="true"></div>'
)
UNDATED = ""  # the photos whose date nobody knows

_timeline = component("timeline", HTML)


def show(catalogue: Catalogue, wanted: Wanted, page: Page, *, key: str) -> None:
    """The months of the photos wanted, newest first; nothing where there are none."""
    # The order makes no other months.
    known = counted.months(catalogue, replace(wanted, sort=Sort.NEWEST))
    if not known:
        return
    months = [_month(month, photos) for month, photos in reversed(known)]
    undated = page.total - sum(photos for _, photos in known)
    if undated > 0:
        months.append(_entry(UNDATED, "No date", "?", undated))
    name = f"{key}_timeline"
    _timeline(
        data={"months": months, "label": "Months", "now": _now(wanted, page)},
        key=name,
        on_picked_change=lambda: _go(wanted, st.session_state[name].picked, key),
    )


def _month(month: str, photos: int) -> dict[str, Any]:
    return _entry(month, wording.month(month), month[:4], photos)


def _entry(month: str, label: str, year: str, photos: int) -> dict[str, Any]:
    said = f"{label}, {wording.count(photos, 'photo')}"
    return {"month": month, "label": said, "year": year, "photos": photos}


def _now(wanted: Wanted, page: Page) -> str | None:
    """The month of the first photo shown, where months are in order."""
    if wanted.sort != Sort.TAKEN or not page.images:
        return None
    taken_at = page.images[0].taken_at
    return taken_at[:7] if taken_at else UNDATED


def _go(wanted: Wanted, month: object, key: str) -> None:
    """Turn to the page that begins with a month."""
    if not isinstance(month, str):
        return
    try:
        mark = questions.at_month(None if month == UNDATED else month)
    except UsageError:
        return  # no month that was offered
    wall.go_to(mark, replace(wanted, sort=Sort.TAKEN.value), key=key)
    st.query_params["sort"] = Sort.TAKEN.value
