"""Undo tagging: what a person had said of tags before an edit, and the way back to it.

What was said before is read in the edit's own transaction. Going back puts it down
again wherever the edit's word still stands; what somebody said later holds. A tag that
a photo had and that nobody says any more, since its file was written without it, is
the person's from then on: rather theirs than lost.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, literal, select

from tagger.records import utc_now
from tagger.tracking import choosing, tagnames, undoables
from tagger.tracking.schema import files, person_tags

Before = Mapping[str, Any]


def before_tagging(
    connection: Connection,
    *,
    added: Mapping[str, Sequence[int]],
    removed: Mapping[str, Sequence[int]],
    at: str,
) -> Before:
    """What stands of the tags an edit, made `at` that time, adds and takes away.

    Besides the photos of each, it has the rows of what a person had said of those tags
    there until then.
    """
    said: list[Mapping[str, Any]] = []
    for name, found in (*added.items(), *removed.items()):
        rows = select(person_tags).where(*_of(connection, name, found))
        said += [dict(row) for row in connection.execute(rows).mappings()]
    return {"tagged_at": at, "added": added, "removed": removed, "said": said}


def is_of_tagging(before: Before) -> bool:
    """Whether this is what `before_tagging` made."""
    return "tagged_at" in before


def names(before: Before) -> list[str]:
    """The tags the edit added and took away."""
    return [*before["added"], *before["removed"]]


def restore(connection: Connection, before: Before, *, dry_run: bool) -> list[int]:
    """Put down again what was said before; the photos of which that is so."""
    touched: set[int] = set()
    for names, kept in ((before["added"], True), (before["removed"], False)):
        for name, found in names.items():
            left = undoables.as_left(
                connection, name, found, kept=kept, at=before["tagged_at"]
            )
            touched.update(left)
            if not dry_run:
                _say_again(connection, before, name, left)
                if not kept:
                    _keep(connection, name, left)
    return sorted(touched)


def _say_again(
    connection: Connection, before: Before, name: str, ids: Sequence[int]
) -> None:
    """Put the words of before in the place of the edit's."""
    tag_id = tagnames.ids(connection, [name])[tagnames.key(name)]
    connection.execute(delete(person_tags).where(*_of(connection, name, ids)))
    among = set(ids)
    rows = [
        dict(row)
        for row in before["said"]
        if row["tag_id"] == tag_id and row["file_id"] in among
    ]
    if rows:
        connection.execute(person_tags.insert(), rows)


def _keep(connection: Connection, name: str, ids: Sequence[int]) -> None:
    """Let a person say this tag of those photos that have it from nobody now."""
    having = set(choosing.having(connection, [name], choosing.among(ids)))
    refused = select(person_tags.c.file_id).where(*_of(connection, name, ids))
    having.update(connection.scalars(refused))
    lacking = [file_id for file_id in ids if file_id not in having]
    if not lacking:
        return
    tag_id = tagnames.ids(connection, [name])[tagnames.key(name)]
    values = {"tag_id": tag_id, "name": name, "kept": True, "at": utc_now()}
    rows = select(files.c.id, *(literal(value) for value in values.values()))
    connection.execute(
        person_tags.insert().from_select(
            ["file_id", *values], rows.where(choosing.among(lacking))
        )
    )


def _of(connection: Connection, name: str, ids: Sequence[int]) -> tuple[Any, Any]:
    tag_id = tagnames.ids(connection, [name])[tagnames.key(name)]
    among = choosing.among(ids, person_tags.c.file_id)
    return person_tags.c.tag_id == tag_id, among
