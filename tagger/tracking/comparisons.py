"""Comparisons: the same photos put before several models or prompts, to choose from.

Everything a comparison finds is kept in tables of its own (`compared`): no photo gets a
word, an answer or a job by it. This is the side of the people who make, read, judge,
end and delete comparisons; `contests` is the side of whoever carries them out.
"""

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tagger.errors import UsageError
from tagger.records import utc_now
from tagger.tracking import tagnames
from tagger.tracking.contested import (
    Answered,
    Choice,
    Comparison,
    Contender,
    Outcome,
    State,
    Verdict,
    Whole,
    Wish,
)
from tagger.tracking.database import Database
from tagger.tracking.dialects import numbers
from tagger.tracking.schema import (
    choices,
    compared_answers,
    comparisons,
    contenders,
    files,
)

MOST_PHOTOS = 50
FEW_PHOTOS = 20  # fewer than these say little about a model
MOST_CONTENDERS = 9  # one for each key
LONGEST_NAME = 200
LONGEST_INSTRUCTION = 4_000


def make(
    db: Database, *, name: str, photos: Sequence[int], wishes: Sequence[Wish]
) -> int:
    """Put a comparison down for a tagger to carry out; its id.

    Raises `UsageError` for too many photos or contenders, too few, or unknown ones.
    """
    ids = list(dict.fromkeys(photos))
    _refuse_odd(ids, wishes)
    title = tagnames.tidy(name)[:LONGEST_NAME] or "Comparison"
    with db.write() as connection:
        _refuse_unknown(connection, ids)
        made: int = connection.execute(
            comparisons.insert()
            .values(
                name=title,
                state=State.WAITING.value,
                photos=ids,
                created_at=utc_now(),
            )
            .returning(comparisons.c.id)
        ).scalar_one()
        for position, wish in enumerate(wishes):
            values = {field: getattr(wish, field) for field in Wish.__slots__}
            connection.execute(
                contenders.insert().values(
                    comparison_id=made, position=position, **values
                )
            )
    return made


def every(db: Database) -> list[Comparison]:
    """All comparisons, the newest first."""
    with db.read() as connection:
        rows = connection.execute(
            select(comparisons).order_by(comparisons.c.id.desc())
        ).all()
        return [_comparison(connection, row) for row in rows]


def read(db: Database, comparison_id: int) -> Comparison:
    """One comparison. Raises `UsageError` if there is none of this id."""
    with db.read() as connection:
        return _comparison(connection, _row(connection, comparison_id))


def whole(db: Database, comparison_id: int) -> Whole:
    """One comparison with its answers and choices. Raises `UsageError`."""
    with db.read() as connection:
        found = _comparison(connection, _row(connection, comparison_id))
        answers = connection.execute(
            select(compared_answers)
            .join(contenders)
            .where(contenders.c.comparison_id == comparison_id)
            .order_by(contenders.c.position)
        ).all()
        chosen = connection.execute(
            select(choices).where(choices.c.comparison_id == comparison_id)
        ).all()
    return Whole(
        comparison=found,
        answers=tuple(_answered(row) for row in answers),
        choices=tuple(
            Choice(
                file_id=row.file_id,
                verdict=Verdict(row.verdict),
                contender_id=row.contender_id,
                blind=bool(row.blind),
            )
            for row in chosen
        ),
    )


def cancel(db: Database, comparison_id: int) -> None:
    """End it where it is; what was answered stays. One that is over stays as it is."""
    with db.write() as connection:
        _row(connection, comparison_id)
        connection.execute(
            update(comparisons)
            .where(
                comparisons.c.id == comparison_id,
                comparisons.c.state == State.WAITING.value,
            )
            .values(state=State.CANCELLED.value, ended_at=utc_now(), token=None)
        )


def go_on(db: Database, comparison_id: int) -> int:
    """Ask once more what was not asked, failed or was withheld; how many questions.

    An answer that could not be used counts against its model, and stays.
    """
    again = (Outcome.FAILED.value, Outcome.WITHHELD.value)
    with db.write() as connection:
        row = _row(connection, comparison_id)
        ours = _contender_ids(comparison_id)
        connection.execute(
            delete(compared_answers).where(
                compared_answers.c.contender_id.in_(ours),
                compared_answers.c.outcome.in_(again),
            )
        )
        left = _left(connection, row)
        if left:
            connection.execute(
                update(comparisons)
                .where(comparisons.c.id == comparison_id)
                .values(state=State.WAITING.value, ended_at=None)
            )
    return left


def choose(
    db: Database,
    comparison_id: int,
    file_id: int,
    *,
    contender_id: int | None = None,
    verdict: Verdict = Verdict.BEST,
    blind: bool = False,
) -> None:
    """Remember what a person chose for a photo, in place of an earlier choice.

    Raises `UsageError` for a photo or contender that has no part in the comparison.
    """
    with db.write() as connection:
        found = _comparison(connection, _row(connection, comparison_id))
        if file_id not in found.photos:
            raise UsageError(f"photo {file_id} is not in comparison {comparison_id}")
        if (verdict is Verdict.BEST) != (contender_id is not None):
            raise UsageError("the better one is named, or it is a tie or neither")
        if contender_id not in (None, *(one.id for one in found.contenders)):
            raise UsageError(
                f"{contender_id} is no contender of comparison {comparison_id}"
            )
        values = {
            "verdict": verdict.value,
            "contender_id": contender_id,
            "blind": blind,
            "at": utc_now(),
        }
        connection.execute(
            insert(choices)
            .values(comparison_id=comparison_id, file_id=file_id, **values)
            .on_conflict_do_update(
                index_elements=["comparison_id", "file_id"], set_=values
            )
        )


