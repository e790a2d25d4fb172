"""Status: the one question every screen asks."""

import time
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from tagger.records import ImageState, ServerReport, Status, iso
from tagger.tracking import controls, costs
from tagger.tracking.database import Database
from tagger.tracking.runs import ALIVE_S
from tagger.tracking.schema import files, folders, jobs, taggers

RATE_WINDOW_S = costs.LATELY_S


def read(db: Database) -> Status:
    """Where everything stands, from one moment's view of the database."""
    with db.read() as connection:
        states, missing = _counts(connection)
        working = connection.execute(
            select(func.count()).where(jobs.c.lease_until > time.time())
        ).scalar_one()
        row = connection.execute(
            select(taggers).order_by(taggers.c.seen_at.desc()).limit(1)
        ).first()
        fresh = row if row and row.seen_at > time.time() - ALIVE_S else None
        servers = costs.lately(connection, _servers(fresh))
        pace = _pace(connection)
        wanted = controls.within(connection)
    queued = states.get(ImageState.QUEUED.value, 0)
    state, message = _says(db, fresh, wanted)
    status = Status(
        state=state,
        message=message,
        backend=fresh.backend if fresh is not None else None,
        paused_at=wanted.paused_at,
        servers=servers,
        new=states.get(ImageState.NEW.value, 0),
        queued=max(0, queued - working),
        working=min(working, queued),
        tagged=states.get(ImageState.TAGGED.value, 0),
        review=states.get(ImageState.REVIEW.value, 0),
        not_written=states.get(ImageState.NOT_WRITTEN.value, 0),
        failed=states.get(ImageState.FAILED.value, 0),
        missing=missing,
        total=sum(states.values()),
        seen_at=iso(row.seen_at) if row is not None else None,
    )
    return _with_pace(status, pace)


def _servers(tagger: Row[Any] | None) -> tuple[ServerReport, ...]:
    return tuple(ServerReport(**s) for s in tagger.servers) if tagger else ()


def _says(
    db: Database, tagger: Row[Any] | None, wanted: controls.Controls
) -> tuple[str, str | None]:
    """The state, and what is to be said of it."""
    # A tagger that pauses for want of room has no room to report that either.
    if db.is_full():
        return "paused", db.full_disk
    if tagger is None:
        return "stopped", wanted.pause
    if wanted.pause and tagger.state != "paused":
        return "paused", wanted.pause  # it has not heard of it yet
    return tagger.state, tagger.message


def _with_pace(status: Status, pace: "Pace | None") -> Status:
    if pace is None:
        return status
    left = status.queued + status.working
    status = replace(status, photos_a_minute=pace.a_minute)
    if not left:
        return status
    over = f"{pace.seconds / 60:.0f} minutes" if pace.seconds >= 90 else "minute"
    speed = f"{pace.a_minute:.0f}" if pace.a_minute >= 10 else f"{pace.a_minute:.1f}"
    return replace(
        status,
        eta_s=left / pace.a_minute * 60,
        eta_basis=f"at {speed} a minute over the last {over}; {left:,} left",
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


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast photos came to an end, over so many seconds up to now."""

    a_minute: float
    seconds: float


def _pace(connection: Connection) -> Pace | None:
    now = time.time()
    count, first = connection.execute(
        select(func.count(), func.min(files.c.finished_at)).where(
            files.c.finished_at >= iso(now - RATE_WINDOW_S)
        )
    ).one()
    if not count:
        return None
    began = datetime.fromisoformat(first).timestamp()
    a_minute = costs.pace(count, began, now)
    return Pace(a_minute, now - began) if a_minute else None
