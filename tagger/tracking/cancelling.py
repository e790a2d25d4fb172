"""Cancelling: photos are taken out of the queue, and put back into it.

A photo that is taken out stands as it was before it got its job: new, failed with its
old reason, tagged, or waiting for review. Nothing is lost, and nothing but a person or
a change of the file puts it back. Left alone are photos somebody works on, those a
`tag` command waits for, edits that are to be carried out, and answers that only have to
be written.
"""

import time

from sqlalchemy import Connection, select, text

from tagger.records import ImageState, utc_now
from tagger.tracking import changes, dialects
from tagger.tracking.database import Database
from tagger.tracking.places import at_or_below
from tagger.tracking.queueing import enqueue
from tagger.tracking.runs import ALIVE_S
from tagger.tracking.schema import files, folders, jobs

_CHOSEN = """CREATE TEMP TABLE IF NOT EXISTS cancelled (
    file_id INTEGER PRIMARY KEY, state TEXT, reason TEXT)"""
# What a photo stands as again. One that changed since must be looked at some time.
_CHOOSE = f"""INSERT INTO cancelled
    SELECT f.id, CASE
        WHEN j.was_state = 'failed' THEN 'failed'
        WHEN f.looked_at IS NOT NULL AND f.proposed_result_id IS NOT NULL
            AND j.was_state <> 'not written' THEN '{ImageState.REVIEW.value}'
        WHEN f.looked_at IS NOT NULL AND j.was_state = '{ImageState.REVIEW.value}'
            THEN '{ImageState.TAGGED.value}'
        WHEN f.looked_at IS NOT NULL AND j.was_state IN ('tagged', 'not written')
            THEN j.was_state
        ELSE '{ImageState.NEW.value}' END, j.was_reason
    FROM jobs j JOIN files f ON f.id = j.file_id
        JOIN folders d ON d.id = f.folder_id
        LEFT JOIN results r ON r.id = f.result_id
        LEFT JOIN taggers t ON t.run_id = j.run_id AND t.seen_at > :alive
    WHERE f.state = '{ImageState.QUEUED.value}' AND d.removed_at IS NULL
        AND (j.lease_until IS NULL OR j.lease_until < :now)
        AND j.edit_id IS NULL AND t.run_id IS NULL
        AND (r.id IS NULL OR r.created_at <= j.created_at)
        AND f.id NOT IN (SELECT file_id FROM writes WHERE state = 'intent')"""
_BELOW = " AND (f.path = :place OR (f.path >= :below AND f.path < :beyond))"


def cancel(db: Database, place: bytes | None = None) -> int:
    """Take the waiting photos at or below `place`, or all, out of the queue.

    How many those were.
    """
    values: dict[str, object] = {"now": time.time(), "alive": time.time() - ALIVE_S}
    if place is not None:
        stem = place.rstrip(b"/")
        values |= {"place": place, "below": stem + b"/", "beyond": stem + b"0"}
    with db.write() as connection:
        dialects.temporary(connection, _CHOSEN)
        connection.execute(
            text(_CHOOSE + (_BELOW if place is not None else "")), values
        )
        return _take_out(connection)


def _take_out(connection: Connection) -> int:
    # Words that could not be written yet still wait for that; only the asking ends.
    connection.execute(
        text(
            """UPDATE jobs SET ask_again = false WHERE file_id IN
            (SELECT file_id FROM cancelled WHERE state = 'not written')"""
        )
    )
    connection.execute(
        text(
            """DELETE FROM jobs WHERE file_id IN
            (SELECT file_id FROM cancelled WHERE state <> 'not written')"""
        )
    )
    connection.execute(
        text(
            """UPDATE files SET cancelled_at = :now, state = c.state, reason =
                CASE WHEN c.state = 'new' THEN NULL ELSE c.reason END
            FROM cancelled c WHERE c.file_id = files.id"""
        ),
        {"now": utc_now()},
    )
    ids = connection.scalars(text("SELECT file_id FROM cancelled")).all()
    changes.record(connection, changes.IMAGE, ids)
    return len(ids)


def put_back(db: Database, place: bytes | None = None) -> int:
    """Queue the photos at or below `place`, or all, that are new and have no job."""
    statement = (
        select(files.c.id)
        .join(folders)
        .outerjoin(jobs, jobs.c.file_id == files.c.id)
        .where(
            files.c.state == ImageState.NEW.value,
            folders.c.removed_at.is_(None),
            jobs.c.id.is_(None),
        )
        .order_by(files.c.id)
    )
    if place is not None:
        statement = statement.where(at_or_below(place))
    with db.write() as connection:
        ids = connection.scalars(statement).all()
        enqueue(connection, dict.fromkeys(ids))
        changes.record(connection, changes.IMAGE, ids)
    return len(ids)