def unchoose(db: Database, comparison_id: int, file_id: int) -> None:
    """Forget what was chosen for a photo."""
    with db.write() as connection:
        row = _row(connection, comparison_id)
        if file_id in row.photos:
            connection.execute(
                delete(choices).where(
                    choices.c.comparison_id == comparison_id,
                    choices.c.file_id == file_id,
                )
            )


def remove(db: Database, comparison_id: int) -> None:
    """Delete a comparison with its answers and choices; no photo changes by it."""
    with db.write() as connection:
        _row(connection, comparison_id)
        ours = _contender_ids(comparison_id)
        for statement in (
            delete(choices).where(choices.c.comparison_id == comparison_id),
            delete(compared_answers).where(compared_answers.c.contender_id.in_(ours)),
            delete(contenders).where(contenders.c.comparison_id == comparison_id),
            delete(comparisons).where(comparisons.c.id == comparison_id),
        ):
            connection.execute(statement)


def _refuse_odd(ids: Sequence[int], wishes: Sequence[Wish]) -> None:
    if not 1 <= len(ids) <= MOST_PHOTOS:
        raise UsageError(
            f"a comparison takes 1 to {MOST_PHOTOS} photos, not {len(ids)}; choose "
            "fewer, or narrow the query"
        )
    if not 2 <= len(wishes) <= MOST_CONTENDERS:
        raise UsageError(
            f"a comparison takes 2 to {MOST_CONTENDERS} models or prompts, not "
            f"{len(wishes)}"
        )
    if len(set(wishes)) < len(wishes):
        raise UsageError("two contenders are asked the same; change model or prompt")
    if any(len(w.extra_instruction) > LONGEST_INSTRUCTION for w in wishes):
        raise UsageError(
            f"an instruction has at most {LONGEST_INSTRUCTION:,} characters"
        )


def _refuse_unknown(connection: Connection, ids: Sequence[int]) -> None:
    known = set(
        connection.scalars(select(files.c.id).where(files.c.id.in_(numbers(ids))))
    )
    if unknown := [str(one) for one in ids if one not in known]:
        raise UsageError(f"there is no photo {', '.join(unknown)}")


def _row(connection: Connection, comparison_id: int) -> Row[Any]:
    # An address may hold any number; PostgreSQL refuses to compare with a large one.
    row = connection.execute(
        select(comparisons).where(comparisons.c.id.in_(numbers([comparison_id])))
    ).first()
    if row is None:
        raise UsageError(f"there is no comparison {comparison_id}")
    return row


def _contender_ids(comparison_id: int) -> Any:
    return select(contenders.c.id).where(contenders.c.comparison_id == comparison_id)


def _outcomes(connection: Connection, comparison_id: int) -> dict[str, int]:
    rows = connection.execute(
        select(compared_answers.c.outcome, func.count().label("number"))
        .where(compared_answers.c.contender_id.in_(_contender_ids(comparison_id)))
        .group_by(compared_answers.c.outcome)
    )
    return {row.outcome: row.number for row in rows}


def _left(connection: Connection, row: Row[Any]) -> int:
    asked = sum(_outcomes(connection, row.id).values())
    return len(row.photos) * len(contenders_of(connection, row.id)) - asked


def contenders_of(connection: Connection, comparison_id: int) -> list[Contender]:
    """Who is asked, in their order; in the caller's transaction."""
    rows = connection.execute(
        select(contenders)
        .where(contenders.c.comparison_id == comparison_id)
        .order_by(contenders.c.position)
    )
    names = (*Wish.__slots__, "id", "position")
    return [Contender(**{name: getattr(row, name) for name in names}) for row in rows]


def _comparison(connection: Connection, row: Row[Any]) -> Comparison:
    outcomes = _outcomes(connection, row.id)
    answered = outcomes.get(Outcome.ANSWERED.value, 0)
    chosen = connection.execute(
        select(func.count())
        .select_from(choices)
        .where(choices.c.comparison_id == row.id)
    ).scalar_one()
    return Comparison(
        id=row.id,
        name=row.name,
        state=State(row.state),
        photos=tuple(row.photos),
        contenders=tuple(contenders_of(connection, row.id)),
        answered=answered,
        failed=sum(outcomes.values()) - answered,
        invalid=outcomes.get(Outcome.INVALID.value, 0),
        chosen=chosen,
        is_worked_on=row.token is not None and (row.lease_until or 0) > time.time(),
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def _answered(row: Row[Any]) -> Answered:
    values = {name: getattr(row, name) for name in Answered.__slots__}
    values["outcome"] = Outcome(row.outcome)
    values["tags"] = tuple(row.tags)
    return Answered(**values)
