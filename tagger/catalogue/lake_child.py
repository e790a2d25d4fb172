"""Publishing at work, in a process of its own: run by `lake`.

The order comes as JSON over standard input, what came of it goes to standard output.
All of one publication is one transaction, so a kill leaves the snapshot before it.
"""

import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from tagger.catalogue import quoting
from tagger.catalogue.quoting import literal

MEMORY_LIMIT = "1GiB"
NEED = (
    "publishing needs the extensions of DuckDB, which are not installed here: "
    "pip install -r requirements-lake.txt"
)
# Views go by the names of the lake itself, whatever a reader calls it.
VIEWS = {
    "photo_tags": "SELECT id, unnest(tags) AS tag, unnest(tag_sources) AS source "
    "FROM photos",
    "tags": "SELECT tag, count(*) AS photos FROM photo_tags GROUP BY tag",
}


class Problem(Exception):
    """What is wrong, and what to do, for the person who publishes."""


def main() -> None:
    """Do what standard input says; says what came of it, or `problem`."""
    order = json.load(sys.stdin)
    try:
        said = _publish(order)
    except Problem as error:
        said = {"problem": str(error)}
    except duckdb.Error as error:
        said = {"problem": str(error).splitlines()[0]}
    json.dump(said, sys.stdout)


def _publish(order: dict[str, Any]) -> dict[str, Any]:
    settings = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": order["spill"],
    }
    with duckdb.connect(config=settings) as lake:
        for name in order["extensions"]:
            lake.execute(f"LOAD {literal(_extension(name))}")
        _attach(lake, order["address"], order["data_path"])
        lake.execute(
            "CREATE TEMP VIEW incoming AS SELECT * FROM "
            f"read_parquet({literal(order['photos'])})"
        )
        lake.execute("BEGIN TRANSACTION")
        _make(lake, order["library"])
        counts = _bring(lake)
        if any(counts.values()):
            said = literal(", ".join(f"{n} {what}" for what, n in counts.items()))
            lake.execute(f"CALL lake.set_commit_message('Image Tagger', {said})")
        lake.execute("COMMIT")
        photos = _number(lake, "SELECT count(*) FROM lake.photos")
        newest = _number(lake, "SELECT max(snapshot_id) FROM lake.snapshots()")
        return {**counts, "photos": photos, "snapshot": newest}


def _extension(name: str) -> str:
    """The file of an extension, which comes as a package made for this very DuckDB."""
    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    if found is None or not found.submodule_search_locations:
        raise Problem(NEED)
    folder = Path(next(iter(found.submodule_search_locations))) / "extensions"
    file = folder / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not file.exists():
        raise Problem(f"{NEED} ({name} is there, but not for {duckdb.__version__})")
    return str(file)


def _attach(
    lake: duckdb.DuckDBPyConnection, address: str, data_path: str | None
) -> None:
    options = f" (DATA_PATH {literal(data_path)})" if data_path else ""
    try:
        lake.execute(f"ATTACH {literal(address)} AS lake{options}")
    except duckdb.Error as error:
        if "data_path is not set" in str(error):
            raise Problem(
                "there is no lake yet; --data-path names the folder for its files"
            ) from error
        raise


def _make(lake: duckdb.DuckDBPyConnection, library: str) -> None:
    """Have the tables there, with all columns; refuses what is not ours."""
    present = _columns(lake, "lake", "photos")
    if not present:
        _begin(lake, library)
        return
    if not _columns(lake, "lake", "library"):
        raise Problem("it holds a table photos that is not ours; name another lake")
    rows = lake.execute("SELECT id FROM lake.library").fetchall()
    if rows != [(library,)]:
        raise Problem(
            "it holds the photos of another library (another data folder); "
            "name another lake"
        )
    for name, kind in _columns(lake, "temp", "incoming").items():
        if name not in present:
            column = f"{quoting.name(name)} {kind}"
            lake.execute(f"ALTER TABLE lake.photos ADD COLUMN {column}")


def _begin(lake: duckdb.DuckDBPyConnection, library: str) -> None:
    lake.execute("CREATE TABLE lake.photos AS SELECT * FROM incoming WHERE false")
    lake.execute("CREATE TABLE lake.library (id VARCHAR)")
    lake.execute("INSERT INTO lake.library VALUES (?)", [library])
    for name, select in VIEWS.items():
        lake.execute(f"CREATE VIEW lake.{name} AS {select}")


def _bring(lake: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Make the lake say what the export says; how many photos that touched."""
    names = _columns(lake, "temp", "incoming")
    new, old = (", ".join(f"{one}.{quoting.name(n)}" for n in names) for one in "no")
    lake.execute(
        "CREATE OR REPLACE TEMP TABLE stale AS SELECT o.id, n.id IS NULL AS is_gone "
        "FROM lake.photos o LEFT JOIN incoming n USING (id) "
        f"WHERE n.id IS NULL OR row({new}) IS DISTINCT FROM row({old})"
    )
    removed = _number(lake, "SELECT count(*) FROM stale WHERE is_gone")
    changed = _number(lake, "SELECT count(*) FROM stale WHERE NOT is_gone")
    if removed or changed:
        lake.execute("DELETE FROM lake.photos WHERE id IN (SELECT id FROM stale)")
    inserted = _number(
        lake,
        "INSERT INTO lake.photos BY NAME SELECT * FROM incoming "
        "WHERE id NOT IN (SELECT id FROM lake.photos)",
    )
    return {"added": inserted - changed, "changed": changed, "removed": removed}


def _columns(
    lake: duckdb.DuckDBPyConnection, database: str, table: str
) -> dict[str, str]:
    rows: Sequence[tuple[str, str]] = lake.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = ? AND table_name = ? ORDER BY column_index",
        [database, table],
    ).fetchall()
    return dict(rows)


def _number(lake: duckdb.DuckDBPyConnection, question: str) -> int:
    row = lake.execute(question).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


if __name__ == "__main__":
    main()
