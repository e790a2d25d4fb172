"""Rows: what is known of a photo, turned into the catalogue's columns and back.

Paths are bytes in tracking and text here: split into directory and name, shown with
U+FFFD where they are not UTF-8. Whoever opens the file asks tracking for the bytes.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from tagger.catalogue import keys
from tagger.catalogue.schema import IMAGES
from tagger.errors import shown
from tagger.records import (
    Facts,
    Folder,
    ImageSnapshot,
    ImageState,
    ImageTag,
    WriteMode,
)
from tagger.tracking import tagnames
from tagger.tracking.desired import FROM_FILE, FROM_PERSON

Row = tuple[Any, ...]

_HUMAN = frozenset({FROM_FILE, FROM_PERSON})
_DIGITS = re.compile(r"\d+")
_POSITION = {name: position for position, (name, _) in enumerate(IMAGES.columns)}


def directory_id(path: bytes) -> int:
    """The id of the directory a photo lies in, made of the bytes of its path."""
    digest = hashlib.blake2b(_directory(path), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def directory_row(snapshot: ImageSnapshot) -> tuple[int, str]:
    return directory_id(snapshot.path), shown(_directory(snapshot.path))


def image_row(snapshot: ImageSnapshot) -> Row:
    """The values of `schema.IMAGES`, in the order of its columns."""
    facts = snapshot.facts
    latitude, longitude = (facts and facts.gps) or (None, None)
    name = shown(snapshot.path[len(_directory(snapshot.path)) :])
    said_by = {tag.source for tag in snapshot.tags}
    if snapshot.description and snapshot.description_source:
        said_by.add(snapshot.description_source)
    return (
        snapshot.id,
        snapshot.folder_id,
        directory_id(snapshot.path),
        name,
        name_key(name),
        snapshot.size_bytes,
        snapshot.added_at,
        snapshot.state.value,
        snapshot.reason,
        snapshot.identity,
        snapshot.dhash,
        snapshot.quality,
        snapshot.rating,
        facts and facts.format,
        facts and facts.width_px,
        facts and facts.height_px,
        facts and facts.orientation,
        facts and facts.frames,
        facts and facts.taken_at,
        facts and facts.camera,
        facts and facts.lens,
        latitude,
        longitude,
        snapshot.description,
        snapshot.description_source,
        snapshot.text,
        [tag.tag_id for tag in snapshot.tags],
        [tag.source for tag in snapshot.tags],
        snapshot.backend,
        snapshot.model,
        snapshot.prompt_version,
        snapshot.server,
        snapshot.seconds,
        snapshot.tokens_in,
        snapshot.tokens_out,
        snapshot.answered_at,
        snapshot.written_mode and snapshot.written_mode.value,
        snapshot.written_at,
        keys.taken(keys.seconds_of(facts.taken_at if facts else None), snapshot.id),
        any(source in _HUMAN for source in said_by),
        any(source not in _HUMAN for source in said_by),
    )


def image_tag_rows(snapshot: ImageSnapshot) -> list[Row]:
    return [(snapshot.id, tag.tag_id, tag.source, tag.score) for tag in snapshot.tags]


def tag_row(tag_id: int, name: str) -> Row:
    return tag_id, name, tagnames.key(name)


def folder_row(folder: Folder) -> Row:
    return (
        folder.id,
        shown(folder.path),
        folder.recursive,
        folder.active,
        folder.write_mode.value,
        folder.added_at,
        folder.last_scan_at,
        folder.offline,
    )


def name_key(name: str) -> str:
    """What file names are ordered by: case aside, `img2` before `img10`."""
    return _DIGITS.sub(lambda digits: digits[0].zfill(12), name.casefold())


def facts(row: Row) -> Facts | None:
    """The facts of an image, out of a row of `schema.IMAGES`; None before a look."""
    values = {name: row[position] for name, position in _POSITION.items()}
    if values["width_px"] is None:
        return None
    here = None
    if values["latitude"] is not None:
        here = (values["latitude"], values["longitude"])
    return Facts(
        format=values["format"],
        width_px=values["width_px"],
        height_px=values["height_px"],
        orientation=values["orientation"],
        frames=values["frames"],
        taken_at=values["taken_at"],
        camera=values["camera"],
        lens=values["lens"],
        gps=here,
    )


def image_tags(cursor: duckdb.DuckDBPyConnection, row: Row) -> tuple[ImageTag, ...]:
    """The tags of an image with who said each, in the order they are shown."""
    cursor.execute(
        "SELECT tag_id, name, source, score FROM image_tags JOIN tags USING (tag_id) "
        "WHERE image_id = ?",
        [value(row, "id")],
    )
    found = {tag[0]: ImageTag(*tag) for tag in cursor.fetchall()}
    return tuple(found[tag] for tag in value(row, "tag_ids") if tag in found)


def value(row: Row, column: str) -> Any:
    """One column of a row of `schema.IMAGES`."""
    return row[_POSITION[column]]


def state(row: Row) -> ImageState:
    return ImageState(value(row, "state"))


def written_mode(row: Row) -> WriteMode | None:
    mode = value(row, "written_mode")
    return None if mode is None else WriteMode(mode)


def tag_names(cursor: duckdb.DuckDBPyConnection, ids: Iterable[int]) -> dict[int, str]:
    """The names of these tags."""
    cursor.execute(
        "SELECT tag_id, name FROM tags WHERE tag_id IN (SELECT unnest(?::BIGINT[]))",
        [sorted(set(ids))],
    )
    return dict(cursor.fetchall())


def marks(ids: Sequence[int]) -> str:
    """`(?, ?, …)` for ids: with it DuckDB uses the key, with a join it scans."""
    return "(" + ", ".join("?" * len(ids)) + ")"


def _directory(path: bytes) -> bytes:
    return path[: path.rfind(b"/") + 1]
