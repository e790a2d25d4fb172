"""Saying: what a person said, in the program, of tags and descriptions of photos."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, update

from tagger.records import utc_now
from tagger.tracking import tagnames
from tagger.tracking.schema import files, person_tags


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
