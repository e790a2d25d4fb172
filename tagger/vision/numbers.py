"""Vectors as bytes: a signed one a number, in proportion to the largest."""

import numpy as np
from numpy.typing import NDArray

LARGEST = 127


def as_bytes(numbers: NDArray[np.float64]) -> bytes:
    """Numbers as signed bytes, the largest as 127: only their proportions count."""
    largest = float(np.abs(numbers).max())
    if not largest or not np.isfinite(largest):
        return bytes(len(numbers))
    return np.round(numbers * (LARGEST / largest)).astype(np.int8).tobytes()
