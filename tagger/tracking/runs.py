"""Runs and taggers: who worked when, and what each says of itself now."""

import os
import time
from collections import defaultdict
from datetime import datetime

import psutil
from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.sqlite import insert

from tagger.records import ImageState, ServerReport, Status, utc_now
from tagger.tracking import presence
from tagger.tracking.database import Database
from tagger.tracking.schema import files, folders, jobs, runs, taggers

# A tagger reports every second or two; silent for longer, it is taken for dead.
ALIVE_S = 15.0
RATE_WINDOW_S = 300.0


def begin(db: Database, kind: str) -> int:
    """Register a process that works on the queue; returns the run's id."""
    presence.mark(db.path.parent)
    with db.write() as connection:
        run_id = connection.execute(
            runs.insert()
            .values(kind=kind, pid=os.getpid(), started_at=utc_now())
            .returning(runs.c.id)
        ).scalar_one()
        # From its first moment on others must not think themselves alone.
        connection.execute(
            taggers.insert().values(
                run_id=run_id,
                pid=os.getpid(),
                state="idle",
                message="starting",
                servers=[],
                seen_at=time.time(),
            )
        )
    return int(run_id)


def end(db: Database, run_id: int) -> None:
    """The run is over; it no longer counts as a tagger."""
    with db.write() as connection:
        connection.execute(
            update(runs).where(runs.c.id == run_id).values(ended_at=utc_now())
        )
        connection.execute(taggers.delete().where(taggers.c.run_id == run_id))


def report(
    db: Database,
    run_id: int,
    *,
    state: str,
    message: str | None,
    backend: str | None,
    servers: tuple[ServerReport, ...],
) -> None:
    """Say where this tagger stands."""
    values = {
        "pid": os.getpid(),
        "state": state,
        "message": message,
        "backend": backend,
        "servers": [
            {name: getattr(server, name) for name in ServerReport.__slots__}
            for server in servers
        ],
        "seen_at": time.time(),
    }
    with db.write() as connection:
        connection.execute(
            insert(taggers)
            .values(run_id=run_id, **values)
            .on_conflict_do_update(index_elements=["run_id"], set_=values)
        )


def alive(db: Database, kind: str = "run") -> int | None:
    """The process id of a long-running tagger that reported lately, if any."""
    with db.read() as connection:
        return connection.scalars(
            select(taggers.c.pid)
            .join(runs)
            .where(runs.c.kind == kind, taggers.c.seen_at > time.time() - ALIVE_S)
        ).first()


def others_alive(db: Database) -> bool:
    """Whether another process on this machine works on the queue now."""
    return bool(presence.others(db.path.parent))


def is_alive(db: Database, run_id: int) -> bool:
    """Whether a run may still do something: its process is there, and reports."""
    with db.read() as connection:
        row = connection.execute(
            select(taggers.c.pid, taggers.c.seen_at).where(taggers.c.run_id == run_id)
        ).first()
    if row is None or row.seen_at < time.time() - ALIVE_S:
        return False
    return psutil.pid_exists(row.pid)


def status(db: Database) -> Status:
    """Where everything stands, from one moment's view of the database."""
    with db.read() as connection:
        states, missing = _counts(connection)
        working = connection.execute(
            select(func.count()).where(jobs.c.lease_until > time.time())
        ).scalar_one()
        row = connection.execute(
            select(taggers).order_by(taggers.c.seen_at.desc()).limit(1)
        ).first()
        since, finished = _finished_lately(connection)
    # A tagger that pauses for want of room has no room to report that either.
    is_full = db.is_full()
    fresh = row is not None and row.seen_at > time.time() - ALIVE_S
    queued = states.get(ImageState.QUEUED.value, 0) + states.get(
        ImageState.NEW.value, 0
    )
    rate = finished / since * 60 if finished and since else None
    state, message = "stopped", None
    if is_full:
        state, message = "paused", db.full_disk
    elif row is not None and fresh:
        state, message = row.state, row.message
    return Status(
        state=state,
        message=message,
        backend=row.backend if row is not None and fresh else None,
        servers=tuple(ServerReport(**s) for s in row.servers)
        if row is not None and fresh
        else (),
        queued=max(0, queued - working),
        working=min(working, queued),
        tagged=states.get(ImageState.TAGGED.value, 0),
        not_written=states.get(ImageState.NOT_WRITTEN.value, 0),
        failed=states.get(ImageState.FAILED.value, 0),
        missing=missing,
        total=sum(states.values()),
        photos_a_minute=rate,
        eta_s=queued / rate * 60 if rate and queued else None,
        seen_at=_iso(row.seen_at) if row is not None else None,
    )


def _counts(connection: Connection) -> tuple[dict[str, int], int]:
    """Photos by state, and how many are missing.

    Asked of each folder by itself, SQLite counts along an index and sorts nothing.
    """
    states: dict[str, int] = defaultdict(int)
    known = select(folders.c.id).where(folders.c.removed_at.is_(None))
    for folder_id in connection.scalars(known).all():
        for state, count in connection.execute(
            select(files.c.state, func.count())
            .where(files.c.folder_id == folder_id, files.c.missing_since.is_(None))
            .group_by(files.c.state)
        ):
            states[state] += count
    missing = select(func.count()).where(
        files.c.folder_id.in_(known), files.c.missing_since.is_not(None)
    )
    return states, int(connection.execute(missing).scalar_one())


def _finished_lately(connection: Connection) -> tuple[float, int]:
    """Over how many seconds up to now, and how many photos, the rate is taken."""
    now = time.time()
    row = connection.execute(
        select(func.count(), func.min(files.c.finished_at)).where(
            files.c.finished_at >= _iso(now - RATE_WINDOW_S)
        )
    ).one()
    count, first = row
    if not count:
        return 0.0, 0
    began = datetime.fromisoformat(first).timestamp()
    return max(1.0, now - began), count


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".000Z"
