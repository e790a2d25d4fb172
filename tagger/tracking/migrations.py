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


def m006_renamed_tags(connection: Connection) -> None:
    """A tag that a person took out may have another one in its place."""
    connection.exec_driver_sql("ALTER TABLE person_tags ADD COLUMN instead TEXT")


def m008_pictures_of_writes(connection: Connection) -> None:
    """Each write says which picture it found; earlier ones by the answer they wrote."""
    for column in ("identity TEXT", "after_size_bytes BIGINT", "after_mtime_ns BIGINT"):
        connection.exec_driver_sql(f"ALTER TABLE writes ADD COLUMN {column}")
    connection.exec_driver_sql(
        """UPDATE writes SET identity = (
            SELECT results.identity FROM results WHERE results.id = writes.result_id)
        WHERE mode = 'file'"""
    )


# A step is written out in SQL: what `schema` says goes on changing after it.
STEPS: tuple[Step, ...] = (
    m001_initial,
    m006_renamed_tags,
    m008_pictures_of_writes,
)


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
