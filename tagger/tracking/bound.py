"""Bound: the jobs one command waits for, and when there is something to do."""

import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Case,
    Connection,
    Select,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from tagger.records import ImageState
from tagger.tracking import dialects, proposing, queueing, tagnames
from tagger.tracking.bindings import ALL, Among
from tagger.tracking.database import Database
from tagger.tracking.jobs import Job, finish, hold, queue, release, workable
from tagger.tracking.places import reached_from
from tagger.tracking.schema import files, folders, jobs

# Longer waits than this are for something else than a file to come to rest.
AT_REST_S = 5.0
# Photos in these states have no job until somebody wants one for them.
RESTING = (ImageState.FAILED.value, ImageState.NEW.value)


def bind(
    db: Database,
    run_id: int,
    paths: Sequence[bytes],
    *,
    limit: int | None,
    ask_again: bool,
) -> list[int]:
    """Bind the jobs of photos that `paths` lead to to one command; their file ids.

    With `ask_again` photos that are done get a job too. Failed ones are tried again,
    those taken out of the queue are put back, and those that their folder wants written
    by now are written.
    """
    with db.write() as connection:
        chosen = _below(connection, paths)
        if ask_again:
            chosen = chosen[:limit]
            queue(connection, chosen, ask_again=True)
        else:
            anew = {*_resting(connection), *_unwritten(connection)}
            waiting = set(connection.scalars(select(jobs.c.file_id)))
            chosen = [i for i in chosen if i in anew or i in waiting][:limit]
            queue(connection, [i for i in chosen if i in anew])
        for chunk in tagnames.chunks(chosen):
            connection.execute(
                update(jobs)
                .where(jobs.c.file_id.in_(chunk))
                .values(run_id=run_id, not_before=_soon())
            )
    return chosen


def bind_unread(db: Database, run_id: int, paths: Sequence[bytes]) -> list[int]:
    """Bind the photos at or below `paths` whose words nobody has read; their file ids.

    Bound with them, but not counted, are those whose words are read and whose job is
    still there: the command before may have been killed between the two.
    """
    with db.write() as connection:
        below = _below(connection, paths)
        unread: set[int] = set()
        read: set[int] = set()
        for chunk in tagnames.chunks(below):
            for row in connection.execute(_waiting().where(files.c.id.in_(chunk))):
                (unread if row.is_unread else read).add(row.id)
        chosen = [i for i in below if i in unread]
        resting = {*_resting(connection)}
        queue(connection, [i for i in chosen if i in resting])
        for chunk in tagnames.chunks([*chosen, *read]):
            connection.execute(
                update(jobs)
                .where(jobs.c.file_id.in_(chunk))
                .values(run_id=run_id, not_before=_soon())
            )
    return chosen


def _waiting() -> Select[Any]:
    """Photos to be looked at, and those that perhaps have but to be called done."""
    is_unread = or_(files.c.looked_at.is_(None), files.c.words_at.is_(None))
    is_resting = files.c.state.in_(RESTING)
    has_answer = and_(
        files.c.state == ImageState.QUEUED.value,
        files.c.written_result_id.is_not(None),
        jobs.c.ask_again.is_(False),
    )
    return (
        select(files.c.id, is_unread.label("is_unread"))
        .outerjoin(jobs, jobs.c.file_id == files.c.id)
        .where(
            or_(
                and_(is_unread, or_(jobs.c.id.is_not(None), is_resting)),
                and_(jobs.c.id.is_not(None), has_answer),
            )
        )
    )


def _soon() -> Case[Any]:
    """A person who asks wants no waiting; only a file not yet at rest still waits."""
    return case(
        (jobs.c.not_before > time.time() + AT_REST_S, None), else_=jobs.c.not_before
    )


def _below(connection: Connection, paths: Sequence[bytes]) -> list[int]:
    present = (
        select(files.c.id)
        .join(folders)
        .where(files.c.missing_since.is_(None), folders.c.removed_at.is_(None))
        .order_by(files.c.path)
    )
    found: dict[int, None] = {}
    for path in paths:
        found |= dict.fromkeys(connection.scalars(present.where(reached_from(path))))
    return list(found)


def _resting(connection: Connection) -> Iterable[int]:
    return connection.scalars(select(files.c.id).where(files.c.state.in_(RESTING)))


