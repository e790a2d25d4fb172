"""Beforehand: what was said of a photo, by a person and by which answer, at one moment.

An edit of one photo keeps it from before and after, so that just what the edit changed
can be taken back later, and nothing that was said since.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select, update

from tagger.tracking import desired, tagnames
from tagger.tracking.schema import edits, files, person_tags, results

# Of an answer: that in use, and the newer one that is not to be used unasked.
Pair = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said of one photo.

    `tags` are those a person spoke of, by key: name, whether it belongs there, and what
    took its place. `stood` are the tags that a person or the file brought, by key;
    `description` is the text that stood there and `by` who said it. `proposed` is an
    answer that waited for a person.
    """

    file_id: int
    tags: dict[str, tuple[str, bool, str | None]] = field(default_factory=dict)
    stood: dict[str, str] = field(default_factory=dict)
    description: str | None = None
    by: str | None = None
    person_description: str | None = None
    description_removed: bool = False
    answer: Pair = (None, None)
    proposed: int | None = None

    @property
    def wish(self) -> tuple[str | None, bool]:
        """What a person wishes of the description."""
        return self.person_description, self.description_removed

    @property
    def answers(self) -> tuple[Pair, int | None]:
        """All that is said of answers."""
        return self.answer, self.proposed


def of(connection: Connection, ids: Sequence[int]) -> Said | None:
    """What is said of a photo now; None if there are more photos, or none."""
    return now(connection, ids[0]) if len(ids) == 1 else None


def now(connection: Connection, file_id: int) -> Said:
    """What is said of this photo now."""
    row = connection.execute(
        select(files, results.c.description, results.c.model)
        .select_from(files.outerjoin(results, results.c.id == files.c.result_id))
        .where(files.c.id == file_id)
    ).one()
    [state] = desired.states(connection, [row])
    text, by = state.description
    mine = (desired.FROM_FILE, desired.FROM_PERSON)
    return Said(
        file_id=file_id,
        tags={
            tagnames.key(one.name): (one.name, bool(one.kept), one.instead)
            for one in _spoken_of(connection, file_id)
        },
        stood={tagnames.key(t.name): t.name for t in state.tags if t.source in mine},
        description=text,
        by=by,
        person_description=row.person_description,
        description_removed=bool(row.description_removed),
        answer=(row.result_id, row.undone_result_id),
        proposed=row.proposed_result_id,
    )


def _spoken_of(connection: Connection, file_id: int) -> Sequence[Row[Any]]:
    query = select(person_tags).where(person_tags.c.file_id == file_id)
    return connection.execute(query).all()


def columns(connection: Connection, was: Said) -> dict[str, object]:
    """The columns of an edit that keep what was before it, and what it left."""
    left = now(connection, was.file_id)
    return {"file_id": was.file_id, "was": asdict(was), "left": asdict(left)}


def forget(connection: Connection, file_id: int) -> None:
    """Edits of a photo that turns out to be another one cannot be taken back."""
    connection.execute(
        update(edits)
        .where(edits.c.file_id == file_id)
        .values(file_id=None, was=None, left=None)
    )


def read(kept: dict[str, Any]) -> Said:
    """What such a column says."""
    tags = {key: (name, is_in, other) for key, (name, is_in, other) in _items(kept)}
    answer = kept["answer"]
    return Said(**{**kept, "tags": tags, "answer": (answer[0], answer[1])})


def _items(kept: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    return list(kept["tags"].items())
