"""Copies: a photo copied after we wrote it has our words, and no write of its own.

It is known by its bytes, as those a write of ours left, or those another photo was seen
to have since. It takes over the writes of that photo up to then as its own past, and so
can be put back in the same way, whatever becomes of the other one.
"""

import dataclasses
import os
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from tagger.records import WriteMode
from tagger.tracking import history, standing
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite
from tagger.tracking.schema import files, writes

FILE = WriteMode.FILE.value
# What belongs to the write of the other photo, and is not taken over.
_OWN = frozenset({"id", "file_id", "run_id", "target", "undoes", "undone_by"})


@dataclass(frozen=True, slots=True)
class Source:
    """The photo that was copied, and the last write of it that the copy has."""

    file_id: int
    until: int


def source(
    connection: Connection, content: str, *, besides: int | None = None
) -> Source | None:
    """Whose bytes these are, of other photos than one."""
    made = connection.execute(
        select(writes.c.file_id, writes.c.id)
        .where(
            writes.c.after_hash == content,
            writes.c.state == "done",
            writes.c.file_id.is_distinct_from(besides),
        )
        .order_by(writes.c.id.desc())
        .limit(1)
    ).first()
    if made is not None:
        return Source(made.file_id, made.id)
    seen = connection.execute(
        select(writes.c.file_id, func.max(writes.c.id).label("until"))
        .join(files, files.c.id == writes.c.file_id)
        .where(
            files.c.content_hash == content,
            files.c.looked_at.is_not(None),
            files.c.id.is_distinct_from(besides),
            writes.c.state == "done",
            writes.c.mode == FILE,
        )
        .group_by(writes.c.file_id)
        .limit(1)
    ).first()
    return Source(seen.file_id, seen.until) if seen is not None else None


def adopt(
    connection: Connection, row: Row[Any], content: str | None, *, target: bytes | None
) -> None:
    """Let a copy, which has no writes, take over those its bytes come from.

    `content` is the hash of the `target`, which is the photo of this row, or a sidecar.
    """
    if content is None or target is None:
        return
    found = source(connection, content, besides=row.id)
    if found is None:
        return
    last = connection.execute(
        select(writes, files.c.path)
        .join(files, files.c.id == writes.c.file_id)
        .where(writes.c.id == found.until)
    ).one()
    own = select(writes.c.id).where(
        writes.c.file_id == row.id, writes.c.mode == last.mode
    )
    is_photo = target == os.path.realpath(row.path)
    if (
        is_photo is not (last.mode == FILE)
        or connection.execute(own.limit(1)).first() is not None
    ):
        return
    ids: dict[int, int] = {}
    for one in _past(connection, found, last.mode):
        values = {n: v for n, v in one._asdict().items() if n not in _OWN}
        values |= {"standing": None, "undoes": ids.get(one.undoes)}
        written = connection.execute(
            writes.insert()
            .values(file_id=row.id, target=target, **values)
            .returning(writes.c.id)
        )
        ids[one.id] = int(written.scalar_one())
        if one.kind == standing.UNDO and one.undoes in ids:
            copied = select(writes).where(writes.c.id == ids[one.id])
            standing.note(connection, connection.execute(copied).one())


def _past(connection: Connection, found: Source, mode: str) -> list[Row[Any]]:
    return list(
        connection.execute(
            select(writes)
            .where(
                writes.c.file_id == found.file_id,
                writes.c.id <= found.until,
                writes.c.mode == mode,
                writes.c.state == "done",
            )
            .order_by(writes.c.id)
        ).all()
    )


def is_known(db: Database, content: str) -> bool:
    """Whether these bytes are those of a photo, or of a sidecar, that we wrote."""
    with db.read() as connection:
        return source(connection, content) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrowed:
    """The past of a copy that is not on record, as it would be its own."""

    file_id: int
    until: int
    writes: tuple[PastWrite, ...]


def borrowed(db: Database, path: bytes, content: str) -> Borrowed | None:
    """What a photo with these bytes would take over; None if they are not ours."""
    with db.read() as connection:
        found = source(connection, content)
    if found is None:
        return None
    past = [
        dataclasses.replace(write, path=path, target=path, away=None)
        for write in history.until(db, found.file_id, found.until)
    ]
    return Borrowed(file_id=found.file_id, until=found.until, writes=tuple(past))
