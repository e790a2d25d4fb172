"""Hashes gathered around centres, without comparing each with each.

The rule: hashes come in order of precedence. The first one nobody has gathered yet is a
centre, and gathers all later ones, not gathered yet, that differ from it in at most
`distance` bits; so on to the last. Whatever is in a group therefore looks like its
centre, however long a chain of small steps there is from one photo to the next.

How: the 63 bits are cut into bands, two more than the distance allows to differ, so at
least two bands of a hash and of its centre are equal. For each pair of bands the hashes
are kept sorted by them, and a centre is compared only with those equal there. What was
gathered leaves these lists, so that ten thousand frames of one scene cost few centres
and not fifty million pairs. Memory: about 130 bytes a hash at the usual distance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

BITS = 63
LARGEST_DISTANCE = 8
# Fewer bits set than this, or as few not set: a picture of nothing but a slope or a
# flat colour, and any two of those are close to each other whatever they show.
FEWEST_BITS = 8
BLOCK = 1_024
ROWS = 128
PIECE = 2_000_000  # comparisons at a time
# The bits stand in rows of the picture, and a bright sky makes whole rows alike. Dealt
# out by this stride, each band has bits from all over it.
_STRIDE = 17

Hashes = NDArray[np.uint64]
Places = NDArray[np.int32]


def says_something(hashes: Hashes) -> NDArray[np.bool_]:
    """Whether a hash has enough to it that another one like it means a like picture."""
    ones = np.bitwise_count(hashes)
    return (ones >= FEWEST_BITS) & (ones <= BITS - FEWEST_BITS)


def centres(hashes: Hashes, distance: int) -> Places:
    """For each hash the place of its centre; for a centre, its own."""
    count = len(hashes)
    mixed = _mixed(hashes)
    found = np.arange(count, dtype=np.int32)
    index: _Index | None = None
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        own = np.arange(start, stop, dtype=np.int32)
        own = own[found[own] == own]
        found[own] = own[_within(mixed[own], distance)]
        if stop == count or not len(own):
            continue
        if index is None:
            index = _Index(mixed, distance, first=stop)
        index.gather(own[found[own] == own], found, first=stop)
    return found


def _mixed(hashes: Hashes) -> Hashes:
    """The same bits in another order, which no distance depends on."""
    mixed = np.zeros_like(hashes)
    for place in range(BITS):
        bit = hashes >> np.uint64(place * _STRIDE % BITS) & np.uint64(1)
        mixed |= bit << np.uint64(place)
    return mixed


def _within(hashes: Hashes, distance: int) -> Places:
    """The rule over a few hashes, each compared with each."""
    found = np.arange(len(hashes), dtype=np.int32)
    for start in range(0, len(hashes), ROWS):
        few = hashes[start : start + ROWS]
        near = np.bitwise_count(few[:, None] ^ hashes[None, start:]) <= distance
        # Each is near itself; only who is near another one can gather anybody.
        for row in np.flatnonzero(near.sum(axis=1) > 1):
            centre = start + row
            if found[centre] != centre:
                continue
            others = start + np.flatnonzero(near[row])
            free = others[(found[others] == others) & (others > centre)]
            found[free] = centre
    return found


@dataclass(slots=True)
class _List:
    """Places in the order of the bits in `bands`; those of a key begin at `starts`."""

    bands: tuple[tuple[int, int], ...]
    order: Places
    starts: Places

    def keys(self, hashes: Hashes) -> NDArray[np.int64]:
        keys = np.zeros(len(hashes), dtype=np.uint64)
        for low, high in self.bands:
            width = np.uint64(high - low)
            part = hashes >> np.uint64(low) & np.uint64((1 << (high - low)) - 1)
            keys = keys << width | part
        return keys.astype(np.int64)

    def keep(self, alive: NDArray[np.bool_]) -> None:
        kept = alive[self.order]
        before = np.concatenate(([0], np.cumsum(kept, dtype=np.int32)), dtype=np.int32)
        self.order, self.starts = self.order[kept], before[self.starts]


class _Index:
    """Hashes from `first` on, to be found by any pair of bands."""

    def __init__(self, hashes: Hashes, distance: int, *, first: int) -> None:
        self._hashes = hashes
        self._distance = distance
        self._lists = [_listed(hashes, bands, first) for bands in _bands(distance)]
        self._held = len(hashes) - first

    def gather(self, centres: Places, found: Places, *, first: int) -> None:
        """Give what is near these centres to them; who has an earlier one keeps it."""
        for near in self._lists:
            keys = near.keys(self._hashes[centres])
            starts, counts = near.starts[keys], near.starts[keys + 1]
            counts = counts - starts
            for some in _pieces(counts):
                places, whose = _spread(near.order, starts[some], counts[some])
                gatherer = centres[some][whose]
                apart = self._hashes[places] ^ self._hashes[gatherer]
                close = np.bitwise_count(apart) <= self._distance
                np.minimum.at(found, places[close], gatherer[close])
        self._shrink(found, first)

    def _shrink(self, found: Places, first: int) -> None:
        """Forget who was gathered or passed, once they are half of what is held."""
        later = np.arange(first, len(found), dtype=np.int32)
        alive = np.zeros(len(found), dtype=np.bool_)
        alive[first:] = found[first:] == later
        if (held := int(alive.sum())) * 2 <= self._held:
            self._held = held
            for near in self._lists:
                near.keep(alive)


def _bands(distance: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """The parts of a hash, some of which are equal where so few bits differ."""
    equal = 1 if distance <= 3 else 2
    count = max(distance, 3) + equal
    edges = [round(part * BITS / count) for part in range(count + 1)]
    bands = list(pairwise(edges))
    return combinations(bands, equal)


def _listed(hashes: Hashes, bands: tuple[tuple[int, int], ...], first: int) -> _List:
    made = _List(bands, np.empty(0, np.int32), np.empty(0, np.int32))
    keys = made.keys(hashes[first:])
    size = 1 << sum(high - low for low, high in bands)
    narrow = keys.astype(np.uint16) if size <= 1 << 16 else keys.astype(np.uint32)
    made.order = np.argsort(narrow, kind="stable").astype(np.int32) + np.int32(first)
    counts = np.bincount(keys, minlength=size)
    made.starts = np.concatenate(([0], np.cumsum(counts)), dtype=np.int32)
    return made


def _pieces(counts: Places) -> Iterator[slice]:
    """Slices of what is to be compared, each about so much that memory stays flat."""
    ends, start = np.cumsum(counts), 0
    while start < len(counts):
        done = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, done + PIECE, side="right"))
        stop = max(stop, start + 1)
        yield slice(start, stop)
        start = stop


def _spread(
    order: Places, starts: Places, counts: Places
) -> tuple[Places, NDArray[np.intp]]:
    """Every place in these stretches of a list, and the number of its stretch."""
    whose = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    at = np.arange(len(whose)) - np.repeat(before - starts, counts)
    return order[at], whose
