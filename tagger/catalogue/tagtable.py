"""Tag table: all tags with what they are on, for one to look through and put in order.

Counts of all tags are kept until the catalogue changes; what only a page of them shows,
months, sources and examples, is asked for these. Tags are numbered as they first
appear, so the newest have the highest ids.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tagger.catalogue import facets, questions, tagpairs
from tagger.catalogue.alike import nearness
from tagger.catalogue.facets import TagCount
from tagger.catalogue.questions import Card
from tagger.catalogue.store import Catalogue
from tagger.catalogue.tagpairs import Kind
from tagger.records import ImageState
from tagger.tracking import tagnames

EXAMPLES = 3
SPARE = 3  # some examples are missing by now, or cannot be shown
MOST_TAGS = 10_000_000
PAGES_KEPT = 16
MOST_READ = 1_000  # the most frequent tags are read for what they mean
_LAST_MONTHS = 12


Embed = Callable[[Sequence[str]], list[bytes]]
MayGo = Callable[[bytes], bool]  # whether words of a photo at this path may


class Order(StrEnum):
    """What the tags are listed by."""

    COUNT = "count"
    NAME = "name"
    NEWEST = "newest"
    TREND = "trend"


@dataclass(frozen=True, slots=True)
class Row:
    """A tag, the photos taken with it by year, who says it, and some photos."""

    tag: TagCount
    years: tuple[tuple[str, int], ...]
    sources: tuple[tuple[str, int], ...]
    examples: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """Some rows of the table; `total` tags fit what was typed."""

    rows: tuple[Row, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two tags that are probably one: the rarer `goes`, the other `stays`."""

    goes: TagCount
    stays: TagCount
    kind: Kind


