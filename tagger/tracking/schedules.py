"""Schedules: folders with hours of their own, or looked through at their own pace.

What a folder says of neither goes by the settings. Hours keep photos from being asked
about by themselves; what a person wants now passes them, as it passes all else.
"""

from dataclasses import dataclass

from sqlalchemy import select, update

from tagger import sections
from tagger.errors import UsageError
from tagger.tracking import changes
from tagger.tracking.database import Database
from tagger.tracking.schema import folders

# A week: a folder that is looked through less often is better switched off.
LONGEST_MIN = 7 * 24 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A folder, and the hours it goes by instead of those of the settings."""

    folder_id: int
    path: bytes
    hours: str


def with_hours(db: Database) -> list[Own]:
    """The folders that have hours of their own, by path."""
    with db.read() as connection:
        rows = connection.execute(
            select(folders.c.id, folders.c.path, folders.c.hours)
            .where(folders.c.removed_at.is_(None), folders.c.hours.is_not(None))
            .order_by(folders.c.path)
        )
        return [Own(folder_id=row.id, path=row.path, hours=row.hours) for row in rows]


def set_hours(db: Database, folder_id: int, hours: str) -> None:
    """Work on a folder's photos within these hours only; empty: the settings'.

    Raises `UsageError` for what are no hours, or no folder.
    """
    try:
        window = sections.hours_of_day(hours)
    except ValueError as error:
        raise UsageError(f"The hours of a folder {error}; not {hours!r}") from error
    _set(db, folder_id, hours=window or None)


def set_scan_interval(db: Database, folder_id: int, minutes: float | None) -> None:
    """Look through a folder every so many minutes; None: as the settings say.

    Raises `UsageError` for fewer than one minute, more than a week, or no folder.
    """
    if minutes is not None and not 1 <= minutes <= LONGEST_MIN:
        raise UsageError(
            f"A folder is looked through every 1 to {LONGEST_MIN:.0f} minutes; "
            f"not every {minutes:g}"
        )
    _set(db, folder_id, scan_interval_min=minutes)


def minutes(typed: str) -> float | None:
    """How often, as a person typed it; None for nothing. Raises `UsageError`."""
    try:
        return float(typed) if typed.strip() else None
    except ValueError:
        raise UsageError(
            f"How often a folder is scanned is a number of minutes, or nothing; "
            f"not {typed!r}"
        ) from None


def _set(db: Database, folder_id: int, **values: object) -> None:
    with db.write() as connection:
        found = connection.execute(
            update(folders)
            .where(folders.c.id == folder_id, folders.c.removed_at.is_(None))
            .values(**values, made_by_tag=False)  # whoever sets it has made it theirs
        ).rowcount
        if not found:
            raise UsageError(f"there is no folder with id {folder_id}")
        changes.record(connection, changes.FOLDER, [folder_id])
