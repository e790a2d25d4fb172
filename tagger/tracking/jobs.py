"""Jobs: what is still to do, who holds it, and until when.

A job is leased with a token of its own, which begins with its holder's mark. Whoever
lost the lease cannot finish the job: every later step names the token, and a token that
is no longer on the job changes nothing. A dead holder's job is free again once that is
noticed, at the latest when its lease runs out.
"""

import time
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    exists,
    or_,
    select,
    update,
)

from tagger.records import Cost, ImageState, StatKey, utc_now
from tagger.tracking import changes, costs, presence, proposing, tagnames, underway
from tagger.tracking.bindings import ALL, Among
from tagger.tracking.database import Database
from tagger.tracking.queueing import NOW, enqueue
from tagger.tracking.schema import files, folders, jobs, writes

LEASE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One photo to be finished, as its holder needs to know it.

    `looked` says that what is on record of the photo is of the file `stat` names,
    `words_known` the same of its words. `interrupted` says that a write of it was
    announced of which nobody knows whether it was done; `is_edit` that a person changed
    its words in the program, and its file is to follow. `asked_with` is the server that
    was chosen for this question.
    """

    id: int
    token: str
    wanted: int
    file_id: int
    folder_id: int
    path: bytes
    stat: StatKey
    ask_again: bool
    priority: int
    attempts: int
    server_failures: int
    created_at: str
    looked: bool
    words_known: bool
    interrupted: bool
    is_edit: bool
    identity: str | None
    orientation: int | None
    result_id: int | None
    asked_with: str | None = None


class LeaseLost(Exception):
    """The job is no longer this holder's; what it did for it is dropped."""


def claim(
    db: Database,
    *,
    limit: int,
    run_id: int | None = None,
    among: Among = ALL,
    edits_only: bool = False,
    newest_first: bool = False,
    only_now: bool = False,
    asked_with: Collection[str] | None = None,
    lease_s: float = LEASE_S,
) -> list[Job]:
    """Lease up to `limit` jobs that can be worked on now, first in line first.

    With `run_id` only the jobs bound to that command; otherwise those of all active
    folders, or of those `among` says, and edits in any. Photos that are missing or
    offline are left waiting. `edits_only` takes none but edits, which need no model.
    `newest_first` goes by the age of the files instead of by who came first; `only_now`
    takes none but those a person wants now, and
    with `asked_with` of these none but those for one of these servers.
    """
    now = time.time()
    where = [
        or_(jobs.c.lease_until.is_(None), jobs.c.lease_until < now),
        or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now),
        workable(run_id, among),
    ]
    if edits_only or only_now:  # found along the index of the queue
        where.append(jobs.c.priority >= NOW)
    if asked_with is not None:
        where.append(jobs.c.asked_with.in_(sorted(asked_with)))
    if edits_only:
        where.append(jobs.c.edit_id.is_not(None))
    line = (
        select(jobs.c.id)
        .where(and_(*where))
        .order_by(*in_line(newest_first=newest_first))
        .limit(limit)
    )
    with db.read() as connection:  # an idle tagger never takes the write lock
        if connection.execute(line.limit(1)).first() is None:
            return []
    mark = presence.mark(db.path.parent)
    with db.write() as connection:
        leased = []
        for job_id in connection.scalars(line).all():
            token = f"{mark}-{uuid.uuid4().hex}"
            connection.execute(
                update(jobs)
                .where(jobs.c.id == job_id)
                .values(token=token, lease_until=now + lease_s)
            )
            leased.append(_read(connection, job_id, token))
    return leased


def wanted_now(db: Database) -> set[int]:
    """The jobs that people want done ahead of all others, held ones included."""
    with db.read() as connection:
        return set(connection.scalars(select(jobs.c.id).where(jobs.c.priority >= NOW)))


def in_line(*, newest_first: bool) -> tuple[ColumnElement[Any], ...]:
    """The order of the queue."""
    next_best = jobs.c.touched_ns.desc() if newest_first else jobs.c.id.asc()
    return jobs.c.priority.desc(), next_best


def workable(run_id: int | None, among: Among = ALL) -> ColumnElement[bool]:
    """Whether a job's photo is within reach, and its folder is to be worked on.

    As a subquery for each job, so that a claim walks along the index of the queue and
    stops when it has enough, however long the queue is.
    """
    photo = (
        select(files.c.id)
        .select_from(files.join(folders))
        .where(
            files.c.id == jobs.c.file_id,
            files.c.missing_since.is_(None),
            files.c.unreachable.is_(False),
            folders.c.offline.is_(None),
            folders.c.removed_at.is_(None),
        )
        .correlate(jobs)
    )
    if not among.is_all:
        photo = photo.where(among.holds(folders.c.id))
    if run_id is None:  # an edit was asked for by a person, wherever the photo is
        return exists(photo.where(or_(folders.c.active, jobs.c.edit_id.is_not(None))))
    return and_(jobs.c.run_id == run_id, exists(photo))


def are_waiting(db: Database, among: Among = ALL) -> bool:
    """Whether there is any photo that the taggers could work on, among some folders."""
    with db.read() as connection:
        statement = select(jobs.c.id).where(workable(None, among)).limit(1)
        return connection.execute(statement).first() is not None


