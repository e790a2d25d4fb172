"""Jobs: what is still to do, who holds it, and until when.

A job is leased with a token of its own. Whoever lost the lease cannot finish the job:
every later step names the token, and a token that is no longer on the job changes
nothing. A dead holder's lease runs out and the job is free again.
"""

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Case,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from tagger.records import ImageState, StatKey, WriteMode, utc_now
from tagger.tracking import changes, tagnames
from tagger.tracking.database import Database
from tagger.tracking.files import at_or_below, enqueue, restat
from tagger.tracking.schema import files, folders, jobs

LEASE_S = 60.0
# Longer waits than this are for something else than a file to come to rest.
AT_REST_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One photo to be finished, as its holder needs to know it."""

    id: int
    token: str
    file_id: int
    path: bytes
    stat: StatKey
    write_mode: WriteMode
    ask_again: bool
    attempts: int
    created_at: str
    looked: bool
    identity: str | None
    orientation: int | None
    result_id: int | None


class LeaseLost(Exception):
    """The job is no longer this holder's; what it did for it is dropped."""


def claim(
    db: Database,
    *,
    limit: int,
    run_id: int | None = None,
    lease_s: float = LEASE_S,
) -> list[Job]:
    """Lease up to `limit` jobs that can be worked on now, first in line first.

    With `run_id` only the jobs bound to that command; otherwise those of all active
    folders. Photos that are missing or offline are left waiting.
    """
    now = time.time()
    with db.write() as connection:
        rows = connection.execute(_candidates(now, run_id).limit(limit)).all()
        leased = [_job(row, uuid.uuid4().hex) for row in rows]
        for job in leased:
            connection.execute(
                update(jobs)
                .where(jobs.c.id == job.id)
                .values(token=job.token, lease_until=now + lease_s)
            )
    return leased


def _candidates(now: float, run_id: int | None) -> Select[Any]:
    where: list[ColumnElement[bool]] = [
        or_(jobs.c.lease_until.is_(None), jobs.c.lease_until < now),
        or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now),
        files.c.missing_since.is_(None),
        files.c.unreachable.is_(False),
        folders.c.offline.is_(None),
        folders.c.removed_at.is_(None),
        folders.c.active if run_id is None else jobs.c.run_id == run_id,
    ]
    return (
        select(
            jobs.c.id,
            jobs.c.ask_again,
            jobs.c.attempts,
            jobs.c.created_at,
            files.c.id.label("file_id"),
            *(files.c[name] for name in _FILE_COLUMNS),
            folders.c.write_mode,
        )
        .select_from(jobs.join(files).join(folders))
        .where(and_(*where))
        .order_by(jobs.c.priority.desc(), jobs.c.id)
    )


_FILE_COLUMNS = (
    *("path", "dev", "ino", "size_bytes", "mtime_ns", "ctime_ns"),
    *("looked_at", "identity", "orientation", "result_id"),
)


def _job(row: Row[Any], token: str) -> Job:
    return Job(
        id=row.id,
        token=token,
        file_id=row.file_id,
        path=row.path,
        stat=StatKey(row.dev, row.ino, row.size_bytes, row.mtime_ns, row.ctime_ns),
        write_mode=WriteMode(row.write_mode),
        ask_again=row.ask_again,
        attempts=row.attempts,
        created_at=row.created_at,
        looked=row.looked_at is not None,
        identity=row.identity,
        orientation=row.orientation,
        result_id=row.result_id,
    )


def hold(connection: Connection, job: Job) -> int:
    """Check the lease inside a transaction; the file id the job is for now.

    Raises `LeaseLost` if the job has another holder or is gone.
    """
    file_id = connection.scalars(
        select(jobs.c.file_id).where(jobs.c.id == job.id, jobs.c.token == job.token)
    ).first()
    if file_id is None:
        raise LeaseLost(job.id)
    return int(file_id)


def renew(db: Database, held: Iterable[Job], *, lease_s: float = LEASE_S) -> None:
    """Keep the leases of jobs still being worked on; lost ones stay lost."""
    until = time.time() + lease_s
    with db.write() as connection:
        for job in held:
            connection.execute(
                update(jobs)
                .where(jobs.c.id == job.id, jobs.c.token == job.token)
                .values(lease_until=until)
            )


def finish(
    db: Database, job: Job, state: ImageState, *, reason: str | None = None
) -> None:
    """End a job: its photo stands as `state` from now on. Raises `LeaseLost`.

    A file that changed after it was looked at goes back to the queue instead.
    """
    with db.write() as connection:
        file_id = hold(connection, job)
        if state is ImageState.TAGGED and _changed_since(connection, file_id):
            _release(connection, job)
            return
        connection.execute(delete(jobs).where(jobs.c.id == job.id))
        connection.execute(
            update(files)
            .where(files.c.id == file_id)
            .values(state=state.value, reason=reason, finished_at=utc_now())
        )
        changes.record(connection, changes.IMAGE, [file_id])


def _changed_since(connection: Connection, file_id: int) -> bool:
    looked_at = connection.scalars(
        select(files.c.looked_at).where(files.c.id == file_id)
    ).one()
    return looked_at is None


def _release(connection: Connection, job: Job, delay_s: float = 0.0) -> None:
    connection.execute(
        update(jobs)
        .where(jobs.c.id == job.id)
        .values(
            token=None,
            lease_until=None,
            not_before=time.time() + delay_s if delay_s else None,
        )
    )


