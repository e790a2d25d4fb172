"""Parquet: a file written group by group, as the rows of each are read.

DuckDB writes Parquet too, but from all rows at once or in files to be joined, both of
which hold hundreds of megabytes for a million photos.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import parquet

from tagger.errors import DataError

GROUP_ROWS = 10_000
# Values that come again and again. For the others a dictionary would only take room.
FEW = (
    *("folder", "state", "reason", "description_source", "model", "camera", "lens"),
    *("format", "width", "height", "tags.list.element", "tag_sources.list.element"),
)


def write(
    cursor: duckdb.DuckDBPyConnection,
    select: str,
    bounds: Iterable[tuple[int, int]],
    path: Path,
) -> int:
    """Write what a statement selects within each pair of bounds; how many rows."""
    groups = _groups(cursor, select, bounds)
    first = next(groups)
    count = int(first.num_rows)
    try:
        with parquet.ParquetWriter(
            path, first.schema, compression="zstd", use_dictionary=FEW
        ) as writer:
            writer.write_table(first)
            del first
            for group in groups:
                writer.write_table(group)
                count += int(group.num_rows)
    except OSError as error:
        raise DataError(
            f"{path.parent}: the export cannot be written: {error}"
        ) from error
    return count


def _groups(
    cursor: duckdb.DuckDBPyConnection, select: str, bounds: Iterable[tuple[int, int]]
) -> Iterator[pa.Table]:
    """The rows in tables of at least `GROUP_ROWS`, but the last; at least one."""
    parts: list[pa.Table] = []
    for low, high in bounds:
        parts.append(cursor.execute(select, [low, high]).to_arrow_table())
        if sum(part.num_rows for part in parts) >= GROUP_ROWS:
            yield pa.concat_tables(parts)
            parts.clear()
    if parts:
        yield pa.concat_tables(parts)
