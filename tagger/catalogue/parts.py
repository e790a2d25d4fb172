"""Parts: the photos of an export, some thousand at a time, from one state.

An export keeps the ids it is about in a table of its own cursor and reads the photos by
ranges of them, so memory stays flat however many there are.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise

import duckdb
import pyarrow as pa

from tagger.catalogue import schema
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Chosen

PART_ROWS = 6_000
TRIES = 20

# The name of each tag, at the place of its id. Looking names up in one list takes a
# tenth of the time of joining them and collecting them again. A variable, not a table
# to join: a join would copy the list for every photo.
_NAMES = """SET VARIABLE names = (
    SELECT list(coalesce(name, '') ORDER BY place)
    FROM range(1, (SELECT coalesce(max(tag_id), 0) + 1 FROM tags)) r(place)
        LEFT JOIN tags ON tag_id = place)"""

# What is known of the photos between two ids; `{columns}` of `part` are selected.
# `copy` counts the photos whose paths are one where case makes no difference.
PART = """WITH part AS (
    SELECT i.id, i.name, i.state, i.reason, i.description, i.description_source,
        i.text, i.tag_ids, i.tag_sources, i.model, i.prompt_version, i.taken_at,
        i.camera, i.lens, i.latitude, i.longitude, i.width_px AS width,
        i.height_px AS height, i.size_bytes AS bytes, i.format, i.added_at,
        i.rating, i.quality, i.answered_at, chosen.copy,
        coalesce(d.path, '') || i.name AS path,
        f.path AS folder,
        list_select(getvariable('names'), i.tag_ids) AS tags
    FROM images i JOIN chosen USING (id)
        LEFT JOIN directories d ON d.id = i.directory_id
        LEFT JOIN folders f ON f.id = i.folder_id
    WHERE i.id > ? AND i.id <= ?)
SELECT {columns} FROM part ORDER BY id"""

_ONCE = "1"
_COPY = "row_number() OVER (PARTITION BY lower(coalesce(d.path, '') || i.name) "


@contextmanager
def reading(
    catalogue: Catalogue, chosen: Chosen, *, cursors: int = 1, copies: bool = False
) -> Iterator[list[duckdb.DuckDBPyConnection]]:
    """Cursors that read the photos meant from one state; at most so many.

    Only one, if the catalogue is changed so often that others never see the same.
    `copies` has `copy` counted.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(catalogue.cursor()) for _ in range(cursors)]
        for _ in range(TRIES):
            if len({_begin(cursor) for cursor in opened}) == 1:
                break
            for cursor in opened:
                cursor.execute("ROLLBACK")
        else:
            del opened[1:]
            _begin(opened[0])
        for cursor in opened:
            _fix(cursor, chosen, copies=copies)
        yield opened


def _begin(cursor: duckdb.DuckDBPyConnection) -> tuple[str | None, ...]:
    """Begin to read; which state that is."""
    cursor.execute("BEGIN TRANSACTION")
    return tuple(schema.recall(cursor, key) for key in ("catalogue_id", "change"))


def _fix(cursor: duckdb.DuckDBPyConnection, chosen: Chosen, *, copies: bool) -> None:
    cursor.execute(_NAMES)
    chosen.bind(cursor)
    copy = f"{_COPY} ORDER BY i.id)" if copies else _ONCE
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE chosen AS SELECT i.id, {copy} AS copy "
        "FROM images i LEFT JOIN directories d ON d.id = i.directory_id "
        f"WHERE {chosen.condition} ORDER BY i.id",
        list(chosen.parameters),
    )


def tag_names(cursor: duckdb.DuckDBPyConnection) -> pa.StringArray:
    """The names of the tags, that of the id 1 first."""
    cursor.execute("SELECT unnest(coalesce(getvariable('names'), []))::VARCHAR AS name")
    return cursor.to_arrow_table().column(0).combine_chunks()


def bounds(cursor: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    """Ranges of ids, open below, that hold at most `PART_ROWS` photos each."""
    cursor.execute(
        "SELECT max(id) FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) // ? "
        "AS part FROM chosen) GROUP BY part ORDER BY part",
        [PART_ROWS],
    )
    tops = [0, *(int(row[0]) for row in cursor.fetchall())]
    return list(pairwise(tops)) or [(0, 0)]
