"""Layers: all that we did to one photo, in order, and what of it an undo must heed.

Where other writes of ours stand on the one that is put back, its words go only as far
as nobody else says them, too.
"""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Row, Select, literal, select

from tagger.records import WriteMode
from tagger.tracking import desired, standing, tagnames
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite, Values
from tagger.tracking.schema import files, results, tags, writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One change of ours to a photo or its sidecar; `stands` are the fields of it that
    others below are covered by."""

    id: int
    undoes: int | None
    mode: WriteMode
    before: Values
    intended: Values
    stands: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heed:
    """What belongs on a photo once a write is put back, and what of its words was ours.

    `described` is the description of an answer before, and that of the one which has
    replaced it since; None unless an edit had hidden both. Of an answer that another
    one has taken the place of (`superseded`), nothing stands that is not the other's.
    """

    belonging: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()
    described: tuple[str, str] | None = None
    superseded: bool = False


def of(db: Database, file_id: int, *, until: int | None = None) -> list[Layer]:
    """Everything we did to a photo, oldest first; or up to one write."""
    query = (
        select(writes)
        .where(writes.c.file_id == file_id, writes.c.state == "done")
        .order_by(writes.c.id)
    )
    if until is not None:
        query = query.where(writes.c.id <= until)
    with db.read() as connection:
        return [
            Layer(
                id=row.id,
                undoes=row.undoes,
                mode=WriteMode(row.mode),
                before={name: tuple(texts) for name, texts in row.before.items()},
                intended={name: tuple(texts) for name, texts in row.intended.items()},
                stands=_stands(row),
            )
            for row in connection.execute(query)
        ]


def _stands(row: Row[Any]) -> frozenset[str]:
    if row.kind == standing.UNDO:  # it only takes away
        return frozenset()
    return standing.standing_names(row)


def heed(
    db: Database, past: PastWrite, *, gone: Collection[int], until: int | None = None
) -> Heed:
    """What an undo of a write must heed, those in `gone` being undone by then."""
    with db.read() as connection:
        stand = standing.rows(connection, past.file_id, without={*gone, past.id})
        stand = [row for row in stand if until is None or row.id <= until]
        if not any(row.id > past.id for row in stand):
            return Heed()  # what it found there comes back, whatever that is
        root_id, again = standing.root(connection, past.id)
        [first] = _rows(connection, {root_id})
        undone = _rows(connection, gone)
        if again:
            stand = sorted([*stand, first], key=lambda row: row.id, reverse=True)
        else:
            undone.append(first)
        state = _state(connection, past.file_id, stand, undone)
        return Heed(
            belonging=frozenset(tag.name for tag in state.tags),
            ours=frozenset(first.own_tags),
            described=_described(connection, past, stand, state),
            superseded=first.kind == standing.TAG
            and any(
                row.kind == standing.TAG and row.mode == past.mode
                for row in stand
                if row.id > first.id
            ),
        )


def _rows(connection: Connection, ids: Collection[int]) -> list[Row[Any]]:
    return list(connection.execute(select(writes).where(writes.c.id.in_(ids))))


def _state(
    connection: Connection,
    file_id: int,
    stand: Sequence[Row[Any]],
    undone: Sequence[Row[Any]],
) -> desired.State:
    """What all say of a photo, but for what undone edits had said."""
    answered = next((row.result_id for row in stand if row.kind == standing.TAG), None)
    result_id = literal(answered, Integer)
    columns: list[Any] = [column for column in files.c if column.name != "result_id"]
    query: Select[Any] = (
        select(
            *columns,
            result_id.label("result_id"),
            results.c.description,
            results.c.model,
        )
        .select_from(files.outerjoin(results, results.c.id == result_id))
        .where(files.c.id == file_id)
    )
    row = connection.execute(query).one()
    [state] = desired.states(connection, [row])
    edits = [row for row in undone if row.kind == standing.EDIT]
    said = {tagnames.key(name) for row in stand for name in row.added_tags}
    brought = {tagnames.key(name) for row in edits for name in row.added_tags} - said
    taken = {key for row in edits for key in standing.took_out(row)}
    return dataclasses.replace(
        state,
        kept={
            i: name
            for i, name in state.kept.items()
            if tagnames.key(name) not in brought
        },
        removed=state.removed - _ids(connection, taken),
    )


def _ids(connection: Connection, keys: Collection[str]) -> set[int]:
    found: set[int] = set()
    for chunk in tagnames.chunks(sorted(keys)):
        found.update(connection.scalars(select(tags.c.id).where(tags.c.key.in_(chunk))))
    return found


def _described(
    connection: Connection,
    past: PastWrite,
    stand: Sequence[Row[Any]],
    state: desired.State,
) -> tuple[str, str] | None:
    """The answer's description below an edit, and the one in force since."""
    if past.kind != standing.EDIT or not any(
        row.id > past.id and row.kind == standing.TAG for row in stand
    ):
        return None
    old = next((row.wrote_description for row in stand if row.id < past.id), None)
    new, _ = dataclasses.replace(state, person_description=None).description
    return (old, new or "") if old else None
