"""Read words: what a look read in a photo's files, put down as the words of whom it is.

What we wrote is ours, all else the person's. What stands there now and did not before
was put there by somebody: it stays, also where the person had taken it out. Whether
what is missing was taken out depends on whether this is the file we know.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from tagger.records import FileWords, WriteMode, utc_now
from tagger.tracking import (
    copies,
    handiwork,
    imports,
    keeping,
    ownwords,
    reconcile,
    saying,
    sidecars,
    tagnames,
)
from tagger.tracking.ownwords import Own
from tagger.tracking.reconcile import Before
from tagger.tracking.schema import file_tags, files
from tagger.tracking.sidecars import Beside, Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The files in which a look read words, held against those on record.

    `content` is the hash of the photo. Of one that `is_moved` here it is known by its
    picture alone whose place it takes: `other_file` says that the bytes are others.
    """

    content: str | None
    beside: Beside
    photo_changed: bool = False
    is_moved: bool = False
    other_picture: bool = False
    other_file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A look at the files of one photo (`row`), and what was on record before it.

    `doubtful` says that this may not be the file we know.
    """

    connection: Connection
    row: Row[Any]
    words: FileWords
    found: Found
    known: list[Known]
    was: Before
    doubtful: bool

    @property
    def is_known(self) -> bool:
        return not self.doubtful and self.row.words_at is not None


def keep(
    connection: Connection, file_id: int, words: FileWords | None, found: Found
) -> None:
    """Put down the words of a photo; None if they could not be read (no exiftool)."""
    if words is None:
        _note(connection, file_id, words_at=None)
        if found.other_picture or found.other_file:
            # Whose words those are cannot be told any more later.
            _replace(connection, file_id, FileWords(), Own())
        return
    look = _look(connection, file_id, words, found)
    if look.is_known and found.is_moved and look.known:
        return  # only now it is known which sidecars are its: they are read next
    if look.is_known and (words.damaged or found.beside.away is not None):
        # What cannot be read was not taken out: all stays as it was last known.
        keeping.looked(connection, file_id, found.beside, words)
        return
    _take(look)


def _look(
    connection: Connection, file_id: int, words: FileWords, found: Found
) -> _Look:
    row = connection.execute(select(files).where(files.c.id == file_id)).one()
    known = sidecars.of_file(connection, file_id)
    says_so = not known and imports.is_of(connection, row, words)
    return _Look(
        connection=connection,
        row=row,
        words=words,
        found=found,
        known=known,
        was=reconcile.before(connection, row),
        doubtful=found.other_picture or (found.other_file and not says_so),
    )


def _take(look: _Look) -> None:
    """Take over what the words say, and put them down."""
    connection, words, beside = look.connection, look.words, look.found.beside
    own, theirs = _own(look)
    if look.found.other_picture and not own.tags and not own.descriptions:
        reconcile.forget(connection, look.row.id)
    back = reconcile.put_back(connection, look.row.id, look.was, words)
    # Bytes of ours will say again that those are ours; the person says more.
    saying.say(connection, look.row.id, [n for k, n in own.tags.items() if k in back])
    brought = None if own.exact else imports.take(connection, look.row, words)
    if brought is not None:
        own = _with_imported(look, own, brought)
    else:
        _reconcile(look, own)
    _replace(connection, look.row.id, words, own)
    _note(connection, look.row.id, words_at=utc_now(), rating=words.rating)
    if words.description is not None:
        _note(connection, look.row.id, description_removed=False)
    if look.is_known and brought is None:
        handiwork.take_over(connection, look.row, look.known, beside, own, words)
    if beside.was_left and look.row.written_mode in handiwork.BESIDE:
        # What is ours is to be written where the photo is now.
        _note(connection, look.row.id, written_result_id=None)
    keeping.looked(
        connection,
        look.row.id,
        beside,
        words,
        place_is_ours=own.sidecar_known,
        no_longer_ours=theirs,
    )


def _own(look: _Look) -> tuple[Own, Collection[str]]:
    """What is ours; and what seemed to be, but also stands where we never wrote."""
    own = ownwords.found(
        look.connection,
        look.row,
        look.words,
        content=look.found.content,
        beside=look.found.beside.content_hash,
        doubtful=look.doubtful,
        place=look.found.beside.place,
    )
    if look.found.other_picture:
        own = handiwork.with_copies(own, look.known, look.words)
    left = handiwork.without_theirs(
        look.connection, look.row, own, look.known, look.found.beside, look.words
    )
    return left, [name for key, name in own.tags.items() if key not in left.tags]


def _reconcile(look: _Look, own: Own) -> None:
    """Tell files that are as we left or found them from those that somebody edited."""
    hand = handiwork.found(
        look.known, look.found.beside, own, photo_changed=look.found.photo_changed
    )
    if own.exact and (hand.restored or not hand.edited):
        _as_written(look, own)
        if hand.restored and own.result_id == look.row.undone_result_id:
            # The person went back behind the undo: the answer's words are wanted again.
            _note(look.connection, look.row.id, undone_result_id=None)
            _has_answer(look, own)
    elif look.is_known and hand.edited:
        said = look.words.provenance if look.found.other_file else None
        reconcile.edited(look.connection, look.row, look.was, look.words, said=said)


def _as_written(look: _Look, own: Own) -> None:
    """The file is as a write of ours left or found it: here, or where it was copied."""
    connection, row, beside = look.connection, look.row, look.found.beside
    if row.written_at is None and own.of not in (None, row.id):
        reconcile.inherit(
            connection, row.id, look.words, original=own.of, answer=own.result_id
        )
        target = os.path.realpath(row.path)
        copies.adopt(connection, row, look.found.content, target=target)
        copies.adopt(connection, row, beside.content_hash, target=beside.place)
        _has_answer(look, own)
    _note(
        connection,
        row.id,
        written_result_id=own.result_id,
        written_mode=own.mode,
        written_at=own.written_at,
    )


def _has_answer(look: _Look, own: Own) -> None:
    """Words of an answer that stand there are accepted: no person is asked again."""
    if own.result_id is not None:
        proposed_id = _other(look.row.proposed_result_id, own.result_id)
        _note(
            look.connection,
            look.row.id,
            result_id=own.result_id,
            proposed_result_id=proposed_id,
        )


def _with_imported(look: _Look, own: Own, brought: imports.Imported) -> Own:
    """What is ours with what another database's tagger left in the file."""
    is_beside = look.found.beside.is_said_in(look.words)
    where = look.found.beside.mode if is_beside else WriteMode.FILE
    if brought.result_id is not None:
        _note(
            look.connection,
            look.row.id,
            result_id=brought.result_id,
            proposed_result_id=_other(look.row.proposed_result_id, brought.result_id),
            written_result_id=brought.result_id,
            written_mode=str(where),
            written_at=brought.at,
        )
    return replace(
        own,
        tags=own.tags | brought.tags,
        descriptions=own.descriptions | brought.descriptions,
    )


