"""Cloud: tags as words, the larger the more photos have them; a click names the tag."""

import math
from collections.abc import Sequence

import streamlit as st

from pages.parts import wording
from pages.parts.component import component
from tagger.catalogue.questions import TagCount

SIZES = 7

_cloud = component(
    "cloud", '<ul class="cloud" data-testid="cloud" aria-label="Tags"></ul>'
)


def show(tags: Sequence[TagCount], *, key: str) -> str | None:
    """The tags by name, so that one can be found; answers the one just clicked."""
    most = max(tag.count for tag in tags)
    fewest = min(tag.count for tag in tags)
    data = {
        "tags": [
            {
                "name": tag.name,
                "size": size(tag.count, fewest=fewest, most=most),
                "said": wording.count(tag.count, "photo"),
            }
            for tag in sorted(tags, key=lambda tag: tag.name.casefold())
        ]
    }
    picked: str | None = _cloud(data=data, key=key, on_picked_change=_nothing).picked
    st.caption("The larger, the more photos. Click a tag to see its photos.")
    return picked


def size(count: int, *, fewest: int, most: int) -> int:
    """1 to `SIZES`, by the logarithm: counts of tags differ a thousandfold."""
    if most == fewest:
        return (SIZES + 1) // 2
    part = math.log(count / fewest) / math.log(most / fewest)
    return 1 + round(part * (SIZES - 1))


def _nothing() -> None:
    """A component's event exists only if something listens."""
