"""Queueing: a file gets a job, or the one it has is asked for anew."""

import time
from collections.abc import Mapping, Sequence

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Float,
    Text,
    and_,
    or_,
    select,
    update,
)

from tagger.records import ImageState, WriteMode, utc_now
from tagger.tracking import dialects, proposing, tagnames
from tagger.tracking.schema import files, folders

# Higher goes first. What a person wants now goes ahead of everything, even of a pause.
NOW, FIRST = 100, 10
# The priority of a new job of the photo `f`: whether it lies where people want first.
PRIORITY = f"""CASE WHEN EXISTS (SELECT 1 FROM controls c WHERE c.name = 'first'
    AND substr(f.path, 1, length(c.value)) = c.value) THEN {FIRST} ELSE 0 END"""


def enqueue(
    connection: Connection,
    not_before: Mapping[int, float | None],
    *,
    ask_again: bool = False,
) -> None:
    """Make or renew the job of each file, whose state becomes `queued`.

    A job that is held at the moment is done once more after its holder is through.
    """
    if not not_before:
        return
    connection.execute(
        dialects.typed(
            f"""INSERT INTO jobs (file_id, ask_again, priority, wanted, attempts,
                server_failures, not_before, created_at, was_state, was_reason,
                touched_ns)
            SELECT f.id, :ask, {PRIORITY}, 1, 0, 0, :at, :now, f.state, f.reason,
                f.mtime_ns
            FROM files f WHERE f.id = :file_id
            ON CONFLICT (file_id) DO UPDATE SET not_before = excluded.not_before,
                wanted = jobs.wanted + 1, attempts = 0, server_failures = 0,
                ask_again = jobs.ask_again OR excluded.ask_again,
                created_at = CASE WHEN excluded.ask_again THEN excluded.created_at
                    ELSE jobs.created_at END,
                was_state = CASE WHEN excluded.was_state = 'queued'
                    THEN jobs.was_state ELSE excluded.was_state END,
                was_reason = CASE WHEN excluded.was_state = 'queued'
                    THEN jobs.was_reason ELSE excluded.was_reason END,
                touched_ns = excluded.touched_ns""",
            ask=Boolean,
            at=Float,
            now=Text,
        ),
        [
            {"file_id": file_id, "ask": ask_again, "at": at, "now": utc_now()}
            for file_id, at in not_before.items()
        ],
    )
    set_all(
        connection,
        list(not_before),
        state=ImageState.QUEUED.value,
        reason=None,
        cancelled_at=None,
    )


def enqueue_settled(
    connection: Connection, ids: Sequence[int], *, settle_s: float
) -> None:
    """A job for each file, later for one that was touched a moment ago."""
    now = time.time()
    for chunk in tagnames.chunks(list(ids)):
        rows = connection.execute(
            select(files.c.id, files.c.mtime_ns, files.c.ctime_ns).where(
                files.c.id.in_(chunk)
            )
        ).all()
        enqueue(
            connection,
            {
                row.id: _settled_at(max(row.mtime_ns, row.ctime_ns), now, settle_s)
                for row in rows
            },
        )


def enqueue_touched(
    connection: Connection, touched_ns: Mapping[int, int], *, settle_s: float
) -> None:
    """A job for each photo, later where its sidecar was touched a moment ago."""
    now = time.time()
    enqueue(
        connection,
        {i: _settled_at(touched, now, settle_s) for i, touched in touched_ns.items()},
    )


def _settled_at(touched_ns: int, now: float, settle_s: float) -> float | None:
    settled = touched_ns / 1e9 + settle_s
    return settled if now < settled <= now + settle_s else None


def unwritten(connection: Connection, where: ColumnElement[bool]) -> list[int]:
    """Photos that are done, but whose folder has come to want their words written.

    Their answer was not written yet, or their files lack what the folder's mode at that
    time did not let in.
    """
    unwritten_answer = and_(
        files.c.result_id.is_not(None),
        files.c.result_id.is_distinct_from(files.c.written_result_id),
    )
    return list(
        connection.scalars(
            select(files.c.id)
            .join(folders)
            .where(
                where,
                files.c.state.in_(proposing.THROUGH),
                files.c.missing_since.is_(None),
                or_(unwritten_answer, files.c.owed_in != folders.c.write_mode),
                folders.c.write_mode != WriteMode.NONE.value,
            )
        )
    )


def set_all(connection: Connection, ids: Sequence[int], **values: object) -> None:
    """Set columns of many files."""
    for chunk in tagnames.chunks(ids):
        connection.execute(update(files).where(files.c.id.in_(chunk)).values(**values))
