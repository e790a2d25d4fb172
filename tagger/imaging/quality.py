"""Quality: how sharp and how well exposed a picture is, as one number from 0 to 100.

It is measured, not judged: a blurred, flat or burnt-out picture gets little, whatever
it shows. It puts the better of two pictures of one scene first; between different
scenes it says little more than that one of them is spoilt.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# At this size the blur of a moved camera shows, and the noise of a good one does not.
SIDE_PX = 512
# The picture is sharp where its best parts are: a portrait's background may be soft.
TILES = 8
BEST_PERCENTILE = 90
# Of the sample photographs the softest that people would call sharp measures 26, and
# each measures 1.5 to 4.5 once it is blurred by four of a thousand pixels.
HALF_SHARP = 10.0
# Half of all greys between its darkest and brightest hundredth is contrast enough.
FULL_CONTRAST = 128.0
DARK, BRIGHT = 3, 252


def quality(image: Image.Image) -> int:
    """The quality of an upright RGB picture; 0 of one less than three pixels wide."""
    grey = image.convert("L")
    longest = max(grey.size)
    if longest > SIDE_PX:
        sides = [max(1, side * SIDE_PX // longest) for side in grey.size]
        grey = grey.resize((sides[0], sides[1]), Image.Resampling.BOX)
    if min(grey.size) < 3:
        return 0
    values = np.asarray(grey, dtype=np.float32)
    return round(100 * _sharpness(values) * _tone(values))


def _sharpness(values: NDArray[np.float32]) -> float:
    """0 to 1, by how much pixels differ from their neighbours (the Laplacian)."""
    middle = values[1:-1, 1:-1]
    beside = values[1:-1, :-2] + values[1:-1, 2:]
    above = values[:-2, 1:-1] + values[2:, 1:-1]
    edges = 4 * middle - beside - above
    rows = np.array_split(edges, min(TILES, edges.shape[0]), axis=0)
    tiles = [
        float(tile.std())
        for row in rows
        for tile in np.array_split(row, min(TILES, edges.shape[1]), axis=1)
    ]
    best = float(np.percentile(tiles, BEST_PERCENTILE))
    return best / (best + HALF_SHARP)


def _tone(values: NDArray[np.float32]) -> float:
    """0 to 1, by how many greys there are between the extremes, and few at them."""
    low, high = cast(tuple[float, float], tuple(np.percentile(values, (1, 99))))
    lost = float(np.mean((values <= DARK) | (values >= BRIGHT)))
    return min(1.0, (high - low) / FULL_CONTRAST) * (1.0 - lost)
