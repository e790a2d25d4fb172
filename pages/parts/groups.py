"""Groups: photos that are alike side by side, with what is not the same marked."""

from typing import Any

import streamlit as st

from pages.parts import wording
from pages.parts.component import component
from tagger.catalogue.alike.duplicates import Copy, Group, Listed
from tagger.web import pictures

_groups = component("groups", '<div class="groups" data-testid="groups"></div>')

# How what differs is called on screen, by its name in `duplicates.ASPECTS`.
NAMES = {
    "name": "Name",
    "folder": "Folder",
    "size": "Size",
    "bytes": "File size",
    "format": "Format",
    "taken": "Taken",
    "tags": "Tags",
    "description": "Description",
}


def show(listed: Listed, *, left: str | None, key: str) -> None:
    """Show the groups; a click on a photo puts it into the address, to be opened.

    `left` is the photo that was closed last: the keyboard goes back to it.
    """
    data = {
        "groups": [
            _group(number, group)
            for number, group in enumerate(listed.groups, start=listed.start + 1)
        ],
        "left": left,
    }
    opened = _groups(data=data, key=key, on_opened_change=_nothing).opened
    if opened is not None:
        st.query_params["photo"] = str(opened)


def _group(number: int, group: Group) -> dict[str, Any]:
    what = "the same picture" if group.is_exact else "look the same"
    differs = ", ".join(NAMES[name].lower() for name in group.differs)
    hidden = group.total - len(group.photos)
    return {
        "title": f"{number:,}. {wording.count(group.total, 'photo')}, {what}",
        "note": f"Not the same: {differs}" if differs else "Nothing differs",
        "more": f"{wording.count(hidden, 'more photo')} not shown" if hidden else "",
        "photos": [_photo(copy, group) for copy in group.photos],
    }


def _photo(copy: Copy, group: Group) -> dict[str, Any]:
    card = copy.card
    values = {
        "name": card.name,
        "folder": copy.folder,
        "size": f"{card.width_px:,} x {card.height_px:,}"
        if card.width_px and card.height_px
        else "",
        "bytes": wording.megabytes(copy.size_bytes),
        "format": copy.format or "",
        "taken": wording.day(card.taken_at) if card.taken_at else "not known",
        "tags": ", ".join(card.tags) or "none",
        "description": card.description or "none",
    }
    return {
        "id": card.id,
        "name": card.name,
        "src": pictures.thumbnail_url(card),
        "facts": [[NAMES[name], values[name], name in group.differs] for name in NAMES],
    }


def _nothing() -> None:
    """A component's event exists only if something listens."""
