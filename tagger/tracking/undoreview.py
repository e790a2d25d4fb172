"""Undo review: answers that were accepted or rejected together wait again.

What each photo had and what waited for it is put down with the decision. It comes back
where nobody has decided otherwise since, and where no description was written that no
edit could take out of the file again; those photos stay as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from tagger.tracking import tagnames
from tagger.tracking.schema import files

Before = Mapping[str, Any]


def before_deciding(connection: Connection, ids: Sequence[int]) -> Before:
    """The answers of these photos: in use, put aside, and waiting."""
    return {"waited": [list(_answers(row)) for row in _rows(connection, ids)]}


def left(connection: Connection, before: Before) -> Before:
    """The same, with what the decision has made of it."""
    ids = [row[0] for row in before["waited"]]
    return {**before, "left": [list(_answers(row)) for row in _rows(connection, ids)]}


def is_of_review(before: Before) -> bool:
    """Whether this is what `left` made."""
    return "waited" in before


def restore(connection: Connection, before: Before, *, dry_run: bool) -> list[int]:
    """Let answers wait again; the photos of which that is so."""
    was = {row[0]: tuple(row) for row in before["waited"]}
    then = {row[0]: tuple(row) for row in before["left"]}
    back = [
        was[row.id]
        for row in _rows(connection, [*was])
        if _answers(row) == then.get(row.id) and not _must_stay(row, was[row.id])
    ]
    if back and not dry_run:
        connection.execute(
            update(files)
            .where(files.c.id == bindparam("file"))
            .values(
                result_id=bindparam("in_use"),
                undone_result_id=bindparam("aside"),
                proposed_result_id=bindparam("waiting"),
            ),
            [
                dict(zip(("file", "in_use", "aside", "waiting"), one, strict=True))
                for one in back
            ],
        )
    return [one[0] for one in back]


def _must_stay(row: Row[Any], was: tuple[Any, ...]) -> bool:
    """Whether the file has a description of ours, and would have to have none."""
    persons = row.found_description, row.person_description
    return row.own_description is not None and was[1] is None and persons == (None,) * 2


def _answers(row: Row[Any]) -> tuple[Any, ...]:
    return row.id, row.result_id, row.undone_result_id, row.proposed_result_id


def _rows(connection: Connection, ids: Sequence[int]) -> list[Row[Any]]:
    return [
        row
        for chunk in tagnames.chunks(sorted(ids))
        for row in connection.execute(
            select(files).where(files.c.id.in_(chunk)).order_by(files.c.id)
        )
    ]
