"""Intake: carries changes from the tracking database into the catalogue, each once.

Tracking numbers its changes; the catalogue remembers the last number it has taken in.
Rows and number are committed in one transaction, then the search index with a mark of
its own. A kill at any moment leaves the index behind the rows at most, and the next
intake goes on from the older of the two: taking a change again adds nothing, because
what is stored is the image as it stands now. The next images are read while some are
stored; one that changes in between has another change that is taken later.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from tagger.catalogue import batch, entries, rebuilding, replacing, rows, schema
from tagger.catalogue.ahead import ahead
from tagger.catalogue.batch import Batch
from tagger.catalogue.rebuilding import Progress, commit_text, count
from tagger.catalogue.store import Catalogue
from tagger.records import Change
from tagger.tracking import changes, snapshots
from tagger.tracking.database import Database

log = logging.getLogger(__name__)

REINDEX_ROWS = 2_000
# In a long run, what is taken in can be searched after this time at the latest.
COMMIT_S = 1.0
# Rewritten rows leave gaps and disorder; tidied when they outweigh what is there.
UNTIDY_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class _News:
    """Some changes, and the images they name as they were read after them."""

    changes: Sequence[Change]
    image_ids: list[int]
    photos: Batch


def take(catalogue: Catalogue, db: Database, *, batch_rows: int = 2_000) -> int:
    """Take every change the catalogue has not seen, oldest first; return how many.

    A catalogue that is new, or was filled from another tracking database, is rebuilt
    instead, and a search index that was lost is made again from the rows. What was
    taken before an error stays taken.
    """
    with catalogue.intake:
        if _is_foreign(catalogue, db):
            return rebuilding.rebuild(catalogue, db)
        number = _reach(catalogue)
        taken, committed_at = 0, time.monotonic()
        with closing(ahead(_unseen(db, number, batch_rows))) as unseen:
            for news in unseen:
                _store(catalogue, db, news)
                number = news.changes[-1].number
                taken += len(news.changes)
                if time.monotonic() - committed_at > COMMIT_S:
                    commit_text(catalogue, number)
                    committed_at = time.monotonic()
        if taken:
            commit_text(catalogue, number)
            _tidy(catalogue)
        return taken


def rebuild(
    catalogue: Catalogue, db: Database, progress: Progress | None = None
) -> int:
    """Make the whole catalogue anew from tracking; return how many photos it holds.

    Readers see the old rows until the new ones are complete. `progress` is called with
    the photos done and the photos there are.
    """
    with catalogue.intake:
        return rebuilding.rebuild(catalogue, db, progress)


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
    elif mark.change >= seen and catalogue.text.count() != count(catalogue):
        log.warning("the search index is damaged and is made again")
    else:
        return min(mark.change, seen)
    rebuilding.reindex(catalogue)
    return seen


def _unseen(db: Database, number: int, limit: int) -> Iterator[_News]:
    while some := changes.after(db, number, limit=limit):
        image_ids = _subjects(some, changes.IMAGE)
        with batch.collector_paused():
            photos = batch.of(snapshots.images(db, image_ids))
        yield _News(some, image_ids, photos)
        number = some[-1].number


def _store(catalogue: Catalogue, db: Database, news: _News) -> None:
    """Bring everything the changes name up to date, then hand it to the index."""
    tag_ids = _subjects(news.changes, changes.TAG)
    with catalogue.write() as cursor:
        removed = replacing.replace(cursor, news.image_ids, news.photos)
        replacing.store_tags(cursor, db, news.photos.tag_ids, tag_ids)
        if _subjects(news.changes, changes.FOLDER):
            rebuilding.store_folders(cursor, db, schema.FOLDERS)
        seen = int(schema.recall(cursor, "change") or 0)
        untidy = removed + int(schema.recall(cursor, "untidy_rows") or 0)
        number = max(news.changes[-1].number, seen)
        schema.remember(cursor, change=number, untidy_rows=untidy)
    catalogue.text.replace(news.image_ids, news.photos.entries)
    _reindex_tagged(catalogue, tag_ids)


def _subjects(some: Iterable[Change], kind: str) -> list[int]:
    return sorted({change.subject_id for change in some if change.kind == kind})


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
        for start in range(0, len(ids), REINDEX_ROWS):
            some = ids[start : start + REINDEX_ROWS]
            found = entries.entries(cursor, f"id IN {rows.marks(some)}", some)
            catalogue.text.replace(some, found)


def _tidy(catalogue: Catalogue) -> None:
    """Put the rows back in order once most of them have been rewritten."""
    untidy = int(catalogue.recall("untidy_rows") or 0)
    if untidy < max(UNTIDY_ROWS, count(catalogue)):
        return
    with catalogue.write() as cursor:
        schema.IMAGES.sort(cursor)
        schema.IMAGE_TAGS.sort(cursor)
        schema.remember(cursor, untidy_rows=0)
