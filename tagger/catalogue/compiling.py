"""Compiling: a query's tree made into one query of the search index.

Names are resolved first, by the tables of tags and directories and by the index's own
lists of values, so that the index compares numbers and whole values only. A condition
that is no word decides, but does not change the rank.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime

import duckdb
import tantivy
from tantivy import Occur, Query

from tagger.catalogue import keys
from tagger.catalogue.query.tree import (
    Added,
    All,
    AnyOf,
    Clear,
    From,
    Has,
    InFolder,
    Leaf,
    Lies,
    Like,
    Means,
    Named,
    Near,
    Node,
    Not,
    Of,
    OneOf,
    Pixels,
    Rated,
    Size,
    Stands,
    Tagged,
    Taken,
    Twice,
    Words,
    leaves,
)
from tagger.catalogue.textindex import TextIndex
from tagger.records import ImageState
from tagger.tracking import tagnames

# A word that stands among the tags says more than one in the description.
TAG_WEIGHT = 2.0
EARTH_RADIUS_M = 6_371_008.8
_METRES_A_DEGREE = 111_194.9

Part = tuple[Occur, Query]
Interval = Taken | Added | Pixels | Size | Rated | Clear


class Compiler:
    """Turns trees into the index's queries, as names and values stand now."""

    def __init__(self, text: TextIndex, cursor: duckdb.DuckDBPyConnection) -> None:
        self._text = text
        self._cursor = cursor

    def compile(self, node: Node, *, any_state: bool = False) -> Query:
        """The query of a tree. Missing photos are left out unless it names them."""
        parts = self._parts(node)
        if not any_state and not names_missing(node):
            missing = self._term("state", ImageState.MISSING.value)
            parts.append((Occur.MustNot, missing))
        return _all_of(parts)

    def _parts(self, node: Node) -> list[Part]:
        if isinstance(node, All):
            return [part for inner in node.nodes for part in self._parts(inner)]
        if isinstance(node, Not):
            return [(Occur.MustNot, self._node(node.node))]
        return [(Occur.Must, self._node(node))]

    def _node(self, node: Node) -> Query:
        if isinstance(node, All | Not):
            return _all_of(self._parts(node))
        if isinstance(node, AnyOf):
            return Query.boolean_query(
                [(Occur.Should, self._node(part)) for part in node.nodes]
            )
        if isinstance(node, Words):
            return self._words(node)
        return Query.const_score_query(self._leaf(node), 0.0)

    def _leaf(self, leaf: Leaf) -> Query:
        match leaf:
            case Tagged():
                ids = tag_ids(self._cursor, leaf.name, prefix=leaf.prefix)
                return self._any_of("tag_id", ids)
            case InFolder():
                return self._any_of("directory_id", self._directories(leaf))
            case Of():
                return self._term("folder_id", leaf.folder_id)
            case Named():
                return self._any_of(leaf.column, self._values(leaf.column, leaf.part))
            case Taken() | Added() | Pixels() | Size() | Rated() | Clear():
                return self._interval(leaf)
            case Near():
                return self._any_of("id", self._ids_near(leaf))
            case Has():
                return self._term("has", leaf.part)
            case Lies():
                return self._term("shape", leaf.shape)
            case From():
                return self._term("said_by", leaf.said)
            case Stands():
                return self._any_of("state", [state.value for state in leaf.states])
            case Twice():
                return self._any_of("id", self._ids_of_copies())
            case OneOf():
                return self._any_of("id", leaf.ids)
            case Like() | Means():
                raise TypeError("a likeness is made a list of photos before")
            case Words():
                return self._words(leaf)

    def _words(self, words: Words) -> Query:
        if words.prefix:
            return self._prefix(words.text)
        terms = self._text.stemmed.analyze(words.text)
        if not terms:  # longer than any word that is kept
            return Query.empty_query()
        among_tags = Query.boost_query(self._row_of("tags", terms), TAG_WEIGHT)
        return Query.boolean_query(
            [
                (Occur.Should, self._row_of("stemmed", terms)),
                (Occur.Should, among_tags),
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
        pattern = re.escape(terms[-1]) + ".*"  # `⑴` is folded to `(1)`
        last = Query.regex_query(self._text.schema, "plain", pattern)
        whole = [(Occur.Must, self._term("plain", term)) for term in terms[:-1]]
        return Query.boolean_query([*whole, (Occur.Must, last)])

    def _interval(self, leaf: Interval) -> Query:
        match leaf:
            case Taken():
                # Photos without a date have lower keys than all with one.
                low = keys.taken_from(_second(leaf.low) or 0)
                return self._between(
                    "taken", low, _key(keys.taken_from, _second(leaf.high))
                )
            case Added():
                return self._between("added", _second(leaf.low), _second(leaf.high))
            case Size():
                low_size = _key(keys.size_from, leaf.low)
                return self._between("size", low_size, _key(keys.size_from, leaf.high))
            case Rated():
                return self._scores("rating", leaf)
            case Clear():
                return self._scores("quality", leaf)
            case Pixels():
                return self._between("pixels", leaf.low, leaf.high)

    def _scores(self, field: str, leaf: Rated | Clear) -> Query:
        low, high = keys.score_from(leaf.low), keys.score_from(leaf.high)
        return self._between(field, low, high)

    def _between(self, field: str, low: int | None, high: int | None) -> Query:
        # An open side has to be inclusive, so both are.
        return Query.range_query(
            self._text.schema,
            field,
            tantivy.FieldType.Integer,
            lower_bound=low,
            upper_bound=None if high is None else high - 1,
        )

    def _directories(self, folder: InFolder) -> list[int]:
        fits = "contains(lower(path), lower(?))"
        if folder.start:
            fits = "starts_with(path, ?)"
        self._cursor.execute(f"SELECT id FROM directories WHERE {fits}", [folder.part])
        return [int(row[0]) for row in self._cursor.fetchall()]

    def _values(self, field: str, part: str) -> list[str]:
        folded = part.casefold()
        return [
            value for value, _ in self._text.values(field) if folded in value.casefold()
        ]

    def _ids_of_copies(self) -> list[int]:
        self._cursor.execute(
            "SELECT id FROM images WHERE identity IN (SELECT identity FROM images "
            "WHERE state <> ? GROUP BY identity HAVING count(*) > 1)",
            [ImageState.MISSING.value],
        )
        return [int(row[0]) for row in self._cursor.fetchall()]

    def _ids_near(self, near: Near) -> list[int]:
        # Degrees of longitude shrink towards the poles, so only latitude narrows.
        margin = near.radius_m / _METRES_A_DEGREE * 1.01
        self._cursor.execute(
            "SELECT id FROM images WHERE latitude BETWEEN ? AND ? "
            f"AND {_DISTANCE} <= ?",
            [
                near.latitude - margin,
                near.latitude + margin,
                *(near.latitude, near.latitude, near.longitude),
                near.radius_m,
            ],
        )
        return [int(row[0]) for row in self._cursor.fetchall()]

    def _term(self, field: str, value: str | int) -> Query:
        return Query.term_query(self._text.schema, field, _plain(value))

    def _any_of(self, field: str, values: Iterable[str | int]) -> Query:
        known = [_plain(value) for value in values]
        return Query.term_set_query(self._text.schema, field, known)


# The great circle between a photo and a place, by the haversine formula, in metres.
_DISTANCE = (
    f"2 * {EARTH_RADIUS_M} * asin(least(1, sqrt("
    "pow(sin(radians(latitude - ?) / 2), 2) + cos(radians(latitude)) "
    "* cos(radians(?)) * pow(sin(radians(longitude - ?) / 2), 2))))"
)


def names_missing(node: Node) -> bool:
    """Whether a tree speaks of missing photos, which otherwise are left out."""
    return any(
        isinstance(leaf, Stands) and ImageState.MISSING in leaf.states
        for leaf in leaves(node)
    )


def tag_ids(
    cursor: duckdb.DuckDBPyConnection, name: str, *, prefix: bool = False
) -> frozenset[int]:
    """The ids of the tags of this name, whatever its case, or that begin so."""
    matches = "starts_with(key, ?)" if prefix else "key = ?"
    cursor.execute(f"SELECT tag_id FROM tags WHERE {matches}", [tagnames.key(name)])
    return frozenset(row[0] for row in cursor.fetchall())


def _all_of(parts: list[Part]) -> Query:
    if all(occur is Occur.MustNot for occur, _ in parts):
        everything = Query.const_score_query(Query.all_query(), 0.0)
        parts = [(Occur.Must, everything), *parts]
    return Query.boolean_query(parts)


def _second(moment: datetime | None) -> int | None:
    return None if moment is None else keys.seconds(moment)


def _key(make: Callable[[int], int], value: int | None) -> int | None:
    return None if value is None else make(value)


def _plain(value: str | int) -> str | int:
    """An enum member as the plain text it stands for, which is what tantivy takes."""
    return str(value) if isinstance(value, str) else value