def put_back(
    db: Database,
    job: Job,
    *,
    delay_s: float = 0.0,
    blame: bool = False,
    stat: StatKey | None = None,
) -> None:
    """Return a job to the queue, to be taken again after `delay_s`.

    `blame` counts an attempt. `stat` is the stat key of a file that changed meanwhile.
    """
    with db.write() as connection:
        file_id = hold(connection, job)
        connection.execute(
            update(jobs)
            .where(jobs.c.id == job.id)
            .values(attempts=jobs.c.attempts + (1 if blame else 0))
        )
        _release(connection, job, delay_s)
        if stat is not None:
            restat(connection, file_id, stat)


def postpone(db: Database, job: Job, *, reason: str, delay_s: float) -> None:
    """The answer is kept but cannot be written yet: wait, and say why."""
    with db.write() as connection:
        file_id = hold(connection, job)
        _release(connection, job, delay_s)
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(run_id=None))
        connection.execute(
            update(files)
            .where(files.c.id == file_id)
            .values(
                state=ImageState.NOT_WRITTEN.value, reason=reason, finished_at=utc_now()
            )
        )
        changes.record(connection, changes.IMAGE, [file_id])


def retry_not_written(db: Database) -> int:
    """Try the photos whose words could not be written again now; how many."""
    with db.write() as connection:
        waiting = select(files.c.id).where(
            files.c.state == ImageState.NOT_WRITTEN.value
        )
        result = connection.execute(
            update(jobs).where(jobs.c.file_id.in_(waiting)).values(not_before=None)
        )
        return result.rowcount


def retry_failed(db: Database, ids: Sequence[int] | None = None) -> int:
    """Queue failed photos again, all or these; how many."""
    with db.write() as connection:
        statement = select(files.c.id).where(files.c.state == ImageState.FAILED.value)
        failed = set(connection.scalars(statement).all())
        chosen = sorted(failed if ids is None else failed.intersection(ids))
        _queue(connection, chosen)
    return len(chosen)


def retag(db: Database, ids: Sequence[int]) -> int:
    """Queue photos to be asked about again, although an answer exists; how many."""
    with db.write() as connection:
        known: list[int] = []
        for chunk in tagnames.chunks(list(ids)):
            known += connection.scalars(
                select(files.c.id).where(files.c.id.in_(chunk))
            ).all()
        _queue(connection, known, ask_again=True)
    return len(known)


def _queue(
    connection: Connection, ids: Sequence[int], *, ask_again: bool = False
) -> None:
    enqueue(connection, dict.fromkeys(ids), ask_again=ask_again)
    changes.record(connection, changes.IMAGE, ids)


def bind(
    db: Database,
    run_id: int,
    paths: Sequence[bytes],
    *,
    limit: int | None,
    ask_again: bool,
) -> list[int]:
    """Bind the jobs of photos at or below `paths` to one command; their file ids.

    With `ask_again` photos that are done get a job too. Failed ones are tried again.
    """
    with db.write() as connection:
        chosen = _below(connection, paths)
        if ask_again:
            _queue(connection, chosen[:limit], ask_again=True)
        else:
            failed = _with_state(connection, chosen, ImageState.FAILED)
            _queue(connection, failed)
        with_job = [i for i in chosen if i in _having_jobs(connection)][:limit]
        for chunk in tagnames.chunks(with_job):
            connection.execute(
                update(jobs)
                .where(jobs.c.file_id.in_(chunk))
                .values(run_id=run_id, not_before=_soon())
            )
    return with_job


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
        found |= dict.fromkeys(connection.scalars(present.where(at_or_below(path))))
    return list(found)


def _with_state(
    connection: Connection, ids: Sequence[int], state: ImageState
) -> list[int]:
    wanted = set(
        connection.scalars(select(files.c.id).where(files.c.state == state.value))
    )
    return [file_id for file_id in ids if file_id in wanted]


def _having_jobs(connection: Connection) -> set[int]:
    return set(connection.scalars(select(jobs.c.file_id)))


def count(db: Database, run_id: int) -> int:
    """How many jobs bound to a command are still there."""
    with db.read() as connection:
        left = connection.execute(
            select(func.count()).where(jobs.c.run_id == run_id)
        ).scalar_one()
    return int(left)


def release_all(db: Database) -> None:
    """Free every lease; only for a tagger that knows no other one is alive."""
    with db.write() as connection:
        connection.execute(
            update(jobs)
            .where(jobs.c.token.is_not(None))
            .values(token=None, lease_until=None)
        )


def next_due(db: Database, *, run_id: int | None = None) -> float | None:
    """When the next job can be taken, in seconds from now; None if there is none.

    0.0 means now. Jobs that other holders have count with the end of their lease.
    """
    now = time.time()
    # A horizon beyond every lease and delay: what is runnable at all, now or later.
    horizon = now + 10 * 365 * 86_400
    candidates = _candidates(horizon, run_id).subquery()
    with db.read() as connection:
        due = connection.execute(
            select(
                func.min(
                    func.max(
                        func.coalesce(jobs.c.not_before, now),
                        func.coalesce(jobs.c.lease_until, now),
                    )
                )
            ).where(jobs.c.id.in_(select(candidates.c.id)))
        ).scalar_one()
    return None if due is None else max(0.0, due - now)
