"""Engines: SQLite in the data folder, or a PostgreSQL server for several machines.

Both give the same two kinds of transactions: many that read one state throughout, and
one at a time that writes. SQLite has its write lock for that, PostgreSQL an advisory
lock that every writer takes first; so changes are numbered without gaps in the order
in which they are committed, whichever it is.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from tagger.errors import ConfigError, DataError

BUSY_TIMEOUT_S = 60
_POOL = {"pool_size": 16, "max_overflow": 48}
# Any number will do, as long as all writers of one database take the same.
WRITE_LOCK = 7_310_579_021
# A writer that is suspended may not hold up all others: the server ends it.
_SESSION = (
    f"-c lock_timeout={BUSY_TIMEOUT_S}s "
    f"-c idle_in_transaction_session_timeout={BUSY_TIMEOUT_S}s"
)
_READS = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


def sqlite(path: Path) -> Engine:
    """WAL lets readers go on while one writes; FULL survives a power cut.

    Writers take the lock at once (`BEGIN IMMEDIATE`), because a read that turns into a
    write can fail at any time.
    """
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S}, **_POOL
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # Without this the driver would begin and commit on its own.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(
            "BEGIN IMMEDIATE" if _writes(connection) else "BEGIN"
        )

    return engine


def postgresql(url: str) -> Engine:
    """Raises `ConfigError` for an address that is none, `DataError` without driver."""
    engine = _postgresql(checked(url))

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if _writes(connection):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
        else:
            connection.exec_driver_sql(_READS)

    return engine


def checked(url: str) -> URL:
    """The address of a PostgreSQL database, with the driver that is used here."""
    try:
        found = make_url(url)
    except ArgumentError:
        found = None
    if found is None or found.drivername != "postgresql" or not found.database:
        raise ConfigError(
            "tracking.url is no address of a PostgreSQL database; it looks like "
            "postgresql://user@host/database"
        )
    if found.password:
        raise ConfigError(
            "tracking.url holds a password, where everybody reads it who sees the "
            "settings; leave it to PGPASSWORD or ~/.pgpass"
        )
    return found.set(drivername="postgresql+psycopg")


def _postgresql(url: URL) -> Engine:
    try:
        return create_engine(
            url, connect_args={"options": _SESSION}, pool_pre_ping=True, **_POOL
        )
    except ModuleNotFoundError as error:
        raise DataError(
            "tracking.url names a PostgreSQL database, whose driver is not installed: "
            "pip install -r requirements-postgresql.txt"
        ) from error


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("tagger_writes", False))
