"""Desired: what should stand in a photo, as a function of all that is known of it.

Both what is written into files and what screens show come from here, so that the two
cannot differ. A person's word goes before a model's: found in the file, or said in the
program. What a person took out stays out, whoever says it again.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, Table, func, select

from tagger.records import ImageTag
from tagger.tracking import tagnames
from tagger.tracking.schema import (
    file_tags,
    own_tags,
    person_tags,
    result_tags,
    results,
    tags,
)

FROM_FILE, FROM_PERSON = "file", "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that says which words belong to one photo; each list by tag id."""

    found: dict[int, str]
    own: dict[int, str]
    kept: dict[int, str]
    removed: frozenset[int]
    refused: tuple[str, ...]
    instead: dict[str, str]
    answered: dict[int, ImageTag]
    found_description: str | None
    own_description: str | None
    person_description: str | None
    description_removed: bool
    answer: str | None
    model: str | None

    @property
    def tags(self) -> tuple[ImageTag, ...]:
        """Each tag once, with who said it: a person first."""
        if not (self.found or self.kept or self.removed):
            return tuple(self.answered.values())
        said = {
            i: ImageTag(i, name, FROM_PERSON if i in self.kept else FROM_FILE)
            for i, name in self.found.items()
        }
        said |= {
            i: ImageTag(i, name, FROM_PERSON)
            for i, name in self.kept.items()
            if i not in said
        }
        said |= {i: tag for i, tag in self.answered.items() if i not in said}
        return tuple(tag for i, tag in said.items() if i not in self.removed)

    @property
    def by_model(self) -> tuple[ImageTag, ...]:
        """The tags that only the model said."""
        return tuple(t for t in self.tags if t.source not in (FROM_FILE, FROM_PERSON))

    @property
    def retired(self) -> tuple[str, ...]:
        """What stands in the file and is to go, as it is spelt there."""
        wanted = {tag.tag_id for tag in self.tags}
        gone = {i: self.found[i] for i in self.found if i in self.removed}
        return tuple(name for i, name in (self.own | gone).items() if i not in wanted)

    @property
    def renamed(self) -> dict[str, str]:
        """By key, the tag that stands in the place of one a person took out."""
        found = {}
        for key, name in self.instead.items():
            chain = {key}
            while (further := tagnames.key(name)) in self.instead:
                if further in chain:
                    break
                chain.add(further)
                name = self.instead[further]
            found[key] = name
        return found

    @property
    def description(self) -> tuple[str | None, str | None]:
        """The description and who said it."""
        if self.person_description is not None:
            return self.person_description, FROM_PERSON
        if self.found_description is not None:
            return self.found_description, FROM_FILE
        if self.description_removed or self.answer is None:
            return None, None
        return self.answer, self.model

    @property
    def is_met(self) -> bool:
        """Whether the file, as last read or written, holds exactly this."""
        there = {*self.found, *self.own}
        if self.retired or {tag.tag_id for tag in self.tags} - there:
            return False
        text, source = self.description
        if source == FROM_FILE:
            return True
        if source == FROM_PERSON:
            return text in (self.own_description, self.found_description)
        return self.own_description is None or same(self.own_description, text)


def same(one: str | None, other: str | None) -> bool:
    """Whether two descriptions say the same, white space apart."""
    return (one or "").split() == (other or "").split()


def states(connection: Connection, rows: Sequence[Row[Any]]) -> list[State]:
    """The state of each row of `files`; each has its answer's description and model."""
    ids = [row.id for row in rows]
    found = _named(connection, file_tags, ids, file_tags.c.position)
    own = _named(connection, own_tags, ids)
    said: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in _of(connection, select(person_tags), person_tags.c.file_id, ids):
        said[row.file_id].append(row)
    answered = answers(connection, [row.result_id for row in rows])
    return [
        State(
            found=found[row.id],
            own=own[row.id],
            kept={one.tag_id: one.name for one in said[row.id] if one.kept},
            removed=frozenset(one.tag_id for one in said[row.id] if not one.kept),
            refused=tuple(one.name for one in said[row.id] if not one.kept),
            instead={
                tagnames.key(one.name): one.instead
                for one in said[row.id]
                if one.instead and not one.kept
            },
            answered=answered[row.result_id],
            found_description=row.found_description,
            own_description=row.own_description,
            person_description=row.person_description,
            description_removed=row.description_removed,
            answer=row.description,
            model=row.model,
        )
        for row in rows
    ]


def _of(
    connection: Connection, query: Select[Any], by: Column[int], ids: Iterable[int]
) -> Iterable[Row[Any]]:
    for chunk in tagnames.chunks(sorted(set(ids))):
        yield from connection.execute(query.where(by.in_(chunk))).all()


def _named(
    connection: Connection, table: Table, ids: Sequence[int], *order: Column[int]
) -> dict[int, dict[int, str]]:
    by_file: dict[int, dict[int, str]] = defaultdict(dict)
    query = select(table).order_by(table.c.file_id, *order)
    for row in _of(connection, query, table.c.file_id, ids):
        by_file[row.file_id][row.tag_id] = row.name
    return by_file


def answers(
    connection: Connection, result_ids: Iterable[int | None]
) -> dict[int | None, dict[int, ImageTag]]:
    """What the tags of each answer count as, by id."""
    ids = [i for i in result_ids if i is not None]
    models = {row.id: row.model for row in _of(connection, _MODELS, results.c.id, ids)}
    by_result: dict[int | None, dict[int, ImageTag]] = defaultdict(dict)
    # Millions of rows pass here when a catalogue is rebuilt.
    said: Iterable[Any] = _of(connection, _SAID, result_tags.c.result_id, ids)
    for result_id, tag_id, name, score in said:
        of_result = by_result[result_id]
        if tag_id not in of_result:
            of_result[tag_id] = ImageTag(tag_id, name, models[result_id], score)
    return by_result


_MODELS = select(results.c.id, results.c.model)
# What a tag of an answer counts as.
MEANT = func.coalesce(result_tags.c.becomes, result_tags.c.tag_id)
_SAID = (
    select(
        result_tags.c.result_id,
        tags.c.id,
        func.coalesce(func.nullif(result_tags.c.spelt, ""), tags.c.name),
        result_tags.c.score,
    )
    .select_from(result_tags.join(tags, tags.c.id == MEANT))
    .where(~result_tags.c.banned)
    .order_by(result_tags.c.result_id, result_tags.c.position)
)
