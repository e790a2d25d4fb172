"""Standing: what of each write still stands, after undos of it, and undos of those.

A write stands until an undo puts its fields back. One that could not put back all of
them leaves the others standing, each with its reason. An undo is a write like any other
and can be undone, too; so whatever is noted of one write turns, step by step, along the
chain of those that undo each other.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select, update

from tagger.records import STAYS, WAITS
from tagger.tracking import tagnames
from tagger.tracking.schema import writes

UNDO, EDIT, TAG = "undo", "edit", "tag"
BACK = "it was undone, and brought back"
# Nobody is asked to decide anything about these.
OF_ITSELF = frozenset({WAITS, STAYS})


@dataclass(frozen=True, slots=True)
class Standing:
    """What a photo holds of ours by the writes that stand.

    `result_id` is the answer's, None if only a person's words stand there.
    """

    result_id: int | None = None
    own_tags: tuple[str, ...] = ()
    description: str | None = None
    mode: str | None = None
    at: str | None = None


def is_open(row: Row[Any]) -> bool:
    """Whether something of a write can be put back, or was refused so far."""
    return row.undone_by is None or not {*(row.standing or {}).values()} <= OF_ITSELF


def did_something(row: Row[Any]) -> bool:
    """Not so an undo that found all back already: it has nothing to bring back."""
    return row.kind != UNDO or bool(names(row) or row.leaves)


def is_waiting(row: Row[Any]) -> bool:
    """Whether a write was undone as far as later ones let it be."""
    return row.undone_by is not None and bool(row.standing) and not is_open(row)


def not_undone() -> ColumnElement[bool]:
    """Writes of which something may stand."""
    return or_(writes.c.undone_by.is_(None), writes.c.standing.is_not(None))


def names(row: Row[Any]) -> frozenset[str]:
    """The fields a write changed."""
    return frozenset(row.before) | frozenset(row.intended)


def standing_names(row: Row[Any]) -> frozenset[str]:
    """The fields of a write that are not put back, nor wait for that."""
    if row.undone_by is None:
        return names(row)
    left: Mapping[str, str] = row.standing or {}
    return frozenset(name for name, why in left.items() if why not in OF_ITSELF)


def took_out(row: Row[Any]) -> frozenset[str]:
    """The keys of the entries a write took out of any field."""
    return frozenset(
        tagnames.key(text)
        for name, texts in row.before.items()
        for text in texts
        if text not in row.intended.get(name, ())
    )


def brought(row: Row[Any]) -> frozenset[str]:
    """The keys of the entries a write brought into any field."""
    return frozenset(
        tagnames.key(text)
        for name, texts in row.intended.items()
        for text in texts
        if text not in row.before.get(name, ())
    )


def waiting(connection: Connection, file_id: int) -> list[Row[Any]]:
    """The writes of a photo that later ones keep from being put back whole."""
    found = connection.execute(
        select(writes).where(
            writes.c.file_id == file_id,
            writes.c.state == "done",
            writes.c.standing.is_not(None),
        )
    ).all()
    return [row for row in found if WAITS in (row.standing or {}).values()]


def root(connection: Connection, write_id: int) -> tuple[int, bool]:
    """The write a chain of undos began with; whether undoing this one does it again."""
    again = False
    while True:
        undoes = _row(connection, write_id).undoes
        if undoes is None:
            return write_id, again
        write_id, again = int(undoes), not again


def note(connection: Connection, undo: Row[Any]) -> None:
    """An undo took place: put down what still stands of each write of its chain."""
    below = _row(connection, undo.undoes)
    _set(connection, below.id, by=undo.id, left=undo.leaves)
    changed, comes_back = names(undo), True
    while below.undoes is not None:
        above, below = below, _row(connection, below.undoes)
        if comes_back:
            _comes_back(connection, below, changed)
        else:
            _goes_again(connection, below, changed, by=_row(connection, above.id))
        comes_back = not comes_back


def _comes_back(
    connection: Connection, write: Row[Any], changed: frozenset[str]
) -> None:
    """Fields of a write stand again; all of it, if no undo of it holds any more."""
    undos = connection.execute(
        select(writes)
        .where(writes.c.undoes == write.id, writes.c.state == "done", not_undone())
        .order_by(writes.c.id)
    ).all()
    if not undos:
        _set(connection, write.id, by=None, left=None)
        return
    left = dict(write.standing or {})
    for name in changed & names(write):
        left[name] = (undos[-1].leaves or {}).get(name, BACK)
    _set(connection, write.id, by=undos[-1].id, left=left)


def _goes_again(
    connection: Connection, write: Row[Any], changed: Collection[str], *, by: Row[Any]
) -> None:
    """Fields of a write are put back again, by an undo that was undone meanwhile."""
    if write.undone_by is None:
        left = dict(by.leaves or {}) | dict.fromkeys(by.standing or {}, BACK)
    else:
        left = {n: why for n, why in (write.standing or {}).items() if n not in changed}
    _set(connection, write.id, by=by.id, left=left)


def _set(
    connection: Connection,
    write_id: int,
    *,
    by: int | None,
    left: Mapping[str, str] | None,
) -> None:
    connection.execute(
        update(writes)
        .where(writes.c.id == write_id)
        .values(undone_by=by, standing=dict(left) if left else None)
    )


def _row(connection: Connection, write_id: int) -> Row[Any]:
    return connection.execute(select(writes).where(writes.c.id == write_id)).one()


def rows(
    connection: Connection, file_id: int, *, without: Collection[int] = ()
) -> list[Row[Any]]:
    """The writes of a photo that stand whole, undos aside, newest first."""
    found = connection.execute(
        select(writes)
        .where(
            writes.c.file_id == file_id,
            writes.c.state == "done",
            writes.c.kind != UNDO,
            writes.c.undone_by.is_(None),
        )
        .order_by(writes.c.id.desc())
    ).all()
    return [row for row in found if row.id not in without]


def of(
    connection: Connection,
    file_id: int,
    *,
    without: Collection[int] = (),
    besides: int | None = None,
) -> Standing:
    """What is ours by the writes that stand; `without` some, or with one `besides`."""
    stand = rows(connection, file_id, without=without)
    if besides is not None:
        more = [_row(connection, besides)]
        stand = sorted([*stand, *more], key=lambda row: row.id, reverse=True)
    if not stand:
        return Standing()
    last = stand[0]
    # Old words taken out of a sidecar are a write beside the one of the photo.
    if len(stand) > 1 and last.mode != "file" and stand[1].mode == "file":
        same = (last.result_id, last.run_id) == (stand[1].result_id, stand[1].run_id)
        last = stand[1] if same else last
    answered = next((row for row in stand if row.kind == TAG), None)
    return Standing(
        result_id=answered.result_id if answered else None,
        own_tags=tuple(last.own_tags),
        description=last.wrote_description,
        mode=last.mode,
        at=last.closed_at or last.created_at,
    )
