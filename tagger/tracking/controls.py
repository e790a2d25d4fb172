"""Controls: what people want of the queue as a whole. It holds until taken back.

A pause, and the place whose photos go first, are rows of their own, so that they
outlive every process. What a person names (`tag PATH`, "this photo now") is done all
the same: it was asked for later, and of these photos alone.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from tagger.errors import UsageError, shown
from tagger.records import utc_now
from tagger.tracking import bindings, changes, tagnames
from tagger.tracking import folders as folder_list
from tagger.tracking.bound import RESTING
from tagger.tracking.database import Database
from tagger.tracking.places import at_or_below, is_within
from tagger.tracking.queueing import FIRST, NOW, enqueue
from tagger.tracking.schema import controls, files, folders, jobs

PAUSED, PLACE_FIRST = "paused", "first"
RESUME = "python -m tagger queue resume"


@dataclass(frozen=True, slots=True)
class Controls:
    """What holds now. `first` is the place that goes first."""

    paused_at: str | None = None
    first: bytes | None = None

    @property
    def pause(self) -> str | None:
        """A sentence about the pause, with the way out of it; None if there is none."""
        return said(self.paused_at) if self.paused_at else None


def said(paused_at: str) -> str:
    """`paused by you at …; resume with …`, in this machine's own time."""
    at = datetime.fromisoformat(paused_at).astimezone()
    clock = f"{at:%H:%M} on {at.day} {at:%B}"
    return f"paused by you at {clock}; resume with `{RESUME}` or on the dashboard"


def read(db: Database) -> Controls:
    """What people want of the queue now."""
    with db.read() as connection:
        return within(connection)


def within(connection: Connection) -> Controls:
    """The same, inside a transaction."""
    rows = {row.name: row for row in connection.execute(select(controls))}
    paused, first = rows.get(PAUSED), rows.get(PLACE_FIRST)
    return Controls(
        paused_at=paused.at if paused else None,
        first=(first.value.rstrip(b"/") or b"/") if first else None,
    )


def pause(db: Database) -> Controls:
    """Take nothing new from now on; a pause that holds already keeps its time."""
    with db.write() as connection:
        connection.execute(
            insert(controls)
            .values(name=PAUSED, at=utc_now())
            .on_conflict_do_nothing(index_elements=["name"])
        )
        return within(connection)


def resume(db: Database) -> bool:
    """End the pause; whether there was one."""
    with db.write() as connection:
        ended = connection.execute(delete(controls).where(controls.c.name == PAUSED))
    return bool(ended.rowcount)


def put_first(db: Database, place: bytes | None) -> int:
    """Let the photos at or below `place` go first, now and later; None ends that.

    How many of them wait. There is one such place at a time. Raises `UsageError` for
    one that no folder has to do with.
    """
    if place is not None and not any(
        is_within(place, folder.path) or is_within(folder.path, place)
        for folder in folder_list.every(db)
    ):
        raise UsageError(f"{shown(place)} is in no folder that was added")
    with db.write() as connection:
        connection.execute(delete(controls).where(controls.c.name == PLACE_FIRST))
        connection.execute(
            update(jobs).where(jobs.c.priority == FIRST).values(priority=0)
        )
        if place is None:
            return 0
        stem = place.rstrip(b"/") + b"/"
        connection.execute(
            controls.insert().values(name=PLACE_FIRST, value=stem, at=utc_now())
        )
        there = select(files.c.id).where(at_or_below(place))
        return connection.execute(
            update(jobs)
            .where(jobs.c.file_id.in_(there), jobs.c.priority < FIRST)
            .values(priority=FIRST)
        ).rowcount


def want_now(
    db: Database,
    ids: Sequence[int],
    *,
    ask_again: bool = False,
    asked_with: str | None = None,
) -> int:
    """Let these photos go ahead of everything, a pause included; how many will.

    One that is done is left alone, unless it shall be asked about again; `asked_with`
    is the only server that may be asked then, this once. Raises `UsageError` where no
    tagger would come to it, and where a folder is bound to other servers.
    """
    with db.write() as connection:
        if asked_with is not None:
            _check_bound(connection, ids, asked_with)
        chosen: list[int] = []
        for chunk in tagnames.chunks(sorted(set(ids))):
            chosen += _chosen(connection, chunk, ask_again=ask_again)
        _make_jobs(connection, chosen, ask_again=ask_again)
        for chunk in tagnames.chunks(chosen):
            connection.execute(
                update(jobs)
                .where(jobs.c.file_id.in_(chunk))
                .values(priority=NOW, not_before=None)
            )
            if ask_again:
                connection.execute(
                    update(jobs)
                    .where(jobs.c.file_id.in_(chunk))
                    .values(asked_with=asked_with)
                )
    return len(chosen)


def _check_bound(connection: Connection, ids: Sequence[int], name: str) -> None:
    """A folder's photos go to no server that it is not bound to, whoever asks."""
    rules = bindings.within(connection)
    for chunk in tagnames.chunks(sorted(set(ids))):
        query = select(files.c.path).where(files.c.id.in_(chunk))
        for path in connection.scalars(query):
            allowed = rules.of(path)
            if allowed is not None and name not in allowed:
                raise UsageError(
                    f"the folder of {shown(os.path.basename(path))} is bound to "
                    f"{' and '.join(sorted(allowed))}; its photos do not go to {name}"
                )


def _chosen(
    connection: Connection, ids: Sequence[int], *, ask_again: bool
) -> list[int]:
    rows = connection.execute(
        select(
            files.c.id,
            files.c.path,
            files.c.state,
            files.c.missing_since,
            folders.c.active,
            jobs.c.id.label("job_id"),
        )
        .select_from(files.join(folders).outerjoin(jobs, jobs.c.file_id == files.c.id))
        .where(files.c.id.in_(ids), folders.c.removed_at.is_(None))
    ).all()
    found = []
    for row in rows:
        name = shown(os.path.basename(row.path))
        if row.missing_since is not None:
            raise UsageError(f"{name} is missing; it is taken up when it is back")
        if not row.active:
            raise UsageError(
                f"the folder of {name} is switched off; `python -m tagger tag "
                f"{shown(row.path)}` tags it at once"
            )
        if ask_again or row.job_id is not None or row.state in RESTING:
            found.append(row.id)
    return found


def _make_jobs(connection: Connection, ids: Sequence[int], *, ask_again: bool) -> None:
    if ask_again:
        lacking = list(ids)
    else:
        having: set[int] = set()
        for chunk in tagnames.chunks(ids):
            having.update(
                connection.scalars(
                    select(jobs.c.file_id).where(jobs.c.file_id.in_(chunk))
                )
            )
        lacking = [i for i in ids if i not in having]
    enqueue(connection, dict.fromkeys(lacking), ask_again=ask_again)
    changes.record(connection, changes.IMAGE, lacking)
