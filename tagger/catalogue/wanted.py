"""Wanted: which photos a screen, a search or an export asks for, and in what order.

With words to look for, the search index alone decides which photos are meant, filters
included; without, DuckDB does. Both give the same photos for the same filters.
"""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from tagger.catalogue import language
from tagger.catalogue.search import Filters, search, tag_ids
from tagger.catalogue.store import Catalogue
from tagger.errors import UsageError
from tagger.records import ImageState

_MONTH = re.compile(r"(?P<year>\d{4})(-(?P<month>0[1-9]|1[0-2]))?")


class Sort(StrEnum):
    """The orders photos can be listed in; each is made total by the id."""

    NEWEST = "newest"  # added last
    OLDEST = "oldest"
    TAKEN = "taken"  # taken last; those without a date at the end
    NAME = "name"
    SIZE = "size"  # largest file first
    RELEVANCE = "relevance"  # best match first; newest if there are no words


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A question for photos. All conditions must hold.

    `query` is in the language of `language`. `tags` are names, all of which a photo
    must have. `month` is `2024-05`, or a year, `2024`. Without a `state`, photos in any
    state are meant except the missing ones.
    """

    query: str = ""
    folder_id: int | None = None
    tags: tuple[str, ...] = ()
    state: ImageState | None = None
    month: str | None = None
    sort: Sort | str = Sort.NEWEST


@dataclass(frozen=True, slots=True)
class Order:
    """A sort as SQL: what photos are compared by before their id, and which way."""

    key: str | None
    descending: bool

    def by(self, descending: bool) -> str:
        """What follows ORDER BY, this way or backwards."""
        way = "DESC" if descending else "ASC"
        return f"i.id {way}" if self.key is None else f"{self.key} {way}, i.id {way}"

    def beyond(self, descending: bool) -> str:
        """The condition on photos after a given one: its key twice, then its id."""
        than = "<" if descending else ">"
        if self.key is None:
            return f"i.id {than} ?"
        return f"{self.key} {than}= ? AND ({self.key} {than} ? OR i.id {than} ?)"


ORDERS = {
    Sort.NEWEST: Order(None, descending=True),
    Sort.OLDEST: Order(None, descending=False),
    Sort.TAKEN: Order("coalesce(i.taken_at, '')", descending=True),
    Sort.NAME: Order("i.name_key", descending=False),
    Sort.SIZE: Order("i.size_bytes", descending=True),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The photos meant, as an SQL condition on `images i` with its parameters.

    `hits` are ids the search index found; they take part as the table `hits`, which
    `bind` makes known to a cursor.
    """

    condition: str = "true"
    parameters: tuple[Any, ...] = ()
    hits: NDArray[np.int64] | None = field(default=None, compare=False)

    def bind(self, cursor: duckdb.DuckDBPyConnection) -> None:
        if self.hits is not None:
            cursor.register("hits", {"id": self.hits})


def sort_of(wanted: Wanted) -> Sort:
    """The order in force: without words there is no relevance to order by."""
    try:
        sort = Sort(wanted.sort)
    except ValueError:
        allowed = ", ".join(Sort)
        raise UsageError(
            f"Photos cannot be sorted by {wanted.sort!r}; the orders are {allowed}"
        ) from None
    if sort is Sort.RELEVANCE and not wanted.query.strip():
        return Sort.NEWEST
    return sort


def choose(catalogue: Catalogue, wanted: Wanted, *, any_state: bool = False) -> Chosen:
    """The photos that are meant. Raises `UsageError` if the question is no good."""
    clauses = language.parse(wanted.query)
    with catalogue.cursor() as cursor:
        filters = replace(filters_of(cursor, wanted), any_state=any_state)
        if not clauses:
            return _by_filters(filters)
        found = search(catalogue.text, cursor, clauses, filters)
    return Chosen(
        "i.id IN (SELECT id FROM hits)", (), np.array(found.ids, dtype=np.int64)
    )


def filters_of(cursor: duckdb.DuckDBPyConnection, wanted: Wanted) -> Filters:
    """The conditions beside the words, names resolved to ids."""
    year, month = _month(wanted.month)
    return Filters(
        folder_id=wanted.folder_id,
        state=None if wanted.state is None else ImageState(wanted.state),
        year=year if month is None else None,
        month=None if month is None or year is None else year * 100 + month,
        tags=tuple(tag_ids(cursor, name) for name in wanted.tags),
    )


def _month(text: str | None) -> tuple[int | None, int | None]:
    if not text:
        return None, None
    found = _MONTH.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{text!r} is no month; write it as 2024-05, or a year as 2024"
        )
    return int(found["year"]), int(found["month"]) if found["month"] else None


def _by_filters(filters: Filters) -> Chosen:
    conditions, bound = _by_state(filters)
    if filters.folder_id is not None:
        conditions.append("i.folder_id = ?")
        bound.append(filters.folder_id)
    if filters.month is not None:
        conditions.append("starts_with(i.taken_at, ?)")
        bound.append(f"{filters.month // 100:04d}-{filters.month % 100:02d}")
    if filters.year is not None:
        conditions.append("starts_with(i.taken_at, ?)")
        bound.append(f"{filters.year:04d}-")
    for ids in filters.tags:
        conditions.append(
            "i.id IN (SELECT image_id FROM image_tags "
            "WHERE tag_id IN (SELECT unnest(?::BIGINT[])))"
        )
        bound.append(sorted(ids))
    return Chosen(" AND ".join(conditions), tuple(bound))


def _by_state(filters: Filters) -> tuple[list[str], list[Any]]:
    if filters.any_state:
        return ["true"], []
    if filters.state is None:
        return ["i.state <> ?"], [ImageState.MISSING.value]
    return ["i.state = ?"], [filters.state.value]
