"""Paging: which photos are on a page, and the marks that lead to the ones beside it.

A page is found from the last photo of the one before (keyset), so it costs the same at
any depth, and photos added meanwhile neither repeat nor hide one. A list by relevance
has no such key; there the mark holds the rank and the photo at it, and if the list has
changed meanwhile, the page goes on after that photo.

DuckDB lists all photos, and sorts by name; the search index lists what is narrowed in
any way. So the whole gallery can be leafed through while the index is made anew.
"""

import base64
import binascii
import json
from dataclasses import dataclass

import duckdb

from tagger.catalogue import keys
from tagger.catalogue.search import ByColumn, ordered, ranked
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import (
    Chosen,
    Sort,
    Wanted,
    choose,
    compiled,
    is_everything,
    month_of,
    sort_of,
)
from tagger.catalogue.wanted import (
    ranked as by_likeness,
)
from tagger.errors import UsageError

LARGEST_PAGE = 1_000
LARGEST_NUMBER = 2**62
NEAR = 8

Key = int | str


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
    Sort.TAKEN: Order("i.taken_key", descending=True),
    Sort.NAME: Order("i.name_key", descending=False),
    Sort.SIZE: Order("i.size_bytes", descending=True),
    Sort.RATING: Order("coalesce(i.rating, 0)", descending=True),
    Sort.QUALITY: Order("coalesce(i.quality, -1)", descending=True),
}
COLUMNS = {
    Sort.NEWEST: ByColumn("id", descending=True),
    Sort.OLDEST: ByColumn("id", descending=False),
    Sort.TAKEN: ByColumn("taken", descending=True),
    Sort.SIZE: ByColumn("size", descending=True),
    Sort.RATING: ByColumn("rating", descending=True),
    Sort.QUALITY: ByColumn("quality", descending=True),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a list: after (or before) the photo `id`, whose sort key is `key`.

    By relevance, `key` is the rank of that photo, counted from 0.
    """

    sort: Sort
    back: bool
    key: Key
    id: int

    def encode(self) -> str:
        plain = json.dumps([self.sort, self.back, self.key, self.id])
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Slice:
    """The ids on a page, the marks beside it, and the total of the whole list."""

    ids: list[int]
    total: int
    next: str | None
    previous: str | None


def decode(text: str, sort: Sort, kind: type[Key]) -> Mark:
    """The mark out of an address; raises `UsageError` if it is none for this list.

    `kind` is that of the list's keys.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        name, back, key, image_id = json.loads(base64.urlsafe_b64decode(padded))
        mark = Mark(Sort(name), bool(back), key, int(image_id))
    except (binascii.Error, ValueError, TypeError):
        raise UsageError("This page address is not valid; start at page one") from None
    if mark.sort is not sort or not isinstance(key, kind):
        raise UsageError("This page belongs to another list; start at page one")
    numbers = [mark.id] if isinstance(key, str) else [mark.id, key]
    if any(abs(number) > LARGEST_NUMBER for number in numbers):
        raise UsageError("This page address is not valid; start at page one")
    return mark


def at_month(month: str | None) -> str:
    """The mark before the last photo taken in a month, by the date they were taken.

    None stands for the photos without a date. Raises `UsageError` for no month.
    """
    if month is None:
        key = keys.taken_from(0)
    else:
        end = month_of(month).high
        assert end is not None
        key = keys.taken_from(keys.seconds(end))
    return Mark(Sort.TAKEN, False, key, 0).encode()


def slice_of(
    catalogue: Catalogue, wanted: Wanted, *, after: str | None, limit: int
) -> Slice:
    """The ids of one page. `after` is a mark this gave before, forward or back."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise UsageError(f"A page has 1 to {LARGEST_PAGE} photos, not {limit}")
    sort = sort_of(wanted)
    in_rows = sort is Sort.NAME or (sort in ORDERS and is_everything(wanted))
    mark = decode(after, sort, str if sort is Sort.NAME else int) if after else None
    if sort is Sort.RELEVANCE:
        return _by_rank(catalogue, wanted, mark, limit)
    back = mark is not None and mark.back
    if in_rows:
        found, total = _selected(catalogue, wanted, sort, mark, limit + 1)
    else:
        found, total = _searched(catalogue, wanted, sort, mark, limit + 1)
    more, found = len(found) > limit, found[:limit]
    if not found:
        return Slice([], total, None, None)
    if back:
        found.reverse()
    onward = Mark(sort, False, found[-1][1], found[-1][0]).encode()
    backward = Mark(sort, True, found[0][1], found[0][0]).encode()
    return Slice(
        [row[0] for row in found],
        total,
        onward if more or back else None,
        backward if (more if back else mark is not None) else None,
    )


def _searched(
    catalogue: Catalogue, wanted: Wanted, sort: Sort, mark: Mark | None, limit: int
) -> tuple[list[tuple[int, Key]], int]:
    """Ids with their keys, nearest first, and the total, from the search index."""
    column = COLUMNS[sort]
    back = mark is not None and mark.back
    past = None if mark is None else int(mark.key)
    by = ByColumn(column.column, column.descending is not back, past)
    hits = ordered(catalogue.text, compiled(catalogue, wanted), by, limit=limit)
    return list(zip(hits.ids, hits.keys, strict=True)), hits.total


def _selected(
    catalogue: Catalogue, wanted: Wanted, sort: Sort, mark: Mark | None, limit: int
) -> tuple[list[tuple[int, Key]], int]:
    """The same from the rows."""
    chosen = choose(catalogue, wanted)
    order = ORDERS[sort]
    descending = order.descending is not (mark is not None and mark.back)
    with catalogue.cursor() as cursor:
        chosen.bind(cursor)
        cursor.execute(
            f"SELECT count(*) FROM images i WHERE {chosen.condition}",
            list(chosen.parameters),
        )
        total = int(cursor.fetchall()[0][0])
        if order.key is None:
            near = _near(cursor, mark, descending, limit)
            found = _listed(cursor, chosen, order, descending, near, limit)
            if len(found) == limit:
                return found, total
        beyond = _beyond(order, mark, descending)
        return _listed(cursor, chosen, order, descending, beyond, limit), total


Condition = tuple[str, list[Key]]


def _listed(
    cursor: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    order: Order,
    descending: bool,
    where: Condition,
    limit: int,
) -> list[tuple[int, Key]]:
    cursor.execute(
        f"SELECT i.id, {order.key or 'i.id'} FROM images i "
        f"WHERE {chosen.condition} AND {where[0]} "
        f"ORDER BY {order.by(descending)} LIMIT ?",
        [*chosen.parameters, *where[1], limit],
    )
    found: list[tuple[int, Key]] = cursor.fetchall()
    return found


def _beyond(order: Order, mark: Mark | None, descending: bool) -> Condition:
    if mark is None:
        return "true", []
    by_id = order.key is None
    values: list[Key] = [mark.id] if by_id else [mark.key, mark.key, mark.id]
    return f"({order.beyond(descending)})", values


def _near(
    cursor: duckdb.DuckDBPyConnection, mark: Mark | None, descending: bool, limit: int
) -> Condition:
    """The ids next to the mark: where few are gone, they are all a page needs.

    To list by id, DuckDB would go through all that lie beyond.
    """
    span = limit * NEAR
    if mark is not None:
        start = mark.id
    else:
        cursor.execute("SELECT max(id) + 1, min(id) - 1 FROM images")
        newest, oldest = cursor.fetchall()[0]
        start = (newest if descending else oldest) or 0
    low, high = (start - span, start) if descending else (start, start + span)
    return "i.id > ? AND i.id < ?", [low, high]


def _by_rank(
    catalogue: Catalogue, wanted: Wanted, mark: Mark | None, limit: int
) -> Slice:
    alike = by_likeness(catalogue, wanted)
    if alike is not None:
        return _of_list(alike, mark, limit)
    query = compiled(catalogue, wanted)
    around = int(mark.key) if mark else 0
    # One page more than needed on both sides, to find a photo that has moved.
    low = max(0, around - 2 * limit)
    hits = ranked(catalogue.text, query, offset=low, limit=around - low + 2 * limit)
    start, stop = 0, limit
    if mark is not None:
        here = hits.ids.index(mark.id) + low if mark.id in hits.ids else around
        start = max(low, here - limit) if mark.back else here + 1
        stop = here if mark.back else start + limit
    return _ranked_slice(hits.ids[start - low : stop - low], start, hits.total)


def _of_list(ids: list[int], mark: Mark | None, limit: int) -> Slice:
    """A page of photos that are all known in their order."""
    here, start = -1, 0
    if mark is not None:
        here = ids.index(mark.id) if mark.id in ids else int(mark.key)
        start = max(0, here - limit) if mark.back else here + 1
    stop = max(0, here) if mark is not None and mark.back else start + limit
    return _ranked_slice(ids[start:stop], start, len(ids))


def _ranked_slice(ids: list[int], start: int, total: int) -> Slice:
    """A page whose first photo has the rank `start`, with the ways on and back."""
    if not ids:
        return Slice([], total, None, None)
    end = start + len(ids)
    onward = Mark(Sort.RELEVANCE, False, end - 1, ids[-1]).encode()
    backward = Mark(Sort.RELEVANCE, True, start, ids[0]).encode()
    return Slice(
        ids,
        total,
        onward if end < total else None,
        backward if start > 0 else None,
    )
