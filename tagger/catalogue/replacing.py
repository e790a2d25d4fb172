"""Replacing: photos as they are now, put in the place of their rows from before.

What only the former rows used, names of tags and directories, goes with them: photos
taken in one by one leave the same rows as a rebuild.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from tagger.catalogue import rows, schema
from tagger.catalogue.batch import Batch
from tagger.tracking import snapshots
from tagger.tracking.database import Database


@dataclass(frozen=True, slots=True)
class _Former:
    """What the rows that are to go used."""

    tag_ids: frozenset[int]
    directory_ids: frozenset[int]


def replace(
    cursor: duckdb.DuckDBPyConnection, ids: Sequence[int], photos: Batch
) -> int:
    """Put photos in the place of whatever is there for `ids`; how many that were."""
    if not ids:
        return 0
    former = _former(cursor, ids)
    if former.tag_ids:  # pairs lie in the order of tags: by them few are looked at
        schema.IMAGE_TAGS.delete(cursor, tag_id=former.tag_ids, image_id=ids)
    removed = schema.IMAGES.delete(cursor, id=ids)
    photos.insert(cursor)
    _add_directories(cursor, photos.directories)
    _drop_unused(
        cursor,
        schema.DIRECTORIES,
        former.directory_ids - photos.directories.keys(),
        "id",
        "SELECT directory_id FROM images WHERE directory_id",
    )
    _drop_unused(
        cursor,
        schema.TAGS,
        former.tag_ids - photos.tag_ids,
        "tag_id",
        "SELECT tag_id FROM image_tags WHERE tag_id",
    )
    return removed


def store_tags(
    cursor: duckdb.DuckDBPyConnection,
    db: Database,
    used: frozenset[int],
    changed: Sequence[int],
) -> None:
    """Store the names of tags not met before, and of those that changed."""
    known = rows.tag_names(cursor, used.union(changed)).keys()
    wanted = (used - known) | (known & set(changed))
    if wanted:
        names = snapshots.tag_names(db, wanted)
        schema.TAGS.delete(cursor, tag_id=wanted)
        schema.TAGS.insert(cursor, [rows.tag_row(*named) for named in names.items()])


def _former(cursor: duckdb.DuckDBPyConnection, ids: Sequence[int]) -> _Former:
    cursor.execute(
        "SELECT directory_id, tag_ids FROM images "
        "WHERE id IN (SELECT unnest(?::BIGINT[]))",
        [list(ids)],
    )
    found = cursor.fetchall()
    return _Former(
        frozenset(tag_id for _, tag_ids in found for tag_id in tag_ids),
        frozenset(directory_id for directory_id, _ in found),
    )


def _add_directories(
    cursor: duckdb.DuckDBPyConnection, directories: dict[int, str]
) -> None:
    cursor.execute(
        "SELECT id FROM directories WHERE id IN (SELECT unnest(?::BIGINT[]))",
        [list(directories)],
    )
    known = {row[0] for row in cursor.fetchall()}
    schema.DIRECTORIES.insert(
        cursor, [row for row in directories.items() if row[0] not in known]
    )


def _drop_unused(
    cursor: duckdb.DuckDBPyConnection,
    table: schema.Table,
    ids: Iterable[int],
    column: str,
    uses: str,
) -> None:
    """Remove those of `ids` that nothing uses; `uses` selects what does, by id."""
    if suspects := set(ids):
        cursor.execute(f"{uses} IN (SELECT unnest(?::BIGINT[]))", [list(suspects)])
        unused = suspects - {row[0] for row in cursor.fetchall()}
        if unused:
            table.delete(cursor, **{column: unused})
