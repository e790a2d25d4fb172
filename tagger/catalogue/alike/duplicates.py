"""Duplicates: groups of photos as a screen shows them, with what differs in each.

Nothing here changes or deletes anything; which photo to keep is for a person to say.
Groups of a large library take a while to find. They are kept, and hold until something
changes; and while photos keep coming in, at least ten times as long as they took.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from tagger.catalogue import questions, rows
from tagger.catalogue.alike import grouping
from tagger.catalogue.alike.grouping import Alike, Grouping
from tagger.catalogue.questions import Card, Wanted
from tagger.catalogue.store import Catalogue

KEPT = 4
HOLDS_TIMES = 10.0
MOST_SHOWN = 100  # photos of one group


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One photo of a group; `bits` of its hash differ from the best one's."""

    card: Card
    folder: str
    size_bytes: int
    format: str | None
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Photos that are alike, the best first; `differs` names what is not the same.

    `is_exact`: all are one picture. Of very large groups the first photos are given.
    """

    photos: tuple[Copy, ...]
    total: int
    is_exact: bool
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Some of the groups, from the one numbered `start` on, and what all come to."""

    groups: tuple[Group, ...]
    start: int
    total: int
    photos: int
    spare_bytes: int
    plain: int


_Asked = tuple[str, Alike]


@dataclass(slots=True)
class _Known:
    grouping: Grouping
    change: int | None
    took_s: float
    at: float


# What is compared in a group, by the name it is called.
ASPECTS: dict[str, Callable[[Copy], object]] = {
    "size": lambda copy: (copy.card.width_px, copy.card.height_px),
    "bytes": lambda copy: copy.size_bytes,
    "format": lambda copy: copy.format,
    "taken": lambda copy: copy.card.taken_at,
    "folder": lambda copy: copy.folder,
    "name": lambda copy: copy.card.name,
    "tags": lambda copy: frozenset(copy.card.tag_ids),
    "description": lambda copy: copy.card.description,
}


class Duplicates:
    """Finds groups in one catalogue, and keeps the last ones found."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._finding = threading.Lock()
        self._known: dict[_Asked, _Known] = {}

    def listed(
        self, query: str, alike: Alike, *, start: int = 0, limit: int = 20
    ) -> Listed:
        """Groups among the photos a query finds; an empty one means all photos.

        Raises `UsageError` if the query or the distance is no good.
        """
        found = self._grouping(query, alike)
        stop = min(start + limit, found.groups)
        return Listed(
            groups=tuple(self._group(found, n) for n in range(start, stop)),
            start=start,
            total=found.groups,
            photos=len(found.ids),
            spare_bytes=found.spare_bytes,
            plain=found.plain,
        )

    def _grouping(self, query: str, alike: Alike) -> Grouping:
        asked = (query.strip(), alike)
        with self._finding:
            now, change = time.monotonic(), self._catalogue.seen()
            known = self._known.get(asked)
            if known and (
                known.change == change or now - known.at < known.took_s * HOLDS_TIMES
            ):
                return known.grouping
            found = grouping.group(self._catalogue, Wanted(query=query), alike)
            took_s = time.monotonic() - now
            self._known.pop(asked, None)
            self._known[asked] = _Known(found, change, took_s, time.monotonic())
            while len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
            return found

    def _group(self, found: Grouping, number: int) -> Group:
        whole = found.members(number)
        some = slice(whole.start, min(whole.stop, whole.start + MOST_SHOWN))
        ids = [int(one) for one in found.ids[some]]
        bits = dict(zip(ids, map(int, found.bits[some]), strict=True))
        photos = self._copies(ids, bits)
        return Group(
            photos=photos,
            total=whole.stop - whole.start,
            is_exact=int(found.pictures[number]) == 1,
            differs=tuple(
                name
                for name, aspect in ASPECTS.items()
                if len({aspect(copy) for copy in photos}) > 1
            ),
        )

    def _copies(self, ids: Sequence[int], bits: dict[int, int]) -> tuple[Copy, ...]:
        cards = questions.cards(self._catalogue, ids)
        with self._catalogue.cursor() as cursor:
            cursor.execute(
                f"SELECT id, size_bytes, format FROM images WHERE id IN "
                f"{rows.marks(ids)}",
                list(ids),
            )
            more = {row[0]: row[1:] for row in cursor.fetchall()}
        return tuple(
            Copy(
                card=card,
                folder=str(PurePath(card.shown_path).parent),
                size_bytes=more[card.id][0],
                format=more[card.id][1],
                bits=bits[card.id],
            )
            for card in cards
            if card.id in more
        )
