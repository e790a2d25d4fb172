"""Export: the photos wanted, as CSV, Parquet or JSON lines.

DuckDB writes the file part by part, some thousand photos at a time and all from one
state of the catalogue, so memory stays flat however many there are.

A CSV is made for spreadsheets: text that would be taken for a formula gets an
apostrophe before it, because file names and descriptions come from strangers. Tags
and their sources stand in one cell each, with `;` between. `formula_safe=False` gives
the text as it is; Parquet and JSON lines always do, with real lists.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import duckdb

from tagger.catalogue import copying
from tagger.catalogue.copying import list_cell, text_cell
from tagger.catalogue.store import Catalogue, literal
from tagger.catalogue.wanted import Chosen, Wanted, choose
from tagger.errors import UsageError

PART_ROWS = 20_000

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

_PART = """WITH few AS (
    SELECT i.id, i.name, i.state, i.reason, i.description, i.description_source,
        i.text, i.tag_ids, i.model, i.taken_at, i.camera, i.lens, i.latitude,
        i.longitude, i.width_px AS width, i.height_px AS height, i.size_bytes AS bytes,
        i.format, i.added_at, i.answered_at, i.directory_id, i.folder_id
    FROM images i JOIN chosen USING (id) WHERE i.id > ? AND i.id <= ?),
said AS (
    SELECT t.image_id AS id, list(coalesce(tags.name, '') ORDER BY place) AS tags,
        list(t.source ORDER BY place) AS tag_sources
    FROM (SELECT t.*, list_position(few.tag_ids, t.tag_id) AS place
        FROM image_tags t JOIN few ON t.image_id = few.id) t
        LEFT JOIN tags USING (tag_id) GROUP BY t.image_id),
part AS (
    SELECT few.*, coalesce(d.path, '') || few.name AS path, f.path AS folder,
        coalesce(said.tags, []) AS tags,
        coalesce(said.tag_sources, []) AS tag_sources
    FROM few LEFT JOIN said USING (id)
        LEFT JOIN directories d ON d.id = few.directory_id
        LEFT JOIN folders f ON f.id = few.folder_id)
SELECT {columns} FROM part ORDER BY id"""


@dataclass(frozen=True, slots=True)
class Format:
    """How a part is selected and written. `whole`: parts cannot just be joined."""

    options: str
    first_options: str
    whole: bool = False


FORMATS = {
    "csv": Format("FORMAT csv, HEADER false", "FORMAT csv, HEADER true"),
    "jsonl": Format("FORMAT json", "FORMAT json"),
    "parquet": Format(
        "FORMAT parquet, COMPRESSION zstd", "FORMAT parquet, COMPRESSION zstd", True
    ),
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
        where = self._catalogue.path
        with copying.folder(where) as folder, self._catalogue.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            parts = self._parts(cursor, folder)
            if self._format.whole:
                parts = self._joined(cursor, list(parts), folder)
            for part in parts:
                yield from copying.read(part)
                part.unlink()

    def _parts(self, cursor: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[Path]:
        """Files that each hold some of the photos, in order; at least one."""
        self._chosen.bind(cursor)
        cursor.execute(
            "CREATE OR REPLACE TEMP TABLE chosen AS SELECT i.id FROM images i "
            f"WHERE {self._chosen.condition} ORDER BY i.id",
            list(self._chosen.parameters),
        )
        options = self._format.first_options
        part = _PART.replace("{columns}", self._columns)
        for number, bounds in enumerate(_bounds(cursor)):
            path = folder / f"{number:06d}"
            self.count += copying.copy(cursor, part, path, options, bounds)
            options = self._format.options
            yield path

    def _joined(
        self, cursor: duckdb.DuckDBPyConnection, parts: list[Path], folder: Path
    ) -> Iterator[Path]:
        if len(parts) > 1:
            names = ", ".join(literal(part) for part in parts)
            whole = folder / "whole"
            select = f"SELECT * FROM read_parquet([{names}])"
            copying.copy(cursor, select, whole, self._format.options)
            parts = [whole]
        return iter(parts)


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
    make = list_cell if name in LISTS else text_cell
    value = make(name, formula_safe=formula_safe and COLUMNS[name])
    return f"{value} AS {name}"


def _known(format: str) -> str:
    if format.lower() not in FORMATS:
        raise UsageError(
            f"{format!r} is no export format; choose csv, parquet or jsonl"
        )
    return format.lower()
