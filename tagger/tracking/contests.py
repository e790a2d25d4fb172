"""Contests: comparisons as whoever carries them out takes, holds and ends them.

One worker at a time holds a comparison, by a token with a lease it keeps pushing on. An
answer is put down once, by the holder only, and an answer that is there is never asked
for again; so a kill loses the questions under way, and the next worker goes on.
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from tagger.records import utc_now
from tagger.tracking.comparisons import contenders_of
from tagger.tracking.contested import Answered, Contender, State
from tagger.tracking.database import Database
from tagger.tracking.dialects import numbers
from tagger.tracking.schema import (
    choices,
    compared_answers,
    comparisons,
    contenders,
    files,
)

LEASE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """A comparison in the hands of a worker: what is still to be asked, in order.

    `left` are the photos of each contender, by its id; `paths` those of the photos.
    """

    id: int
    token: str
    contenders: tuple[Contender, ...]
    left: Mapping[int, tuple[int, ...]]
    paths: Mapping[int, bytes]


def take(db: Database, *, comparison_id: int | None = None) -> Contest | None:
    """Take the oldest comparison that waits and nobody holds, or this very one."""
    token, now = uuid.uuid4().hex, time.time()
    is_free = or_(comparisons.c.token.is_(None), comparisons.c.lease_until < now)
    wanted = select(comparisons.c.id).where(
        comparisons.c.state == State.WAITING.value, is_free
    )
    if comparison_id is not None:
        wanted = wanted.where(comparisons.c.id == comparison_id)
    with db.read() as connection:
        if connection.execute(wanted.limit(1)).first() is None:
            return None  # asked every second or two: no write for nothing
    with db.write() as connection:
        found = connection.scalars(wanted.order_by(comparisons.c.id).limit(1)).first()
        if found is None:
            return None
        taken = connection.execute(
            update(comparisons)
            .where(comparisons.c.id == found, is_free)
            .values(token=token, lease_until=now + LEASE_S)
        ).rowcount
        return _contest(connection, found, token) if taken else None


def hold(db: Database, contest: Contest) -> bool:
    """Keep it for another while; False if it was cancelled, deleted or lost."""
    with db.write() as connection:
        return bool(
            connection.execute(
                update(comparisons)
                .where(
                    comparisons.c.id == contest.id,
                    comparisons.c.token == contest.token,
                    comparisons.c.state == State.WAITING.value,
                )
                .values(lease_until=time.time() + LEASE_S)
            ).rowcount
        )


def record(db: Database, contest: Contest, answered: Answered) -> bool:
    """Put down what came of a question; False if it is no longer ours to ask."""
    values = {name: getattr(answered, name) for name in Answered.__slots__}
    values |= {"outcome": answered.outcome.value, "tags": list(answered.tags)}
    with db.write() as connection:
        ours = connection.execute(
            select(comparisons.c.id).where(
                comparisons.c.id == contest.id, comparisons.c.token == contest.token
            )
        ).first()
        if ours is None:
            return False
        connection.execute(
            insert(compared_answers)
            .values(**values, at=utc_now())
            .on_conflict_do_nothing()
        )
    return True


def finish(db: Database, contest: Contest) -> None:
    """Every question was asked; if somebody wants some again since, it goes on."""
    with db.read() as connection:
        now = _contest(connection, contest.id, contest.token)
    if any(now.left.values()):
        release(db, contest)
    else:
        _let_go(db, contest, state=State.DONE.value, ended_at=utc_now())


def release(db: Database, contest: Contest) -> None:
    """Leave the rest to the next worker."""
    _let_go(db, contest)


def release_all(db: Database) -> None:
    """Free what dead workers held; for one that knows itself to be alone."""
    with db.write() as connection:
        connection.execute(
            update(comparisons)
            .where(comparisons.c.token.is_not(None))
            .values(token=None, lease_until=None)
        )


def _let_go(db: Database, contest: Contest, **values: str) -> None:
    with db.write() as connection:
        connection.execute(
            update(comparisons)
            .where(comparisons.c.id == contest.id, comparisons.c.token == contest.token)
            .values(token=None, lease_until=None, **values)
        )


def _contest(connection: Connection, comparison_id: int, token: str) -> Contest:
    photos: list[int] = (
        connection.execute(
            select(comparisons.c.photos).where(comparisons.c.id == comparison_id)
        ).scalar()
        or []
    )  # it may be deleted by now
    asked = {
        (row.contender_id, row.file_id)
        for row in connection.execute(
            select(compared_answers.c.contender_id, compared_answers.c.file_id)
            .join(contenders)
            .where(contenders.c.comparison_id == comparison_id)
        )
    }
    rows = connection.execute(
        select(files.c.id, files.c.path).where(files.c.id.in_(numbers(photos)))
    )
    who = contenders_of(connection, comparison_id)
    return Contest(
        id=comparison_id,
        token=token,
        contenders=tuple(who),
        left={
            one.id: tuple(id_ for id_ in photos if (one.id, id_) not in asked)
            for one in who
        },
        paths={row.id: bytes(row.path) for row in rows},
    )


def hand_over(connection: Connection, new_id: int, old_id: int) -> None:
    """A photo that was compared turns out to be one that had been missing.

    What was said of it counts for that one, unless something was said of that already.
    """
    touched = connection.execute(
        select(comparisons.c.id, comparisons.c.photos).where(
            comparisons.c.id.in_(
                select(contenders.c.comparison_id)
                .join(compared_answers)
                .where(compared_answers.c.file_id == new_id)
                .union(
                    select(choices.c.comparison_id).where(choices.c.file_id == new_id)
                )
            )
        )
    ).all()
    for table, of in (
        (compared_answers, compared_answers.c.contender_id),
        (choices, choices.c.comparison_id),
    ):
        said = select(of).where(table.c.file_id == old_id).scalar_subquery()
        its = table.c.file_id == new_id
        connection.execute(
            update(table).where(its, of.not_in(said)).values(file_id=old_id)
        )
        connection.execute(delete(table).where(its))
    for row in touched:
        photos = dict.fromkeys(old_id if one == new_id else one for one in row.photos)
        connection.execute(
            update(comparisons)
            .where(comparisons.c.id == row.id)
            .values(photos=list(photos))
        )
