"""Export: the photos wanted, as CSV, Parquet or JSON lines.

The file is written part by part, some thousand photos at a time and all from one state
of the catalogue, so memory stays flat however many there are.

A CSV is made for spreadsheets: text that would be taken for a formula gets an
apostrophe before it, because file names and descriptions come from strangers. Tags
and their sources stand in one cell each, with `;` between. `formula_safe=False` gives
the text as it is; Parquet and JSON lines always do, with real lists.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import duckdb

from tagger.catalogue import parquet
from tagger.catalogue.store import Catalogue, export_prefix
from tagger.catalogue.wanted import Chosen, Wanted, choose
from tagger.errors import DataError, UsageError

PART_ROWS = 10_000
PIECE_BYTES = 1 << 20

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
    "added_at": False,
    "answered_at": False,
}
LISTS = ("tags", "tag_sources")

# The name of each tag, at the place of its id. Looking names up in one list takes a
# tenth of the time of joining them and collecting them again.
_NAMES = """SET VARIABLE names = (
    SELECT list(coalesce(name, '') ORDER BY place)
    FROM range(1, (SELECT coalesce(max(tag_id), 0) + 1 FROM tags)) r(place)
        LEFT JOIN tags ON tag_id = place)"""

# A variable, not a table to join: a join would copy the list for every photo.
_PART = """WITH part AS (
    SELECT i.id, i.name, i.state, i.reason, i.description, i.description_source,
        i.text, i.tag_sources, i.model, i.taken_at, i.camera, i.lens,
        i.latitude, i.longitude, i.width_px AS width, i.height_px AS height,
        i.size_bytes AS bytes, i.format, i.added_at, i.answered_at,
        coalesce(d.path, '') || i.name AS path, f.path AS folder,
        list_select(getvariable('names'), i.tag_ids) AS tags
    FROM images i JOIN chosen USING (id)
        LEFT JOIN directories d ON d.id = i.directory_id
        LEFT JOIN folders f ON f.id = i.folder_id
    WHERE i.id > ? AND i.id <= ?)
SELECT {columns} FROM part ORDER BY id"""


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
) -> int:
    """Write the photos wanted to a file; returns how many they are.

    A path appears, or is replaced, only when all is written.
    """
    job = _Job(catalogue, choose(catalogue, wanted), _known(format), formula_safe)
    if not isinstance(out, Path):
        for piece in job.pieces():
            out.write(piece)
        return job.count
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            for piece in job.pieces():
                file.write(piece)
        os.replace(unfinished, out)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return job.count


def stream(
    catalogue: Catalogue, wanted: Wanted, format: str, *, formula_safe: bool = True
) -> Iterator[bytes]:
    """The same in pieces of bytes. A bad question is refused before the first."""
    job = _Job(catalogue, choose(catalogue, wanted), _known(format), formula_safe)
    return job.pieces()


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
        with self._folder() as folder, self._catalogue.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            self._choose(cursor)
            make = self._whole if self._format.whole else self._parts
            for part in make(cursor, folder):
                yield from _read(part)
                part.unlink()

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """A folder for the parts, beside the catalogue; gone afterwards."""
        catalogue = self._catalogue.path
        made = tempfile.mkdtemp(prefix=export_prefix(catalogue), dir=catalogue.parent)
        try:
            yield Path(made)
        finally:
            shutil.rmtree(made)

    def _choose(self, cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute(_NAMES)
        self._chosen.bind(cursor)
        cursor.execute(
            "CREATE OR REPLACE TEMP TABLE chosen AS SELECT i.id FROM images i "
            f"WHERE {self._chosen.condition} ORDER BY i.id",
            list(self._chosen.parameters),
        )

    def _parts(self, cursor: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[Path]:
        """Files that each hold some of the photos, in order; at least one."""
        options = self._format.first_options
        part = _PART.replace("{columns}", self._columns)
        for number, bounds in enumerate(_bounds(cursor)):
            path = folder / f"{number:06d}"
            self.count += _copy(cursor, part, path, options, bounds)
            options = self._format.options
            yield path

    def _whole(self, cursor: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[Path]:
        """One file that holds them all."""
        part = _PART.replace("{columns}", self._columns)
        self.count = parquet.write(cursor, part, _bounds(cursor), folder / "whole")
        yield folder / "whole"


def _bounds(cursor: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    """Ranges of ids, open below, that hold at most `PART_ROWS` photos each."""
    cursor.execute(
        "SELECT max(id) FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) // ? "
        "AS part FROM chosen) GROUP BY part ORDER BY part",
        [PART_ROWS],
    )
    tops = [0, *(int(row[0]) for row in cursor.fetchall())]
    return list(pairwise(tops)) or [(0, 0)]


def _columns(format: str, formula_safe: bool) -> str:
    if format != "csv":
        return ", ".join(COLUMNS)
    return ", ".join(_cell(name, formula_safe) for name in COLUMNS)


def _cell(name: str, formula_safe: bool) -> str:
    """One column of a CSV as SQL."""
    value = f"array_to_string({name}, ';')" if name in LISTS else name
    if formula_safe and COLUMNS[name]:
        value = (
            f"CASE WHEN regexp_matches({value}, '^[=+\\-@\\t\\r\\n]') "
            f"THEN '''' || {value} ELSE {value} END"
        )
    return f"{value} AS {name}"


def _copy(
    cursor: duckdb.DuckDBPyConnection,
    select: str,
    path: Path,
    options: str,
    parameters: Sequence[int] = (),
) -> int:
    """Write what a statement selects to a file; returns how many rows that were."""
    copy = f"COPY ({select}) TO {_literal(path)} ({options})"
    try:
        cursor.execute(copy, list(parameters))
    except duckdb.IOException as error:
        raise DataError(
            f"{path.parent}: the export cannot be written: {error}"
        ) from error
    return int(cursor.fetchall()[0][0])


def _literal(path: Path) -> str:
    """A path as SQL text; it is one of ours, but the data folder may have a quote."""
    return "'" + str(path).replace("'", "''") + "'"


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _known(format: str) -> str:
    if format.lower() not in FORMATS:
        raise UsageError(
            f"{format!r} is no export format; choose csv, parquet or jsonl"
        )
    return format.lower()
