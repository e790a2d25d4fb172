"""Choosing: which photos an edit is about, told by sets of one statement each."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    union,
)

from tagger.records import WriteMode
from tagger.tracking import dialects, tagnames
from tagger.tracking.places import at_or_below
from tagger.tracking.schema import (
    file_tags,
    files,
    folders,
    person_tags,
    result_tags,
    tags,
)

EVERY = literal(True)


def at(places: Sequence[bytes]) -> ColumnElement[bool]:
    """Whether a photo is at or below one of these places."""
    return or_(literal(False), *(at_or_below(place) for place in places))


def among(ids: Iterable[int], of: Column[int] = files.c.id) -> ColumnElement[bool]:
    """Whether a photo is one of these, however many: they are one bound value."""
    return of.in_(dialects.numbers(ids))


def tag_id(name: str) -> ScalarSelect[int]:
    """The id of a tag, whatever its spelling; it compares with nothing if unknown."""
    return select(tags.c.id).where(tags.c.key == tagnames.key(name)).scalar_subquery()


def photos() -> Select[Any]:
    """The ids of all photos that are known, in their order."""
    return (
        select(files.c.id)
        .join(folders)
        .where(folders.c.removed_at.is_(None))
        .order_by(files.c.id)
    )


def having(
    connection: Connection, names: Sequence[str], where: ColumnElement[bool]
) -> list[int]:
    """The photos that have one of these tags, whoever said it."""
    return list(connection.scalars(photos().where(where, _has(names))))


def unsaid(connection: Connection, name: str, where: ColumnElement[bool]) -> list[int]:
    """The photos that do not have this tag, or by a model's word only.

    Once a person has said it too, no other answer takes it away.
    """
    said = _given(select(tags.c.id).where(tags.c.key == tagnames.key(name)))
    return list(connection.scalars(photos().where(where, ~said)))


def answered_with(connection: Connection, names: Sequence[str]) -> list[int]:
    """The photos whose answers had one of these tags."""
    keys = [tagnames.key(name) for name in names]
    answered = (
        select(result_tags.c.result_id)
        .join(tags, tags.c.id == result_tags.c.tag_id)
        .where(tags.c.key.in_(keys))
    )
    return list(connection.scalars(photos().where(files.c.result_id.in_(answered))))


def _has(names: Sequence[str]) -> ColumnElement[bool]:
    """Whether a photo has one of these tags, as one set for the whole statement."""
    keys = {tagnames.key(name) for name in names}
    ids = select(tags.c.id).where(tags.c.key.in_(keys))
    is_itself = result_tags.c.becomes.is_(None) & ~result_tags.c.banned
    answered = (
        select(files.c.id)
        .join(result_tags, result_tags.c.result_id == files.c.result_id)
        .where(
            or_(
                result_tags.c.becomes.in_(ids),
                result_tags.c.tag_id.in_(ids) & is_itself,
            )
        )
    )
    return _given(ids, answered)


def _given(ids: Select[Any], *besides: Select[Any]) -> ColumnElement[bool]:
    """Whether a person gave a photo such a tag, or `besides` do; and it stayed."""
    found = select(file_tags.c.file_id).where(file_tags.c.tag_id.in_(ids))
    said = select(person_tags.c.file_id).where(person_tags.c.tag_id.in_(ids))
    has = union(found, said.where(person_tags.c.kept), *besides).subquery().select()
    return and_(files.c.id.in_(has), files.c.id.not_in(said.where(~person_tags.c.kept)))


def in_files(connection: Connection, ids: Sequence[int]) -> int:
    """How many of these photos have their words in a file."""
    query = (
        select(func.count())
        .select_from(files.join(folders))
        .where(
            among(ids),
            folders.c.write_mode != WriteMode.NONE.value,
            files.c.missing_since.is_(None),
        )
    )
    return int(connection.execute(query).scalar_one())
