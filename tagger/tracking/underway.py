"""Underway: how far each edit is, and the moment it is finished.

An edit is a batch of jobs. Whoever ends one of them says so here in the same
transaction, so that an edit is closed with its last job, whatever process that was. A
photo that a later edit takes over counts there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    exists,
    func,
    or_,
    select,
    update,
)

from tagger.records import ImageState, utc_now
from tagger.tracking.database import Database
from tagger.tracking.schema import edits, files, folders, jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """An edit as it stands. Of its `photos` some are `left`, others `failed`.

    Of those left, some could not be written so far and are tried again (`not_written`),
    and some cannot be reached now (`away`): missing, offline, or taken out.
    """

    id: int
    kind: str
    detail: Mapping[str, Any]
    photos: int
    left: int
    failed: int
    not_written: int
    away: int
    created_at: str
    finished_at: str | None

    @property
    def done(self) -> int:
        """How many photos are as the edit wants them."""
        return max(0, self.photos - self.left - self.failed)


def step(connection: Connection, edit_id: int, *, failed: bool = False) -> None:
    """A job of an edit is through; the edit is closed if it was the last."""
    if failed:
        connection.execute(
            update(edits).where(edits.c.id == edit_id).values(failed=edits.c.failed + 1)
        )
    close_in(connection, edits.c.id == edit_id)


def close_in(connection: Connection, *where: ColumnElement[bool]) -> None:
    """Close the edits that have no job left."""
    left = exists(select(jobs.c.id).where(jobs.c.edit_id == edits.c.id))
    connection.execute(
        update(edits)
        .where(edits.c.finished_at.is_(None), ~left, *where)
        .values(finished_at=utc_now())
    )


def close(db: Database) -> None:
    """Close what has no job left because its photos are known no more."""
    with db.read() as connection:
        is_open = edits.c.finished_at.is_(None)
        if connection.execute(select(edits.c.id).where(is_open)).first() is None:
            return
    with db.write() as connection:
        close_in(connection)


def left(db: Database, edit_id: int) -> frozenset[int]:
    """The photos whose files an edit has still to reach."""
    with db.read() as connection:
        query = select(jobs.c.file_id).where(jobs.c.edit_id == edit_id)
        return frozenset(connection.scalars(query))


def of(db: Database, edit_id: int) -> Underway | None:
    """One edit, if there is one of this id."""
    with db.read() as connection:
        row = connection.execute(select(edits).where(edits.c.id == edit_id)).first()
        return _read(connection, [row])[0] if row is not None else None


def on(db: Database, file_id: int) -> int | None:
    """The id of the edit that has still to reach the file of a photo, if any."""
    with db.read() as connection:
        return connection.scalars(
            select(jobs.c.edit_id).where(jobs.c.file_id == file_id)
        ).first()


def listed(
    db: Database, *, limit: int, before: int | None = None, unfinished: bool = False
) -> list[Underway]:
    """Edits, the latest first; `before` is the id of the last one seen."""
    query: Select[Any] = select(edits).order_by(edits.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(edits.c.id < before)
    if unfinished:
        query = query.where(edits.c.finished_at.is_(None))
    with db.read() as connection:
        return _read(connection, connection.execute(query).all())


def _read(connection: Connection, rows: Sequence[Row[Any]]) -> list[Underway]:
    unfinished = [row.id for row in rows if row.finished_at is None]
    away = or_(
        files.c.missing_since.is_not(None),
        files.c.unreachable,
        folders.c.offline.is_not(None),
        folders.c.removed_at.is_not(None),
    )
    not_written = files.c.state == ImageState.NOT_WRITTEN.value
    counted = connection.execute(
        select(
            jobs.c.edit_id,
            func.count().label("left"),
            func.count().filter(not_written).label("not_written"),
            func.count().filter(away).label("away"),
        )
        .select_from(jobs.join(files).join(folders))
        .where(jobs.c.edit_id.in_(unfinished))
        .group_by(jobs.c.edit_id)
    )
    jobs_of = {row.edit_id: row for row in counted}
    return [_underway(row, jobs_of.get(row.id)) for row in rows]


def _underway(row: Row[Any], jobs_left: Row[Any] | None) -> Underway:
    return Underway(
        id=row.id,
        kind=row.kind,
        detail=row.detail,
        photos=row.photos,
        left=jobs_left.left if jobs_left else 0,
        failed=row.failed,
        not_written=jobs_left.not_written if jobs_left else 0,
        away=jobs_left.away if jobs_left else 0,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
