"""Conflicts: where an edit that waits and a change made outside disagree.

Both sides are kept, and the file is left alone, until a person edits the photo anew.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from tagger.records import utc_now
from tagger.tracking.database import Database
from tagger.tracking.schema import conflicts, files

DESCRIPTION = "description"


def found(connection: Connection, file_id: int, *, ours: str, theirs: str) -> None:
    """Record that two descriptions stand against each other, the latest of theirs."""
    where = (
        conflicts.c.file_id == file_id,
        conflicts.c.field == DESCRIPTION,
        conflicts.c.resolved_at.is_(None),
    )
    values = {"ours": ours, "theirs": theirs, "at": utc_now()}
    if not connection.execute(update(conflicts).where(*where).values(values)).rowcount:
        connection.execute(
            conflicts.insert().values(file_id=file_id, field=DESCRIPTION, **values)
        )


def resolve(connection: Connection, file_id: int) -> None:
    """Close those of a photo: it was edited anew, or both sides agree by now."""
    connection.execute(
        update(conflicts)
        .where(conflicts.c.file_id == file_id, conflicts.c.resolved_at.is_(None))
        .values(resolved_at=utc_now())
    )


def reason(connection: Connection, file_id: int) -> str | None:
    """Why a photo is left alone, if it is."""
    field = connection.scalars(
        select(conflicts.c.field).where(
            conflicts.c.file_id == file_id, conflicts.c.resolved_at.is_(None)
        )
    ).first()
    if field is None:
        return None
    return f"conflict: its {field} was changed outside while an edit was waiting"


def of(db: Database, file_id: int) -> str | None:
    """Why a photo is left alone, if it is."""
    with db.read() as connection:
        return reason(connection, file_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two sides of what a field of a photo shall be."""

    path: bytes
    field: str
    ours: str | None
    theirs: str | None
    at: str


def listed(db: Database) -> list[Conflict]:
    """All that nobody resolved yet, oldest first."""
    query = (
        select(conflicts, files.c.path)
        .join(files, files.c.id == conflicts.c.file_id)
        .where(conflicts.c.resolved_at.is_(None))
        .order_by(conflicts.c.id)
    )
    with db.read() as connection:
        return [
            Conflict(
                path=row.path,
                field=row.field,
                ours=row.ours,
                theirs=row.theirs,
                at=row.at,
            )
            for row in connection.execute(query)
        ]
