"""Entries: what the search index is to hold of a photo, made of its row.

A photo that is taken in and one that is indexed again go the same way, so the index
comes out equal however it was filled.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from tagger.catalogue import keys, rows
from tagger.catalogue.query.tree import Part, Said, Shape
from tagger.catalogue.rows import Row, value
from tagger.catalogue.textindex import Entry


def entry(row: Row, tag_names: Sequence[str]) -> Entry:
    """The entry of a row of `schema.IMAGES`; the names are those of its tags."""
    width, height = value(row, "width_px"), value(row, "height_px")
    return Entry(
        id=value(row, "id"),
        folder_id=value(row, "folder_id"),
        directory_id=value(row, "directory_id"),
        state=value(row, "state"),
        size_bytes=value(row, "size_bytes"),
        added_s=keys.seconds_of(value(row, "added_at")) or 0,
        taken_s=keys.seconds_of(value(row, "taken_at")),
        pixels=width * height if width and height else None,
        quality=value(row, "quality"),
        rating=value(row, "rating"),
        shape=_shape(width, height),
        camera=value(row, "camera"),
        lens=value(row, "lens"),
        format=value(row, "format"),
        model=value(row, "model"),
        has=tuple(_has(row)),
        said_by=tuple(_said_by(row)),
        words=_words(row),
        tag_ids=tuple(value(row, "tag_ids")),
        tag_names=tuple(tag_names),
    )


def entries(
    cursor: duckdb.DuckDBPyConnection, condition: str, parameters: Sequence[int]
) -> list[Entry]:
    """The entries of the stored images that fulfil an SQL condition."""
    cursor.execute(
        f"SELECT * FROM images WHERE {condition} ORDER BY id", list(parameters)
    )
    found = cursor.fetchall()
    names = rows.tag_names(
        cursor, (tag_id for row in found for tag_id in value(row, "tag_ids"))
    )
    return [entry(row, _known(value(row, "tag_ids"), names)) for row in found]


def _known(tag_ids: Iterable[int], names: dict[int, str]) -> list[str]:
    return [names[tag_id] for tag_id in tag_ids if tag_id in names]


def _shape(width: int | None, height: int | None) -> str | None:
    if not width or not height:
        return None
    if width == height:
        return Shape.SQUARE.value
    return Shape.LANDSCAPE.value if width > height else Shape.PORTRAIT.value


def _has(row: Row) -> Iterable[str]:
    parts: dict[Part, Any] = {
        Part.GPS: value(row, "latitude") is not None,
        Part.DESCRIPTION: value(row, "description"),
        Part.TEXT: value(row, "text"),
        Part.TAGS: value(row, "tag_ids"),
        Part.DATE: value(row, "taken_at"),
        Part.RATING: value(row, "rating"),
    }
    return (part.value for part, there in parts.items() if there)


def _said_by(row: Row) -> Iterable[str]:
    if value(row, "by_human"):
        yield Said.HUMAN.value
    if value(row, "by_model"):
        yield Said.MODEL.value


def _words(row: Row) -> tuple[str, ...]:
    parts = (value(row, name) for name in ("description", "text", "name"))
    return tuple(part for part in parts if part)
