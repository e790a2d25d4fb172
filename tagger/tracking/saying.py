"""Saying: what a person said, in the program, of tags of photos."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete

from tagger.records import utc_now
from tagger.tracking import tagnames
from tagger.tracking.schema import person_tags


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
