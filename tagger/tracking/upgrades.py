"""Upgrades: what a lesser model said is asked again once a better one is there."""

from sqlalchemy import func, select, update

from tagger.records import ImageState
from tagger.tracking import bindings, proposing, tagnames
from tagger.tracking.database import Database
from tagger.tracking.jobs import queue
from tagger.tracking.schema import files, folders, jobs, results

# New photos go before those that have some answer already.
AFTER_NEW_PHOTOS = -1
ANSWERED = (*proposing.THROUGH, ImageState.NOT_WRITTEN.value)


def ask_again(db: Database, backend: str) -> int:
    """Queue the photos of active folders whose answer `backend` gave; how many.

    An answer that waits for a person counts as the photo's. What a person took out of
    the queue stays out, and so do those whose newer answer was undone, or put aside for
    this one; folders that are bound to it want no other.
    """
    with db.write() as connection:
        answer = func.coalesce(files.c.proposed_result_id, files.c.result_id)
        groups = bindings.within(connection).groups
        content = [i for names, ids in groups.items() if backend in names for i in ids]
        ids = connection.scalars(
            select(files.c.id)
            .select_from(files.join(folders).join(results, results.c.id == answer))
            .where(
                results.c.backend == backend,
                files.c.state.in_(ANSWERED),
                files.c.missing_since.is_(None),
                files.c.cancelled_at.is_(None),
                files.c.undone_result_id.is_(None),
                folders.c.active,
                folders.c.removed_at.is_(None),
                folders.c.id.not_in(content),
            )
        ).all()
        queue(connection, ids, ask_again=True)
        for chunk in tagnames.chunks(ids):
            connection.execute(
                update(jobs)
                .where(jobs.c.file_id.in_(chunk))
                .values(priority=AFTER_NEW_PHOTOS)
            )
    return len(ids)