def _other(proposed_id: int | None, result_id: int) -> int | None:
    """What still waits for a person once an answer is in use."""
    return None if proposed_id == result_id else proposed_id


def _replace(connection: Connection, file_id: int, words: FileWords, own: Own) -> None:
    """Put down which words stand in a file, the person's apart from ours."""
    ids = tagnames.ids(connection, words.tags)
    present = {tagnames.key(name): name for name in words.tags}
    found = [(ids[k], name) for k, name in present.items() if k and k not in own.tags]
    connection.execute(delete(file_tags).where(file_tags.c.file_id == file_id))
    if found:
        connection.execute(
            file_tags.insert(),
            [
                {"file_id": file_id, "tag_id": tag_id, "position": n, "name": name}
                for n, (tag_id, name) in enumerate(found)
            ],
        )
    # What somebody took out of some fields only is no word of anybody's there.
    left = [name for name in words.leftovers if tagnames.key(name) not in present]
    ownwords.replace(connection, file_id, [*own.tags.values(), *left])
    is_own = words.description in own.descriptions
    _note(
        connection,
        file_id,
        found_description=None if is_own else words.description,
        own_description=words.description if is_own else words.leftover_description,
    )


def _note(connection: Connection, file_id: int, **values: object) -> None:
    connection.execute(update(files).where(files.c.id == file_id).values(**values))
