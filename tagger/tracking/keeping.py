"""Keeping: how a photo's sidecars stand is put down, after a look and after a write.

What stood in each is kept along with it, and what of that we had copied there: only so
a word that a person takes out is told from one that never was there.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from tagger.records import FileWords, PlaceWords, StatKey, WriteMode, Written
from tagger.tracking import changes, placewords, tagnames
from tagger.tracking.queueing import enqueue
from tagger.tracking.schema import files, sidecars, writes
from tagger.tracking.sidecars import Beside, Known, Stand, of_file

NOTHING = PlaceWords()


def looked(
    connection: Connection,
    file_id: int,
    beside: Beside,
    words: FileWords,
    *,
    place_is_ours: bool = False,
    no_longer_ours: Collection[str] = (),
) -> None:
    """Put down what a look met; what stands in its place may turn out to be ours.

    What of ours somebody says elsewhere, too, is `no_longer_ours` but a copy of theirs.

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
            copied = [*_copied(connection, file_id, was, stand), *no_longer_ours]
            kept = [c for c in _still(copied, place) if tagnames.key(c) in around]
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


def _copied(
    connection: Connection, file_id: int, was: Known | None, stand: Stand
) -> tuple[str, ...]:
    """What we had copied there: by the write that left these bytes, or the record."""
    if was is None or was.content_hash != stand.content_hash:
        left_it = writes.c.file_id == file_id, writes.c.after_hash == stand.content_hash
        by_write = select(writes.c.copied_tags).where(*left_it).limit(1)
        if (found := connection.scalars(by_write).first()) is not None:
            return tuple(found)
    return was.copied if was is not None else ()


def _still(copied: Iterable[str], place: PlaceWords) -> list[str]:
    """Of what we had copied there, what is there still."""
    present = placewords.keys(place.tags)
    return [name for name in copied if tagnames.key(name) in present]


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
    there = _still([*(was.copied if was else ()), *copied], place)
    kept = {tagnames.key(name): name for name in there}
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


def restored(connection: Connection, write: Row[Any], done: Written) -> None:
    """Put down how the photo, or its sidecar, stands once a write of it is put back."""
    if write.mode != WriteMode.FILE.value:
        written(
            connection,
            write.file_id,
            done.target,
            done.stat,
            content_hash=write.after_hash,
            words=done.words,
            copied=write.copied_tags or (),
        )
    elif done.stat is not None:
        mine = files.c.id == write.file_id
        connection.execute(update(files).where(mine).values(**asdict(done.stat)))


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
