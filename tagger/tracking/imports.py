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
from tagger.tracking import placewords, reconcile, results, saying, tagnames
from tagger.tracking.schema import files, result_tags, tags
from tagger.tracking.schema import results as answers

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
    known = _known(connection, row, said, at) if said.model else {}
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


def is_of(connection: Connection, row: Row[Any], words: FileWords) -> bool:
    """Whether a file says that it holds the answer last written to this photo."""
    said = words.provenance
    if said is None or not said.model or row.written_result_id is None:
        return False
    known = _known(connection, row, said, _time(said, row))
    return known.get(row.identity, 0) == int(row.written_result_id)


def _known(
    connection: Connection, row: Row[Any], said: Provenance, at: str
) -> dict[str, int]:
    """The same answer as it is on record already, by picture.

    Two pictures can have been answered in one moment, so another picture's answer is
    the same one only if it says the same.
    """
    same_moment = select(answers).where(
        answers.c.model == said.model,
        answers.c.prompt_version == said.prompt_version,
        answers.c.created_at == at,
    )
    found = {
        one.identity: int(one.id)
        for one in connection.execute(same_moment)
        if one.identity == row.identity
        or said.description in (None, one.description or None)
    }
    said_tags = {tagnames.key(name) for name in said.tags}
    return {
        picture: result_id
        for picture, result_id in found.items()
        if picture == row.identity or said_tags <= _tags_of(connection, result_id)
    }


def _tags_of(connection: Connection, result_id: int) -> set[str]:
    """The tags of an answer, by key: as the model said them, and as they count."""
    return set(
        connection.scalars(
            select(tags.c.key)
            .join(
                result_tags,
                tags.c.id.in_([result_tags.c.tag_id, result_tags.c.becomes]),
            )
            .where(result_tags.c.result_id == result_id)
        )
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
        backend=results.IMPORTED,
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
    listed = {*said.tags, *said.edited_tags}
    gone = {n for n in listed if tagnames.key(n) not in present}
    # What was taken out of a sidecar may stand in its photo, which is never written.
    places = [words.in_photo, *words.sidecars.values()]
    telling = placewords.keys(
        name for one in places if one.is_said for name in one.tags
    )
    gone |= {n for n in said.removed_tags if tagnames.key(n) not in telling}
    gone = {name for name in gone if tagnames.key(name)}
    ids = tagnames.ids(connection, gone)
    reconcile.take_out(connection, file_id, {ids[tagnames.key(n)]: n for n in gone})
    values: dict[str, object] = {}
    if said.edited_description and said.edited_description == words.description:
        values["person_description"] = said.edited_description
    if (said.description or said.edited_description) and words.description is None:
        values["description_removed"] = True
    if values:
        connection.execute(files.update().where(files.c.id == file_id).values(**values))
