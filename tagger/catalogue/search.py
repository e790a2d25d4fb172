"""Search: a query and the filters beside it, answered by the search index alone.

Words and filters become one tantivy query, so that ranking, total and filtering cost
one pass. Ids of hits are read from a fast column, never document by document.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import tantivy
from tantivy import Occur, Query

from tagger.catalogue.language import Clause, InFolder, Tagged, Words
from tagger.catalogue.textindex import TextIndex
from tagger.records import ImageState
from tagger.tracking import tagnames

# A word that stands among the tags says more than one in the description.
TAG_WEIGHT = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What hits must have besides the words. `tags`: one set of ids for each tag.

    Without a `state`, missing photos are left out, unless `any_state` is set.
    """

    folder_id: int | None = None
    state: ImageState | None = None
    any_state: bool = False
    month: int | None = None
    year: int | None = None
    tags: tuple[frozenset[int], ...] = ()


@dataclass(frozen=True, slots=True)
class ById:
    """Hits in order of id instead of rank, from (and without) the id `past` on."""

    descending: bool
    past: int | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """Ids of photos, best first, and how many there are in all."""

    ids: list[int]
    total: int


def search(
    text: TextIndex,
    cursor: duckdb.DuckDBPyConnection,
    clauses: Sequence[Clause],
    filters: Filters,
    *,
    by_id: ById | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> Hits:
    """The photos that fulfil all clauses and filters; all of them without a limit."""
    query = _Compiler(text, cursor).compile(clauses, filters)
    searcher = text.searcher()
    most = max(1, int(searcher.num_docs)) if limit is None else limit
    # The stub of `SearchResult` leaves `count` out.
    result: Any
    if by_id is None:
        result = searcher.search(query, limit=most, offset=offset)
        return Hits(_ids(searcher, result), result.count)
    order = tantivy.Order.Desc if by_id.descending else tantivy.Order.Asc
    part = _past(text, query, by_id)
    result = searcher.search(part, limit=most, order_by_field="id", order=order)
    whole: Any = searcher.search(query, limit=1)
    return Hits(_ids(searcher, result), whole.count)


def _ids(searcher: tantivy.Searcher, result: Any) -> list[int]:
    addresses = [address for _, address in result.hits]
    ids = searcher.fast_field_values("id", addresses)
    return [int(image_id) for image_id in ids if image_id is not None]


def _past(text: TextIndex, query: Query, by_id: ById) -> Query:
    if by_id.past is None:
        return query
    # An open side has to be inclusive, so both are.
    beyond = Query.range_query(
        text.schema,
        "id",
        tantivy.FieldType.Integer,
        lower_bound=None if by_id.descending else by_id.past + 1,
        upper_bound=by_id.past - 1 if by_id.descending else None,
    )
    return Query.boolean_query([(Occur.Must, query), (Occur.Must, beyond)])


class _Compiler:
    """Turns clauses into tantivy's queries; the catalogue resolves names to ids."""

    def __init__(self, text: TextIndex, cursor: duckdb.DuckDBPyConnection) -> None:
        self._text = text
        self._cursor = cursor

    def compile(self, clauses: Sequence[Clause], filters: Filters) -> Query:
        parts = self._filters(filters)
        for clause in clauses:
            occur = Occur.Must if clause.wanted else Occur.MustNot
            parts.append((occur, self._condition(clause.condition)))
        if all(occur is Occur.MustNot for occur, _ in parts):
            parts.append((Occur.Must, Query.all_query()))
        return Query.boolean_query(parts)

    def _condition(self, condition: Words | Tagged | InFolder) -> Query:
        if isinstance(condition, Words):
            return self._words(condition)
        if isinstance(condition, Tagged):
            ids = tag_ids(self._cursor, condition.name, prefix=condition.prefix)
            return self._any_of("tag_id", ids)
        return self._any_of("directory_id", _directories(self._cursor, condition.part))

    def _words(self, words: Words) -> Query:
        if words.prefix:
            return self._prefix(words.text)
        terms = self._text.stemmed.analyze(words.text)
        if not terms:  # longer than any word that is kept
            return Query.empty_query()
        return Query.boolean_query(
            [
                (Occur.Should, self._row_of("stemmed", terms)),
                (
                    Occur.Should,
                    Query.boost_query(self._row_of("tags", terms), TAG_WEIGHT),
                ),
            ]
        )

    def _row_of(self, field: str, terms: list[str]) -> Query:
        """The terms in a row; one typed word such as `IMG_12` can be several."""
        if len(terms) == 1:
            return self._term(field, terms[0])
        return Query.phrase_query(self._text.schema, field, list(terms))

    def _prefix(self, text: str) -> Query:
        terms = self._text.plain.analyze(text)
        if not terms:
            return Query.empty_query()
        # Terms are letters and digits only: nothing in them is special in a pattern.
        last = Query.regex_query(self._text.schema, "plain", terms[-1] + ".*")
        whole = [(Occur.Must, self._term("plain", term)) for term in terms[:-1]]
        return Query.boolean_query([*whole, (Occur.Must, last)])

    def _filters(self, filters: Filters) -> list[tuple[Occur, Query]]:
        parts = [(Occur.Must, self._any_of("tag_id", ids)) for ids in filters.tags]
        if filters.folder_id is not None:
            parts.append((Occur.Must, self._any_of("folder_id", [filters.folder_id])))
        if filters.month is not None:
            parts.append((Occur.Must, self._any_of("month", [filters.month])))
        if filters.year is not None:
            months = range(filters.year * 100 + 1, filters.year * 100 + 13)
            parts.append((Occur.Must, self._any_of("month", months)))
        if filters.any_state:
            return parts
        if filters.state is None:
            missing = self._term("state", ImageState.MISSING.value)
            return [*parts, (Occur.MustNot, missing)]
        return [*parts, (Occur.Must, self._term("state", filters.state.value))]

    def _term(self, field: str, value: str) -> Query:
        return Query.term_query(self._text.schema, field, value)

    def _any_of(self, field: str, ids: Iterable[int]) -> Query:
        """Has one of these ids; it decides, but does not change the rank."""
        found = Query.term_set_query(self._text.schema, field, list(ids))
        return Query.const_score_query(found, 0.0)


def tag_ids(
    cursor: duckdb.DuckDBPyConnection, name: str, *, prefix: bool = False
) -> frozenset[int]:
    """The ids of the tags of this name, whatever its case, or that begin so."""
    matches = "starts_with(key, ?)" if prefix else "key = ?"
    cursor.execute(f"SELECT tag_id FROM tags WHERE {matches}", [tagnames.key(name)])
    return frozenset(row[0] for row in cursor.fetchall())


def _directories(cursor: duckdb.DuckDBPyConnection, part: str) -> list[int]:
    cursor.execute(
        "SELECT id FROM directories WHERE contains(lower(path), lower(?))", [part]
    )
    return [row[0] for row in cursor.fetchall()]
