"""Changes: the numbered list of what screens must hear of.

A change is recorded in the transaction that makes it. Numbers have no gaps and follow
commit order, so whoever has seen number n needs only what comes after it.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, select, update

from tagger.records import Change
from tagger.tracking.database import Database
from tagger.tracking.schema import changes, counters

IMAGE, FOLDER, TAG = "image", "folder", "tag"


def record(connection: Connection, kind: str, ids: Iterable[int]) -> None:
    """Number one change for each id, within the caller's transaction."""
    subjects = list(ids)
    if not subjects:
        return
    last = connection.execute(
        update(counters)
        .where(counters.c.name == "changes")
        .values(value=counters.c.value + len(subjects))
        .returning(counters.c.value)
    ).scalar_one()
    first = last - len(subjects) + 1
    connection.execute(
        changes.insert(),
        [
            {"number": first + offset, "kind": kind, "subject_id": subject}
            for offset, subject in enumerate(subjects)
        ],
    )


def after(db: Database, number: int, *, limit: int) -> list[Change]:
    """The changes that follow `number`, oldest first, at most `limit`."""
    with db.read() as connection:
        rows = connection.execute(
            select(changes)
            .where(changes.c.number > number)
            .order_by(changes.c.number)
            .limit(limit)
        )
        return [
            Change(number=row.number, kind=row.kind, subject_id=row.subject_id)
            for row in rows
        ]


def subjects(db: Database, kind: str, *, after: int, until: int) -> list[int]:
    """What changed after one change and up to another, each once."""
    with db.read() as connection:
        return list(
            connection.scalars(
                select(changes.c.subject_id)
                .where(
                    changes.c.number > after,
                    changes.c.number <= until,
                    changes.c.kind == kind,
                )
                .distinct()
            )
        )


def latest(db: Database) -> int:
    """The number of the newest change; 0 when there is none."""
    with db.read() as connection:
        return latest_in(connection)


def latest_in(connection: Connection) -> int:
    """The same, within the caller's transaction."""
    number = connection.execute(
        select(counters.c.value).where(counters.c.name == "changes")
    ).scalar_one()
    return int(number)
