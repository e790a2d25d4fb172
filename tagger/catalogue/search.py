"""Search: photos found by the search index, by rank or in the order of a column.

Words and filters are one query, so that ranking, total and filtering cost one pass.
Ids of hits are read from a fast column, never document by document.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tantivy
from numpy.typing import NDArray
from tantivy import Occur, Query

from tagger.catalogue.textindex import TextIndex

# The index refuses to count more different values than that in one go.
MOST_BUCKETS = 60_000


@dataclass(frozen=True, slots=True)
class Hits:
    """Ids of photos in order, each with its key, and how many there are in all.

    By rank, keys are the ranks, counted from 0.
    """

    ids: list[int]
    keys: list[int]
    total: int


@dataclass(frozen=True, slots=True)
class ByColumn:
    """An order by a column that differs from photo to photo, beyond the key `past`."""

    column: str
    descending: bool
    past: int | None = None


def ranked(text: TextIndex, query: Query, *, offset: int = 0, limit: int) -> Hits:
    """The best matches, from the rank `offset` on."""
    searcher = text.searcher()
    # The stub of `SearchResult` leaves `count` out.
    result: Any = searcher.search(query, limit=limit, offset=offset)
    ids = _ids(searcher, [address for _, address in result.hits])
    return Hits(ids, list(range(offset, offset + len(ids))), result.count)


def ordered(text: TextIndex, query: Query, by: ByColumn, *, limit: int) -> Hits:
    """The first photos beyond a key, in the order of a column."""
    searcher = text.searcher()
    order = tantivy.Order.Desc if by.descending else tantivy.Order.Asc
    result: Any = searcher.search(
        _past(text, query, by), limit=limit, order_by_field=by.column, order=order
    )
    whole: Any = result if by.past is None else searcher.search(query, limit=1)
    ids = _ids(searcher, [address for _, address in result.hits])
    return Hits(ids, [int(key) for key, _ in result.hits], whole.count)


def every_id(text: TextIndex, query: Query) -> NDArray[np.int64]:
    """The ids of all photos found, in no order."""
    searcher = text.searcher()
    most = max(1, int(searcher.num_docs))
    result = searcher.search(query, limit=most, count=False)
    ids = _ids(searcher, [address for _, address in result.hits])
    return np.array(ids, dtype=np.int64)


def most_frequent(
    text: TextIndex, query: Query, field: str, *, limit: int
) -> list[tuple[int, int]]:
    """The numbers most of the photos have in a field, each with how many have it.

    At least the `limit` most frequent ones, with all that are as frequent as the last.
    """
    searcher = text.searcher()
    size = limit + 1
    while True:
        terms = {"field": field, "size": size, "segment_size": MOST_BUCKETS}
        found: Any = searcher.aggregate(query, {"by": {"terms": terms}})
        counted = [
            (int(bucket["key"]), int(bucket["doc_count"]))
            for bucket in found["by"]["buckets"]
        ]
        ends = len(counted) < size or counted[-1][1] < counted[limit - 1][1]
        if ends or size >= MOST_BUCKETS:
            return counted
        size = min(size * 8, MOST_BUCKETS)


def total(text: TextIndex, query: Query) -> int:
    """How many photos there are."""
    result: Any = text.searcher().search(query, limit=1)
    return int(result.count)


def _ids(searcher: tantivy.Searcher, addresses: Sequence[Any]) -> list[int]:
    ids = searcher.fast_field_values("id", list(addresses))
    return [int(image_id) for image_id in ids if image_id is not None]


def _past(text: TextIndex, query: Query, by: ByColumn) -> Query:
    if by.past is None:
        return query
    # An open side has to be inclusive, so both are.
    beyond = Query.range_query(
        text.schema,
        by.column,
        tantivy.FieldType.Integer,
        lower_bound=None if by.descending else by.past + 1,
        upper_bound=by.past - 1 if by.descending else None,
    )
    return Query.boolean_query([(Occur.Must, query), (Occur.Must, beyond)])
