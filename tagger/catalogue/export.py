"""Export: the photos wanted, as CSV, Parquet, JSON lines, or XMP files in a ZIP.

DuckDB writes the file part by part, some thousand photos at a time and all from one
state of the catalogue, so memory stays flat however many there are.

A CSV is made for spreadsheets: text that would be taken for a formula gets an
apostrophe before it, because file names and descriptions come from strangers. Tags
and their sources stand in one cell each, with `;` between. `formula_safe=False` gives
the text as it is; Parquet and JSON lines always do, with real lists. The ZIP is made by
`xmpzip`; with `says_who` its files say who said their words.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb

from tagger.catalogue import copying, parquet, parts
from tagger.catalogue.ahead import ahead
from tagger.catalogue.copying import list_cell, text_cell
from tagger.catalogue.making import MAKING
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Chosen, Wanted, choose
from tagger.catalogue.xmpzip import XmpZip
from tagger.errors import UsageError
from tagger.outfiles import replacing

# Every column, and whether its value is text from outside (then CSV guards it).
COLUMNS = {
    "id": False,
    "path": True,
    "folder": True,
    "name": True,
    "state": False,
    "reason": True,
    "description": True,
    "description_source": True,
    "text": True,
    "tags": True,
    "tag_sources": True,
    "model": True,
    "taken_at": True,
    "camera": True,
    "lens": True,
    "latitude": False,
    "longitude": False,
    "width": False,
    "height": False,
    "bytes": False,
    "format": True,
    "rating": False,
    "quality": False,
    "added_at": False,
    "answered_at": False,
}
LISTS = ("tags", "tag_sources")
# A part is too small for DuckDB to use two cores on it.
CURSORS = 2


@dataclass(frozen=True, slots=True)
class Format:
    """How a part is written. `whole`: parts cannot just be joined."""

    options: str = ""
    first_options: str = ""
    whole: bool = False


FORMATS = {
    "csv": Format("FORMAT csv, HEADER false", "FORMAT csv, HEADER true"),
    "jsonl": Format("FORMAT json", "FORMAT json"),
    "parquet": Format(whole=True),
}


def format_of(path: Path) -> str:
    """The format a file's name asks for; raises `UsageError` if it is none of ours."""
    return _known(path.suffix.removeprefix("."))


def export(
    catalogue: Catalogue,
    wanted: Wanted,
    out: Path | BinaryIO,
    format: str,
    *,
    formula_safe: bool = True,
    says_who: bool = True,
) -> int:
    """Write the photos wanted to a file; returns how many they are.

    A path appears, or is replaced, only when all is written.
    """
    job = _job(catalogue, wanted, format, formula_safe, says_who)
    if not isinstance(out, Path):
        for piece in job.pieces():
            out.write(piece)
        return job.count
    with replacing(out) as file:
        for piece in job.pieces():
            file.write(piece)
    return job.count


def stream(
    catalogue: Catalogue,
    wanted: Wanted,
    format: str,
    *,
    formula_safe: bool = True,
    says_who: bool = True,
) -> Iterator[bytes]:
    """The same in pieces of bytes. A bad question is refused before the first."""
    return _job(catalogue, wanted, format, formula_safe, says_who).pieces()


def _job(
    catalogue: Catalogue,
    wanted: Wanted,
    format: str,
    formula_safe: bool,
    says_who: bool,
) -> "_Job | XmpZip":
    known, chosen = _known(format), choose(catalogue, wanted)
    if known == "zip":
        return XmpZip(catalogue, chosen, says_who=says_who)
    return _Job(catalogue, chosen, known, formula_safe)


class _Job:
    """One export on its way."""

    def __init__(
        self, catalogue: Catalogue, chosen: Chosen, format: str, formula_safe: bool
    ) -> None:
        self._catalogue = catalogue
        self._chosen = chosen
        self._format = FORMATS[format]
        self._columns = _columns(format, formula_safe)
        self.count = 0

    def pieces(self) -> Iterator[bytes]:
        many = 1 if self._format.whole else CURSORS
        with (
            MAKING.export(),
            copying.folder(self._catalogue.path) as folder,
            parts.reading(self._catalogue, self._chosen, cursors=many) as cursors,
        ):
            make = self._whole if self._format.whole else self._parts
            with closing(make(cursors, folder)) as files:
                for part in files:
                    yield from copying.read(part)
                    part.unlink()

    def _parts(
        self, cursors: Sequence[duckdb.DuckDBPyConnection], folder: Path
    ) -> Generator[Path]:
        """Files that each hold some of the photos, in order; at least one.

        Cursors take turns, so that each writes a part while others do.
        """
        every = list(enumerate(parts.bounds(cursors[0])))
        with ExitStack() as stack:
            lanes = [
                stack.enter_context(
                    closing(
                        ahead(
                            self._lane(cursor, every[n :: len(cursors)], folder),
                            gives_way=True,
                        )
                    )
                )
                for n, cursor in enumerate(cursors)
            ]
            for number, _ in every:
                path, count = next(lanes[number % len(lanes)])
                self.count += count
                yield path

    def _lane(
        self,
        cursor: duckdb.DuckDBPyConnection,
        some: Sequence[tuple[int, tuple[int, int]]],
        folder: Path,
    ) -> Iterator[tuple[Path, int]]:
        select = parts.PART.replace("{columns}", self._columns)
        for number, bounds in some:
            path = folder / f"{number:06d}"
            options = self._format.options if number else self._format.first_options
            with MAKING.part():
                count = copying.copy(cursor, select, path, options, bounds)
            yield path, count

    def _whole(
        self, cursors: Sequence[duckdb.DuckDBPyConnection], folder: Path
    ) -> Generator[Path]:
        """One file that holds them all."""
        (cursor,) = cursors
        bounds = parts.bounds(cursor)
        self.count = parquet.write(cursor, tuple(COLUMNS), bounds, folder / "whole")
        yield folder / "whole"


def _columns(format: str, formula_safe: bool) -> str:
    if format != "csv":
        return ", ".join(COLUMNS)
    return ", ".join(_cell(name, formula_safe) for name in COLUMNS)


def _cell(name: str, formula_safe: bool) -> str:
    """One column of a CSV as SQL."""
    make = list_cell if name in LISTS else text_cell
    value = make(name, formula_safe=formula_safe and COLUMNS[name])
    return f"{value} AS {name}"


def _known(format: str) -> str:
    if format.lower() not in (*FORMATS, "zip"):
        raise UsageError(
            f"{format!r} is no export format; choose csv, parquet, jsonl or zip"
        )
    return format.lower()
