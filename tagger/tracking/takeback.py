"""Taking back: what a person had said of tags before an edit, and the way back to it.

What was said before is read in the edit's own transaction. Going back puts it down
again wherever the edit's word still stands; what somebody said later holds. A tag that
a photo had and that nobody says any more, since its file was written without it, is
the person's from then on: rather theirs than lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, literal, select

from tagger.records import utc_now
from tagger.tracking import choosing, tagnames
from tagger.tracking.schema import files, person_tags

Photos = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What an edit found: the photos each tag was added to or taken from.

    `said` are the rows of what a person had said of those tags there until then.
    """

    added: Photos
    removed: Photos
    said: tuple[Mapping[str, Any], ...]

    @property
    def file_ids(self) -> list[int]:
        every = (*self.added.values(), *self.removed.values())
        return sorted({file_id for found in every for file_id in found})


def note(
    connection: Connection,
    *,
    added: Mapping[str, Sequence[int]],
    removed: Mapping[str, Sequence[int]],
) -> Before:
    """What stands now of the tags an edit is about to add and to take away."""
    said: list[Mapping[str, Any]] = []
    for name, found in (*added.items(), *removed.items()):
        rows = select(person_tags).where(*_of(connection, name, found))
        said += [dict(row) for row in connection.execute(rows).mappings()]
    return Before(
        added={name: tuple(found) for name, found in added.items()},
        removed={name: tuple(found) for name, found in removed.items()},
        said=tuple(said),
    )


def restore(connection: Connection, before: Before) -> list[int]:
    """Put down again what was said before; the photos of which that is so."""
    touched: set[int] = set()
    for names, kept in ((before.added, True), (before.removed, False)):
        for name, found in names.items():
            back = _restored(connection, before, name, found, kept)
            touched.update(back)
            if not kept:
                _keep(connection, name, back)
    return sorted(touched)


def _restored(
    connection: Connection,
    before: Before,
    name: str,
    found: Sequence[int],
    kept: bool,
) -> list[int]:
    """The photos where the edit's word on one tag stood, which is taken back."""
    where = and_(*_of(connection, name, found), person_tags.c.kept.is_(kept))
    gone = delete(person_tags).where(where)
    back = connection.execute(
        gone.returning(person_tags.c.file_id, person_tags.c.tag_id)
    ).all()
    places = {(row.file_id, row.tag_id) for row in back}
    rows = [
        dict(row) for row in before.said if (row["file_id"], row["tag_id"]) in places
    ]
    if rows:
        connection.execute(person_tags.insert(), rows)
    return [row.file_id for row in back]


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
