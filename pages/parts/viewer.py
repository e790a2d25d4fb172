"""Viewer: one photograph as large as the room allows, to be zoomed and stepped from.

What it is asked for is answered; whether the facts stand beside it is in the address.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.parts.component import component

ADDRESS = "info"
CLOSED = "no"

_viewer = component(
    "viewer",
    """
    <div class="viewer" tabindex="0" role="group" data-testid="viewer"
         aria-label="Photo: arrow keys step, plus and minus zoom, 0 fits, 1 is actual
size, F is the whole screen, I is the information">
      <div class="stage"><img draggable="false" hidden></div>
      <p class="note" role="status" hidden></p>
      <div class="panel" hidden></div>
      <button class="before" type="button" aria-label="Previous photo"
              title="Previous photo (Left arrow)" data-testid="photo-before"
              >&#8249;</button>
      <button class="after" type="button" aria-label="Next photo"
              title="Next photo (Right arrow)" data-testid="photo-after"
              >&#8250;</button>
      <div class="tools" role="toolbar" aria-label="View">
        <button class="out" type="button" aria-label="Zoom out" title="Zoom out (-)"
                data-testid="zoom-out">&minus;</button>
        <button class="level" type="button" title="Fit (0), actual size (1)"
                data-testid="zoom-level">Fit</button>
        <button class="in" type="button" aria-label="Zoom in" title="Zoom in (+)"
                data-testid="zoom-in">+</button>
        <button class="whole" type="button" aria-label="Whole screen"
                aria-pressed="false" title="Whole screen (F)"
                data-testid="whole-screen"><svg viewBox="0 0 16 16" aria-hidden="true"
                ><path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4"/></svg></button>
        <button class="info" type="button" aria-label="Information"
                aria-pressed="true" title="Information (I)"
                data-testid="info">i</button>
      </div>
    </div>
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is shown of a photo.

    `small` and `large` are addresses of the thumbnail and of the whole picture,
    `missing` is said where the whole one cannot be shown. `lines` are what is told of
    it where it fills the screen.
    """

    id: int
    small: str | None
    large: str | None
    alt: str
    missing: str
    size_px: tuple[int, int] | None
    lines: Sequence[str] = ()


def show(
    picture: Picture, *, before: int | None, after: int | None, key: str
) -> int | None:
    """Show a picture; answers the neighbour asked for, if any."""
    width_px, height_px = picture.size_px or (None, None)
    data = {
        "id": picture.id,
        "small": picture.small,
        "large": picture.large,
        "alt": picture.alt,
        "missing": picture.missing,
        "width_px": width_px,
        "height_px": height_px,
        "before": before,
        "after": after,
        "info": list(picture.lines),
        "info_open": is_info_open(),
    }

    def turned() -> None:
        if st.session_state[key].info is not None:
            _open_info(st.session_state[key].info)

    shown = _viewer(data=data, key=key, on_step_change=_nothing, on_info_change=turned)
    wanted: int | None = shown.step
    return wanted


def is_info_open() -> bool:
    """Whether the words and facts stand beside the picture."""
    return st.query_params.get(ADDRESS) != CLOSED


def _open_info(is_open: bool) -> None:
    if is_open:
        st.query_params.pop(ADDRESS, None)
    else:
        st.query_params[ADDRESS] = CLOSED


def _nothing() -> None:
    """A component's event exists only if something listens."""
