"""What is too large to be opened, said in plain words.

Limits are there for memory's sake, so they are lower for kinds that take more a pixel.
"""

import math

from tagger.errors import UnreadableImage


def refuse_too_long(path: bytes, size_bytes: int, max_megapixels: int) -> None:
    """Raise `UnreadableImage` for a file that is too long to be a photo."""
    # No format needs more than eight bytes a pixel, and some are read in one piece.
    limit_bytes = max(256_000_000, max_megapixels * 8_000_000)
    if size_bytes > limit_bytes:
        raise UnreadableImage(
            path,
            f"the file has {size_bytes // 1_000_000:,} MB, "
            f"and the limit is {limit_bytes // 1_000_000:,} MB",
        )


def refuse_too_large(
    path: bytes,
    size_px: tuple[int, int],
    max_megapixels: int,
    *,
    format: str,
    bytes_factor: int = 1,
) -> None:
    """Raise `UnreadableImage` for too many pixels.

    `bytes_factor` says how many times eight bytes one of them takes.
    """
    width, height = size_px
    limit = max(1, max_megapixels // bytes_factor)
    if width * height > limit * 1_000_000:
        kind = "" if limit == max_megapixels else f" for {format} of this kind"
        raise UnreadableImage(
            path,
            f"it has {math.ceil(width * height / 1_000_000):,} megapixels "
            f"({width:,} x {height:,}), and the limit is {limit:,}{kind} "
            "(setting tagger.max_megapixels)",
        )
