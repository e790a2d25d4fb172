"""Sidecars: the XMP files on record for each photo, as they were last read or written.

A scan holds what it sees against this record, so that a sidecar that was changed, taken
away or added alone is noticed, and our own writes are not. What stood in a sidecar is
kept, too: only so a word taken out there is told from one that never was there.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, select, update

from tagger.records import FileWords, PlaceWords, StatKey, WriteMode, Written
from tagger.tracking import changes, placewords, tagnames
from tagger.tracking.database import Database
from tagger.tracking.queueing import enqueue
from tagger.tracking.schema import files, folders, sidecars, writes

NOTHING = PlaceWords()


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
    """Take what stands in a mirror for the photos of a folder off the record.

    Their words count as written only if they are found there.
    """
    mirrored = (
        files.c.folder_id == folder_id,
        files.c.written_mode == WriteMode.MIRROR.value,
    )
    ids = select(files.c.id).where(*mirrored)
    connection.execute(
        delete(sidecars).where(sidecars.c.file_id.in_(ids), sidecars.c.is_ours)
    )
    connection.execute(update(files).where(*mirrored).values(written_result_id=None))


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


def keep(
    connection: Connection,
    file_id: int,
    beside: Beside,
    words: FileWords,
    *,
    place_is_ours: bool = False,
) -> None:
    """Put down what a look met; what stands in its place may turn out to be ours.

    Of a damaged one the memory is kept: nobody knows what is in it now. Photos that
    took one for theirs that is this one's look again.
    """
    before = {one.path: one for one in of_file(connection, file_id)}
    present = {stand.path for stand in beside.stands if stand.is_read}
    ours = next((p for p, k in before.items() if k.is_ours and p in present), None)
    if ours is None and (place_is_ours or beside.is_said_in(words)):
        ours = beside.place
    rows = []
    for stand in beside.stands:
        was = before.get(stand.path)
        if stand.path in words.damaged and was is not None:
            memory = {"tags": was.tags, "description": was.description}
            kept, content = list(was.copied), was.content_hash
        else:
            place = words.sidecars.get(stand.path, NOTHING)
            memory = {"tags": place.tags, "description": place.description}
            around = placewords.elsewhere(words, stand.path)
            kept = [c for c in _still(was, place) if tagnames.key(c) in around]
            content = stand.content_hash
        rows.append(
            {
                "file_id": file_id,
                "path": stand.path,
                **asdict(stand.stat),
                "is_read": stand.is_read,
                "is_ours": stand.path == ours,
                "content_hash": content,
                **memory,
                "copied": kept,
            }
        )
    connection.execute(delete(sidecars).where(sidecars.c.file_id == file_id))
    if rows:
        connection.execute(sidecars.insert(), rows)
    if not beside.is_shared:
        read = [stand.path for stand in beside.stands if stand.is_read]
        others = _others_of(connection, file_id, read)
        enqueue(connection, dict.fromkeys(others))
        changes.record(connection, changes.IMAGE, others)


def _still(was: Known | None, place: PlaceWords) -> tuple[str, ...]:
    """Of what we had copied there, what is there still."""
    present = placewords.keys(place.tags)
    copied = was.copied if was is not None else ()
    return tuple(name for name in copied if tagnames.key(name) in present)


def written(
    connection: Connection,
    file_id: int,
    path: bytes,
    stat: StatKey | None,
    *,
    content_hash: str | None,
    words: FileWords,
    copied: Iterable[str] = (),
    is_ours: bool | None = None,
) -> None:
    """A write of ours left a sidecar like this, or none: no news to the next scan.

    `content_hash` is None if nothing had to be changed. `is_ours` says that it is the
    one with our words from now on; None leaves that as it is.
    """
    before = {one.path: one for one in of_file(connection, file_id)}
    was = before.pop(path, None)
    mine = sidecars.c.file_id == file_id
    connection.execute(delete(sidecars).where(mine, sidecars.c.path == path))
    if is_ours:
        connection.execute(update(sidecars).where(mine).values(is_ours=False))
    if stat is None:
        return
    if is_ours is None:
        is_ours = not any(other.is_ours for other in before.values())
    place = words.sidecars.get(path, NOTHING)
    kept = {tagnames.key(name): name for name in [*_still(was, place), *copied]}
    connection.execute(
        sidecars.insert().values(
            file_id=file_id,
            path=path,
            **asdict(stat),
            is_read=True,
            is_ours=is_ours,
            content_hash=content_hash or (was.content_hash if was else None),
            tags=place.tags,
            description=place.description,
            copied=list(kept.values()),
        )
    )


def after_write(
    connection: Connection,
    file_id: int,
    done: Written,
    *,
    write_id: int | None,
    content_hash: str | None,
    place: bytes | None,
) -> None:
    """Put down how the photo's sidecar stands now: written, or rid of old words.

    `content_hash` is that of what was written, None if nothing had to be.
    """
    in_file = done.mode is WriteMode.FILE
    stat = done.cleaned_stat if in_file else done.stat
    if stat is None:
        return  # there was nothing to write, and is no sidecar
    copied = connection.scalars(
        select(writes.c.copied_tags).where(writes.c.id == write_id)
    ).first()
    written(
        connection,
        file_id,
        place or done.cleaned or done.target,
        stat,
        content_hash=None if in_file else content_hash,
        words=done.words,
        copied=() if in_file else copied or (),
        is_ours=None if in_file else True,
    )


def _others_of(
    connection: Connection, file_id: int, paths: Collection[bytes]
) -> list[int]:
    """Photos that took one of these files for theirs, too."""
    found: set[int] = set()
    for chunk in tagnames.chunks(sorted(paths)):
        found.update(
            connection.scalars(
                select(sidecars.c.file_id).where(
                    sidecars.c.path.in_(chunk),
                    sidecars.c.file_id != file_id,
                    sidecars.c.is_read,
                )
            )
        )
    return sorted(found)
