"""Returns: jobs that go back to the queue without being finished."""

import time

from sqlalchemy import case, select, update

from tagger.records import Cost, ImageState, StatKey, WriteMode, utc_now
from tagger.tracking import changes, costs, dialects, underway
from tagger.tracking.database import Database
from tagger.tracking.files import restat
from tagger.tracking.jobs import Job, LeaseLost, hold, is_asked_anew, release
from tagger.tracking.queueing import FIRST, NOW
from tagger.tracking.schema import files, folders, jobs


def put_back(
    db: Database,
    job: Job,
    *,
    delay_s: float = 0.0,
    attempts: int = 0,
    server_failures: int = 0,
    stat: StatKey | None = None,
) -> None:
    """Return a job to the queue, to be taken again after `delay_s`.

    `attempts` and `server_failures` are added to its own. `stat` is the stat key of a
    file that changed meanwhile.
    """
    with db.write() as connection:
        file_id = hold(connection, job)
        release(
            connection,
            job,
            not_before=time.time() + delay_s if delay_s else None,
            attempts=jobs.c.attempts + attempts,
            server_failures=jobs.c.server_failures + server_failures,
        )
        if stat is not None:
            restat(connection, file_id, stat)


def postpone(
    db: Database, job: Job, *, reason: str, delay_s: float, cost: Cost | None = None
) -> bool:
    """The answer is kept but cannot be written yet: wait, and say why.

    Returns whether that is news of this photo.
    """
    with db.write() as connection:
        file_id = hold(connection, job)
        release(
            connection,
            job,
            not_before=time.time() + delay_s,
            run_id=None,
            # An edit stays first in line; another photo had its turn.
            priority=case(
                (jobs.c.edit_id.is_not(None), jobs.c.priority),
                else_=dialects.smaller(jobs.c.priority, FIRST),
            ),
        )
        if cost is not None:
            costs.note(connection, file_id, cost)
        state = ImageState.NOT_WRITTEN.value
        news = connection.execute(
            update(files)
            .where(
                files.c.id == file_id,
                files.c.state.is_distinct_from(state)
                | files.c.reason.is_distinct_from(reason),
            )
            .values(state=state, reason=reason, finished_at=utc_now())
        ).rowcount
        if news:
            changes.record(connection, changes.IMAGE, [file_id])
    return bool(news)


def go_on(db: Database, job: Job, *, bound: bool) -> None:
    """The edit of a photo is carried out; its job waits on, for the answer.

    `bound` says whether for the same command. If there is another edit meanwhile, the
    job goes back for that one. Raises `LeaseLost`.
    """
    with db.write() as connection:
        file_id = hold(connection, job)
        if is_asked_anew(connection, job):
            release(connection, job)
            return
        edit_id = connection.execute(
            select(jobs.c.edit_id).where(jobs.c.id == job.id)
        ).scalar_one()
        in_line = case((jobs.c.priority >= NOW, 0), else_=jobs.c.priority)
        unbound = {} if bound else {"run_id": None}
        release(connection, job, edit_id=None, priority=in_line, **unbound)
        connection.execute(
            update(files)
            .where(files.c.id == file_id)
            .values(state=ImageState.QUEUED.value, reason=None)
        )
        changes.record(connection, changes.IMAGE, [file_id])
        if edit_id is not None:
            underway.step(connection, edit_id)


def terms(db: Database, job: Job) -> WriteMode:
    """Where the folder wants the words now, right before they are written.

    Raises `LeaseLost`, with the job given back, if the folder was taken out or
    switched off after the job was taken, unless a person asked for this photo.
    """
    with db.read() as connection:
        file_id = hold(connection, job)
        row = connection.execute(
            select(
                folders.c.write_mode,
                folders.c.removed_at,
                folders.c.active,
                jobs.c.run_id,
                jobs.c.edit_id,
            )
            .select_from(jobs.join(files).join(folders))
            .where(files.c.id == file_id)
        ).one()
    is_asked_for = row.run_id is not None or row.edit_id is not None
    if row.removed_at is None and (row.active or is_asked_for):
        return WriteMode(row.write_mode)
    put_back(db, job)
    raise LeaseLost(job.id)
