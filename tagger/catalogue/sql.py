"""SQL: a person's questions in DuckDB's own language, read-only and within limits.

A question is checked first (`sqlcheck`), sees only the documented `views`, and runs in
a read-only transaction on a cursor of its own. It is interrupted when its time is over,
and cut at its rows; whoever asked is told of both. Memory is that of the whole
catalogue, which has one limit for everybody.
"""

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as clock
from decimal import Decimal
from typing import Any, BinaryIO

import duckdb

from tagger.catalogue import copying, quoting, views
from tagger.catalogue.sqlcheck import check
from tagger.catalogue.store import MEMORY_LIMIT, Catalogue
from tagger.errors import SqlError, UsageError
from tagger.tracking.database import Database

FILE_OPTIONS = {
    "csv": "FORMAT csv, HEADER true",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "jsonl": "FORMAT json",
}
# Rows are few or many, long or short: an answer is cut at its size as well.
MOST_CHARACTERS = 32_000_000
_ROWS_AT_ONCE = 500
_AGAIN_S = 0.1
# Types of which no value is taken for a formula.
_SAFE = re.compile(
    r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(.*\)|DOUBLE|FLOAT|BOOLEAN|DATE"
    r"|TIME[A-Z_ ]*|INTERVAL"
)
_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an answer, with its type in DuckDB's words."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question found. `cut`: there is more, which was left out.

    Values are as JSON has them: times are text, what is no number there is null.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Written:
    """A file of rows in pieces of bytes; `full`: as many rows as are allowed."""

    rows: int
    full: bool
    pieces: Iterator[bytes]


def ask(
    catalogue: Catalogue, db: Database, text: str, *, timeout_s: float, most_rows: int
) -> Answer:
    """The first `most_rows` rows of a question's answer. Raises `SqlError`."""
    began = time.monotonic()
    with _asked(catalogue, db, text, timeout_s) as cursor:
        cursor.execute(text)
        columns = tuple(Column(d[0], str(d[1])) for d in cursor.description or ())
        rows, cut = _fetch(cursor, most_rows)
    return Answer(columns, tuple(rows), cut, time.monotonic() - began)


def write(
    catalogue: Catalogue,
    db: Database,
    text: str,
    format: str,
    *,
    timeout_s: float,
    most_rows: int,
    formula_safe: bool = True,
) -> Written:
    """The same as a file of up to `most_rows` rows. All of it is made before the first
    piece, in the time a question has.
    """
    if format not in FILE_OPTIONS:
        raise UsageError(f"{format!r} is no format; choose {', '.join(FILE_OPTIONS)}")
    with ExitStack() as kept:
        path = kept.enter_context(copying.folder(catalogue.path)) / "answer"
        with _asked(catalogue, db, text, timeout_s, as_view=True) as cursor:
            cells = _cells(cursor, formula_safe) if format == "csv" else "*"
            select = f"SELECT {cells} FROM answer LIMIT {int(most_rows)}"
            rows = copying.copy(cursor, select, path, FILE_OPTIONS[format])
        # Opened here: what is open can be read when its folder has gone.
        file = path.open("rb")
    return Written(rows, rows >= most_rows, _pieces(file))


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        yield from copying.pieces(file)


@contextmanager
def _asked(
    catalogue: Catalogue,
    db: Database,
    text: str,
    timeout_s: float,
    *,
    as_view: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor on which the question may run; its errors are told as a person's."""
    with (
        catalogue.cursor() as cursor,
        _told(timeout_s, lines_before=int(as_view)),
        _in_time(cursor, timeout_s),
    ):
        views.make(cursor, db, check(cursor, text))
        if as_view:
            cursor.execute(f"CREATE OR REPLACE TEMP VIEW answer AS\n{_from(text)}")
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        yield cursor


@contextmanager
def _in_time(cursor: duckdb.DuckDBPyConnection, timeout_s: float) -> Iterator[None]:
    """Interrupt what the cursor does when its time is over."""
    done = threading.Event()

    def watch() -> None:
        # More than once: between two statements an interrupt meets nothing.
        pause_s = timeout_s
        while not done.wait(pause_s):
            cursor.interrupt()
            pause_s = _AGAIN_S

    watcher = threading.Thread(target=watch, name="sql-time", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@contextmanager
def _told(timeout_s: float, *, lines_before: int) -> Iterator[None]:
    """What DuckDB raises, in a person's words. Its places count `lines_before`."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise SqlError(
            f"Stopped after {timeout_s:g} s, as the setting catalogue.sql_timeout_s "
            "says; ask for less, or allow more"
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise SqlError(
            f"This needs more memory than the catalogue has ({MEMORY_LIMIT}); ask for "
            "less at a time"
        ) from error
    except (duckdb.Error, ValueError, OverflowError) as error:
        said, _, place = str(error).partition("\n\nLINE ")
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        raise SqlError("; ".join(lines), _pointer(place, lines_before)) from error


def _pointer(place: str, lines_before: int) -> str:
    """`2: SELECT …` and a caret below, as the line is numbered for whoever wrote it."""
    number, colon, rest = place.partition(":")
    if not colon or not number.isdecimal():
        return ""
    named = f"LINE {int(number) - lines_before}"
    # The caret keeps its place where the number got shorter.
    return f"{named.ljust(len(f'LINE {number}'))}:{rest}"


def _fetch(
    cursor: duckdb.DuckDBPyConnection, most_rows: int
) -> tuple[list[tuple[Any, ...]], bool]:
    rows: list[tuple[Any, ...]] = []
    characters = 0
    while some := cursor.fetchmany(_ROWS_AT_ONCE):
        for row in some:
            if len(rows) >= most_rows or characters > MOST_CHARACTERS:
                return rows, True
            rows.append(tuple(plain(value) for value in row))
            characters += sum(_characters(value) for value in rows[-1])
    return rows, False


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(map(_characters, value))
    return _characters(list(value.values())) if isinstance(value, dict) else 1


def plain(value: Any) -> Any:
    """A value of DuckDB as JSON has it."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else str(value)
    if isinstance(value, Decimal | float):
        number = float(value)
        return number if abs(number) < float("inf") else None
    if isinstance(value, datetime | date | clock):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    return value.hex() if isinstance(value, bytes) else str(value)


def _from(text: str) -> str:
    """The question as a view takes it, which knows no bare SUMMARIZE or DESCRIBE."""
    if text.split(None, 1)[0].lower() in ("summarize", "describe"):
        return f"FROM ({text.strip().rstrip(';')}\n)"
    return text


def _cells(cursor: duckdb.DuckDBPyConnection, formula_safe: bool) -> str:
    """The columns of the answer as cells of a CSV, names and all."""
    described: Sequence[tuple[Any, ...]] = cursor.execute("DESCRIBE answer").fetchall()
    return ", ".join(_cell(row[0], row[1], formula_safe) for row in described)


def _cell(name: str, kind: str, formula_safe: bool) -> str:
    quoted = quoting.name(name)
    if kind == "VARCHAR[]":
        value = copying.list_cell(quoted, formula_safe=formula_safe)
    elif _SAFE.fullmatch(kind):
        value = quoted
    else:
        value = copying.text_cell(f"{quoted}::VARCHAR", formula_safe=formula_safe)
    shown = copying.guarded(name) if formula_safe else name
    return f"{value} AS {quoting.name(shown)}"
