"""Imports: words that another database's tagger left in a file, known by its own say.

A file names the model its words come from, and what a person said in the program. Thus
a folder tagged on another machine, or before the database was lost, asks no model, and
each of its words is again whose it was.
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from tagger.records import Answer, FileWords, Provenance, Tag, utc_now
from tagger.tracking import reconcile, results, saying, tagnames
from tagger.tracking.schema import files
from tagger.tracking.schema import results as answers

BACKEND = "imported"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a file says our tagger put there.

    `result_id` is None for another picture's answer, and where no model was asked.
    """

    result_id: int | None
    at: str
    tags: dict[str, str]
    descriptions: frozenset[str]


def take(connection: Connection, row: Row[Any], words: FileWords) -> Imported | None:
    """What the file of this row says of its words, put on record; None if nothing new.

    For a file that this database wrote only another tagger's say counts.
    """
    said = words.provenance
    if said is None:
        return None
    at = _time(said, row)
    known = _known(connection, said, at) if said.model else {}
    if row.written_at is not None and (known or not said.model):
        return None
    result_id = known.get(row.identity)
    if said.model and not known:
        result_id = results.insert(
            connection, row.identity, _answer(said), created_at=at
        )
    if result_id is not None or not said.model:
        _take_over(connection, row.id, said, words)
    present = {tagnames.key(name): name for name in words.tags}
    keys = [tagnames.key(name) for name in (*said.tags, *said.edited_tags)]
    texts = (said.description, said.edited_description)
    return Imported(
        result_id=result_id,
        at=at,
        tags={key: present[key] for key in keys if key in present},
        descriptions=frozenset(text for text in texts if text),
    )


def _known(connection: Connection, said: Provenance, at: str) -> dict[str, int]:
    """The same answer as it is on record already, by picture."""
    same_answer = select(answers.c.id, answers.c.identity).where(
        answers.c.model == said.model,
        answers.c.prompt_version == said.prompt_version,
        answers.c.created_at == at,
    )
    return {one.identity: int(one.id) for one in connection.execute(same_answer)}


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


def _take_over(
    connection: Connection, file_id: int, said: Provenance, words: FileWords
) -> None:
    """What a person said in the program, there; and what was taken out since."""
    present = {tagnames.key(name): name for name in words.tags}
    edited = [n for n in said.edited_tags if tagnames.key(n) in present]
    saying.say(connection, file_id, edited)
    listed = {*said.tags, *said.edited_tags, *said.removed_tags}
    gone = {n for n in listed if tagnames.key(n) and tagnames.key(n) not in present}
    ids = tagnames.ids(connection, gone)
    reconcile.take_out(connection, file_id, {ids[tagnames.key(n)]: n for n in gone})
    values: dict[str, object] = {}
    if said.edited_description and said.edited_description == words.description:
        values["person_description"] = said.edited_description
    if (said.description or said.edited_description) and words.description is None:
        values["description_removed"] = True
    if values:
        connection.execute(files.update().where(files.c.id == file_id).values(**values))
