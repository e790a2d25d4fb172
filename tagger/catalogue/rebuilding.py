"""Rebuilding: the whole catalogue made anew, or its search index alone.

New tables are filled beside the present ones and take their place, all in one
transaction: readers see what was there until it ends, and a kill leaves what was there.
The index is emptied and filled in the same pass, and shows its new state only when it
is committed, last. A kill in between leaves an index that does not belong to the
tables, which the next intake makes anew.
"""

import uuid
from collections.abc import Callable

import duckdb

from tagger.catalogue import batch, entries, rows, schema
from tagger.catalogue.store import Catalogue
from tagger.catalogue.textindex import Mark
from tagger.tracking import changes, folders, snapshots, status
from tagger.tracking.database import Database

Progress = Callable[[int, int], None]

BATCH_ROWS = 4_000


def rebuild(
    catalogue: Catalogue, db: Database, progress: Progress | None = None
) -> int:
    """Make tables and index anew from tracking; return how many photos they hold.

    For the one who holds `catalogue.intake`.
    """
    # Read first: what changes from here on is taken in again afterwards.
    number = changes.latest(db)
    try:
        catalogue.text.clear()
        with catalogue.write() as cursor:
            total = _fill(catalogue, db, cursor, progress)
            schema.remember(
                cursor,
                change=number,
                untidy_rows=0,
                database_id=db.id,
                catalogue_id=uuid.uuid4().hex,
            )
        commit_text(catalogue, number)
    except BaseException:
        catalogue.text.roll_back()
        raise
    return total


def reindex(catalogue: Catalogue) -> None:
    """Make the search index anew from the rows, all of it or nothing."""
    last = 0
    try:
        catalogue.text.clear()
        with catalogue.cursor() as cursor:
            while top := _batch_end(cursor, last):
                found = entries.entries(cursor, "id > ? AND id <= ?", [last, top])
                catalogue.text.replace((), found)
                last = top
        commit_text(catalogue, catalogue.seen() or 0)
    except BaseException:
        catalogue.text.roll_back()
        raise


def commit_text(catalogue: Catalogue, number: int) -> None:
    """Commit the index and note that it holds the changes up to this number."""
    catalogue.text.commit(Mark(catalogue.recall("catalogue_id") or "", number))


def count(catalogue: Catalogue) -> int:
    """How many photos the tables hold."""
    with catalogue.cursor() as cursor:
        counted = cursor.execute("SELECT count(*) FROM images").fetchone()
        return int(counted[0]) if counted else 0


def store_folders(
    cursor: duckdb.DuckDBPyConnection, db: Database, into: schema.Table
) -> None:
    """Put all folders into the place of those that are there."""
    cursor.execute(f"DELETE FROM {into.name}")
    into.insert(cursor, [rows.folder_row(folder) for folder in folders.every(db)])


def _fill(
    catalogue: Catalogue,
    db: Database,
    cursor: duckdb.DuckDBPyConnection,
    progress: Progress | None,
) -> int:
    """Copy everything from tracking into new tables, and put them in their places."""
    for table in schema.FROM_TRACKING:
        table.next.create(cursor)
    total, done, last = status.read(db).total, 0, 0
    tag_ids: set[int] = set()
    directories: dict[int, str] = {}
    while some := _next_batch(db, last):
        some.insert(cursor, schema.IMAGES.next, schema.IMAGE_TAGS.next)
        catalogue.text.replace((), some.entries)
        tag_ids |= some.tag_ids
        directories |= some.directories
        last, done = some.entries[-1].id, done + len(some.entries)
        if progress:
            progress(done, max(done, total))
    names = snapshots.tag_names(db, tag_ids)
    schema.TAGS.next.insert(
        cursor, sorted(rows.tag_row(*named) for named in names.items())
    )
    schema.DIRECTORIES.next.insert(cursor, sorted(directories.items()))
    store_folders(cursor, db, schema.FOLDERS.next)
    # The others have been filled in their order.
    schema.IMAGE_TAGS.next.sort(cursor)
    for table in schema.FROM_TRACKING:
        table.take_place(cursor, table.next)
    return done


def _next_batch(db: Database, last: int) -> batch.Batch | None:
    with batch.collector_paused():
        images = snapshots.after(db, last, limit=BATCH_ROWS)
        return batch.of(images) if images else None


def _batch_end(cursor: duckdb.DuckDBPyConnection, last: int) -> int | None:
    """The id that ends the next batch; None when there is none left."""
    row = cursor.execute(
        "SELECT max(id) FROM (SELECT id FROM images WHERE id > ? ORDER BY id LIMIT ?)",
        [last, BATCH_ROWS],
    ).fetchone()
    return None if row is None or row[0] is None else int(row[0])
