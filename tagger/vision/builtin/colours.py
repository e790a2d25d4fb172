"""Dominant colours and light, by arithmetic alone: what every picture has to say.

Colours are compared in CIE L*a*b*, where distance is close to what the eye calls
different. Strong colours weigh more than grey ones, as they do for the eye.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.imaging.resize import resized
from tagger.records import Tag

SIDE_PX = 64
MOST_COLOURS = 2
SMALLEST_SHARE = 0.18
COLOURLESS_CHROMA = 10.0  # 98 of 100 pixels below: no colour to speak of
DARK_LIGHTNESS = 30.0
BRIGHT_LIGHTNESS = 72.0
VIVID_CHROMA = 42.0
EYE_CATCHING_CHROMA = 30.0  # a pixel this colourful weighs twice a grey one

Floats = NDArray[np.float64]

_PALETTE = {
    "black": ((12, 12, 12), (35, 32, 30)),
    "white": ((250, 250, 250), (226, 228, 230)),
    "gray": ((90, 90, 90), (130, 130, 130), (175, 175, 175)),
    "red": ((190, 25, 30), (130, 25, 25), (225, 60, 50)),
    "orange": ((235, 125, 30), (240, 155, 90), (205, 95, 25)),
    "yellow": ((240, 215, 60), (250, 235, 130), (205, 180, 40)),
    "green": ((60, 140, 60), (30, 75, 30), (120, 150, 60), (85, 100, 45), (55, 58, 22)),
    "teal": ((25, 130, 130), (10, 75, 85), (110, 190, 185)),
    "blue": ((45, 95, 190), (20, 40, 95), (120, 170, 225), (75, 110, 150)),
    "purple": ((115, 50, 150), (165, 120, 200), (65, 30, 85)),
    "pink": ((235, 130, 175), (215, 50, 125), (245, 195, 210)),
    "brown": ((110, 70, 40), (70, 42, 22), (150, 105, 65)),
    "beige": ((215, 195, 160), (190, 170, 140), (235, 220, 195)),
}


@dataclass(frozen=True, slots=True)
class Look:
    """Colours by weight, and at most one word for the light. Scores are 0 to 1."""

    colours: tuple[Tag, ...]
    light: Tag | None
    colourless: bool


def look(pixels: NDArray[np.uint8]) -> Look:
    """The colours and light of RGB `pixels`."""
    lab = _lab(resized(pixels, SIDE_PX, SIDE_PX).reshape(-1, 3) / 255.0)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    colourless = bool(np.quantile(chroma, 0.98) < COLOURLESS_CHROMA)
    colours = () if colourless else _colours(lab, chroma)
    return Look(colours, _light(float(lab[:, 0].mean()), chroma), colourless)


def _colours(lab: Floats, chroma: Floats) -> tuple[Tag, ...]:
    distance = ((lab[:, None, :] - _POINTS[None, :, :]) ** 2).sum(axis=2)
    nearest = _OWNER[distance.argmin(axis=1)]
    weight = 1 + chroma / EYE_CATCHING_CHROMA
    shares = np.bincount(nearest, weight, minlength=len(_NAMES)) / weight.sum()
    first, *others = np.argsort(-shares)[:MOST_COLOURS]
    shown = [first, *(i for i in others if shares[i] >= SMALLEST_SHARE)]
    return tuple(Tag(_NAMES[i], round(float(shares[i]), 3)) for i in shown)


def _light(lightness: float, chroma: Floats) -> Tag | None:
    """The word for the light; its score grows with the distance from the middle."""
    if lightness <= DARK_LIGHTNESS:
        return Tag("dark", round(1 - lightness / 100, 3))
    if lightness >= BRIGHT_LIGHTNESS:
        return Tag("bright", round(lightness / 100, 3))
    if (strength := float(chroma.mean())) >= VIVID_CHROMA:
        return Tag("vivid", round(min(strength / 100, 1.0), 3))
    return None


def _lab(rgb: Floats) -> Floats:
    """sRGB (0 to 1) as L*a*b* under daylight, D65."""
    low = rgb / 12.92
    high = ((rgb + 0.055) / 1.055) ** 2.4
    linear = np.where(rgb <= 0.04045, low, high)
    xyz = linear @ _TO_XYZ.T / _WHITE
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (xyz * 24389 / 27 + 16) / 116)
    x, y, z = root[:, 0], root[:, 1], root[:, 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
_NAMES = tuple(_PALETTE)
_POINTS = _lab(np.array([rgb for family in _PALETTE.values() for rgb in family]) / 255)
_OWNER = np.array([_NAMES.index(name) for name in _NAMES for _ in _PALETTE[name]])
