"""Intake: carries changes from the tracking database into the catalogue, each once.

Tracking numbers its changes; the catalogue remembers the last number it has taken in.
Rows and number are committed in one transaction, then the search index with a mark of
its own. A kill at any moment leaves the index behind the rows at most, and the next
intake goes on from the older of the two: taking a change again adds nothing, because
what is stored is the image as it stands now.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Sequence

import duckdb

from tagger.catalogue import entries, rows, schema
from tagger.catalogue.store import Catalogue
from tagger.catalogue.textindex import Mark
from tagger.records import Change, ImageSnapshot
from tagger.tracking import changes, folders, snapshots, status
from tagger.tracking.database import Database

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]

REBUILD_ROWS = 2_000
# In a long run, what is taken in can be searched after this time at the latest.
COMMIT_S = 1.0
# Rewritten rows leave gaps and disorder; tidied when they outweigh what is there.
UNTIDY_ROWS = 50_000


def take(catalogue: Catalogue, db: Database, *, batch_rows: int = 1_000) -> int:
    """Take every change the catalogue has not seen, oldest first; return how many.

    A catalogue that is new, or was filled from another tracking database, is rebuilt
    instead, and a search index that was lost is made again from the rows. What was
    taken before an error stays taken.
    """
    with catalogue.intake:
        if _is_foreign(catalogue, db):
            return _rebuild(catalogue, db, None)
        number = _reach(catalogue)
        taken, committed_at = 0, time.monotonic()
        while batch := changes.after(db, number, limit=batch_rows):
            _take_batch(catalogue, db, batch)
            number = batch[-1].number
            taken += len(batch)
            if time.monotonic() - committed_at > COMMIT_S:
                _commit_text(catalogue, number)
                committed_at = time.monotonic()
        if taken:
            _commit_text(catalogue, number)
            _tidy(catalogue)
        return taken


def rebuild(
    catalogue: Catalogue, db: Database, progress: Progress | None = None
) -> int:
    """Make the whole catalogue anew from tracking; return how many photos it holds.

    Readers see the old rows until the new ones are complete. `progress` is called with
    the photos done and the photos there are, first for the rows, then for the index.
    """
    with catalogue.intake:
        return _rebuild(catalogue, db, progress)


def _is_foreign(catalogue: Catalogue, db: Database) -> bool:
    seen = catalogue.seen()
    return (
        seen is None
        or catalogue.recall("database_id") != db.id
        or seen > changes.latest(db)
    )


def _reach(catalogue: Catalogue) -> int:
    """The last change that is both in the rows and in the search index."""
    mark, seen = catalogue.text.mark(), catalogue.seen() or 0
    if mark is None or mark.catalogue_id != catalogue.recall("catalogue_id"):
        log.warning("the search index is missing and is made again")
    elif mark.change >= seen and catalogue.text.count() != _count(catalogue):
        log.warning("the search index is damaged and is made again")
    else:
        return min(mark.change, seen)
    _reindex(catalogue, None)
    return seen


def _take_batch(catalogue: Catalogue, db: Database, batch: Sequence[Change]) -> None:
    """Bring everything the batch names up to date, then hand it to the index."""
    image_ids = _subjects(batch, changes.IMAGE)
    tag_ids = _subjects(batch, changes.TAG)
    images = snapshots.images(db, image_ids)
    with catalogue.write() as cursor:
        stored = [rows.image_row(image) for image in images]
        removed = _replace_images(cursor, image_ids, images, stored)
        _store_tags(cursor, db, images, tag_ids)
        if _subjects(batch, changes.FOLDER):
            _store_folders(cursor, db, schema.FOLDERS)
        number = max(batch[-1].number, int(schema.recall(cursor, "change") or 0))
        untidy = removed + int(schema.recall(cursor, "untidy_rows") or 0)
        schema.remember(cursor, change=number, untidy_rows=untidy)
    catalogue.text.replace(
        image_ids,
        [
            entries.entry(row, [tag.name for tag in image.tags])
            for row, image in zip(stored, images, strict=True)
        ],
    )
    _reindex_tagged(catalogue, tag_ids)


def _subjects(batch: Iterable[Change], kind: str) -> list[int]:
    return sorted({change.subject_id for change in batch if change.kind == kind})


def _replace_images(
    cursor: duckdb.DuckDBPyConnection,
    ids: Sequence[int],
    images: Sequence[ImageSnapshot],
    stored: Sequence[rows.Row],
) -> int:
    removed = schema.IMAGES.delete(cursor, "id", ids)
    schema.IMAGE_TAGS.delete(cursor, "image_id", ids)
    schema.IMAGES.insert(cursor, stored)
    _insert_image_tags(cursor, images, schema.IMAGE_TAGS)
    directories = _directories(images)
    schema.DIRECTORIES.delete(cursor, "id", directories)
    schema.DIRECTORIES.insert(cursor, list(directories.items()))
    return removed


def _insert_image_tags(
    cursor: duckdb.DuckDBPyConnection,
    images: Sequence[ImageSnapshot],
    into: schema.Table,
) -> None:
    into.insert(cursor, [row for image in images for row in rows.image_tag_rows(image)])


def _directories(images: Iterable[ImageSnapshot]) -> dict[int, str]:
    return dict(rows.directory_row(image) for image in images)


def _store_tags(
    cursor: duckdb.DuckDBPyConnection,
    db: Database,
    images: Sequence[ImageSnapshot],
    changed: Sequence[int],
) -> None:
    """Store the names of tags not met before, and of those that changed."""
    used = {tag.tag_id for image in images for tag in image.tags}
    wanted = (used - rows.tag_names(cursor, used).keys()) | set(changed)
    if not wanted:
        return
    names = snapshots.tag_names(db, wanted)
    schema.TAGS.delete(cursor, "tag_id", wanted)
    schema.TAGS.insert(cursor, [rows.tag_row(*named) for named in names.items()])


def _store_folders(
    cursor: duckdb.DuckDBPyConnection, db: Database, into: schema.Table
) -> None:
    cursor.execute(f"DELETE FROM {into.name}")
    into.insert(cursor, [rows.folder_row(folder) for folder in folders.every(db)])


def _reindex_tagged(catalogue: Catalogue, tag_ids: Sequence[int]) -> None:
    """Let photos be found by the new names of tags that changed."""
    if not tag_ids:
        return
    with catalogue.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT image_id FROM image_tags WHERE tag_id IN "
            f"{rows.marks(tag_ids)} ORDER BY image_id",
            list(tag_ids),
        )
        ids = [int(row[0]) for row in cursor.fetchall()]
        for start in range(0, len(ids), REBUILD_ROWS):
            some = ids[start : start + REBUILD_ROWS]
            found = entries.entries(cursor, f"id IN {rows.marks(some)}", some)
            catalogue.text.replace(some, found)


def _commit_text(catalogue: Catalogue, number: int) -> None:
    catalogue.text.commit(Mark(catalogue.recall("catalogue_id") or "", number))


def _tidy(catalogue: Catalogue) -> None:
    """Put the rows back in order once most of them have been rewritten."""
    untidy = int(catalogue.recall("untidy_rows") or 0)
    if untidy < max(UNTIDY_ROWS, _count(catalogue)):
        return
    with catalogue.write() as cursor:
        schema.IMAGES.take_place(cursor)
        schema.IMAGE_TAGS.take_place(cursor)
        schema.remember(cursor, untidy_rows=0)


def _rebuild(catalogue: Catalogue, db: Database, progress: Progress | None) -> int:
    # Read first: what changes from here on is taken in again afterwards.
    number = changes.latest(db)
    with catalogue.write() as cursor:
        for table in schema.FROM_TRACKING:
            table.next.create(cursor)
    total = _fill(catalogue, db, progress)
    with catalogue.write() as cursor:
        for table in schema.FROM_TRACKING:
            table.take_place(cursor, table.next)
        schema.remember(
            cursor,
            change=number,
            untidy_rows=0,
            database_id=db.id,
            catalogue_id=uuid.uuid4().hex,
        )
    _reindex(catalogue, progress)
    return total


def _fill(catalogue: Catalogue, db: Database, progress: Progress | None) -> int:
    """Copy everything from tracking into the tables made beside the present ones."""
    total, done, last = status.read(db).total, 0, 0
    tag_ids: set[int] = set()
    directories: dict[int, str] = {}
    while images := snapshots.after(db, last, limit=REBUILD_ROWS):
        with catalogue.write() as cursor:
            stored = [rows.image_row(image) for image in images]
            schema.IMAGES.next.insert(cursor, stored)
            _insert_image_tags(cursor, images, schema.IMAGE_TAGS.next)
        tag_ids.update(tag.tag_id for image in images for tag in image.tags)
        directories.update(_directories(images))
        last, done = images[-1].id, done + len(images)
        if progress:
            progress(done, max(done, total))
    names = snapshots.tag_names(db, tag_ids)
    with catalogue.write() as cursor:
        schema.TAGS.next.insert(cursor, [rows.tag_row(*n) for n in names.items()])
        schema.DIRECTORIES.next.insert(cursor, list(directories.items()))
        _store_folders(cursor, db, schema.FOLDERS.next)
    return done


def _reindex(catalogue: Catalogue, progress: Progress | None) -> None:
    """Make the search index anew from the rows, all of it or nothing."""
    total, done, last = _count(catalogue), 0, 0
    try:
        catalogue.text.clear()
        with catalogue.cursor() as cursor:
            while top := _batch_end(cursor, last):
                found = entries.entries(cursor, "id > ? AND id <= ?", [last, top])
                catalogue.text.replace((), found)
                last, done = top, done + len(found)
                if progress:
                    progress(done, total)
        _commit_text(catalogue, catalogue.seen() or 0)
    except BaseException:
        catalogue.text.roll_back()
        raise


def _batch_end(cursor: duckdb.DuckDBPyConnection, last: int) -> int | None:
    """The id that ends the next batch; None when there is none left."""
    row = cursor.execute(
        "SELECT max(id) FROM (SELECT id FROM images WHERE id > ? ORDER BY id LIMIT ?)",
        [last, REBUILD_ROWS],
    ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _count(catalogue: Catalogue) -> int:
    with catalogue.cursor() as cursor:
        counted = cursor.execute("SELECT count(*) FROM images").fetchone()
        return int(counted[0]) if counted else 0
