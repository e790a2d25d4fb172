"""Wanted: which photos a screen, a search or an export asks for, and in what order.

A query and the filters beside it become one tree, and the search index alone decides
which photos fulfil it. For what DuckDB is better at, counting over all tags or writing
a file, the photos found are given to it as a list of ids.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import duckdb
import numpy as np
import tantivy
from numpy.typing import NDArray

from tagger.catalogue import search
from tagger.catalogue.alike import ranking
from tagger.catalogue.compiling import Compiler
from tagger.catalogue.query import parse
from tagger.catalogue.query.tree import (
    All,
    Node,
    Not,
    Of,
    OneOf,
    Stands,
    Tagged,
    Taken,
    both,
)
from tagger.catalogue.store import Catalogue
from tagger.errors import UsageError
from tagger.records import ImageState

_MONTH = re.compile(r"(?P<year>\d{4})(-(?P<month>0[1-9]|1[0-2]))?", re.ASCII)


class Sort(StrEnum):
    """The orders photos can be listed in; each is made total by the id."""

    NEWEST = "newest"  # added last
    OLDEST = "oldest"
    TAKEN = "taken"  # taken last; those without a date at the end
    NAME = "name"
    SIZE = "size"  # largest file first
    RATING = "rating"  # most stars first; at the end those without, then rejected ones
    QUALITY = "quality"  # sharpest and best exposed first
    RELEVANCE = "relevance"  # best match first; newest if there are no words


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A question for photos. All conditions must hold.

    `query` is in the language of docs/QUERY.md. `tags` are names, all of which a photo
    must have. `month` is `2024-05`, or a year, `2024`. Without a `state`, photos in any
    state are meant except the missing ones. `ids` are photos somebody picked, and `but`
    those taken out of what else would be meant.
    """

    query: str = ""
    folder_id: int | None = None
    tags: tuple[str, ...] = ()
    state: ImageState | None = None
    month: str | None = None
    sort: Sort | str = Sort.NEWEST
    ids: tuple[int, ...] | None = None
    but: tuple[int, ...] = ()


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


def tree_of(wanted: Wanted) -> Node:
    """The query and the filters as one tree. Raises `UsageError` on a bad one."""
    filters: list[Node] = [Tagged(name) for name in wanted.tags]
    if wanted.folder_id is not None:
        filters.append(Of(wanted.folder_id))
    if wanted.state is not None:
        filters.append(Stands((ImageState(wanted.state),)))
    if wanted.month:
        filters.append(month_of(wanted.month))
    if wanted.ids is not None:
        filters.append(OneOf(wanted.ids))
    if wanted.but:
        filters.append(Not(OneOf(wanted.but)))
    return both(parse(wanted.query), *filters)


def is_everything(wanted: Wanted) -> bool:
    """Whether no photo is left out, but the missing ones."""
    return tree_of(wanted) == All(())


def compiled(
    catalogue: Catalogue, wanted: Wanted, *, any_state: bool = False
) -> tantivy.Query:
    """The question as the search index takes it."""
    node = ranking.settled(catalogue, tree_of(wanted), any_state=any_state)
    with catalogue.cursor() as cursor:
        return Compiler(catalogue.text, cursor).compile(node, any_state=any_state)


def ranked(catalogue: Catalogue, wanted: Wanted) -> list[int] | None:
    """The photos in the order of their likeness; None where it is not asked for."""
    return ranking.ranked(catalogue, tree_of(wanted))


def choose(catalogue: Catalogue, wanted: Wanted, *, any_state: bool = False) -> Chosen:
    """The photos that are meant, for DuckDB."""
    node = tree_of(wanted)
    if node == All(()):
        return Chosen() if any_state else Chosen("i.state <> ?", (_MISSING,))
    query = compiled(catalogue, wanted, any_state=any_state)
    found = search.every_id(catalogue.text, query)
    return Chosen("i.id IN (SELECT id FROM hits)", (), found)


_MISSING = ImageState.MISSING.value


def month_of(text: str) -> Taken:
    """The condition of a month, or a year. Raises `UsageError` for what is none."""
    found = _MONTH.fullmatch(text)
    if found is None or found["year"] in ("0000", "9999"):
        raise UsageError(
            f"{text!r} is no month; write it as 2024-05, or a year as 2024"
        )
    first = int(found["year"]) * 12 + int(found["month"] or 1) - 1
    last = first + (1 if found["month"] else 12)
    return Taken(_first_day(first), _first_day(last))


def _first_day(month: int) -> datetime:
    return datetime(month // 12, month % 12 + 1, 1)
