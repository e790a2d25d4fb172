"""History: the runs there were, and the writes that can be undone, or done again.

An undo is a write like any other and can itself be undone. Of a write that was put back
in part, only the fields that were left can be put back later.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, not_, or_, select

from tagger.records import WriteMode
from tagger.tracking import standing, tagnames
from tagger.tracking.database import Database
from tagger.tracking.places import at_or_below
from tagger.tracking.schema import files, folders, own_tags, runs, tags, writes

Values = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One time somebody set the tagger to work; `photos` is how many it wrote.

    Of its writes so many are `undone`, and so many others `partly`.
    """

    id: int
    kind: str
    backend: str | None
    started_at: str
    ended_at: str | None
    photos: int
    undone: int
    partly: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWrite:
    """A write that was done, as an undo needs it. `away` says why it is out of reach.

    `before` and `intended` map ExifTool field names to what they held and were given,
    as far as that stands yet. `left` are the fields an earlier undo left, with reasons;
    None if nothing of the write was undone, an empty one if all was.
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
    left: Mapping[str, str] | None
    away: str | None

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it was undone."""
        return self.left is None

    @property
    def is_partly_undone(self) -> bool:
        """Whether something of it was refused so far."""
        return not {*(self.left or {}).values()} <= standing.OF_ITSELF


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which writes are to be undone: exactly one of these says it.

    `place` is a photo, or a folder with all photos below it. `since` is UTC. `tag` is
    one tag, which is taken out again where we brought it; see `tagged`.
    """

    place: bytes | None = None
    run_id: int | None = None
    tag: str | None = None
    since: str | None = None


def every_run(db: Database) -> list[Run]:
    """All runs, newest first."""
    with db.read() as connection:
        undone, partly = _undone(connection.execute(_undos()))
        done = and_(writes.c.run_id == runs.c.id, writes.c.state == "done")
        statement = (
            select(runs, func.count(writes.c.file_id.distinct()).label("photos"))
            .select_from(runs.outerjoin(writes, done))
            .group_by(runs.c.id)
            .order_by(runs.c.id.desc())
        )
        return [
            Run(
                id=row.id,
                kind=row.kind,
                backend=row.backend,
                started_at=row.started_at,
                ended_at=row.ended_at,
                photos=row.photos,
                undone=undone[row.id],
                partly=partly[row.id],
            )
            for row in connection.execute(statement)
        ]


def _undos() -> Select[Any]:
    return select(writes.c.run_id, writes.c.undone_by, writes.c.standing).where(
        writes.c.state == "done",
        writes.c.run_id.is_not(None),
        writes.c.undone_by.is_not(None),
    )


def _undone(rows: Iterable[Row[Any]]) -> tuple[dict[int, int], dict[int, int]]:
    """By run, how many writes were undone, and how many in part."""
    counts: tuple[dict[int, int], ...] = (defaultdict(int), defaultdict(int))
    for row in rows:
        counts[standing.is_open(row)][row.run_id] += 1
    return counts[False], counts[True]


def chosen(db: Database, which: Which) -> list[PastWrite]:
    """The writes to undo, newest first: those of which something stands.

    Undos are among them only if their own run is named. With a write come those below
    it on the same photo that were undone as far as it let them.
    """
    query = _writes().where(standing.not_undone())
    statement = query
    if which.run_id is not None:
        statement = statement.where(writes.c.run_id == which.run_id)
    else:
        statement = statement.where(writes.c.kind != standing.UNDO)
    if which.place is not None:
        statement = statement.where(at_or_below(which.place))
    if which.since is not None:
        statement = statement.where(writes.c.created_at >= which.since)
    with db.read() as connection:
        rows = [
            row
            for row in connection.execute(statement)
            if standing.is_open(row) and standing.did_something(row)
        ]
        newest: dict[tuple[int, bool], int] = {}
        for row in rows:
            newest.setdefault((row.file_id, row.kind == standing.UNDO), row.id)
        found = {row.id: row for row in rows}
        for chunk in tagnames.chunks(sorted({file_id for file_id, _ in newest})):
            waiting = query.where(
                writes.c.file_id.in_(chunk), writes.c.standing.is_not(None)
            )
            for row in connection.execute(waiting):
                above = newest.get((row.file_id, row.kind == standing.UNDO), 0)
                if standing.is_waiting(row) and row.id < above:
                    found[row.id] = row
    return [_past(found[write_id]) for write_id in sorted(found, reverse=True)]


def tagged(db: Database, name: str) -> list[list[PastWrite]]:
    """The writes that may have brought a tag where it is ours, a list for each file."""
    key = tagnames.key(name)
    ours = (
        select(own_tags.c.file_id)
        .join(tags, tags.c.id == own_tags.c.tag_id)
        .where(tags.c.key == key)
    )
    query = _writes().where(
        writes.c.file_id.in_(ours),
        writes.c.kind != standing.UNDO,
        standing.not_undone(),
    )
    by_target: dict[tuple[int, str], list[PastWrite]] = defaultdict(list)
    with db.read() as connection:
        for row in connection.execute(query):
            by_target[row.file_id, row.mode].append(_past(row))
    return list(by_target.values())


def of(db: Database, places: Sequence[bytes]) -> list[PastWrite]:
    """Every write of the photos at or below `places`, newest first."""
    query = _writes().where(or_(*(at_or_below(place) for place in places)))
    with db.read() as connection:
        return [_past(row) for row in connection.execute(query)]


def until(db: Database, file_id: int, write_id: int) -> list[PastWrite]:
    """What stood in a photo when one write of it was the last, newest first."""
    query = _writes().where(
        writes.c.file_id == file_id,
        writes.c.id <= write_id,
        writes.c.mode == WriteMode.FILE.value,
        writes.c.kind != standing.UNDO,
    )
    with db.read() as connection:
        rows = connection.execute(query).all()
    return [
        _past(row, was_whole=True)
        for row in rows
        if row.undone_by is None or row.undone_by > write_id
    ]


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
        .where(writes.c.state == "done")
        .order_by(writes.c.id.desc())
    )


def _past(row: Row[Any], *, was_whole: bool = False) -> PastWrite:
    before, intended = (
        {name: tuple(texts) for name, texts in values.items()}
        for values in (row.before, row.intended)
    )
    is_whole = was_whole or row.undone_by is None
    left = None if is_whole else dict(row.standing or {})
    if left:
        before = {name: texts for name, texts in before.items() if name in left}
        intended = {name: texts for name, texts in intended.items() if name in left}
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
        before=before,
        intended=intended,
        left=left,
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
    query = _written(files.c.id, places).where(_IN_REACH).order_by(files.c.id)
    with db.read() as connection:
        return list(connection.scalars(query))


def out_of_reach(db: Database, places: Sequence[bytes]) -> int:
    """How many were written and are on a disk or in a folder that is not there now."""
    with db.read() as connection:
        query = _written(func.count(), places).where(not_(_IN_REACH))
        return connection.execute(query).scalar_one()


_IN_REACH = and_(files.c.unreachable.is_(False), folders.c.offline.is_(None))


def _written(what: ColumnElement[int], places: Sequence[bytes]) -> Select[int]:
    """A query over the photos that were ever written and that nobody deleted."""
    query = (
        select(what)
        .select_from(files.join(folders))
        .where(
            exists(
                select(writes.c.id).where(
                    writes.c.file_id == files.c.id, writes.c.state == "done"
                )
            ),
            files.c.missing_since.is_(None),
            folders.c.removed_at.is_(None),
        )
    )
    return query.where(or_(*map(at_or_below, places))) if places else query
