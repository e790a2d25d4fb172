"""History: the runs there were, and the writes that can be undone, or done again.

An undo is a write like any other and can itself be undone. What stands is always told
by the first write of such a chain: it stands unless it names the undo it was undone by.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, or_, select

from tagger.records import WriteMode
from tagger.tracking import tagnames
from tagger.tracking.database import Database
from tagger.tracking.places import at_or_below
from tagger.tracking.schema import files, folders, runs, writes

Values = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One time somebody set the tagger to work; `photos` is how many it wrote."""

    id: int
    kind: str
    backend: str | None
    started_at: str
    ended_at: str | None
    photos: int
    undone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWrite:
    """A write that was done, as an undo needs it. `away` says why it is out of reach.

    `before` and `intended` map ExifTool field names to what they held and were given.
    """

    id: int
    file_id: int
    path: bytes
    target: bytes
    mode: WriteMode
    kind: str
    run_id: int | None
    written_at: str
    identity: str
    before: Values
    intended: Values
    away: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which writes are to be undone: exactly one of these says it.

    `place` is a photo, or a folder with all photos below it. `since` is UTC.
    """

    place: bytes | None = None
    run_id: int | None = None
    tag: str | None = None
    since: str | None = None


def every_run(db: Database) -> list[Run]:
    """All runs, newest first."""
    done = and_(writes.c.run_id == runs.c.id, writes.c.state == "done")
    statement = (
        select(
            runs,
            func.count(writes.c.file_id.distinct()).label("photos"),
            func.count(writes.c.undone_by).label("undone"),
        )
        .select_from(runs.outerjoin(writes, done))
        .group_by(runs.c.id)
        .order_by(runs.c.id.desc())
    )
    with db.read() as connection:
        return [
            Run(
                id=row.id,
                kind=row.kind,
                backend=row.backend,
                started_at=row.started_at,
                ended_at=row.ended_at,
                photos=row.photos,
                undone=row.undone,
            )
            for row in connection.execute(statement)
        ]


def chosen(db: Database, which: Which) -> list[PastWrite]:
    """The writes to undo, newest first: those that were done and not undone since.

    Undos are among them only if their own run is named.
    """
    statement = _writes()
    if which.run_id is not None:
        statement = statement.where(writes.c.run_id == which.run_id)
    else:
        statement = statement.where(writes.c.kind != "undo")
    if which.place is not None:
        statement = statement.where(at_or_below(which.place))
    if which.since is not None:
        statement = statement.where(writes.c.created_at >= which.since)
    with db.read() as connection:
        rows: Iterable[Row[Any]] = connection.execute(statement).all()
    if which.tag is not None:
        wanted = tagnames.key(which.tag)
        rows = [r for r in rows if wanted in map(tagnames.key, r.added_tags)]
    return [_past(row) for row in rows]


def _writes() -> Select[Any]:
    return (
        select(
            writes,
            files.c.path,
            files.c.identity,
            files.c.missing_since,
            files.c.unreachable,
            folders.c.offline,
            folders.c.removed_at,
        )
        .select_from(writes.join(files, writes.c.file_id == files.c.id).join(folders))
        .where(
            writes.c.state == "done",
            writes.c.undone_by.is_(None),
        )
        .order_by(writes.c.id.desc())
    )


def _past(row: Row[Any]) -> PastWrite:
    return PastWrite(
        id=row.id,
        file_id=row.file_id,
        path=row.path,
        target=row.target,
        mode=WriteMode(row.mode),
        kind=row.kind,
        run_id=row.run_id,
        written_at=row.closed_at or row.created_at,
        identity=row.identity or "",
        before={name: tuple(texts) for name, texts in row.before.items()},
        intended={name: tuple(texts) for name, texts in row.intended.items()},
        away=_away(row),
    )


def _away(row: Row[Any]) -> str | None:
    if row.removed_at is not None:
        return "its folder was taken out of the program"
    if row.missing_since is not None:
        return "the photo is missing"
    if row.unreachable or row.offline is not None:
        return row.offline or "the photo cannot be reached"
    return None


def written(db: Database, places: Sequence[bytes]) -> list[int]:
    """The photos at or below `places`, or all, that were ever written and are there."""
    is_written = exists(
        select(writes.c.id).where(
            writes.c.file_id == files.c.id, writes.c.state == "done"
        )
    )
    query = (
        select(files.c.id)
        .join(folders)
        .where(
            is_written,
            files.c.missing_since.is_(None),
            files.c.unreachable.is_(False),
            folders.c.offline.is_(None),
            folders.c.removed_at.is_(None),
        )
        .order_by(files.c.id)
    )
    if places:
        query = query.where(or_(*(at_or_below(place) for place in places)))
    with db.read() as connection:
        return list(connection.scalars(query))
