"""Forward migrations: named steps that bring an older tracking database up to date.

A new database is made whole from `schema` and marked as having been through every step.
A database that knows a step we do not is newer than this program and is refused.
"""

from collections.abc import Callable

from sqlalchemy import Connection, inspect, select

from tagger.errors import DataError
from tagger.records import utc_now
from tagger.tracking import schema

Step = Callable[[Connection], None]


def m001_initial(connection: Connection) -> None:
    """The first shape: made by `schema.metadata`, so there is nothing to change."""


def m004_folder_servers(connection: Connection) -> None:
    """Folders can be bound to model servers."""
    connection.exec_driver_sql("ALTER TABLE folders ADD COLUMN servers JSON")


STEPS: tuple[Step, ...] = (m001_initial, m004_folder_servers)


def migrate(connection: Connection, *, where: str) -> None:
    """Bring the database up to the present shape, inside the caller's transaction.

    Raises `DataError` if it was made by a newer version.
    """
    fresh = not inspect(connection).has_table(schema.migrations.name)
    if fresh:
        schema.metadata.create_all(connection)
    applied = set(connection.scalars(select(schema.migrations.c.name)))
    if unknown := applied - {step.__name__ for step in STEPS}:
        raise DataError(
            f"{where} was made by a newer version of Image Tagger (it has "
            f"{min(unknown)}): update the program, or use another data folder"
        )
    for step in STEPS:
        if step.__name__ not in applied:
            if not fresh:
                step(connection)
            connection.execute(
                schema.migrations.insert().values(
                    name=step.__name__, applied_at=utc_now()
                )
            )
