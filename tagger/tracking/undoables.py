"""Undoables: what was there before an edit of a tag, kept so that it can be taken back.

It is told whose each tag was on each photo: a person's word comes back as one, a word
that only a model said comes back by the model's answer. It is kept in the transaction
of the edit itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, union, update

from tagger.tracking import choosing
from tagger.tracking.database import Database
from tagger.tracking.schema import file_tags, person_tags, undoables


@dataclass(frozen=True, slots=True)
class Undoable:
    """What was there before an edit, and which edit took it back, if one did."""

    before: Mapping[str, Any]
    undone_by: int | None


def before_replacing(
    connection: Connection,
    gone: Mapping[str, Sequence[int]],
    new: str | None,
    ids: Sequence[int],
    *,
    at: str,
) -> dict[str, Any]:
    """How tags stand on photos, right before `new` takes the place of those in `gone`.

    Of each it names the photos on which it is a person's word, and those on which only
    a model says it.
    """
    there: Sequence[int] = ()
    if new is not None:
        there = choosing.having(connection, [new], choosing.among(ids))
    return {
        "at": at,
        "new": new,
        "old": {name: _whose(connection, name, found) for name, found in gone.items()},
        "there": _whose(connection, new or "", there),
    }


def keep(
    connection: Connection, edit_id: int | None, before: Mapping[str, Any]
) -> None:
    """Remember what was there before an edit; nothing of one that was only asked."""
    if edit_id is not None:
        connection.execute(undoables.insert().values(edit_id=edit_id, before=before))


def of(db: Database, edit_id: int) -> Undoable | None:
    """What was there before an edit; None for one that cannot be taken back."""
    with db.read() as connection:
        return read(connection, edit_id)


def read(connection: Connection, edit_id: int) -> Undoable | None:
    """The same, within the caller's transaction."""
    row = connection.execute(
        select(undoables).where(undoables.c.edit_id == edit_id)
    ).first()
    return None if row is None else Undoable(row.before, row.undone_by)


def close(connection: Connection, edit_id: int, undone_by: int | None) -> None:
    """Note that an edit was taken back."""
    connection.execute(
        update(undoables)
        .where(undoables.c.edit_id == edit_id)
        .values(undone_by=undone_by)
    )


def as_left(
    connection: Connection, name: str, ids: Iterable[int], *, kept: bool, at: str
) -> list[int]:
    """Of these photos those of which the last word on a tag is that edit's."""
    rows = connection.scalars(
        select(person_tags.c.file_id).where(
            person_tags.c.tag_id == choosing.tag_id(name),
            person_tags.c.at == at,
            person_tags.c.kept == kept,
        )
    )
    return sorted({*rows} & {*ids})


def _whose(
    connection: Connection, name: str, ids: Sequence[int]
) -> dict[str, list[int]]:
    """Of the photos that have a tag, on which it is a person's, and on which not."""
    tag = choosing.tag_id(name)
    found = select(file_tags.c.file_id).where(file_tags.c.tag_id == tag)
    said = select(person_tags.c.file_id).where(
        person_tags.c.tag_id == tag, person_tags.c.kept
    )
    theirs = {*connection.scalars(union(found, said))}
    return {
        "person": [i for i in ids if i in theirs],
        "model": [i for i in ids if i not in theirs],
    }
