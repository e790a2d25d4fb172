"""People and objects, counted: NanoDet's raw output made into a list of things seen.

For each cell of three grids (8, 16 and 32 pixels wide) the model gives 80 class scores
and, for the four sides of a box, a distribution over distances in cells. The expected
distance is the side; of boxes that overlap, the surest stands for all.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tagger.imaging.resize import resized

SIDE_PX = 416
STRIDES_PX = (8, 16, 32)
MINIMUM = 0.65  # of the surest thing of a class; without one, the class is not seen
MINIMUM_OF_OTHERS = 0.55  # further things of a class that is surely there
OVERLAP_OF_ONE_THING = 0.5
_BGR_MEAN = np.array([103.53, 116.28, 123.675], np.float32)
_BGR_SPREAD = np.array([57.375, 57.12, 58.395], np.float32)

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Seen:
    """One kind of thing in a picture: which class, how many, how sure at best."""

    number: int
    count: int
    score: float


def things(
    session: onnxruntime.InferenceSession, pixels: NDArray[np.uint8]
) -> list[Seen]:
    """What is surely in the picture, surest first."""
    name = session.get_inputs()[0].name
    outputs = session.run(None, {name: _input(pixels)})
    boxes, scores, classes = _decode(outputs)
    kept = _surest(boxes, scores, classes)
    counts = Counter(int(classes[i]) for i in kept)
    best: dict[int, float] = {}
    for i in kept:  # surest first, so the first of a class is its best
        best.setdefault(int(classes[i]), float(scores[i]))
    return [
        Seen(number, counts[number], score)
        for number, score in best.items()
        if score >= MINIMUM
    ]


def _input(pixels: NDArray[np.uint8]) -> Floats:
    bgr = resized(pixels, SIDE_PX, SIDE_PX)[..., ::-1].astype(np.float32)
    planes = ((bgr - _BGR_MEAN) / _BGR_SPREAD).transpose(2, 0, 1)
    return np.ascontiguousarray(planes[None])


def _decode(outputs: list[Floats]) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Boxes (left, top, right, bottom, in model pixels), scores, classes that pass."""
    boxes, scores, classes = [], [], []
    for grid, sides, stride_px in zip(
        outputs[:3], outputs[3:], STRIDES_PX, strict=True
    ):
        cells = np.flatnonzero(grid[0].max(axis=1) >= MINIMUM_OF_OTHERS)
        boxes.append(_boxes(sides[0][cells], cells, stride_px))
        scores.append(grid[0][cells].max(axis=1))
        classes.append(grid[0][cells].argmax(axis=1))
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(classes)


def _boxes(sides: Floats, cells: NDArray[np.intp], stride_px: int) -> Floats:
    row, column = np.divmod(cells, SIDE_PX // stride_px)
    centre = (np.stack([column, row], axis=1) + 0.5) * stride_px
    odds = sides.reshape(len(cells), 4, sides.shape[1] // 4)
    odds = np.exp(odds - odds.max(axis=2, keepdims=True))
    odds /= odds.sum(axis=2, keepdims=True)
    away = odds @ np.arange(odds.shape[2], dtype=np.float32) * stride_px
    ends = np.concatenate([centre - away[:, :2], centre + away[:, 2:]], axis=1)
    return np.asarray(ends, np.float32)


def _surest(boxes: Floats, scores: Floats, classes: NDArray[np.intp]) -> list[int]:
    """Indices of the boxes that stand for one thing each, surest first."""
    kept: list[int] = []
    for i in np.argsort(-scores):
        rivals = [k for k in kept if classes[k] == classes[i]]
        if all(_overlap(boxes[i], boxes[k]) < OVERLAP_OF_ONE_THING for k in rivals):
            kept.append(int(i))
    return kept


def _overlap(a: Floats, b: Floats) -> float:
    """Shared area of two boxes over the area of both, 0 to 1."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = float(np.clip(sides, 0, None).prod())
    both = float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()) - shared
    return shared / both if both > 0 else 0.0
