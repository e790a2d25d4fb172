"""Grid: a wall of photographs; a click or Enter names the one to open."""

from collections.abc import Sequence
from typing import Any

from pages.parts import wording
from pages.parts.component import component
from tagger.catalogue.questions import Card
from tagger.records import ImageState
from tagger.web import pictures

ROW_PX = 196

_grid = component("grid", '<div class="wall" role="list" data-testid="photos"></div>')
_BAD = (ImageState.FAILED, ImageState.MISSING)


def show(
    cards: Sequence[Card],
    *,
    label: str,
    key: str,
    page: str = "",
    row_px: int = ROW_PX,
    left: str | None = None,
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
    }
    opened: int | None = _grid(data=data, key=key, on_opened_change=_nothing).opened
    return opened


def _photo(card: Card) -> dict[str, Any]:
    return {
        "id": card.id,
        "name": card.name,
        "caption": card.description or "",
        "src": pictures.thumbnail_url(card),
        "width_px": card.width_px,
        "height_px": card.height_px,
        "mark": None if card.state == ImageState.TAGGED else wording.STATES[card.state],
        "tone": "bad" if card.state in _BAD else "wait",
    }


def _nothing() -> None:
    """A component's event exists only if something listens."""
