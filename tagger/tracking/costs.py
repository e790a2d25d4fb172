"""Costs: the seconds and tokens each photo took, and how fast servers answer now.

What a photo cost is noted in the transaction that ends its work, so that it takes no
write of its own.
"""

import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, case, func, select
from sqlalchemy.dialects.postgresql import insert

from tagger.records import Cost, ServerReport
from tagger.tracking.database import Database
from tagger.tracking.schema import timings

LATELY_S = 300.0
_OF_A_QUESTION = ("server", "model", "asked_at", "waiting_s", "asking_s")
_STEPS = ("looking_s", "waiting_s", "asking_s", "writing_s")


def note(connection: Connection, file_id: int, cost: Cost) -> None:
    """Put down what a photo took, in the caller's transaction.

    A way through the stages on which no model was asked leaves what is on record of
    the last question.
    """
    values = {name: getattr(cost, name) for name in Cost.__slots__}
    statement = insert(timings).values(file_id=file_id, **values)
    new = statement.excluded
    kept = {
        name: case((new.asked_at.is_(None), timings.c[name]), else_=getattr(new, name))
        for name in (*_OF_A_QUESTION, "tokens_in", "tokens_out")
    }
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["file_id"],
            set_={"looking_s": new.looking_s, "writing_s": new.writing_s, **kept},
        )
    )


def of(db: Database, file_id: int) -> Cost | None:
    """What a photo took the last time, if that is known."""
    with db.read() as connection:
        row = connection.execute(
            select(timings).where(timings.c.file_id == file_id)
        ).first()
    if row is None:
        return None
    return Cost(**{name: getattr(row, name) for name in Cost.__slots__})


def lately(
    connection: Connection, servers: Sequence[ServerReport]
) -> tuple[ServerReport, ...]:
    """The same reports, with how fast each server answered in the last minutes."""
    now = time.time()
    answers: dict[tuple[str, str], list[Any]] = defaultdict(list)
    if servers:
        for row in connection.execute(
            select(
                *(timings.c[name] for name in _OF_A_QUESTION),
                timings.c.tokens_in,
                timings.c.tokens_out,
            ).where(timings.c.asked_at > now - LATELY_S)
        ):
            answers[row.server, row.model].append(row)
    return tuple(
        _with_pace(server, answers[server.url, server.model], now) for server in servers
    )


def _with_pace(server: ServerReport, rows: list[Any], now: float) -> ServerReport:
    if not rows:
        return server
    return replace(
        server,
        photos_a_minute=pace(len(rows), min(row.asked_at for row in rows), now),
        median_s=statistics.median(row.asking_s for row in rows),
        median_wait_s=statistics.median(row.waiting_s for row in rows),
        tokens_in=sum(row.tokens_in or 0 for row in rows),
        tokens_out=sum(row.tokens_out or 0 for row in rows),
    )


def pace(count: int, first: float, now: float) -> float | None:
    """Events a minute from the first on, which itself only starts the clock."""
    if count < 2 or now <= first:
        return None
    return (count - 1) / (now - first) * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the photos one server was asked about last took, in all."""

    server: str
    model: str
    photos: int
    looking_s: float
    waiting_s: float
    asking_s: float
    writing_s: float
    tokens_in: int
    tokens_out: int


def spent(db: Database, *, since_s: float) -> list[Spent]:
    """What each server cost since a time, in seconds since the epoch, most first."""
    sums = [func.sum(timings.c[name]).label(name) for name in _STEPS]
    tokens = [
        func.coalesce(func.sum(timings.c[name]), 0).label(name)
        for name in ("tokens_in", "tokens_out")
    ]
    photos = func.count().label("photos")
    with db.read() as connection:
        rows = connection.execute(
            select(timings.c.server, timings.c.model, photos, *sums, *tokens)
            .where(timings.c.asked_at >= since_s)
            .group_by(timings.c.server, timings.c.model)
            .order_by(photos.desc())
        )
        return [Spent(**row._asdict()) for row in rows]
