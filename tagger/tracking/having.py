"""Having: which photos have a tag, as the screens show it, each told by one statement.

Synonyms and bans count as they do for what is desired: a tag of an answer is the one it
becomes, and none if that is banned.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, select, union

from tagger.tracking import tagnames
from tagger.tracking.schema import (
    bans,
    file_tags,
    files,
    folders,
    person_tags,
    result_tags,
    synonyms,
    tags,
)


def photos() -> Select[Any]:
    """The ids of all photos of the program's folders."""
    return (
        select(files.c.id)
        .join(folders)
        .where(folders.c.removed_at.is_(None))
        .order_by(files.c.id)
    )


def having(connection: Connection, name: str, where: ColumnElement[bool]) -> list[int]:
    """The photos that have a tag, whoever said it."""
    answered = (
        select(files.c.id)
        .join(result_tags, result_tags.c.result_id == files.c.result_id)
        .join(tags, tags.c.id == result_tags.c.tag_id)
        .where(tags.c.key.in_(_sources(connection, tagnames.key(name))))
    )
    return list(connection.scalars(photos().where(where, _has(name, answered))))


def unsaid(connection: Connection, name: str, where: ColumnElement[bool]) -> list[int]:
    """The photos that do not have a tag, or by a model's word only.

    Once a person has said it too, no other answer takes it away.
    """
    return list(connection.scalars(photos().where(where, ~_has(name))))


def _has(name: str, *besides: Select[Any]) -> ColumnElement[bool]:
    """Whether a person gave a photo a tag, or it is among `besides`; and it stayed."""
    ids = select(tags.c.id).where(tags.c.key == tagnames.key(name))
    found = select(file_tags.c.file_id).where(file_tags.c.tag_id.in_(ids))
    said = select(person_tags.c.file_id).where(person_tags.c.tag_id.in_(ids))
    has = union(found, said.where(person_tags.c.kept), *besides).subquery().select()
    return and_(files.c.id.in_(has), files.c.id.not_in(said.where(~person_tags.c.kept)))


def _sources(connection: Connection, key: str) -> set[str]:
    """The tags of answers that appear as this one."""
    banned = set(connection.scalars(select(bans.c.key)))
    instead = {row.key: row.name for row in connection.execute(select(synonyms))}
    become = {one for one, name in instead.items() if tagnames.key(name) == key}
    itself = set() if key in instead else {key}
    return set() if key in banned else (itself | become) - banned
