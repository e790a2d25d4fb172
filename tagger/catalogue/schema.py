"""The tables of the catalogue, and how rows get into them.

An update is a delete and an insert in one transaction, several times faster than
DuckDB's upsert. Only `images` has a key: 60 photos found by it cost 5 ms at any size,
and a scan without. There is no other index and no foreign key, to keep clear of the
faults of secondary indexes.

The catalogue is derived, so it has a version and no migrations: a file made by another
version is emptied and filled again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import pyarrow as pa

VERSION = "4"

_ARROW = {
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "VARCHAR": pa.string(),
    "BIGINT[]": pa.list_(pa.int64()),
    "VARCHAR[]": pa.list_(pa.string()),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns with their types, the order it is kept in, its key."""

    name: str
    columns: tuple[tuple[str, str], ...]
    order: str
    key: str | None = None

    @property
    def next(self) -> "Table":
        """The table of the same shape that is filled beside it, to take its place."""
        return replace(self, name=f"{self.name}_next")

    def create(self, cursor: duckdb.DuckDBPyConnection) -> None:
        columns = ", ".join(
            f"{name} {kind}{' PRIMARY KEY' if name == self.key else ''}"
            for name, kind in self.columns
        )
        cursor.execute(f"DROP TABLE IF EXISTS {self.name}")
        cursor.execute(f"CREATE TABLE {self.name} ({columns})")

    def insert(
        self, cursor: duckdb.DuckDBPyConnection, rows: Sequence[Sequence[Any]]
    ) -> None:
        """Add rows, given in the order of the columns.

        As one Arrow table: several times faster than bound lists, which are themselves
        nine times faster than a statement a row.
        """
        if not rows:
            return
        columns = {
            name: pa.array(values, _ARROW[kind])
            for (name, kind), values in zip(
                self.columns, zip(*rows, strict=True), strict=True
            )
        }
        # Not registered under a name: a transaction would keep it until its end.
        cursor.from_arrow(pa.table(columns)).insert_into(self.name)

    def delete(self, cursor: duckdb.DuckDBPyConnection, **ids: Iterable[int]) -> int:
        """Remove the rows with one of these ids in each column named; how many."""
        condition = " AND ".join(
            f"{column} IN (SELECT unnest(?::BIGINT[]))" for column in ids
        )
        cursor.execute(
            f"DELETE FROM {self.name} WHERE {condition}",
            [list(some) for some in ids.values()],
        )
        counted = cursor.fetchone()
        return int(counted[0]) if counted else 0

    def sort(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Rewrite the table in its order."""
        fresh = replace(self, name=f"{self.name}_sorted")
        fresh.create(cursor)
        cursor.execute(
            f"INSERT INTO {fresh.name} SELECT * FROM {self.name} ORDER BY {self.order}"
        )
        self.take_place(cursor, fresh)

    def take_place(self, cursor: duckdb.DuckDBPyConnection, filled: "Table") -> None:
        """Let `filled`, of the same shape, be this table from now on."""
        cursor.execute(f"DROP TABLE {self.name}")
        cursor.execute(f"ALTER TABLE {filled.name} RENAME TO {self.name}")


# One row a photo. Its tags, and who said each, stand here too in the order they are
# shown, because pages and exports read them by photo; `image_tags` is there to count by
# tag.
# `taken_key` is the date with the id in its low bits, as `keys` makes it for sorting.
# `by_human` and `by_model` say whether any tag or the description is theirs.
IMAGES = Table(
    "images",
    (
        ("id", "BIGINT"),
        ("folder_id", "BIGINT"),
        ("directory_id", "BIGINT"),
        ("name", "VARCHAR"),
        ("name_key", "VARCHAR"),
        ("size_bytes", "BIGINT"),
        ("added_at", "VARCHAR"),
        ("state", "VARCHAR"),
        ("reason", "VARCHAR"),
        ("identity", "VARCHAR"),
        ("dhash", "BIGINT"),
        ("quality", "BIGINT"),
        ("rating", "BIGINT"),
        ("format", "VARCHAR"),
        ("width_px", "BIGINT"),
        ("height_px", "BIGINT"),
        ("orientation", "BIGINT"),
        ("frames", "BIGINT"),
        ("taken_at", "VARCHAR"),
        ("camera", "VARCHAR"),
        ("lens", "VARCHAR"),
        ("latitude", "DOUBLE"),
        ("longitude", "DOUBLE"),
        ("description", "VARCHAR"),
        ("description_source", "VARCHAR"),
        ("text", "VARCHAR"),
        ("tag_ids", "BIGINT[]"),
        ("tag_sources", "VARCHAR[]"),
        ("backend", "VARCHAR"),
        ("model", "VARCHAR"),
        ("prompt_version", "VARCHAR"),
        ("server", "VARCHAR"),
        ("seconds", "DOUBLE"),
        ("tokens_in", "BIGINT"),
        ("tokens_out", "BIGINT"),
        ("answered_at", "VARCHAR"),
        ("written_mode", "VARCHAR"),
        ("written_at", "VARCHAR"),
        ("taken_key", "BIGINT"),
        ("by_human", "BOOLEAN"),
        ("by_model", "BOOLEAN"),
    ),
    "id",
    key="id",
)

IMAGE_TAGS = Table(
    "image_tags",
    (
        ("image_id", "BIGINT"),
        ("tag_id", "BIGINT"),
        ("source", "VARCHAR"),
        ("score", "DOUBLE"),
    ),
    "tag_id, image_id",
)

# `key` is the tag in the form that makes two spellings one.
TAGS = Table(
    "tags", (("tag_id", "BIGINT"), ("name", "VARCHAR"), ("key", "VARCHAR")), "tag_id"
)

# The directories photos lie in, with a slash at the end. The id is made of the bytes of
# the path, so that it is the same in every catalogue and in the search index.
DIRECTORIES = Table("directories", (("id", "BIGINT"), ("path", "VARCHAR")), "id")

# The folders people added.
FOLDERS = Table(
    "folders",
    (
        ("id", "BIGINT"),
        ("path", "VARCHAR"),
        ("recursive", "BOOLEAN"),
        ("active", "BOOLEAN"),
        ("write_mode", "VARCHAR"),
        ("added_at", "VARCHAR"),
        ("last_scan_at", "VARCHAR"),
        ("offline", "VARCHAR"),
    ),
    "id",
)

# What the catalogue knows of itself: version, watermark, where it was taken from.
STATE = Table("state", (("key", "VARCHAR"), ("value", "VARCHAR")), "key")

FROM_TRACKING = (IMAGES, IMAGE_TAGS, TAGS, DIRECTORIES, FOLDERS)
EVERY = (*FROM_TRACKING, STATE)


def names(cursor: duckdb.DuckDBPyConnection) -> set[str]:
    """The tables that are there."""
    cursor.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary")
    return {str(row[0]) for row in cursor.fetchall()}


def is_catalogue(present: set[str]) -> bool:
    """Whether these are the tables of a catalogue, of this version or another."""
    return present >= {IMAGES.name, IMAGE_TAGS.name, STATE.name}


def recall(cursor: duckdb.DuckDBPyConnection, key: str) -> str | None:
    """What the catalogue was told to remember under `key`."""
    row = cursor.execute("SELECT value FROM state WHERE key = ?", [key]).fetchone()
    return None if row is None else str(row[0])


def remember(cursor: duckdb.DuckDBPyConnection, **values: str | int) -> None:
    """Keep values under their keys, within the caller's transaction."""
    for key, value in values.items():
        cursor.execute("DELETE FROM state WHERE key = ?", [key])
        cursor.execute("INSERT INTO state VALUES (?, ?)", [key, str(value)])
