"""Made: pictures like photographs in size, detail and noise, for measuring with."""

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tagger.imaging import decode  # noqa: F401  (it gives Pillow its HEIC)

SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "TIFF": ".tif",
    "HEIF": ".heic",
    "AVIF": ".avif",
}
_OPTIONS: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 90},
    "PNG": {"compress_level": 1},
    "WEBP": {"quality": 85, "method": 0},
    "TIFF": {"compression": "tiff_lzw"},
    "HEIF": {"quality": 80},
    "AVIF": {"quality": 70, "speed": 10},
}
_COARSE_PX = 12  # what the eye takes for things
_NOISE = 6.0  # what a sensor adds, of 255
_SHIFTS_PX = 64


def save(folder: Path, number: int, *, format: str, megapixels: float) -> Path:
    """Make picture `number`, 4 to 3, and put it into `folder`; its path.

    The same number is the same picture, whatever the format.
    """
    path = folder / f"{number:05d}{SUFFIXES[format]}"
    _picture(number, megapixels).save(path, format, **_OPTIONS[format])
    return path


def _picture(number: int, megapixels: float) -> Image.Image:
    width_px = max(16, round((megapixels * 1e6 * 4 / 3) ** 0.5))
    height_px = max(12, width_px * 3 // 4)
    random = np.random.default_rng(number)
    things = random.integers(0, 256, (_COARSE_PX, _COARSE_PX, 3), dtype=np.uint8)
    smooth = Image.fromarray(things).resize(
        (width_px, height_px), Image.Resampling.BICUBIC
    )
    noise = _noise(width_px, height_px)
    # Another piece of the same noise for each: making it anew takes longest.
    left, top = random.integers(0, _SHIFTS_PX, 2)
    noise = noise[top : top + height_px, left : left + width_px, None]
    pixels = np.asarray(smooth, dtype=np.int16) + noise
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@functools.lru_cache(maxsize=1)
def _noise(width_px: int, height_px: int) -> NDArray[np.int8]:
    """Noise that is a little larger than a picture."""
    size = (height_px + _SHIFTS_PX, width_px + _SHIFTS_PX)
    noise = np.random.default_rng(0).standard_normal(size, dtype=np.float32)
    return (_NOISE * noise).round().astype(np.int8)
