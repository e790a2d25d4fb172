"""Resize pixels that are already in memory, for the small models that look at them."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def resized(
    pixels: NDArray[np.uint8],
    width_px: int,
    height_px: int,
    *,
    box: tuple[float, float, float, float] | None = None,
) -> NDArray[np.uint8]:
    """RGB `pixels`, or the part in `box` (left, top, right, bottom), at a new size.

    The proportions are the caller's: nothing is cropped or padded to keep them.
    """
    picture = Image.fromarray(pixels)
    small = picture.resize((width_px, height_px), Image.Resampling.BILINEAR, box=box)
    return np.asarray(small)
