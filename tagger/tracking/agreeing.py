"""Agreeing: after an undo the record says exactly what the file holds.

Otherwise the next run would write again what was undone, or take out what came back.
Only what the undo changed is looked at: an edit that waits to be written still waits.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from tagger.records import FileWords
from tagger.tracking import desired, ownwords, saying, standing, tagnames
from tagger.tracking.schema import (
    file_tags,
    files,
    own_tags,
    person_tags,
    results,
    tags,
)
from tagger.tracking.standing import Standing


@dataclass(frozen=True, slots=True)
class _Change:
    """What an undo made of a photo's words; `changed` are the keys of tags that came
    or went, `there` the tags by key."""

    was: Row[Any]
    there: Mapping[str, str]
    changed: frozenset[str]
    description: str | None

    @property
    def described_before(self) -> str | None:
        was = self.was
        return was.own_description or was.found_description  # type: ignore[no-any-return]

    @property
    def is_described_anew(self) -> bool:
        return not desired.same(self.described_before, self.description)


def agree(
    connection: Connection, was: Row[Any], words: FileWords, after: Standing
) -> None:
    """Bring the record of a photo in line with `words`, which an undo has left there.

    `was` is its row before, `after` what stands of ours by the writes not undone. Words
    of ours that could not be put back, because somebody changed the field they are in,
    count as that person's from now on.
    """
    there = {key: name for name in words.tags if (key := tagnames.key(name))}
    theirs = _keys(connection, file_tags, was.id)
    before = theirs | _keys(connection, own_tags, was.id)
    change = _Change(was, there, frozenset(there.keys() ^ before), words.description)
    ours = {tagnames.key(name) for name in after.own_tags} - theirs
    _restate(connection, change)
    _put(connection, was.id, there, own=ours)
    _describe(connection, change, after)
    state = _state(connection, was.id)
    absent = [
        tag.name
        for tag in state.tags
        if (key := tagnames.key(tag.name)) not in there and key in change.changed
    ]
    saying.say(connection, was.id, absent, kept=False)
    # What nobody says any more, but stands there, is not for us to take out; unless a
    # write brought it that is about to be put back whole.
    wanted = {tag.tag_id for tag in state.tags} | state.removed
    waiting = standing.waiting(connection, was.id)
    goes = frozenset().union(*(standing.brought(row) for row in waiting))
    stays = {
        key
        for i, name in state.own.items()
        if (key := tagnames.key(name)) in goes or i in wanted
    }
    _put(connection, was.id, there, own=stays)


def restate(connection: Connection, file_id: int, names: Sequence[str]) -> None:
    """Let a person have said of these tags what the last edit that stands says."""
    row = connection.execute(select(files).where(files.c.id == file_id)).one()
    keys = _keys(connection, own_tags, file_id) | _keys(connection, file_tags, file_id)
    there = {tagnames.key(n): n for n in names if tagnames.key(n) in keys}
    changed = frozenset(map(tagnames.key, names))
    _restate(connection, _Change(row, there, changed, row.own_description))


def _keys(connection: Connection, table: Any, file_id: int) -> set[str]:
    query = select(tags.c.key).join(table, table.c.tag_id == tags.c.id)
    return set(connection.scalars(query.where(table.c.file_id == file_id)))


def _put(
    connection: Connection,
    file_id: int,
    there: Mapping[str, str],
    *,
    own: Collection[str],
) -> None:
    """Put down which of the tags there are ours, and which the person's."""
    ownwords.replace(connection, file_id, [n for k, n in there.items() if k in own])
    connection.execute(delete(file_tags).where(file_tags.c.file_id == file_id))
    theirs = {key: name for key, name in there.items() if key not in own}
    ids = tagnames.ids(connection, theirs.values())
    rows = [
        {"file_id": file_id, "tag_id": ids[key], "position": n, "name": name}
        for n, (key, name) in enumerate(theirs.items())
    ]
    if rows:
        connection.execute(file_tags.insert(), rows)


def _restate(connection: Connection, change: _Change) -> None:
    """What a person said in the program of the tags that came or went.

    The last edit that stands says it; otherwise nobody said anything.
    """
    file_id = change.was.id
    said = {
        row.key: row
        for row in connection.execute(
            select(person_tags.c.tag_id, person_tags.c.kept, tags.c.key)
            .join(tags, tags.c.id == person_tags.c.tag_id)
            .where(person_tags.c.file_id == file_id)
        )
    }
    edits = [r for r in standing.rows(connection, file_id) if r.kind == standing.EDIT]
    answered = {
        tagnames.key(t.name) for t in _state(connection, file_id).answered.values()
    }
    for key in sorted(change.changed):
        is_there = key in change.there
        row = said.get(key)
        if row is not None and bool(row.kept) is not is_there:
            connection.execute(
                delete(person_tags).where(
                    person_tags.c.file_id == file_id,
                    person_tags.c.tag_id == row.tag_id,
                )
            )
        if _last_said(edits, key) is is_there and not (is_there and key in answered):
            name = change.there.get(key) or _name(connection, key)
            saying.say(connection, file_id, [name], kept=is_there)


def _last_said(edits: Sequence[Row[Any]], key: str) -> bool | None:
    """Whether the last of these edits added a tag, or took it out."""
    for edit in edits:
        if key in {tagnames.key(name) for name in edit.added_tags}:
            return True
        if key in standing.took_out(edit):
            return False
    return None


def _name(connection: Connection, key: str) -> str:
    return str(
        connection.execute(select(tags.c.name).where(tags.c.key == key)).scalar_one()
    )


def _describe(connection: Connection, change: _Change, after: Standing) -> None:
    """Put down whose the description there is, and what it says of a person's wish."""
    said, was = change.description, change.was
    is_own = said is not None and said == after.description
    if said and not is_own and not desired.same(was.found_description, said):
        is_own = desired.same(said, _state(connection, was.id).answer)
    values: dict[str, object] = {
        "own_description": said if is_own else None,
        "found_description": None if is_own else said,
    }
    if change.is_described_anew:
        if desired.same(was.person_description, change.described_before):
            values["person_description"] = None
        if said is not None:
            values["description_removed"] = False
    _note(connection, was.id, values)
    if not change.is_described_anew:
        return
    state = _state(connection, was.id)
    if (
        said is not None
        and said != state.answer
        and _is_edited(connection, was.id, said)
    ):
        _note(connection, was.id, {"person_description": said})
        state = _state(connection, was.id)
    text, source = state.description
    if desired.same(text, said) or source == desired.FROM_PERSON:
        return
    if said is None:
        _note(connection, was.id, {"description_removed": True})
    else:
        _note(
            connection,
            was.id,
            {"own_description": None, "found_description": said},
        )


def _is_edited(connection: Connection, file_id: int, text: str) -> bool:
    """Whether an edit that stands gave the photo this description."""
    return any(
        row.kind == standing.EDIT and row.wrote_description == text
        for row in standing.rows(connection, file_id)
    )


def _state(connection: Connection, file_id: int) -> desired.State:
    row = connection.execute(
        select(files, results.c.description, results.c.model)
        .select_from(files.outerjoin(results, results.c.id == files.c.result_id))
        .where(files.c.id == file_id)
    ).one()
    return desired.states(connection, [row])[0]


def _note(connection: Connection, file_id: int, values: Mapping[str, object]) -> None:
    connection.execute(update(files).where(files.c.id == file_id).values(**values))
