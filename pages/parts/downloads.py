"""Downloads: links that save a file and leave the page as it is."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pages.parts.component import component

_downloads = component("downloads", '<div class="downloads"></div>')


@dataclass(frozen=True, slots=True)
class Download:
    """A link's words, the address of the file, and a hint on hover."""

    label: str
    url: str
    hint: str = ""


def show(links: Sequence[Download], *, key: str, width: Any = "stretch") -> None:
    """Show the links side by side."""
    _downloads(data={"links": [asdict(link) for link in links]}, key=key, width=width)
