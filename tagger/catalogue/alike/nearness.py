"""Nearness: which of many texts mean about the same, each the other's nearest.

A thousand texts are compared in one product; no more are meant to be.
"""

from collections.abc import Sequence

import numpy as np

# Cosines of unlike words reach 0.6 with models in use; of synonyms they exceed this.
LEAST = 0.75


def nearest(vectors: Sequence[bytes]) -> list[tuple[int, int]]:
    """The pairs, by position, of which each is the nearest to the other; best first.

    Vectors of other lengths than the first are passed over.
    """
    if len(vectors) < 2:
        return []
    same = [n for n, one in enumerate(vectors) if len(one) == len(vectors[0])]
    read = [np.frombuffer(vectors[n], np.int8) for n in same]
    units = np.array(read, np.float32)
    units /= np.maximum(np.linalg.norm(units, axis=1, keepdims=True), 1)
    likeness = units @ units.T
    np.fill_diagonal(likeness, -1)
    best = likeness.argmax(axis=1)
    found = [
        (float(likeness[one, other]), same[one], same[int(other)])
        for one, other in enumerate(best)
        if best[other] == one and one < other and likeness[one, other] >= LEAST
    ]
    return [(one, other) for _, one, other in sorted(found, reverse=True)]
