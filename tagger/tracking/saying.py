"""Saying: what a person said, in the program, of tags and descriptions of photos."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from tagger.records import FileWords, utc_now
from tagger.tracking import tagnames
from tagger.tracking.schema import files, person_tags, result_tags, tags


def unsay(
    connection: Connection,
    file: Row[Any],
    edit: Row[Any],
    words: FileWords,
    *,
    again: bool,
) -> None:
    """An edit was undone, or done again: what the person said goes, or counts again."""
    present = {tagnames.key(name) for name in words.tags}
    ours = {tagnames.key(name) for name in edit.added_tags}
    if again:
        answered = set(
            connection.scalars(
                select(tags.c.key)
                .join(result_tags, result_tags.c.tag_id == tags.c.id)
                .where(result_tags.c.result_id == edit.result_id)
            )
        )
        said = [n for n in edit.added_tags if tagnames.key(n) in present]
        say(connection, file.id, [n for n in said if tagnames.key(n) not in answered])
        gone = answered - present
        say(connection, file.id, _names(connection, gone), kept=False)
        if edit.wrote_description == words.description and words.description:
            _note(connection, file.id, person_description=words.description)
        return
    for row in connection.execute(
        select(person_tags.c.tag_id, person_tags.c.kept, tags.c.key)
        .join(tags, tags.c.id == person_tags.c.tag_id)
        .where(person_tags.c.file_id == file.id)
    ).all():
        is_there = row.key in present
        if row.kept is not is_there and (not row.kept or row.key in ours):
            connection.execute(
                delete(person_tags).where(
                    person_tags.c.file_id == file.id,
                    person_tags.c.tag_id == row.tag_id,
                )
            )
    if file.person_description not in (None, words.description):
        _note(connection, file.id, person_description=None)


def _names(connection: Connection, keys: Collection[str]) -> list[str]:
    found = select(tags.c.name).where(tags.c.key.in_(keys))
    return list(connection.scalars(found))


def say(
    connection: Connection, file_id: int, names: Sequence[str], *, kept: bool = True
) -> None:
    """A person says that these tags belong on a photo, or that they do not."""
    ids = tagnames.ids(connection, names)
    for name in names:
        tag_id = ids[tagnames.key(name)]
        connection.execute(
            delete(person_tags).where(
                person_tags.c.file_id == file_id, person_tags.c.tag_id == tag_id
            )
        )
        connection.execute(
            person_tags.insert().values(
                file_id=file_id, tag_id=tag_id, name=name, kept=kept, at=utc_now()
            )
        )


def hand_over(connection: Connection, file: Row[Any], file_id: int) -> None:
    """What a person said of a photo holds for the one that it turned out to be."""
    for one in connection.execute(
        delete(person_tags)
        .where(person_tags.c.file_id == file.id)
        .returning(person_tags.c.name, person_tags.c.kept)
    ).all():
        say(connection, file_id, [one.name], kept=one.kept)
    if file.person_description is not None:
        _note(
            connection,
            file_id,
            person_description=file.person_description,
            description_removed=False,
        )


def _note(connection: Connection, file_id: int, **values: object) -> None:
    connection.execute(update(files).where(files.c.id == file_id).values(**values))