def _read(connection: Connection, job_id: int, token: str) -> Job:
    is_open = and_(writes.c.file_id == files.c.id, writes.c.state == "intent")
    statement: Select[Any] = (
        select(
            jobs.c.id,
            jobs.c.wanted,
            jobs.c.ask_again,
            jobs.c.priority,
            jobs.c.attempts,
            jobs.c.server_failures,
            jobs.c.created_at,
            jobs.c.asked_with,
            jobs.c.edit_id.is_not(None).label("is_edit"),
            files.c.id.label("file_id"),
            *(files.c[name] for name in _FILE_COLUMNS),
            exists(select(writes.c.id).where(is_open)).label("interrupted"),
        )
        .select_from(jobs.join(files))
        .where(jobs.c.id == job_id)
    )
    return _job(connection.execute(statement).one(), token)


def fresh(db: Database, job: Job) -> Job:
    """The job as it is now. Raises `LeaseLost`."""
    with db.read() as connection:
        hold(connection, job)
        return _read(connection, job.id, job.token)


_FILE_COLUMNS = (
    *("folder_id", "path", "dev", "ino", "size_bytes", "mtime_ns", "ctime_ns"),
    *("looked_at", "words_at", "identity", "orientation", "result_id"),
)


def _job(row: Row[Any], token: str) -> Job:
    return Job(
        id=row.id,
        token=token,
        wanted=row.wanted,
        file_id=row.file_id,
        folder_id=row.folder_id,
        path=row.path,
        stat=StatKey(row.dev, row.ino, row.size_bytes, row.mtime_ns, row.ctime_ns),
        ask_again=row.ask_again,
        priority=row.priority,
        attempts=row.attempts,
        server_failures=row.server_failures,
        created_at=row.created_at,
        looked=row.looked_at is not None,
        words_known=row.words_at is not None,
        interrupted=row.interrupted,
        is_edit=row.is_edit,
        identity=row.identity,
        orientation=row.orientation,
        result_id=row.result_id,
        asked_with=row.asked_with,
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


def check(db: Database, job: Job) -> None:
    """Raise `LeaseLost` if the job has another holder by now, or is gone."""
    with db.read() as connection:
        hold(connection, job)


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
    db: Database,
    job: Job,
    state: ImageState,
    *,
    reason: str | None = None,
    cost: Cost | None = None,
) -> bool:
    """End a job: its photo stands as `state` from now on. Raises `LeaseLost`.

    One that is through with an answer that waits for a person stands as that instead.
    False if it goes back to the queue instead: it was asked for once more meanwhile,
    because the file changed or because somebody wants another answer.
    """
    is_through = state is ImageState.TAGGED
    with db.write() as connection:
        file_id = hold(connection, job)
        if cost is not None:
            costs.note(connection, file_id, cost)
        if is_asked_anew(connection, job):
            release(connection, job)
            return False
        edit_id = connection.execute(
            delete(jobs).where(jobs.c.id == job.id).returning(jobs.c.edit_id)
        ).scalar_one()
        connection.execute(
            update(files)
            .where(files.c.id == file_id)
            .values(
                state=proposing.STANDS_AS if is_through else state.value,
                reason=reason,
                finished_at=utc_now(),
            )
        )
        changes.record(connection, changes.IMAGE, [file_id])
        if edit_id is not None:
            underway.step(connection, edit_id, failed=state is ImageState.FAILED)
    return True


def is_asked_anew(connection: Connection, job: Job) -> bool:
    """Whether the job was asked for once more since its holder took it."""
    wanted = select(jobs.c.wanted).where(jobs.c.id == job.id)
    return bool(connection.execute(wanted).scalar_one() != job.wanted)


def release(connection: Connection, job: Job, **values: object) -> None:
    """Take the lease off a job, and set other columns of it."""
    connection.execute(
        update(jobs)
        .where(jobs.c.id == job.id)
        .values(token=None, lease_until=None, **values)
    )


def retag(db: Database, ids: Sequence[int]) -> int:
    """Queue photos to be asked about again, although an answer exists; how many."""
    with db.write() as connection:
        known: list[int] = []
        for chunk in tagnames.chunks(list(ids)):
            known += connection.scalars(
                select(files.c.id).where(files.c.id.in_(chunk))
            ).all()
        queue(connection, known, ask_again=True)
    return len(known)


def queue(
    connection: Connection, ids: Sequence[int], *, ask_again: bool = False
) -> None:
    """Give these photos a job each, and say so."""
    enqueue(connection, dict.fromkeys(ids), ask_again=ask_again)
    changes.record(connection, changes.IMAGE, ids)


def release_dead(db: Database) -> int:
    """Free the leases of processes that are gone; how many those are."""

    def free(mark: str) -> None:
        with db.write() as connection:
            connection.execute(
                update(jobs)
                .where(
                    jobs.c.lease_until.is_not(None),
                    jobs.c.token.startswith(f"{mark}-", autoescape=True),
                )
                .values(token=None, lease_until=None)
            )

    return len(presence.bury(db.path.parent, free))


def release_all(db: Database) -> None:
    """Free every lease; only for a tagger that knows no other one is alive."""
    with db.write() as connection:
        connection.execute(
            update(jobs)
            .where(jobs.c.token.is_not(None))
            .values(token=None, lease_until=None)
        )