def _unwritten(connection: Connection) -> Iterable[int]:
    return queueing.unwritten(connection, folders.c.removed_at.is_(None))


def take(db: Database, run_id: int, ids: Sequence[int]) -> set[int]:
    """Take the jobs of these photos for one command; those that had one before."""
    waiting: set[int] = set()
    with db.write() as connection:
        for chunk in tagnames.chunks(ids):
            waiting.update(
                connection.scalars(
                    select(jobs.c.file_id).where(jobs.c.file_id.in_(chunk))
                )
            )
        queueing.enqueue(connection, {i: None for i in ids if i not in waiting})
        for chunk in tagnames.chunks(ids):
            connection.execute(
                update(jobs)
                .where(jobs.c.file_id.in_(chunk))
                .values(run_id=run_id, not_before=None)
            )
    return waiting


def leave(db: Database, job: Job, *, has_more: bool) -> None:
    """Be through with a photo; `has_more` gives its job back to the taggers."""
    if not has_more:
        finish(db, job, ImageState.TAGGED)
        return
    with db.write() as connection:
        hold(connection, job)
        release(connection, job, run_id=None)


def give_back(db: Database, run_id: int, waiting: Collection[int]) -> None:
    """Give back the jobs a command did not come to; those it made itself are over."""
    with db.write() as connection:
        mine = connection.execute(
            select(jobs.c.id, jobs.c.file_id).where(
                jobs.c.run_id == run_id, jobs.c.token.is_(None)
            )
        ).all()
        for row in mine:
            if row.file_id not in waiting:
                connection.execute(delete(jobs).where(jobs.c.id == row.id))
                queueing.set_all(connection, [row.file_id], state=proposing.STANDS_AS)
        connection.execute(
            update(jobs).where(jobs.c.run_id == run_id).values(run_id=None)
        )


def count(db: Database, run_id: int) -> int:
    """How many jobs bound to a command are still there."""
    with db.read() as connection:
        left = connection.execute(
            select(func.count()).where(jobs.c.run_id == run_id)
        ).scalar_one()
    return int(left)


def taken_by(db: Database, run_id: int, ids: Collection[int]) -> dict[int, list[int]]:
    """Which of these photos other commands have taken over: by run, their file ids."""
    found: dict[int, list[int]] = {}
    with db.read() as connection:
        rows = connection.execute(
            select(jobs.c.run_id, jobs.c.file_id).where(
                jobs.c.run_id.is_not(None), jobs.c.run_id != run_id
            )
        )
        for other, file_id in rows:
            if file_id in ids:
                found.setdefault(other, []).append(file_id)
    return found


def take_over(db: Database, run_id: int, ids: Sequence[int], *, of: int) -> None:
    """Have one command do what another one, which is gone, had taken."""
    with db.write() as connection:
        for chunk in tagnames.chunks(ids):
            connection.execute(
                update(jobs)
                .where(jobs.c.file_id.in_(chunk), jobs.c.run_id == of)
                .values(run_id=run_id)
            )


def retry_not_written(db: Database) -> int:
    """Try again now what could not be written, or not be read, so far; how many."""
    with db.write() as connection:
        waiting = select(files.c.id).where(
            files.c.state == ImageState.NOT_WRITTEN.value
        )
        retried = connection.execute(
            update(jobs).where(jobs.c.file_id.in_(waiting)).values(not_before=None)
        ).rowcount
        unread = connection.scalars(
            select(files.c.id)
            .join(folders)
            .where(
                files.c.state.in_(proposing.THROUGH),
                files.c.words_at.is_(None),
                files.c.looked_at.is_not(None),
                files.c.missing_since.is_(None),
                folders.c.active,
            )
        ).all()
        queue(connection, unread)
    return retried + len(unread)


def next_due(
    db: Database, *, run_id: int | None = None, among: Among = ALL
) -> float | None:
    """When the next job can be taken, in seconds from now; None if there is none.

    0.0 means now. Jobs that other holders have count with the end of their lease.
    """
    now = time.time()
    with db.read() as connection:
        due = connection.execute(
            select(
                func.min(
                    dialects.larger(
                        func.coalesce(jobs.c.not_before, now),
                        func.coalesce(jobs.c.lease_until, now),
                    )
                )
            ).where(workable(run_id, among))
        ).scalar_one()
    return None if due is None else max(0.0, due - now)
