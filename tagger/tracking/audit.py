"""Audit: who changed what, when, how they came, and what came of it.

A row is there before the change is made, and is closed after it; one that was never
closed tells of a change during which the program ended. Rows are never changed again.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from tagger.acting import Person
from tagger.records import utc_now
from tagger.texts import holdable
from tagger.tracking.abridged import LONGEST, abridged
from tagger.tracking.database import Database
from tagger.tracking.schema import audit
from tagger.tracking.users import LONGEST_NAME

DONE, REFUSED = "done", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What somebody did. `outcome` is None if nobody knows what came of it."""

    id: int
    at: str
    who: str
    role: str
    way: str
    what: str
    detail: Mapping[str, Any]
    outcome: str | None


def begin(db: Database, who: Person, what: str, detail: Mapping[str, Any]) -> str:
    """Put down that somebody is about to do something; the mark to close it by."""
    mark = uuid.uuid4().hex
    with db.write() as connection:
        connection.execute(
            insert(audit).values(
                mark=mark,
                at=utc_now(),
                who=holdable(who.name)[:LONGEST_NAME],
                role=who.role.value,
                way=who.way,
                what=what,
                detail=abridged(detail),
            )
        )
    return mark


def close(db: Database, mark: str, outcome: str) -> None:
    """Put down what came of it."""
    with db.write() as connection:
        connection.execute(
            update(audit)
            .where(audit.c.mark == mark, audit.c.outcome.is_(None))
            .values(outcome=holdable(outcome)[:LONGEST])
        )


def note(
    db: Database, who: Person, what: str, outcome: str = DONE, **detail: object
) -> None:
    """Put down what is over already."""
    close(db, begin(db, who, what, detail), outcome)


def read(
    db: Database, *, limit: int, before: int | None = None, who: str | None = None
) -> list[Entry]:
    """What was done, the newest first, from before that number on."""
    statement = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(audit.c.id < before)
    if who is not None:
        statement = statement.where(audit.c.who == who)
    with db.read() as connection:
        return [
            Entry(
                id=row.id,
                at=row.at,
                who=row.who,
                role=row.role,
                way=row.way,
                what=row.what,
                detail=row.detail or {},
                outcome=row.outcome,
            )
            for row in connection.execute(statement)
        ]


def people(db: Database) -> list[str]:
    """Everyone who is in it, by name."""
    with db.read() as connection:
        return sorted(connection.scalars(select(audit.c.who).distinct()))
