"""Sidecars: the XMP files on record for each photo, as they were last read or written.

A scan holds what it sees against this record, so that a sidecar that was changed, taken
away or added alone is noticed, and our own writes are not. What stood in a sidecar is
kept, too: only so a word taken out there is told from one that never was there.
"""

import os
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, select, update

from tagger.records import FileWords, StatKey, WriteMode
from tagger.tracking import tagnames
from tagger.tracking.database import Database
from tagger.tracking.schema import files, folders, sidecars


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An XMP file on record; what each field says is told with the table."""

    path: bytes
    stat: StatKey
    is_read: bool
    is_ours: bool
    content_hash: str | None
    tags: tuple[str, ...]
    description: str | None
    copied: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """An XMP file that a look met where a sidecar of the photo may be."""

    path: bytes
    stat: StatKey
    is_read: bool
    content_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """All that a look met there. `place` is the one that has our words, or gets them.

    `mode` says whether that is in a mirror. `was_left` says that our words stand at a
    place that the photo has left, and belong to a new one; `is_shared` that photos of
    one stem may have one sidecar. Of what is `away` nothing is known now.
    """

    stands: tuple[Stand, ...] = ()
    place: bytes | None = None
    mode: WriteMode = WriteMode.SIDECAR
    was_left: bool = False
    is_shared: bool = False
    away: str | None = None

    @property
    def content_hash(self) -> str | None:
        """The hash of what has our words; None if that does not exist."""
        return next((s.content_hash for s in self.stands if s.path == self.place), None)

    def is_said_in(self, words: FileWords) -> bool:
        """Whether what has our words says itself that they are a tagger's."""
        said = words.sidecars.get(self.place) if self.place is not None else None
        return said is not None and said.is_said


def known(db: Database, file_id: int) -> list[Known]:
    """The XMP files on record for one photo."""
    with db.read() as connection:
        return of_file(connection, file_id)


def of_file(connection: Connection, file_id: int) -> list[Known]:
    """The XMP files on record for one photo, in the caller's transaction."""
    query = select(sidecars).where(sidecars.c.file_id == file_id)
    return [_known(row) for row in connection.execute(query.order_by(sidecars.c.path))]


def _known(row: Row[Any]) -> Known:
    return Known(
        path=row.path,
        stat=StatKey(row.dev, row.ino, row.size_bytes, row.mtime_ns, row.ctime_ns),
        is_read=row.is_read,
        is_ours=row.is_ours,
        content_hash=row.content_hash,
        tags=tuple(row.tags),
        description=row.description,
        copied=tuple(row.copied),
    )


def holders(db: Database, path: bytes, *, besides: int | None) -> list[int]:
    """The present photos, `besides` this one, whose words of ours are in this file."""
    query = (
        select(sidecars.c.file_id)
        .select_from(sidecars.join(files).join(folders))
        .where(
            sidecars.c.path == path,
            sidecars.c.is_ours,
            files.c.missing_since.is_(None),
            folders.c.removed_at.is_(None),
        )
    )
    with db.read() as connection:
        return [one for one in connection.scalars(query) if one != besides]


def any_below(db: Database, folder: bytes) -> bool:
    """Whether any sidecar on record is in this folder."""
    with db.read() as connection:
        query = select(sidecars.c.file_id).where(_below(folder)).limit(1)
        return connection.execute(query).first() is not None


def _below(folder: bytes) -> ColumnElement[bool]:
    """Everything below a folder sorts between its name with `/` and with `0`."""
    stem = folder.rstrip(b"/")
    return and_(sidecars.c.path >= stem + b"/", sidecars.c.path < stem + b"0")


def forget_mirrored(connection: Connection, folder_id: int) -> None:
    """Take what is gone from the mirror of a folder off the record.

    The words that were there count as not written.
    """
    rows = connection.execute(
        select(sidecars.c.file_id, sidecars.c.path)
        .join(files)
        .where(
            files.c.folder_id == folder_id,
            files.c.written_mode == WriteMode.MIRROR.value,
            sidecars.c.is_ours,
        )
    )
    gone = [row.file_id for row in rows if not os.path.lexists(row.path)]
    for chunk in tagnames.chunks(gone):
        mine = sidecars.c.file_id.in_(chunk)
        connection.execute(delete(sidecars).where(mine, sidecars.c.is_ours))
        connection.execute(
            update(files).where(files.c.id.in_(chunk)).values(written_result_id=None)
        )


def copied_to(connection: Connection, file_id: int, path: bytes) -> tuple[str, ...]:
    """The tags of the person's that a sidecar has from the photo."""
    known = (one.copied for one in of_file(connection, file_id) if one.path == path)
    return next(known, ())


def forget(connection: Connection, file_id: int) -> None:
    """Take the sidecars of one photo off the record."""
    connection.execute(delete(sidecars).where(sidecars.c.file_id == file_id))


def moved(db: Database, file_id: int, old: bytes, new: bytes, stat: StatKey) -> None:
    """A sidecar of ours followed its photo."""
    with db.write() as connection:
        mine = sidecars.c.file_id == file_id
        connection.execute(delete(sidecars).where(mine, sidecars.c.path == new))
        connection.execute(
            update(sidecars)
            .where(mine, sidecars.c.path == old)
            .values(path=new, **asdict(stat))
        )
