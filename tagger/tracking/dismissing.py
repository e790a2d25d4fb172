"""Dismissing: pairs of tags that a person said are not one are proposed no more."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from tagger.errors import UsageError
from tagger.records import utc_now
from tagger.tracking import tagnames
from tagger.tracking.database import Database
from tagger.tracking.schema import dismissed

Pair = tuple[str, str]


def pair(one: str, other: str) -> Pair:
    """Two tags as they are remembered: by their keys, in order."""
    first, second = sorted((tagnames.key(one), tagnames.key(other)))
    return first, second


def dismiss(db: Database, one: str, other: str) -> None:
    """Remember that two tags are not one. Raises `UsageError` if they are."""
    first, second = pair(one, other)
    if not first or first == second:
        raise UsageError(f"{one!r} and {other!r} are not two tags")
    with db.write() as connection:
        connection.execute(
            insert(dismissed)
            .values(one=first, other=second, at=utc_now())
            .on_conflict_do_nothing()
        )


def recall(db: Database, one: str, other: str) -> None:
    """Let two tags be proposed again."""
    first, second = pair(one, other)
    with db.write() as connection:
        connection.execute(
            delete(dismissed).where(
                dismissed.c.one == first, dismissed.c.other == second
            )
        )


def every(db: Database) -> list[Pair]:
    """All pairs that were dismissed, the latest first."""
    with db.read() as connection:
        rows = connection.execute(
            select(dismissed.c.one, dismissed.c.other).order_by(
                dismissed.c.at.desc(), dismissed.c.one, dismissed.c.other
            )
        )
        return [(row.one, row.other) for row in rows]
