"""Tag sheet: a table of photos and tags as people bring it from a spreadsheet.

A row names a photo, by `id`, `path` or both, and what becomes of its tags: `tags` are
all it shall have, or `add` and `remove` are what changes. `;` stands between tags, and
the apostrophe that keeps an export from being taken for a formula is taken off again.
Other columns mean nothing here, so an export can be edited and brought back. Whatever
is not clear is refused with its line: a guess could cost somebody a keyword.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tagger.errors import UsageError

LONGEST_BYTES = 200_000_000
_LONGEST_CELL = 10_000_000
_DELIMITERS = (",", ";", "\t")
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.I)
_GUARDED = re.compile("'[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NEEDED = "a column id or path, and a column tags, or add and remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One photo and what becomes of its tags; the line it stands in, from 1.

    `tags` is None where only `add` and `remove` say something. Cells are as they stand
    there: how they fall into tags depends on the tags there are.
    """

    line: int
    id: int | None
    path: str | None
    tags: str | None
    add: str
    remove: str


def parse(data: bytes) -> list[Row]:
    """The rows of a CSV file. Raises `UsageError` with the line and what would do."""
    if len(data) > LONGEST_BYTES:
        raise UsageError(f"The file has more than {LONGEST_BYTES // 10**6} MB")
    text = _text(data)
    first = 1
    if found := _SEPARATOR_LINE.match(text):  # Excel's way to tell the delimiter
        text, first = text[found.end() :], 2
    delimiter, columns = _header(text)
    return list(_rows(text, delimiter, columns, first))


def words(cell: str, known: Sequence[str] = ()) -> list[str]:
    """The tags in a cell. One of those `known` stays whole if it has a `;` in it."""
    parts = [part.strip() for part in cell.split(";")]
    for name in known:
        pieces = [part.strip() for part in name.split(";")]
        if len(pieces) < 2:
            continue
        for start in range(len(parts) - len(pieces) + 1):
            if [unguarded(p, known) for p in parts[start:][: len(pieces)]] == pieces:
                parts[start : start + len(pieces)] = [name]
                break
    return [unguarded(part, known) for part in parts if part]


def unguarded(text: str, known: Sequence[str] = ()) -> str:
    """A text without the apostrophe of an export, unless it is known with it."""
    return text[1:] if _GUARDED.match(text) and text not in known else text


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageError("Line 1: the file is UTF-16; save it as CSV in UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(
            f"Line {line}: this is not UTF-8; save the file as CSV in UTF-8"
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise UsageError(f"Line {line}: there is a zero in it; this is no CSV file")
    return text


def _header(text: str) -> tuple[str, list[str]]:
    """The delimiter with which the first line names columns that are known."""
    for delimiter in _DELIMITERS:
        cells: list[str] = next(_reader(text, delimiter), [])
        names = [cell.strip().lower() for cell in cells]
        if {"id", "path"} & {*names} and {"tags", "add", "remove"} & {*names}:
            return delimiter, _checked(names)
    shown = text.partition("\n")[0].strip()[:80]
    raise UsageError(f"Line 1 has to name {_NEEDED}; it is: {shown or 'empty'}")


def _checked(names: list[str]) -> list[str]:
    if "tags" in names and {"add", "remove"} & {*names}:
        raise UsageError(
            "Line 1 names tags and also add or remove; take one of them out, so that "
            "it is clear what is meant"
        )
    for name in ("id", "path", "tags", "add", "remove"):
        if names.count(name) > 1:
            raise UsageError(f"Line 1 names {name} twice")
    return names


def _rows(text: str, delimiter: str, columns: list[str], first: int) -> Iterator[Row]:
    reader = _reader(text, delimiter)
    before = 0
    while True:
        line = before + first
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UsageError(
                f"Line {line}: this cannot be read as CSV: {error}"
            ) from error
        is_header, before = before == 0, reader.line_num
        if is_header or not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            raise UsageError(
                f"Line {line} has {len(cells)} cells, and line {first} names "
                f"{len(columns)} columns; put text with {delimiter!r} in it in quotes"
            )
        yield _row(dict(zip(columns, cells, strict=True)), line)


def _row(cells: Mapping[str, str], line: int) -> Row:
    number = cells.get("id", "").strip()
    if number and not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise UsageError(f"Line {line}: {number[:30]!r} is no id; it is a whole number")
    path = unguarded(cells.get("path", ""))
    if not number and not path:
        raise UsageError(f"Line {line} names no photo: neither id nor path")
    return Row(
        line=line,
        id=int(number) if number else None,
        path=path or None,
        tags=cells.get("tags"),
        add=cells.get("add", ""),
        remove=cells.get("remove", ""),
    )


def _reader(text: str, delimiter: str) -> Any:  # the module has no name for its type
    # The widest cell is the text of a photo, far above what the module lets in.
    csv.field_size_limit(_LONGEST_CELL)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
