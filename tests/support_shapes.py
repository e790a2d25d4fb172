"""Databases of earlier shapes: `tests/shapes/NNNN.sql` is one before step NNNN + 1.

A new migration adds the dump of the shape it starts from, as `dump_of` prints it, and
the rows its own test needs; `test_migrations` tries every shape there is.
"""

import sqlite3
from pathlib import Path

SHAPES = sorted((Path(__file__).parent / "shapes").glob("*.sql"))
_PASSING = ('INSERT INTO "meta"', 'INSERT INTO "sqlite_sequence"', "DELETE FROM")

# What a table or index is, whatever the order and wording it was made with.
Shape = dict[str, object]


def made(path: Path, shape: Path, *rows: str) -> None:
    """Make a database of an earlier shape at `path`, with these rows in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript(shape.read_text())
    for row in rows:
        connection.execute(row)
    connection.commit()
    connection.close()


def shape_of(path: Path) -> dict[str, Shape]:
    """Every table with its columns, keys and indexes."""
    connection = sqlite3.connect(path)
    tables = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        )
        if not name.startswith("sqlite_")
    ]
    shape = {name: _table(connection, name) for name in tables}
    connection.close()
    return shape


def _table(connection: sqlite3.Connection, name: str) -> Shape:
    columns = connection.execute(f"PRAGMA table_xinfo({name})").fetchall()
    keys = connection.execute(f"PRAGMA foreign_key_list({name})").fetchall()
    indexes = connection.execute(f"PRAGMA index_list({name})").fetchall()
    (sql,) = connection.execute(
        "SELECT sql FROM sqlite_master WHERE name = ?", (name,)
    ).fetchone()
    return {
        # Columns by name: one that is added later stands last.
        "columns": {column[1]: column[2:] for column in columns},
        "keys": sorted(key[2:] for key in keys),
        "indexes": {
            index[1]: (index[2:], _parts(connection, index[1])) for index in indexes
        },
        "autoincrement": "AUTOINCREMENT" in sql,
    }


def _parts(connection: sqlite3.Connection, index: str) -> list[object]:
    """What an index is made of, in order, column numbers aside."""
    found = connection.execute(f"PRAGMA index_xinfo({index})").fetchall()
    return [(part[0], *part[2:]) for part in found if part[5]]


def dump_of(path: Path) -> str:
    """The shape of an empty database, as it goes into `tests/shapes`."""
    connection = sqlite3.connect(path)
    lines = [line for line in connection.iterdump() if not line.startswith(_PASSING)]
    connection.close()
    return "\n".join(part.rstrip() for line in lines for part in line.splitlines())
