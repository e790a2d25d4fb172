"""The tracking database: opening it, and its two kinds of transactions.

It is a file in the data folder, or, for several machines, a PostgreSQL server.
"""

import contextlib
import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DatabaseError, OperationalError

from tagger import acting
from tagger.config import Config
from tagger.errors import DataError, DataFull
from tagger.tracking import engines, migrations, schema
from tagger.tracking.filesystems import refuse_network_share

# With less than this left, an I/O error is a full disk.
ROOM_BYTES = 1 << 20


class Database:
    """One open tracking database; safe to use from any thread.

    `path` is its file; with PostgreSQL no such file is there, but its folder is where
    this machine's processes meet. `where` names the database for people;
    `is_shared` says that processes of other machines may work on it as well.
    """

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self.path = path
        self.is_shared = engine.dialect.name != "sqlite"
        self.where = str(path)
        if self.is_shared:
            self.where = engine.url.set(drivername="postgresql").render_as_string()
        # SQLite has whoever finds the file locked sleep, ever longer, and nobody wakes
        # it. Threads of one process wake each other.
        self._turn = threading.RLock()

    @classmethod
    def of(cls, config: Config) -> "Database":
        """Open or make the database that the settings name."""
        return cls.open(config.tracking_path, url=config.tracking.url)

    @staticmethod
    def is_there(config: Config) -> bool:
        """Whether there may be one already, without making it."""
        return bool(config.tracking.url) or config.tracking_path.exists()

    @classmethod
    def open(cls, path: Path, *, url: str = "") -> "Database":
        """Open or make the database at `path`, or at `url`, in its present shape.

        Raises `DataError` if the folder is on a network share, cannot be written, or
        holds a database made by a newer version.
        """
        refuse_network_share(path.parent)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not url:
                _for_its_owner(path)
        except OSError as error:
            raise DataError(
                f"{path.parent}: the data folder cannot be made: {error.strerror}; "
                "set TAGGER_DATA_DIR to a folder you may write to"
            ) from error
        engine = engines.postgresql(url) if url else engines.sqlite(path)
        database = cls(engine, path)
        # Whoever comes first opens it, which changes nothing that people know of.
        with acting.on_record(), database.write() as connection:
            migrations.migrate(connection, where=database.where)
            _identify(connection)
        return database

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database throughout."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock; committed at the end.

        Raises `DataFull` when the disk is full; nothing of it is kept then. Raises
        `Forbidden` when a person would write who was not asked for their role.
        """
        acting.refuse_unrecorded()
        with self._translated(), self._turn, self._engine.connect() as plain:
            connection = plain.execution_options(tagger_writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            cause = str(error.orig)
            if "No space left" in cause and self.is_shared:
                raise DataFull(f"{self.where}: the server's disk is full") from error
            if "full" in cause or ("I/O" in cause and self.is_full()):
                raise DataFull(self.full_disk) from error
            raise DataError(f"{self.where}: {cause}") from error
        except DatabaseError as error:
            if "not a database" in str(error.orig) or "malformed" in str(error.orig):
                raise DataError(
                    f"{self.path} is damaged or no tracking database ({error.orig}); "
                    "put back a copy, or move it away to begin anew"
                ) from error
            raise

    @property
    def full_disk(self) -> str:
        """What to say when there is no room."""
        return f"{self.path.parent}: the disk is full; free some space there"

    def is_full(self) -> bool:
        """Whether there is no room left, not even to say so in here."""
        return shutil.disk_usage(self.path.parent).free < ROOM_BYTES

    @property
    def id(self) -> str:
        """What tells this database from another one that stood at the same path."""
        with self.read() as connection:
            statement = select(schema.meta.c.value)
            row = connection.execute(
                statement.where(schema.meta.c.key == "database_id")
            ).one()
        return str(row.value)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _for_its_owner(path: Path) -> None:
    """Make the file if it is not there: hashes of passwords are nobody else's."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _identify(connection: Connection) -> None:
    connection.execute(
        insert(schema.meta)
        .values(key="database_id", value=uuid.uuid4().hex)
        .on_conflict_do_nothing()
    )
    connection.execute(
        insert(schema.counters).values(name="changes", value=0).on_conflict_do_nothing()
    )
