"""Waiting: which photos are in the queue, where they lie, and which come next."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from tagger.hours import Hours
from tagger.records import Folder, ImageState
from tagger.sections import Schedule
from tagger.tracking.database import Database
from tagger.tracking.jobs import in_line, workable
from tagger.tracking.queueing import FIRST, NOW
from tagger.tracking.schema import files, folders, jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder, how many of its photos wait, and how many are new and do not."""

    folder_id: int
    path: bytes
    active: bool
    offline: str | None
    waiting: int
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """A photo that waits. `first` ones lie where photos go first."""

    image_id: int
    path: bytes
    now: bool
    first: bool


def by_folder(db: Database) -> list[Place]:
    """The folders with photos that are not worked on yet, most waiting first."""
    found: dict[int, Place] = {}
    with db.read() as connection:
        known = connection.execute(
            select(folders).where(folders.c.removed_at.is_(None))
        ).all()
        for row in known:  # each by itself goes along an index
            counts = {
                state: count
                for state, count in connection.execute(
                    select(files.c.state, func.count())
                    .where(
                        files.c.folder_id == row.id,
                        files.c.missing_since.is_(None),
                        files.c.state.in_(
                            (ImageState.QUEUED.value, ImageState.NEW.value)
                        ),
                    )
                    .group_by(files.c.state)
                )
            }
            if counts:
                found[row.id] = Place(
                    folder_id=row.id,
                    path=row.path,
                    active=row.active,
                    offline=row.offline,
                    waiting=counts.get(ImageState.QUEUED.value, 0),
                    new=counts.get(ImageState.NEW.value, 0),
                )
    return sorted(found.values(), key=lambda place: (-place.waiting, place.path))


def until(
    folder: Folder, schedule: Schedule, *, at_s: float | None = None
) -> str | None:
    """`waits for 22:00`, while it is not the hours of an active folder."""
    if not folder.active:
        return None
    window = folder.hours or schedule.window
    at = datetime.fromtimestamp(time.time() if at_s is None else at_s, UTC)
    return Hours.of(window, timezone=schedule.timezone).waits(at)


def upcoming(db: Database, *, limit: int, newest_first: bool) -> list[Next]:
    """The photos that a tagger takes next, in their order."""
    with db.read() as connection:
        rows = connection.execute(
            select(files.c.id, files.c.path, jobs.c.priority)
            .select_from(jobs.join(files))
            .where(workable(None), jobs.c.token.is_(None))
            .order_by(*in_line(newest_first=newest_first))
            .limit(limit)
        )
        return [
            Next(
                image_id=row.id,
                path=row.path,
                now=row.priority >= NOW,
                first=row.priority == FIRST,
            )
            for row in rows
        ]
