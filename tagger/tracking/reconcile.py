"""Reconcile: what a person did to a photo's words outside, told at the next look.

What stands there now is held against what was there when last read or written. What is
gone was taken out, and stays out; what is back was put back. Where the bytes are known
nobody edited anything: the file was copied, or restored from a copy. So nothing was
taken out; but what is back is wanted again, for the person chose that copy.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from tagger.records import FileWords, Provenance, utc_now
from tagger.tracking import conflicts, desired, tagnames
from tagger.tracking.schema import file_tags, files, own_tags, person_tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What stood in a photo when it was last read or written; tags by id."""

    tags: dict[int, str]
    own: frozenset[int]
    description: str | None


def before(connection: Connection, row: Row[Any]) -> Before:
    """What is on record of the words in the file of this row."""
    own, found = (
        {
            one.tag_id: one.name
            for one in connection.execute(
                select(table).where(table.c.file_id == row.id)
            )
        }
        for table in (own_tags, file_tags)
    )
    return Before(
        tags=own | found,
        own=frozenset(own),
        description=row.own_description or row.found_description,
    )


def edited(
    connection: Connection,
    row: Row[Any],
    was: Before,
    words: FileWords,
    *,
    said: Provenance | None = None,
) -> None:
    """Take over what a person changed in the file since it was last read or written.

    Of a file that may be an older copy, only what it `said` itself to hold can have
    been taken out of it.
    """
    ids = tagnames.ids(connection, words.tags)
    gone = {i: name for i, name in was.tags.items() if i not in set(ids.values())}
    if said is not None:
        listed = {tagnames.key(name) for name in said.listed}
        gone = {i: name for i, name in gone.items() if tagnames.key(name) in listed}
    take_out(connection, row.id, gone)
    if said is None or was.description in (said.description, said.edited_description):
        _description(connection, row, was.description, words.description)


def put_back(
    connection: Connection, file_id: int, was: Before, words: FileWords
) -> frozenset[str]:
    """The tags, by key, that a person had taken out and that stand there again.

    However they came back, by another program or by a copy that was restored, the
    person's last word is that they belong there: they are the person's from now on.
    """
    ids = tagnames.ids(connection, words.tags)
    back = {tag_id: key for key, tag_id in ids.items() if tag_id not in was.tags}
    found: set[int] = set()
    for chunk in tagnames.chunks(sorted(back)):
        found.update(
            connection.scalars(
                delete(person_tags)
                .where(
                    person_tags.c.file_id == file_id,
                    person_tags.c.tag_id.in_(chunk),
                    person_tags.c.kept.is_(False),
                )
                .returning(person_tags.c.tag_id)
            )
        )
    return frozenset(back[tag_id] for tag_id in found)


def take_out(connection: Connection, file_id: int, gone: dict[int, str]) -> None:
    """These tags a person does not want on this photo."""
    values = {"kept": False, "at": utc_now(), "instead": None}
    for tag_id, name in gone.items():
        connection.execute(
            insert(person_tags)
            .values(file_id=file_id, tag_id=tag_id, name=name, **values)
            .on_conflict_do_update(index_elements=["file_id", "tag_id"], set_=values)
        )


def _description(
    connection: Connection, row: Row[Any], was: str | None, now: str | None
) -> None:
    """A description that is gone or another one; an edit that waits may be at odds."""
    if desired.same(was, now):
        return
    wanted = row.person_description
    waits = wanted is not None and not desired.same(wanted, was)
    if now is None:
        gone = {} if waits else {"person_description": None}
        _note(connection, row.id, description_removed=True, **gone)
    elif waits and not desired.same(wanted, now):
        conflicts.found(connection, row.id, ours=wanted, theirs=now)
    else:
        conflicts.resolve(connection, row.id)
        _note(connection, row.id, person_description=None)


def forget(connection: Connection, file_id: int) -> None:
    """Another picture stands there: what a person said of the old one is void."""
    connection.execute(delete(person_tags).where(person_tags.c.file_id == file_id))
    conflicts.resolve(connection, file_id)
    _note(
        connection,
        file_id,
        person_description=None,
        description_removed=False,
        undone_result_id=None,
    )


def inherit(
    connection: Connection,
    file_id: int,
    words: FileWords,
    *,
    original: int,
    answer: int | None,
) -> None:
    """What a person said of a photo holds for a copy of it, too.

    An undo of the `answer` that the copy has does not: it was copied before.
    """
    present = {tagnames.key(name) for name in words.tags}
    said = connection.execute(
        select(person_tags).where(person_tags.c.file_id == original)
    )
    for one in said.all():
        if one.kept or tagnames.key(one.name) not in present:
            values = one._asdict() | {"file_id": file_id}
            connection.execute(
                insert(person_tags).values(**values).on_conflict_do_nothing()
            )
    theirs = connection.execute(select(files).where(files.c.id == original)).one()
    _note(
        connection,
        file_id,
        person_description=theirs.person_description,
        description_removed=theirs.description_removed and not words.description,
        undone_result_id=(
            None if theirs.undone_result_id == answer else theirs.undone_result_id
        ),
    )


def _note(connection: Connection, file_id: int, **values: object) -> None:
    connection.execute(update(files).where(files.c.id == file_id).values(**values))
