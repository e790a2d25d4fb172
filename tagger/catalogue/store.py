"""The catalogue's store: one DuckDB file and one search index, owned by one process.

DuckDB lets one process open a file for writing and then no other open it at all, so
whoever finds it held is told by which process. Inside the process every thread reads
through a cursor of its own and sees a consistent state while one writer goes on.

The whole instance is confined when it has been opened: no file but its own and those
below the folder of exports, no extension, no network, and no way to set that otherwise.
"""

import re
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tagger.catalogue import schema
from tagger.catalogue.alike.likeness import Likeness
from tagger.catalogue.alike.meaning import Meaning
from tagger.catalogue.quoting import literal
from tagger.catalogue.textindex import TextIndex
from tagger.errors import DataError, DataFull

RETRY_S = 0.2
MEMORY_LIMIT = "1GiB"
# Each checkpoint rewrites the last rows; at 16 MiB that is a tenth of an intake.
CHECKPOINT = "64MiB"
_HOLDER = re.compile(
    r"Conflicting lock is held in (?P<program>.*?) ?\(PID (?P<pid>\d+)\)"
)
# A batch takes a second or two; a whole rebuild is not waited for.
CLOSE_WAIT_S = 10.0


class Catalogue:
    """One open catalogue; safe to use from any thread."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, path: Path, text: TextIndex
    ) -> None:
        self._connection = connection
        self._writing = threading.Lock()
        self.intake = threading.Lock()  # held by the one taker or rebuilder
        self.path = path
        self.text = text
        # What photos look like and mean is in tracking; whoever has both sets these.
        self.likeness: Likeness | None = None
        self.meaning: Meaning | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        search_dir: Path,
        *,
        wait_s: float = 0.0,
        spares_core: bool = False,
    ) -> "Catalogue":
        """Open or make the catalogue at `path` with its search index.

        With `spares_core` it leaves one core to what else this process does. While
        another process holds it, tries for `wait_s` seconds. Raises `DataError` naming
        that process, or saying what else is wrong with the file.
        """
        connection = _connect(path, wait_s)
        try:
            _sweep(path)
            if spares_core:
                _spare_core(connection)
            _confine(connection, path)
            _prepare(connection, path)
            text = TextIndex.open(search_dir)
        except BaseException:
            connection.close()
            raise
        return cls(connection, path, text)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for one thread and one question; close it by `with`."""
        return self._connection.cursor()

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A transaction, one at a time; all of it is kept, or nothing.

        Raises `DataFull` when the disk is full.
        """
        with self._writing, self.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException as error:
                _roll_back(cursor)
                if _says_full(error):
                    raise DataFull(
                        f"{self.path.parent}: the disk is full; free some space there"
                    ) from error
                raise

    def recall(self, key: str) -> str | None:
        """What the catalogue remembers under `key`."""
        with self.cursor() as cursor:
            return schema.recall(cursor, key)

    def seen(self) -> int | None:
        """The number of the last change taken in; None while nothing ever was."""
        number = self.recall("change")
        return None if number is None else int(number)

    def close(self) -> None:
        """Close both, after the batch that is being taken in, if there is one."""
        idle = self.intake.acquire(timeout=CLOSE_WAIT_S)
        try:
            self.text.close()
            self._connection.close()
        finally:
            if idle:
                self.intake.release()

    def __enter__(self) -> "Catalogue":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _connect(path: Path, wait_s: float) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return duckdb.connect(
                str(path),
                config={
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                    "memory_limit": MEMORY_LIMIT,
                    "checkpoint_threshold": CHECKPOINT,
                    "temp_directory": str(_spill_dir(path)),
                },
            )
        except (duckdb.Error, OSError) as error:
            held = _HOLDER.search(str(error))
            if held is None:
                raise DataError(_unusable(path, error)) from error
            if time.monotonic() >= deadline:
                raise DataError(_held(path, held)) from error
        time.sleep(RETRY_S)


def exports_dir(path: Path) -> Path:
    """The one folder besides its own files that this catalogue can reach."""
    return path.with_name(f"{path.name}.exports")


def _spare_core(connection: duckdb.DuckDBPyConnection) -> None:
    """Use one core less than DuckDB would, which knows how many it may use."""
    row = connection.execute("SELECT current_setting('threads')::INTEGER").fetchone()
    assert row is not None
    connection.execute(f"SET threads = {max(1, int(row[0]) - 1)}")


def _confine(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Lock the instance in. What is allowed comes first: nothing can be set after."""
    folder = exports_dir(path)
    folder.mkdir(exist_ok=True)
    for setting in (
        f"allowed_directories = [{literal(folder)}]",
        "python_enable_replacements = false",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")


def _spill_dir(path: Path) -> Path:
    return path.with_name(f"{path.name}.tmp")


def _sweep(path: Path) -> None:
    """Remove what a killed process left; nobody else can have the catalogue open."""
    of_old = path.parent.glob(f"{path.name}.export-*")
    for left in (_spill_dir(path), exports_dir(path), *of_old):
        shutil.rmtree(left, ignore_errors=True)


def _held(path: Path, held: re.Match[str]) -> str:
    program = Path(held["program"]).name
    return (
        f"{path} is in use by process {held['pid']} ({program}): only one process "
        "at a time can have the catalogue open. Use that one, or stop it first"
    )


def _unusable(path: Path, error: Exception) -> str:
    reason = str(error).splitlines()[0]
    return (
        f"{path} cannot be opened as the catalogue: {reason}. If it is one that was "
        "damaged, delete it: it is made again from the tracking database"
    )


def _prepare(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make the tables of this version, unless they are there."""
    present = schema.names(connection)
    if present and not schema.is_catalogue(present):
        raise DataError(
            f"{path} holds other tables ({min(present)}) and is no catalogue; "
            "set DB_PATH to a file of its own"
        )
    if present and schema.recall(connection, "version") == schema.VERSION:
        return
    connection.execute("BEGIN TRANSACTION")
    for name in present:
        connection.execute(f'DROP TABLE "{name}"')
    for table in schema.EVERY:
        table.create(connection)
    schema.remember(connection, version=schema.VERSION, catalogue_id=uuid.uuid4().hex)
    connection.execute("COMMIT")


def _roll_back(cursor: duckdb.DuckDBPyConnection) -> None:
    try:
        cursor.execute("ROLLBACK")
    except duckdb.TransactionException:
        return  # the failed COMMIT has already ended it


def _says_full(error: BaseException) -> bool:
    return isinstance(error, duckdb.Error) and "No space left" in str(error)
