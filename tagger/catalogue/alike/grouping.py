"""Grouping: which photos are there more than once, and which only look the same.

Photos of one identity are the same picture to the last bit, whatever their metadata
say. Photos whose hashes are near each other look the same: made smaller, saved again,
brightened, or taken a moment later. Of each group the best stands first: the one of
most pixels, then of most bytes, then the one known longest. Near ones are gathered
around it, as `hamming` tells.

A picture of nothing but a flat colour or a slope has a hash that any other such picture
has too. It takes no part in what looks the same, and how many there were is said.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.catalogue.alike import hamming
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Wanted, choose
from tagger.errors import UsageError

USUAL_DISTANCE = 6

Numbers = NDArray[np.int64]

_LOOKED_AT = """SELECT i.id,
    dense_rank() OVER (ORDER BY i.identity) - 1 AS picture,
    coalesce(i.dhash, 0) AS dhash, i.size_bytes
FROM images i WHERE i.identity IS NOT NULL AND {chosen}
ORDER BY coalesce(i.width_px * i.height_px, 0) DESC, i.size_bytes DESC, i.id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """What is to be found: copies only, or at `distance` bits what looks the same."""

    near: bool = False
    distance: int = USUAL_DISTANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Groups of photos, those that take most room beside their best one first.

    `ids` are all photos in groups, best first in each; group n is from `starts[n]` up
    to `starts[n + 1]`, and `pictures[n]` different ones are in it. `bits` says how far
    each photo is from its group's best. `spare_bytes` is what all but the best take;
    `plain` counts pictures too plain to be compared.
    """

    ids: Numbers
    starts: Numbers
    pictures: Numbers
    bits: Numbers
    spare_bytes: int
    plain: int

    @property
    def groups(self) -> int:
        return len(self.starts) - 1

    def members(self, group: int) -> slice:
        return slice(int(self.starts[group]), int(self.starts[group + 1]))


def check(alike: Alike) -> None:
    """Raise `UsageError` for a distance that cannot be searched for."""
    if not 0 <= alike.distance <= hamming.LARGEST_DISTANCE:
        raise UsageError(
            f"a distance is a number of bits from 0 to {hamming.LARGEST_DISTANCE}, not "
            f"{alike.distance}; beyond that, different pictures look the same"
        )


def group(catalogue: Catalogue, wanted: Wanted, alike: Alike) -> Grouping:
    """Group the photos wanted. Raises `UsageError` on a bad query or distance."""
    check(alike)
    photos = _photos(catalogue, wanted)
    # The photos come best first, so the first of each picture is its best.
    _, first, picture = np.unique(
        photos["picture"], return_index=True, return_inverse=True
    )
    best = first[picture]
    plain = 0
    bits = np.zeros(len(best), dtype=np.int64)
    if alike.near:
        hashes = photos["dhash"].astype(np.uint64)
        centre, plain = _centred(np.sort(first), hashes, alike.distance)
        before, best = best, centre[best]
        bits = np.bitwise_count(hashes[before] ^ hashes[best]).astype(np.int64)
    pictures = np.bincount(best[first], minlength=len(best))
    return _grouping(photos, best, pictures, bits, plain)


def _photos(catalogue: Catalogue, wanted: Wanted) -> dict[str, Any]:
    chosen = choose(catalogue, wanted)
    with catalogue.cursor() as cursor:
        chosen.bind(cursor)
        cursor.execute(
            _LOOKED_AT.replace("{chosen}", chosen.condition), list(chosen.parameters)
        )
        found: dict[str, Any] = cursor.fetchnumpy()
        return found


def _centred(
    bests: Numbers, hashes: hamming.Hashes, distance: int
) -> tuple[Numbers, int]:
    """For every best photo of a picture the centre of its group, by place."""
    centre = np.arange(len(hashes))
    telling = bests[hamming.says_something(hashes[bests])]
    found = hamming.centres(hashes[telling], distance)
    centre[telling] = telling[found]
    return centre, len(bests) - len(telling)


def _grouping(
    photos: dict[str, Any], best: Numbers, pictures: Numbers, bits: Numbers, plain: int
) -> Grouping:
    sizes = photos["size_bytes"]
    count = np.bincount(best, minlength=len(best))
    spare = np.bincount(best, weights=sizes, minlength=len(best)) - sizes
    several = np.flatnonzero(count > 1)
    several = several[np.lexsort((several, -spare[several]))]
    rank = np.full(len(best), len(best))
    rank[several] = np.arange(len(several))
    places = np.flatnonzero(count[best] > 1)
    places = places[np.lexsort((places, rank[best[places]]))]
    return Grouping(
        ids=photos["id"][places],
        starts=np.concatenate(([0], np.cumsum(count[several]))),
        pictures=pictures[several],
        bits=bits[places],
        spare_bytes=int(spare[several].sum()),
        plain=plain,
    )
