"""Imports: words that another database's tagger left in a file, known by its own say.

A file names the model its words come from. Thus a folder tagged on another machine, or
before the database was lost, asks no model and is nobody's but the model's.
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from tagger.records import Answer, FileWords, Provenance, Tag, utc_now
from tagger.tracking import reconcile, results, tagnames
from tagger.tracking.schema import files
from tagger.tracking.schema import results as answers

BACKEND = "imported"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a file says is not a person's. `result_id` is None for another picture's."""

    result_id: int | None
    at: str
    tags: dict[str, str]
    description: str | None


def take(connection: Connection, row: Row[Any], words: FileWords) -> Imported | None:
    """What the file of this row says of its words, put on record; None if nothing new.

    For a file that this database wrote only another tagger's say counts.
    """
    said = words.provenance
    if said is None:
        return None
    at = _time(said, row)
    same_answer = select(answers.c.id, answers.c.identity).where(
        answers.c.model == said.model,
        answers.c.prompt_version == said.prompt_version,
        answers.c.created_at == at,
    )
    known = {one.identity: int(one.id) for one in connection.execute(same_answer)}
    if known and row.written_at is not None:
        return None
    result_id = known.get(row.identity)
    if not known:
        result_id = results.insert(
            connection, row.identity, _answer(said), created_at=at
        )
    if result_id is not None:
        _taken_out(connection, row.id, said, words)
    present = {tagnames.key(name): name for name in words.tags}
    keys = [tagnames.key(name) for name in said.tags]
    return Imported(
        result_id=result_id,
        at=at,
        tags={key: present[key] for key in keys if key in present},
        description=said.description,
    )


def _time(said: Provenance, row: Row[Any]) -> str:
    """When the answer was given; a time that is none, or to come, is when we met it."""
    is_past = TIME.fullmatch(said.tagged_at) and said.tagged_at <= utc_now()
    return said.tagged_at if is_past else str(row.added_at)


def _answer(said: Provenance) -> Answer:
    unique = {tagnames.key(name): name for name in said.tags}
    return Answer(
        description=said.description or "",
        tags=tuple(Tag(name) for key, name in unique.items() if key),
        backend=BACKEND,
        model=said.model,
        prompt_version=said.prompt_version,
    )


def _taken_out(
    connection: Connection, file_id: int, said: Provenance, words: FileWords
) -> None:
    """Of what the model had said, somebody took out what the file no longer has."""
    present = {tagnames.key(name) for name in words.tags}
    gone = {n for n in said.tags if tagnames.key(n) not in present}
    ids = tagnames.ids(connection, gone)
    reconcile.take_out(connection, file_id, {ids[tagnames.key(n)]: n for n in gone})
    if said.description and words.description is None:
        connection.execute(
            files.update().where(files.c.id == file_id).values(description_removed=True)
        )
