"""Dialects: the few places where SQLite and PostgreSQL do not say a thing alike."""

import json
import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    TextClause,
    bindparam,
    case,
    cast,
    func,
    select,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

POSTGRESQL = "postgresql"
# Of a temporary table, spelt for SQLite: the types of PostgreSQL, which keeps rows in
# its own way whatever the table asks for.
_TYPES = (("BLOB", "BYTEA"), ("INTEGER", "BIGINT"), (" WITHOUT ROWID", ""))


_SERIAL = "SERIAL PRIMARY KEY"


def is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == POSTGRESQL


def spelt(connection: Connection, statement: str) -> str:
    """A statement of SQLite that makes a table, as this database says it."""
    if not is_postgresql(connection):
        return statement
    # What SQLAlchemy makes of a whole new database, so that all are of one shape.
    return re.sub(r"INTEGER( NOT NULL)? PRIMARY KEY AUTOINCREMENT", _SERIAL, statement)


def temporary(connection: Connection, table: str) -> None:
    """Have an empty temporary table, which `CREATE TEMP TABLE …` describes."""
    name = table.removeprefix("CREATE TEMP TABLE IF NOT EXISTS ").split(" ")[0]
    if is_postgresql(connection):
        for here, there in _TYPES:
            table = table.replace(here, there)
    connection.execute(text(table))
    connection.execute(text(f"DELETE FROM {name}"))


def steered(connection: Connection, query: str) -> TextClause:
    """A query whose `CROSS JOIN … ON` tells SQLite which table to begin with.

    PostgreSQL, which takes that for a mistake, finds out by itself.
    """
    if is_postgresql(connection):
        query = query.replace("CROSS JOIN", "JOIN")
    return text(query)


class _Listed(FunctionElement[int]):
    """The items of a JSON list, as rows."""

    name = "listed"
    inherit_cache = True


@compiles(_Listed, "sqlite")
def _in_sqlite(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Listed, POSTGRESQL)
def _in_postgresql(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:
    listed = compiler.process(element.clauses, **options)
    return f"json_array_elements_text(CAST({listed} AS JSON))"


def numbers(values: Iterable[int]) -> Select[tuple[int]]:
    """For `in_`: numbers however many, since they are bound as one value."""
    listed = _Listed(json.dumps(sorted(set(values)))).table_valued("value")
    return select(cast(listed.c.value, BigInteger))


def smaller(one: ColumnElement[Any], other: Any) -> ColumnElement[Any]:
    """The smaller of two that are not NULL."""
    return case((one < other, one), else_=other)


def larger(one: ColumnElement[Any], other: Any) -> ColumnElement[Any]:
    """The larger of two that are not NULL."""
    return case((one > other, one), else_=other)


def typed(query: str, **types: Any) -> TextClause:
    """A query with parameters that are NULL now and then, which need their types."""
    return text(query).bindparams(
        *(bindparam(name, type_=type_) for name, type_ in types.items())
    )


def keep_counting(
    source: Connection, target: Connection, tables: Iterable[Table]
) -> None:
    """Have new ids begin after the highest ever given in `source`, or in `target`."""
    for table in tables:
        if "id" not in table.c:
            continue
        last = max(_counted(source, table), _counted(target, table))
        if is_postgresql(target):
            query = "SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"
            if last:
                target.execute(text(query), {"name": table.name, "last": last})
            continue
        if not table.dialect_options["sqlite"].get("autoincrement"):
            continue
        row = {"name": table.name, "last": last}
        target.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), row)
        target.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :last)"), row)


def _counted(connection: Connection, table: Table) -> int:
    """The highest id that was ever given in a table."""
    if is_postgresql(connection):
        query = "SELECT pg_sequence_last_value(pg_get_serial_sequence(:name, 'id'))"
    else:
        query = "SELECT max(seq) FROM sqlite_sequence WHERE name = :name"
    found = connection.execute(text(query), {"name": table.name}).scalar()
    highest = connection.execute(select(func.max(table.c.id))).scalar()
    return max(found or 0, highest or 0)
