"""Grid: a wall of photographs; a click or Enter names the one to open.

Where a selection is given, photos can also be selected: by their check mark, Ctrl or
Shift and a click, space, Shift and the arrows, Ctrl+A; Escape selects none.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

from pages.parts import wording
from pages.parts.component import component
from pages.parts.selection import Selection
from tagger.catalogue.questions import Card
from tagger.records import ImageState
from tagger.web import pictures

ROW_PX = 196
MOST_SHOWN = 240  # characters of a description; a tile has room for three lines

SCRIPTS = ("grid", "picks")
HTML = (
    '<div class="wall" role="list" data-testid="photos"></div>'
    '<div class="said" role="status" aria-live="polite"></div>'
)

_grid = component(SCRIPTS[0], HTML, *SCRIPTS[1:])
_BAD = (ImageState.FAILED, ImageState.MISSING)


def show(
    cards: Sequence[Card],
    *,
    label: str,
    key: str,
    page: str = "",
    row_px: int = ROW_PX,
    left: str | None = None,
    selection: Selection | None = None,
) -> int | None:
    """Show photos in rows of about `row_px`; answers the id just opened, if any.

    `page` tells one page of a longer list from the next: a new one starts at its top.
    `left` is the photo that was closed last, `<id>.<number>`: the keyboard goes back
    to it.
    """
    data = {
        "photos": [_photo(card) for card in cards],
        "label": label,
        "page": page,
        "row_px": row_px,
        "left": left,
        "selection": selection and selection.to_show(),
    }
    said = _grid(
        data=data,
        key=key,
        on_opened_change=_nothing,
        on_selection_change=_nothing,
    )
    if selection is not None:
        selection.hear(said.selection)
    opened: int | None = said.opened
    return opened


def _photo(card: Card) -> dict[str, Any]:
    return {
        "id": card.id,
        "name": card.name,
        "caption": textwrap.shorten(
            card.description or "", MOST_SHOWN, placeholder="…"
        ),
        "src": pictures.thumbnail_url(card),
        "width_px": card.width_px,
        "height_px": card.height_px,
        "mark": None if card.state == ImageState.TAGGED else wording.STATES[card.state],
        "tone": "bad" if card.state in _BAD else "wait",
        "edited": card.edited,
    }


def _nothing() -> None:
    """A component's event exists only if something listens."""
