"""How long it takes to gather a million hashes, and to find what is most like one of a
million vectors: JSON on standard output.

Run as `python -m scripts.bench_alike [COUNT]`. Each kind of library is made up from a
seed, so that two runs measure the same.
"""

import json
import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from tagger.catalogue.alike import hamming
from tagger.catalogue.alike.likeness import best
from tagger.catalogue.alike.matrix import Matrix

DISTANCE = 6
LIMIT_S = 60.0
NUMBERS = 128
LOOK_LIMIT_S = 0.5
LOOKS = 7
AT_ONCE = 50_000
Dice = np.random.Generator


def scattered(dice: Dice, count: int) -> hamming.Hashes:
    """Different photos, no two alike but by chance."""
    return dice.integers(0, 2**hamming.BITS, count, dtype=np.uint64)


def saved_again(dice: Dice, count: int) -> hamming.Hashes:
    """A fifth are copies of others, some bits off."""
    once = scattered(dice, count - count // 5)
    return np.concatenate([once, nudged(dice, once[: count // 5], 3)])


def one_scene(dice: Dice, count: int) -> hamming.Hashes:
    """A tenth are frames of one camera on a wall, all within a few bits."""
    rest = scattered(dice, count - count // 10)
    return np.concatenate([rest, nudged(dice, np.repeat(rest[:1], count // 10), 5)])


def same_sky(dice: Dice, count: int) -> hamming.Hashes:
    """A fifth have the same two rows of bits, and nothing else in common."""
    hashes = scattered(dice, count)
    hashes[: count // 5] &= np.uint64((1 << (hamming.BITS - 16)) - 1)
    return hashes


def nudged(dice: Dice, hashes: hamming.Hashes, bits: int) -> hamming.Hashes:
    for _ in range(bits):
        place = dice.integers(0, hamming.BITS, len(hashes), dtype=np.uint64)
        hashes = hashes ^ np.uint64(1) << place
    return hashes


KINDS: tuple[Callable[[Dice, int], hamming.Hashes], ...] = (
    scattered,
    saved_again,
    one_scene,
    same_sky,
)


def measure(
    kind: Callable[[Dice, int], hamming.Hashes], count: int
) -> dict[str, object]:
    dice = np.random.default_rng(7)
    hashes = dice.permutation(kind(dice, count))
    began, worked = time.perf_counter(), time.process_time()
    found = hamming.centres(hashes, DISTANCE)
    return {
        "library": kind.__name__,
        "hashes": count,
        "distance": DISTANCE,
        "groups": len(np.unique(found)),
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(time.process_time() - worked, 2),
        "limit_s": LIMIT_S,
        "most_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


def look_alikes(count: int) -> dict[str, object]:
    """One photo against all of them, and against a hundredth of them."""
    dice = np.random.default_rng(7)
    vectors = dice.integers(-127, 128, (count, NUMBERS), dtype=np.int8)
    matrix = Matrix()
    for start in range(0, count, AT_ONCE):
        some = enumerate(vectors[start : start + AT_ONCE], start=start + 1)
        matrix.add([(number, vector.tobytes()) for number, vector in some])
    every = np.arange(count)
    return {
        "library": "look-alikes",
        "vectors": count,
        "of_all_s": _typical(matrix, every),
        "of_a_hundredth_s": _typical(matrix, every[::100]),
        "limit_s": LOOK_LIMIT_S,
        "most_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


def _typical(matrix: Matrix, rows: np.ndarray) -> float:
    """The median time, with the choice of the best."""
    took = []
    for row in range(LOOKS):
        began = time.perf_counter()
        best(rows, matrix.likeness(matrix.vector(row), rows), least=0.35)
        took.append(time.perf_counter() - began)
    return round(float(np.median(took)), 3)


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    report = [*(measure(kind, size) for kind in KINDS), look_alikes(size)]
    sys.stdout.write(f"{json.dumps(report, indent=2)}\n")
