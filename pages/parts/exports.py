"""Exports: links that save what a search found, in every format there is."""

from urllib.parse import urlencode

from pages.parts import downloads
from pages.parts.downloads import Download
from tagger.catalogue.questions import Wanted
from tagger.web.runtime import Runtime

EXPORT_URL = "/api/export"
FORMATS = {
    "csv": ("CSV", "Save what was found as CSV, safe to open in a spreadsheet"),
    "plain": ("CSV, plain", "The same with all text as it is, for programs"),
    "parquet": ("Parquet", "Save what was found as Parquet"),
    "jsonl": ("JSON lines", "Save what was found as JSON lines"),
    "zip": ("XMP", "Save the words of each photo as an XMP file, all in a ZIP"),
}


def show(wanted: Wanted) -> None:
    """One link a format, each for exactly what is wanted."""
    links = [
        Download(label, url(wanted, name), hint)
        for name, (label, hint) in FORMATS.items()
    ]
    downloads.show(links, key="search_exports", width="content")


def show_selection(app: Runtime, picked: Wanted) -> None:
    """The same for photos that were picked, which no query names."""
    token = app.selections.token(picked)
    links = [
        Download(label, _url(name, selection=token), hint)
        for name, (label, hint) in FORMATS.items()
    ]
    downloads.show(links, key="selection_exports", width="content")


def url(wanted: Wanted, format_name: str) -> str:
    """The address of the export."""
    return _url(format_name, q=wanted.query)


def _url(format_name: str, **which: str) -> str:
    asked = {"format": format_name, **which}
    if format_name == "plain":
        asked |= {"format": "csv", "formula_safe": "false"}
    return f"{EXPORT_URL}?{urlencode(asked)}"
