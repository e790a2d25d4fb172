"""Archive: the whole tracking database as one SQLite file, and back from it.

It is the same file whichever kind of database it comes from, so it also leads from
SQLite to PostgreSQL and back. Saving sees one state and holds up nobody. Loading is one
transaction that puts everything in the place of what is there; the database gets a new
identity by it, so that every catalogue knows it is made of something else.
"""

import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    select,
    update,
)

from tagger.errors import DataError
from tagger.tracking import changes, dialects
from tagger.tracking.database import Database
from tagger.tracking.schema import (
    audit,
    comparisons,
    counters,
    folders,
    jobs,
    meta,
    metadata,
    migrations,
    signins,
    taggers,
    tokens,
    users,
)

AT_ONCE_ROWS = 2_000

# A migration done here is done, whatever is loaded.
_TABLES = tuple(table for table in metadata.sorted_tables if table is not migrations)
_LET_GO: Mapping[str, None] = dict.fromkeys(("token", "lease_until"), None)


def save(db: Database, path: Path) -> None:
    """Write what the database holds now into a new SQLite file at `path`."""
    if db.is_shared:
        with Database.open(path) as copy, db.read() as here, copy.write() as there:
            _empty(there)
            _copy(here, there)
    else:
        with (
            closing(sqlite3.connect(db.path)) as own,
            closing(sqlite3.connect(path)) as file,
        ):
            own.backup(file)
    with closing(sqlite3.connect(path)) as file:
        # Else it would need two more files beside it.
        file.execute("PRAGMA journal_mode = DELETE")


def load(db: Database, path: Path) -> int:
    """Put what the file at `path` holds in the place of everything; how many photos.

    But the audit log of this database goes on, and its users and tokens stay if it has
    any: a restore erases no tracks, and lets nobody in who was let in no more.

    The file is brought to the present shape on the way. Nobody may work on the database
    meanwhile: what a tagger holds would not be there any more. Raises `DataError` if
    the file is damaged or was made by a newer version; nothing was changed then.
    """
    _check(path)
    with Database.open(path) as source, source.read() as there, db.write() as here:
        before = changes.latest_in(here)
        log = here.execute(select(audit).order_by(audit.c.id)).mappings().all()
        tables = _tables_for(here)
        _empty(here, tables)
        _copy(there, here, tables)
        _begin_anew(here, before)
        _go_on_with(here, [dict(entry) for entry in log])
        return int(
            here.execute(
                select(func.count()).select_from(metadata.tables["files"])
            ).scalar_one()
        )


def _check(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        try:
            found = [row[0] for row in file.execute("PRAGMA quick_check(1)")]
            found += [row[0] for row in file.execute("PRAGMA foreign_key_check")]
            # Of an empty file SQLite says that all is well with it.
            ours = "SELECT 1 FROM meta WHERE key = 'database_id'"
            if file.execute(ours).fetchone() is None:
                found = ["it is no tracking database"]
        except sqlite3.DatabaseError as error:
            found = [str(error)]
    if found != ["ok"]:
        raise DataError(f"{path} is damaged: {found[-1]}; nothing was changed")


def _tables_for(target: Connection) -> tuple[Table, ...]:
    """What is put in place: all, but users only where there are none."""
    if target.execute(select(users.c.id).limit(1)).first() is None:
        return _TABLES
    return tuple(table for table in _TABLES if table not in (users, signins, tokens))


def _empty(connection: Connection, tables: Sequence[Table] = _TABLES) -> None:
    for table in reversed(tables):
        connection.execute(delete(table))


def _copy(
    source: Connection, target: Connection, tables: Sequence[Table] = _TABLES
) -> None:
    for table in tables:
        put = table.insert().values(
            {column.name: _given(target, column) for column in table.columns}
        )
        later = _pointing_within(table)
        for rows in _rows(source, table):
            target.execute(put, [{**row, **dict.fromkeys(later)} for row in rows])
        if later:
            _point(source, target, table, later)
    dialects.keep_counting(source, target, tables)


def _given(connection: Connection, column: Column[Any]) -> Any:
    """A value as `_rows` gives it: JSON stays the text it is, so NULL stays NULL."""
    if not isinstance(column.type, JSON):
        return bindparam(column.name, type_=column.type)
    text = bindparam(column.name, type_=Text)
    return cast(text, JSON) if dialects.is_postgresql(connection) else text


def _rows(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    columns = [
        cast(column, Text).label(column.name)
        if isinstance(column.type, JSON)
        else column
        for column in table.columns
    ]
    streamed = connection.execution_options(stream_results=True)
    found = streamed.execute(select(*columns)).mappings()
    while some := found.fetchmany(AT_ONCE_ROWS):
        yield [dict(row) for row in some]


def _pointing_within(table: Table) -> list[str]:
    """Columns that name rows of the same table, which may come later."""
    return [
        column.name
        for column in table.columns
        if any(key.column.table is table for key in column.foreign_keys)
    ]


def _point(
    source: Connection, target: Connection, table: Table, names: list[str]
) -> None:
    put = (
        update(table)
        .where(table.c.id == bindparam("of"))
        .values({name: bindparam(f"to_{name}") for name in names})
    )
    for rows in _rows(source, table):
        pointing = [
            {"of": row["id"], **{f"to_{name}": row[name] for name in names}}
            for row in rows
            if any(row[name] is not None for name in names)
        ]
        if pointing:
            target.execute(put, pointing)


def _begin_anew(connection: Connection, before: int) -> None:
    """Nobody holds anything, and whoever knew the database sees that it is another.

    Numbers of changes go on from the higher ones, so that none means two things.
    """
    for table in (jobs, comparisons):
        connection.execute(update(table).values(**_LET_GO))
    connection.execute(delete(taggers))
    # Whoever was signed in when the backup was made is not therefore signed in now.
    connection.execute(delete(signins))
    connection.execute(
        update(meta).where(meta.c.key == "database_id").values(value=uuid.uuid4().hex)
    )
    if changes.latest_in(connection) < before:
        connection.execute(update(counters).values(value=before))
    ids = list(connection.scalars(select(folders.c.id)))
    changes.record(connection, changes.FOLDER, ids)


def _go_on_with(connection: Connection, log: list[dict[str, Any]]) -> None:
    """Put down again what this database's audit log had, and the backup's has not."""
    known = set(connection.scalars(select(audit.c.mark)))
    own = [entry for entry in log if entry["mark"] not in known]
    if own:
        without_id = [
            {key: value for key, value in entry.items() if key != "id"} for entry in own
        ]
        connection.execute(audit.insert(), without_id)
