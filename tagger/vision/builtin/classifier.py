"""Which everyday words fit the whole picture: 1,000 class probabilities, summed.

Two views are asked about and their probabilities averaged: the middle, undistorted,
and the whole picture squeezed into the square the model wants.
"""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tagger.imaging.resize import resized
from tagger.vision.builtin import tables

SIDE_PX = 224
MIDDLE = 0.875  # part of the shorter side that the first view takes in


def scores(
    session: onnxruntime.InferenceSession, pixels: NDArray[np.uint8]
) -> dict[str, float]:
    """Every word that reaches its minimum, with its summed probability."""
    (probabilities,) = session.run(["probs"], {"image": _views(pixels)})
    known = tables.load()
    sums = known.weights @ np.asarray(probabilities, np.float32).mean(axis=0)
    return {
        word.name: min(float(total), 1.0)
        for word, total in zip(known.words, sums, strict=True)
        if total >= word.minimum
    }


def _views(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    half = min(width, height) * MIDDLE / 2
    middle = (width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
    return np.stack(
        [
            resized(pixels, SIDE_PX, SIDE_PX, box=middle),
            resized(pixels, SIDE_PX, SIDE_PX),
        ]
    )
