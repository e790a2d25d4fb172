"""Exports: links that save what a search found, in three formats."""

from urllib.parse import urlencode

from pages.parts import downloads
from pages.parts.downloads import Download
from tagger.catalogue.questions import Wanted

EXPORT_URL = "/api/export"
FORMATS = {"csv": "CSV", "parquet": "Parquet", "jsonl": "JSON lines"}


def show(wanted: Wanted) -> None:
    """One link a format, each for exactly what is wanted."""
    links = [
        Download(label, url(wanted, name), f"Save what was found as {label}")
        for name, label in FORMATS.items()
    ]
    downloads.show(links, key="search_exports", width="content")


def url(wanted: Wanted, format_name: str) -> str:
    """The address of the export."""
    return f"{EXPORT_URL}?{urlencode({'format': format_name, 'q': wanted.query})}"
