"""Compare: whether the catalogue says what the tracking database says, row by row."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import duckdb

from tagger.catalogue import rows, schema
from tagger.catalogue.store import Catalogue
from tagger.records import ImageSnapshot
from tagger.tracking import changes, folders, snapshots
from tagger.tracking.database import Database

BATCH_ROWS = 2_000


def differences(catalogue: Catalogue, db: Database, *, limit: int = 20) -> list[str]:
    """What is not equal, a sentence each, at most `limit`; empty if all is well.

    Photos that change while this runs can show up; take the changes in and ask again.
    """
    return list(islice(_differences(catalogue, db), limit))


def _differences(catalogue: Catalogue, db: Database) -> Iterator[str]:
    if catalogue.recall("database_id") != db.id:
        yield "The catalogue was not filled from this tracking database"
        return
    with catalogue.cursor() as cursor:
        yield from _watermark(catalogue, db)
        yield from _images(cursor, db)
        yield from _tags(cursor, db)
        yield from _folders(cursor, db)
        yield from _index(catalogue, cursor)


def _watermark(catalogue: Catalogue, db: Database) -> Iterator[str]:
    behind = changes.latest(db) - (catalogue.seen() or 0)
    if behind:
        yield f"The catalogue is {behind} changes behind the tracking database"


def _images(cursor: duckdb.DuckDBPyConnection, db: Database) -> Iterator[str]:
    last = 0
    while images := snapshots.after(db, last, limit=BATCH_ROWS):
        yield from _batch(cursor, images, last, images[-1].id)
        last = images[-1].id
    for row in cursor.execute("SELECT id FROM images WHERE id > ?", [last]).fetchall():
        yield f"Photo {row[0]} is in the catalogue only"


def _batch(
    cursor: duckdb.DuckDBPyConnection,
    images: Sequence[ImageSnapshot],
    low: int,
    high: int,
) -> Iterator[str]:
    """Compare the photos with ids above `low` up to `high`."""
    cursor.execute("SELECT * FROM images WHERE id > ? AND id <= ?", [low, high])
    stored = {row[0]: row for row in cursor.fetchall()}
    said = _said(cursor, low, high)
    for image in images:
        row = stored.pop(image.id, None)
        if row is None:
            yield f"Photo {image.id} is missing from the catalogue"
            continue
        wrong = _unlike(row, rows.image_row(image))
        if said.get(image.id, []) != sorted(rows.image_tag_rows(image)):
            wrong.append("tags")
        if wrong:
            yield f"Photo {image.id} differs in {', '.join(wrong)}"
    for image_id in stored:
        yield f"Photo {image_id} is in the catalogue only"


def _said(
    cursor: duckdb.DuckDBPyConnection, low: int, high: int
) -> dict[int, list[rows.Row]]:
    """The rows of `image_tags` by photo, each list in order."""
    cursor.execute(
        "SELECT * FROM image_tags WHERE image_id > ? AND image_id <= ? "
        "ORDER BY image_id, tag_id",
        [low, high],
    )
    found: dict[int, list[rows.Row]] = {}
    for row in cursor.fetchall():
        found.setdefault(row[0], []).append(row)
    return found


def _unlike(stored: Sequence[Any], wanted: Sequence[Any]) -> list[str]:
    names = [name for name, _ in schema.IMAGES.columns]
    return [
        name
        for name, left, right in zip(names, stored, wanted, strict=True)
        if left != right
    ]


def _tags(cursor: duckdb.DuckDBPyConnection, db: Database) -> Iterator[str]:
    cursor.execute("SELECT DISTINCT tag_id FROM image_tags")
    used = [row[0] for row in cursor.fetchall()]
    stored, named = rows.tag_names(cursor, used), snapshots.tag_names(db, used)
    for tag_id in used:
        if stored.get(tag_id) != named.get(tag_id):
            yield f"Tag {tag_id} is {stored.get(tag_id)!r}, not {named.get(tag_id)!r}"


def _folders(cursor: duckdb.DuckDBPyConnection, db: Database) -> Iterator[str]:
    cursor.execute("SELECT * FROM folders ORDER BY id")
    wanted = sorted(rows.folder_row(folder) for folder in folders.every(db))
    if cursor.fetchall() != wanted:
        yield "The folders differ"


def _index(catalogue: Catalogue, cursor: duckdb.DuckDBPyConnection) -> Iterator[str]:
    mark = catalogue.text.mark()
    if mark is None or mark.catalogue_id != catalogue.recall("catalogue_id"):
        yield "The search index does not belong to this catalogue"
        return
    if mark.change < (catalogue.seen() or 0):
        yield "The search index is behind the catalogue"
    cursor.execute("SELECT count(*) FROM images")
    stored, found = cursor.fetchall()[0][0], catalogue.text.count()
    if stored != found:
        yield f"The search index holds {found} photos, the catalogue {stored}"