class TagTable:
    """The tags of one catalogue; safe to use from any thread."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._using = threading.Lock()
        self._counted: tuple[int | None, list[TagCount]] = (None, [])
        self._grown: tuple[int | None, dict[int, int]] = (None, {})
        self._paired: tuple[frozenset[str], list[tagpairs.Pair]] | None = None
        self._pages: dict[tuple[int | None, tuple[int, ...]], tuple[Row, ...]] = {}
        self._near: tuple[tuple[str, ...], list[tagpairs.Pair]] | None = None

    def every(self) -> list[TagCount]:
        """All tags in use, most frequent first."""
        seen = self._catalogue.seen()
        with self._using:
            known, tags = self._counted
            if known is None or known != seen:
                tags = facets.tag_counts(self._catalogue, limit=MOST_TAGS)
                self._counted = seen, tags
            return tags

    def named(self, name: str) -> TagCount | None:
        """The tag of this name in any spelling, if a photo has it."""
        key = tagnames.key(name)
        found = (tag for tag in self.every() if _key(tag) == key)
        return next(found, None)

    def listed(
        self, typed: str = "", *, order: Order = Order.COUNT, start: int, limit: int
    ) -> Listed:
        """Some of the tags whose names have in them what was typed."""
        wanted = tagnames.key(typed)
        tags = [tag for tag in self.every() if wanted in _key(tag)]
        if order is Order.NAME:
            tags.sort(key=lambda tag: _key(tag))
        elif order is Order.NEWEST:
            tags.sort(key=lambda tag: -tag.tag_id)
        elif order is Order.TREND:
            grown = self._growth()
            tags.sort(key=lambda tag: -grown.get(tag.tag_id, 0))
        return Listed(self._rows(tags[start : start + limit]), len(tags))

    def _rows(self, tags: list[TagCount]) -> tuple[Row, ...]:
        """A page; it is asked for again at each click on it."""
        asked = (self._catalogue.seen(), tuple(tag.tag_id for tag in tags))
        with self._using:
            known = self._pages.get(asked)
        if known is None:
            known = tuple(rows_of(self._catalogue, tags))
            with self._using:
                self._pages[asked] = known
                while len(self._pages) > PAGES_KEPT:
                    del self._pages[next(iter(self._pages))]
        return known

    def suggestions(
        self, dismissed: frozenset[tuple[str, str]] = frozenset()
    ) -> list[Suggestion]:
        """Pairs that are probably one tag, the surest and most frequent first."""
        tags = {_key(tag): tag for tag in self.every()}
        return [
            ordered(tags[pair.one], tags[pair.other], pair.kind)
            for pair in self._pairs(tags)
            if (pair.one, pair.other) not in dismissed
        ]

    def near(
        self,
        method: str,
        embed: Embed,
        dismissed: frozenset[tuple[str, str]],
        *,
        may_go: MayGo | None = None,
    ) -> list[Suggestion]:
        """Pairs of the most frequent tags that mean about the same, the nearest first.

        `embed` is the model's answer to many texts, `method` names the model. With
        `may_go` it gets only tags that a photo has whose words may go there. Raises
        what `embed` raises.
        """
        tags = {_key(t): t for t in self._may_go(may_go)[:MOST_READ]}
        asked = (method, *sorted(tags))
        known = self._near
        if known is None or known[0] != asked:
            keys = list(tags)
            vectors = embed([tags[key].name for key in keys])
            found = [
                tagpairs.paired(keys[one], keys[other], Kind.MEANING)
                for one, other in nearness.nearest(vectors)
            ]
            known = self._near = asked, found
        return [
            ordered(tags[pair.one], tags[pair.other], pair.kind)
            for pair in known[1]
            if (pair.one, pair.other) not in dismissed
        ]

    def _may_go(self, may_go: MayGo | None) -> list[TagCount]:
        if may_go is None:
            return self.every()
        with self._catalogue.cursor() as cursor:
            found = cursor.execute("SELECT id, path FROM directories").fetchall()
            # The bytes of a path that is no text are not known here.
            open_ones = [
                directory
                for directory, path in found
                if "\ufffd" not in path and may_go(path.encode() + b"a photo")
            ]
            cursor.execute(
                """SELECT DISTINCT tag_id FROM image_tags WHERE image_id IN (
                    SELECT id FROM images
                    WHERE directory_id IN (SELECT unnest(?::BIGINT[])))""",
                [open_ones],
            )
            allowed = {row[0] for row in cursor.fetchall()}
        return [tag for tag in self.every() if tag.tag_id in allowed]

    def _pairs(self, tags: Mapping[str, TagCount]) -> list[tagpairs.Pair]:
        names = frozenset(tags)
        with self._using:
            if self._paired is None or self._paired[0] != names:
                counts = {key: tag.count for key, tag in tags.items()}
                self._paired = names, tagpairs.pairs(counts)
            found = self._paired[1]
        return sorted(found, key=lambda pair: _sureness(tags, pair))

    def _growth(self) -> dict[int, int]:
        seen = self._catalogue.seen()
        with self._using:
            known, grown = self._grown
            if known is None or known != seen:
                grown = _growth(self._catalogue)
                self._grown = seen, grown
            return grown


def ordered(one: TagCount, other: TagCount, kind: Kind) -> Suggestion:
    """The rarer of two tags goes; of two as frequent the plural, or what came later."""
    plural = one if _key(other) in tagpairs.singulars(_key(one)) else other
    is_plural = {plural.tag_id} if kind is Kind.PLURAL else set()
    goes, stays = sorted(
        (one, other),
        key=lambda tag: (tag.count, tag.tag_id not in is_plural, -tag.tag_id),
    )
    return Suggestion(goes, stays, kind)


def _key(tag: TagCount) -> str:
    return tagnames.key(tag.name)


def _sureness(
    tags: Mapping[str, TagCount], pair: tagpairs.Pair
) -> tuple[int, float, int, str]:
    """A slip is much rarer than what was meant; a word of its own is not."""
    few, many = sorted((tags[pair.one].count, tags[pair.other].count))
    share = few / many if pair.kind is Kind.SPELLING else 0.0
    return [*Kind].index(pair.kind), share, -many, pair.one


def rows_of(catalogue: Catalogue, tags: Sequence[TagCount]) -> list[Row]:
    """What the table shows of these tags."""
    if not tags:
        return []
    ids = [tag.tag_id for tag in tags]
    with catalogue.cursor() as cursor:
        years, sources = defaultdict(list), defaultdict(list)
        for tag_id, year, photos in cursor.execute(_YEARS, [ids]).fetchall():
            years[tag_id].append((year, photos))
        for tag_id, source, photos in cursor.execute(_SOURCES, [ids]).fetchall():
            sources[tag_id].append((source, photos))
        cursor.execute(_EXAMPLES, [EXAMPLES + SPARE, ids])
        examples = dict(cursor.fetchall())
    wanted = sorted({one for some in examples.values() for one in some})
    cards = {card.id: card for card in questions.cards(catalogue, wanted)}
    shown = {i for i, card in cards.items() if card.state is not ImageState.MISSING}
    return [
        Row(
            tag=tag,
            years=tuple(years[tag.tag_id]),
            sources=tuple(sources[tag.tag_id]),
            examples=tuple(
                cards[i] for i in examples.get(tag.tag_id, ()) if i in shown
            )[:EXAMPLES],
        )
        for tag in tags
    ]


_CHOSEN = "t.tag_id IN (SELECT unnest(?::BIGINT[]))"
_YEARS = f"""SELECT t.tag_id, left(i.taken_at, 4) AS year, count(*)
    FROM image_tags t JOIN images i ON i.id = t.image_id
    WHERE {_CHOSEN} AND i.taken_at IS NOT NULL AND i.state <> 'missing'
    GROUP BY ALL ORDER BY year"""
_SOURCES = f"""SELECT t.tag_id, t.source, count(*) AS photos FROM image_tags t
    WHERE {_CHOSEN} GROUP BY ALL ORDER BY photos DESC, t.source"""
_EXAMPLES = f"""SELECT t.tag_id, max(t.image_id, ?) FROM image_tags t
    WHERE {_CHOSEN} GROUP BY t.tag_id"""


def _growth(catalogue: Catalogue) -> dict[int, int]:
    """By tag, how many more photos have it of the last year than of the one before.

    The last year ends with the newest photo.
    """
    with catalogue.cursor() as cursor:
        found = cursor.execute("SELECT max(taken_at) FROM images").fetchone()
        if found is None or found[0] is None:
            return {}
        year, month = int(found[0][:4]), int(found[0][5:7])
        ends = [
            f"{(months := year * 12 + month - back) // 12:04d}-{months % 12 + 1:02d}"
            for back in (_LAST_MONTHS, 2 * _LAST_MONTHS)
        ]
        cursor.execute(
            """SELECT t.tag_id, sum(CASE WHEN i.taken_at >= ? THEN 1 ELSE -1 END)
            FROM image_tags t JOIN (SELECT id, taken_at FROM images
                WHERE taken_at >= ? AND state <> 'missing') i ON i.id = t.image_id
            GROUP BY t.tag_id""",
            ends,
        )
        return {tag_id: int(more) for tag_id, more in cursor.fetchall()}
