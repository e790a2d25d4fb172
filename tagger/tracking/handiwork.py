"""Handiwork: what a person did to a photo's sidecars, told from what we did.

A word can stand in several of a photo's files at once, also because we copied it from
the photo into its sidecar. So what is taken out of one of them is not seen in the sum
of all: it is held against what stood in that very file.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from tagger.records import FileWords, WriteMode
from tagger.tracking import desired, placewords, reconcile, tagnames
from tagger.tracking.ownwords import Own
from tagger.tracking.schema import files, person_tags, writes
from tagger.tracking.sidecars import Beside, Known

BESIDE = (WriteMode.SIDECAR.value, WriteMode.MIRROR.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Whether somebody `edited` a file of the photo, or put known bytes back there."""

    edited: bool
    restored: bool


def found(
    before: list[Known], beside: Beside, own: Own, *, photo_changed: bool
) -> Hand:
    """Whose hand was on the files since they were last read or written by us.

    `before` are the sidecars as they were on record. One that is gone was lost: nobody
    took a word out of it.
    """
    was = {one.path: one for one in before if one.is_read}
    present = {stand.path for stand in beside.stands}
    # One that came along with a moved photo is held against what it was before.
    gone = next((k for k in before if k.is_ours and k.path not in present), None)
    place_changed = other_changed = False
    for stand in beside.stands:
        known = was.get(stand.path) or (gone if stand.path == beside.place else None)
        if not stand.is_read or (known and known.content_hash == stand.content_hash):
            continue
        place_changed |= stand.path == beside.place
        other_changed |= stand.path != beside.place
    edited = (
        (photo_changed and not own.photo_known)
        or (place_changed and not own.sidecar_known)
        or other_changed
    )
    if not before and not beside.stands:
        edited = edited or not own.exact  # a photo alone, or one from an older record
    return Hand(
        edited=edited,
        restored=(photo_changed and own.photo_known)
        or (place_changed and own.sidecar_known and bool(before)),
    )


def without_theirs(
    connection: Connection,
    row: Row[Any],
    own: Own,
    before: list[Known],
    beside: Beside,
    words: FileWords,
) -> Own:
    """What is ours, but for what also stands where we never wrote: it is a person's."""
    ours = {known.path for known in before if known.is_ours}
    is_beside = row.written_mode in BESIDE
    if own.sidecar_known or is_beside:
        ours |= {beside.place} if beside.place is not None else set()
    places = [said for path, said in words.sidecars.items() if path not in ours]
    if is_beside and not _was_written(connection, row.id):
        places.append(words.in_photo)
    theirs = {
        key for said in places if not said.is_said for key in placewords.keys(said.tags)
    }
    for said in (words.in_photo, *words.sidecars.values()):
        theirs |= placewords.keys(said.in_trees)  # we make none
    left = {key: name for key, name in own.tags.items() if key not in theirs}
    return replace(own, tags=left)


def _was_written(connection: Connection, file_id: int) -> bool:
    """Whether we ever wrote into the photo itself."""
    into_photo = select(writes.c.id).where(
        writes.c.file_id == file_id,
        writes.c.mode == WriteMode.FILE.value,
        writes.c.state == "done",
    )
    return connection.execute(into_photo.limit(1)).first() is not None


def with_copies(own: Own, before: list[Known], words: FileWords) -> Own:
    """What is ours where another picture stands now: also what we had copied.

    Its sidecar still has words that were in the old picture's file and are not in this.
    """
    ours = next((known for known in before if known.is_ours), None)
    if ours is None or ours.path not in words.sidecars:
        return own
    around = placewords.elsewhere(words, ours.path)
    copied = {tagnames.key(name): name for name in ours.copied}
    left = {key: name for key, name in copied.items() if key not in around}
    return replace(own, tags=own.tags | left)


def take_over(
    connection: Connection,
    row: Row[Any],
    before: list[Known],
    beside: Beside,
    own: Own,
    words: FileWords,
) -> None:
    """Take over what a person took out of, or put back into, the sidecar of ours.

    Only where that is the place for our words: else the photo itself is, and what it
    has stays. Called after the sum of all files was reconciled.
    """
    ours = next((known for known in before if known.is_ours), None)
    if ours is None or row.written_mode not in BESIDE:
        return
    now = words.sidecars.get(ours.path)
    if now is None:
        # What came along with a photo that moved, or was there before, takes none out.
        along = words.sidecars.get(beside.place or b"")
        if along is not None:
            put_in = placewords.keys(along.tags) - placewords.keys(ours.tags)
            _put_back(connection, row.id, put_in)
        return
    stand = next((one for one in beside.stands if one.path == ours.path), None)
    is_known = own.sidecar_known and ours.path == beside.place
    there = placewords.keys(now.tags)
    gone: list[str] = []
    if stand and stand.content_hash != ours.content_hash:
        _put_back(connection, row.id, there - placewords.keys(ours.tags))
        if not is_known:
            gone = [name for name in ours.tags if tagnames.key(name) not in there]
            if ours.description is not None and now.description is None:
                _without_description(connection, row)
    if not _is_any_gone(before, beside):
        around = placewords.elsewhere(words, ours.path)
        copies = [name for name in ours.copied if tagnames.key(name) in there]
        gone += [name for name in copies if tagnames.key(name) not in around]
    ids = tagnames.ids(connection, gone)
    wanted = {ids[tagnames.key(name)]: name for name in gone}
    reconcile.take_out(connection, row.id, wanted)


def _is_any_gone(before: list[Known], beside: Beside) -> bool:
    """Whether a sidecar is not there any more that words may have been copied from."""
    present = {stand.path for stand in beside.stands if stand.is_read}
    return any(known.is_read and known.path not in present for known in before)


def _put_back(connection: Connection, file_id: int, keys: set[str]) -> None:
    """What somebody put into the sidecar belongs there, whatever was said before."""
    ids = tagnames.ids(connection, keys)
    for chunk in tagnames.chunks(sorted(ids.values())):
        connection.execute(
            delete(person_tags).where(
                person_tags.c.file_id == file_id,
                person_tags.c.tag_id.in_(chunk),
                person_tags.c.kept.is_(False),
            )
        )


def _without_description(connection: Connection, row: Row[Any]) -> None:
    """The photo may still have an older one; ours does not come back for it."""
    waits = row.person_description is not None and not desired.same(
        row.person_description, row.own_description
    )
    values = {} if waits else {"person_description": None}
    connection.execute(
        update(files)
        .where(files.c.id == row.id)
        .values(description_removed=True, **values)
    )
