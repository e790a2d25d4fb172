"""Runs and taggers: who worked when, and what each says of itself now."""

import os
import time
from collections.abc import Mapping

import psutil
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from tagger.records import ServerReport, Watching, utc_now
from tagger.tracking import presence
from tagger.tracking.database import Database
from tagger.tracking.schema import runs, taggers

# A tagger reports every second or two; silent for longer, it is taken for dead.
ALIVE_S = 15.0
# The runs of this very process.
_ours: set[int] = set()


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
    _ours.add(int(run_id))
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
    watching: Mapping[int, Watching] | None = None,
) -> None:
    """Say where this tagger stands, and how changes of folders come to be known."""
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
        "watching": {
            str(folder_id): {name: getattr(one, name) for name in Watching.__slots__}
            for folder_id, one in (watching or {}).items()
        },
    }
    with db.write() as connection:
        connection.execute(
            insert(taggers)
            .values(run_id=run_id, **values)
            .on_conflict_do_update(index_elements=["run_id"], set_=values)
        )


def watching(db: Database) -> dict[int, Watching]:
    """How changes of each folder come to be known now; nothing while no tagger runs."""
    with db.read() as connection:
        rows = connection.scalars(
            select(taggers.c.watching)
            .join(runs)
            .where(runs.c.kind == "run", taggers.c.seen_at > time.time() - ALIVE_S)
        )
        return {
            int(folder_id): Watching(**one)
            for row in rows
            for folder_id, one in (row or {}).items()
        }


def others_alive(db: Database) -> bool:
    """Whether another process works on the queue now.

    On this machine locks tell; of others, where they share the database, reports do.
    """
    if presence.others(db.path.parent):
        return True
    if not db.is_shared:
        return False
    with db.read() as connection:
        lately = taggers.c.seen_at > time.time() - ALIVE_S
        return bool(
            set(connection.scalars(select(taggers.c.run_id).where(lately))) - _ours
        )


def is_alive(db: Database, run_id: int) -> bool:
    """Whether a run may still do something: its process is there, and reports.

    A process id that means nothing here may be one of another container's. So it is
    believed to be gone only where nobody else works on the data folder; otherwise its
    silence tells.
    """
    with db.read() as connection:
        row = connection.execute(
            select(taggers.c.pid, taggers.c.seen_at).where(taggers.c.run_id == run_id)
        ).first()
    if row is None or row.seen_at < time.time() - ALIVE_S:
        return False
    if db.is_shared or psutil.pid_exists(row.pid):
        return True
    return bool(presence.others(db.path.parent))
