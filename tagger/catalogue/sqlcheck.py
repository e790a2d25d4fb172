"""SQL check: whether a person's SQL is one question, and only about what is offered.

DuckDB's own parser reads it, and its tree is gone through before anything runs. What is
not known to be harmless is refused: any statement but one SELECT, any table but the
views, any function in FROM that is not listed. The confinement of the instance (see
`store`) stands behind this and holds without it.

Some functions make a value of any size in one step, in which a question can neither be
interrupted nor held to the catalogue's memory: `range(300000000)` outside FROM took
two minutes and 18 GB. They are refused as well.
"""

import json
import re
from typing import Any

import duckdb

from tagger.catalogue.views import NAMES
from tagger.errors import SqlError

LONGEST = 100_000

# Functions that may stand in FROM: they read nothing, and stop when they are told to.
TABLE_FUNCTIONS = frozenset(
    {"generate_series", "json_each", "json_tree", "range", "unnest"}
)
_FROM_ONLY = frozenset({"generate_series", "range"})
_BOUNDLESS = frozenset(
    {
        *("array_resize", "bar", "bitstring", "list_resize", "lpad", "repeat"),
        *("rpad", "sleep_ms", "pg_sleep"),
    }
)
# Their patterns name widths, or have them taken from a value.
_PATTERNS = frozenset({"format", "printf"})
_WIDE = re.compile(r"\d{4}|\*|:[^}]*\{")
_INWARD = frozenset(
    {
        *("current_setting", "currval", "getenv", "getvariable", "nextval"),
        *("setseed", "stats", "write_log"),
    }
)
_OFFERED = ", ".join(sorted(NAMES))


def check(cursor: duckdb.DuckDBPyConnection, text: str) -> frozenset[str]:
    """The views a question is about. Raises `SqlError` if it may not be asked."""
    if len(text) > LONGEST:
        raise SqlError(f"SQL has up to {LONGEST:,} characters here, not {len(text):,}")
    # A zero would end the text for one reader of it and not for another.
    if "\0" in text or text.encode("utf-8", "replace").decode() != text:
        raise SqlError("This is no text: there is a character in it that is none")
    statements = cursor.extract_statements(text)
    if not statements:
        raise SqlError("Write a SELECT, such as SELECT count(*) FROM photos")
    if len(statements) > 1:
        raise SqlError(
            "One SELECT at a time. (A PIVOT has to name its values: "
            "PIVOT … ON state IN ('tagged', 'failed'))"
        )
    kind = statements[0].type.name
    if kind != "SELECT":
        raise SqlError(f"Only SELECT can be asked here, and this is {kind}")
    if statements[0].named_parameters:
        raise SqlError("There is nothing to put in for ? or $name; write the value")
    return _Reader().read(_tree(cursor, text))


def _tree(cursor: duckdb.DuckDBPyConnection, text: str) -> Any:
    row = cursor.execute(
        "SELECT json_serialize_sql(?, skip_null := true, skip_empty := true)", [text]
    ).fetchone()
    try:
        tree = json.loads(row[0]) if row else {"error": True}
    except RecursionError as error:
        raise SqlError("This is nested too deeply") from error
    if tree["error"]:
        raise SqlError(f"Only SELECT can be asked here: {tree.get('error_message')}")
    return tree["statements"]


class _Reader:
    """Goes through a parsed SELECT with the names that WITH gives at each place."""

    def __init__(self) -> None:
        self._views: set[str] = set()
        self._left: list[tuple[Any, frozenset[str]]] = []

    def read(self, tree: Any) -> frozenset[str]:
        self._left.append((tree, frozenset()))
        while self._left:
            node, known = self._left.pop()
            if isinstance(node, list):
                self._left += [(each, known) for each in node]
            elif isinstance(node, dict):
                self._node(node, known)
        return frozenset(self._views)

    def _node(self, node: dict[str, Any], known: frozenset[str]) -> None:
        rest = dict(node)
        for named in rest.pop("cte_map", {}).get("map", ()):
            self._left.append((named["value"], known))
            known |= {named["key"].lower()}
        kind = rest.get("type")
        if kind == "BASE_TABLE":
            self._table(rest, known)
        elif kind == "TABLE_FUNCTION":
            self._table_function(rest["function"])
            self._left.append((rest.pop("function").get("children"), known))
        elif kind == "SHOW_REF" and "query" not in rest:
            raise SqlError("SHOW is not offered here; DESCRIBE photos is")
        elif kind == "RECURSIVE_CTE_NODE":
            named = known | {rest["cte_name"].lower()}
            self._left.append((rest.pop("right"), named))
        elif "function_name" in rest:
            _check_function(rest["function_name"].lower(), rest.get("children"))
        self._left += [(each, known) for each in rest.values()]

    def _table(self, table: dict[str, Any], known: frozenset[str]) -> None:
        name = table["table_name"]
        inside = table.get("schema_name") or table.get("catalog_name")
        if not inside and name.lower() in known:
            return
        if inside or name.lower() not in NAMES:
            full = f"{inside}.{name}" if inside else name
            raise SqlError(f"There is no table {full} here; there are {_OFFERED}")
        self._views.add(name.lower())

    def _table_function(self, function: dict[str, Any]) -> None:
        name = function.get("function_name", "").lower()
        if name not in TABLE_FUNCTIONS:
            offered = ", ".join(sorted(TABLE_FUNCTIONS))
            raise SqlError(f"{name} cannot stand in FROM here; what can is {offered}")


def _check_function(name: str, arguments: Any) -> None:
    if name in _FROM_ONLY:
        raise SqlError(
            f"{name} can stand in FROM only, as in SELECT … FROM {name}(1, 12)"
        )
    if name in _BOUNDLESS or name in _INWARD:
        raise SqlError(f"The function {name} is not offered here")
    if name in _PATTERNS and not _is_narrow(arguments):
        raise SqlError(
            f"The pattern of {name} has to be a text with widths below 1000, "
            "as in format('{:,}', 12345)"
        )


def _is_narrow(arguments: Any) -> bool:
    """Whether the first argument is a text, and makes nothing wide out of little."""
    first = arguments[0] if arguments else {}
    value = first.get("value", {}) if first.get("class") == "CONSTANT" else {}
    text = value.get("value") if isinstance(value, dict) else None
    return isinstance(text, str) and _WIDE.search(text) is None
