"""Parquet: a file written group by group, as the rows of each are read.

DuckDB writes Parquet too, but from all rows at once or in files to be joined, both of
which hold hundreds of megabytes for a million photos.

Tags are read as ids and named here, each name once a group: DuckDB would look up, and
the file's writer tell apart, eight million texts of a million photos.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import compute, ipc, parquet

from tagger.catalogue import parts
from tagger.catalogue.ahead import ahead
from tagger.catalogue.making import MAKING
from tagger.errors import DataError

# Values that come again and again. For the others a dictionary would only take room.
FEW = (
    *("folder", "state", "reason", "description_source", "model", "camera", "lens"),
    *("format", "rating", "quality", "width", "height"),
    *("tags.list.element", "tag_sources.list.element"),
)


def write(
    cursor: duckdb.DuckDBPyConnection,
    columns: Sequence[str],
    bounds: Iterable[tuple[int, int]],
    path: Path,
) -> int:
    """Write the photos between each pair of bounds as a group; how many they are.

    `columns` are of `parts.PART`. The cursor is one of `parts.reading`.
    """
    select = parts.PART.replace(
        "{columns}", ", ".join("tag_ids" if c == "tags" else c for c in columns)
    )
    names = parts.tag_names(cursor)
    schema = _group(cursor, select, (0, 0), names).schema
    count = 0
    groups = ahead(
        (_own(_group(cursor, select, some, names)) for some in bounds), gives_way=True
    )
    try:
        with (
            closing(groups),
            parquet.ParquetWriter(
                path, schema, compression="zstd", use_dictionary=FEW, store_schema=False
            ) as writer,
        ):
            for group in groups:
                with MAKING.part():
                    writer.write_table(group)
                count += int(group.num_rows)
    except OSError as error:
        raise DataError(
            f"{path.parent}: the export cannot be written: {error}"
        ) from error
    return count


def _group(
    cursor: duckdb.DuckDBPyConnection,
    select: str,
    bounds: tuple[int, int],
    names: pa.StringArray,
) -> pa.Table:
    with MAKING.part():
        table = cursor.execute(select, list(bounds)).to_arrow_table()
    at = table.schema.get_field_index("tag_ids")
    tags = _named(table.column(at).combine_chunks(), names)
    return table.set_column(at, "tags", tags)


def _own(group: pa.Table) -> pa.Table:
    """The group in Arrow's own memory: kept while it reads on, DuckDB's gets holes."""
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, group.schema) as stream:
        stream.write_table(group)
    return ipc.open_stream(sink.getvalue()).read_all()


def _named(lists: pa.ListArray, names: pa.StringArray) -> pa.ListArray:
    """Lists of tag ids as lists of their names, those of one id sharing one text."""
    ids = lists.values.dictionary_encode()
    known = compute.less_equal(ids.dictionary, len(names))
    places = compute.if_else(known, compute.subtract(ids.dictionary, 1), None)
    named = pa.DictionaryArray.from_arrays(ids.indices, names.take(places))
    return pa.ListArray.from_arrays(lists.offsets, named)
