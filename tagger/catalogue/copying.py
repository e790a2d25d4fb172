"""Copying: what a statement selects, written by DuckDB to a file and read in pieces.

The files are made below the one folder the catalogue can reach, and go when they have
been read. A cell of a CSV that a spreadsheet would take for a formula gets an
apostrophe before it.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import duckdb

from tagger.catalogue.quoting import literal
from tagger.catalogue.store import exports_dir
from tagger.errors import DataError

PIECE_BYTES = 1 << 20

# Some spreadsheets take the wide forms of East Asian scripts for the same signs.
_SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_FORMULA = f"^[{re.escape(_SIGNS)}]"
_SOME_FORMULA = f"(^|;)[{re.escape(_SIGNS)}]"


@contextmanager
def folder(catalogue: Path) -> Iterator[Path]:
    """A folder for the files of one export; gone afterwards."""
    made = tempfile.mkdtemp(dir=exports_dir(catalogue))
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made)


def copy(
    cursor: duckdb.DuckDBPyConnection,
    select: str,
    path: Path,
    options: str,
    parameters: Sequence[int] = (),
) -> int:
    """Write what a statement selects to a file; returns how many rows that were."""
    statement = f"COPY ({select}) TO {literal(path)} ({options})"
    try:
        cursor.execute(statement, list(parameters))
    except duckdb.IOException as error:
        raise DataError(
            f"{path.parent}: the export cannot be written: {error}"
        ) from error
    return int(cursor.fetchall()[0][0])


def read(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a piece at a time."""
    with path.open("rb") as file:
        yield from pieces(file)


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """What is left of an open file, a piece at a time."""
    while piece := file.read(PIECE_BYTES):
        yield piece


def text_cell(value: str, *, formula_safe: bool) -> str:
    """A cell of a CSV, as SQL, of an expression that is text."""
    if not formula_safe:
        return value
    return (
        f"CASE WHEN regexp_matches({value}, {literal(_FORMULA)}) "
        f"THEN '''' || {value} ELSE {value} END"
    )


def list_cell(value: str, *, formula_safe: bool) -> str:
    """A cell of a CSV, as SQL, of a list of texts: `;` stands between them.

    Each is guarded: where `;` parts cells, each begins one. The whole is looked at
    first, since looking at each word takes several times as long.
    """
    joined = f"array_to_string({value}, ';')"
    if not formula_safe:
        return joined
    each = text_cell("word", formula_safe=True)
    guarded = f"list_transform({value}, lambda word: {each})"
    return (
        f"CASE WHEN regexp_matches({joined}, {literal(_SOME_FORMULA)}) "
        f"THEN array_to_string({guarded}, ';') ELSE {joined} END"
    )


def guarded(text: str) -> str:
    """A text as such a cell has it."""
    return f"'{text}" if text and text[0] in _SIGNS else text
