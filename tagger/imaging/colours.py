"""Any mode a decoder hands out, made resizable, smaller, and RGB on white.

Traps live here: 16-bit grey turns white in Pillow's own conversion, a palette cannot be
averaged, transparency has a colour underneath that nobody is meant to see.
"""

import numpy as np
from PIL import Image, ImageCms

# Above this factor Pillow averages blocks before it filters.
REDUCING_GAP = 2.0

# A profile larger than this (print profiles, camera tables) is not worth carrying.
_PROFILE_LIMIT_BYTES = 4096


def resized(
    image: Image.Image, side_px: int, *, reducing_gap: float = REDUCING_GAP
) -> Image.Image:
    """The image with its longest side at most `side_px`; never larger than it was."""
    longest = max(image.size)
    if longest <= side_px:
        return image
    width, height = (max(1, round(side * side_px / longest)) for side in image.size)
    return image.resize(
        (width, height), Image.Resampling.LANCZOS, reducing_gap=reducing_gap
    )


def resizable(image: Image.Image) -> Image.Image:
    """The image in a mode that can be resized without losing colours or range."""
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_grey(image)
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        return converted or image
    if "transparency" in image.info and image.mode in ("L", "RGB", "P"):
        return image.convert("RGBA")
    if image.mode == "PA":
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode == "P" else image


def _deep_grey(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or floating point, as 8 bits over its whole range.

    `convert("L")` would cut everything above 255 off, which leaves a white picture.
    """
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        return Image.fromarray((values >> 8).astype(np.uint8))
    values = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = min(0.0, float(values.min())), float(values.max())
    # The usual ranges stay what they mean; anything else is stretched over its own.
    usual = (1.0, 255.0) if image.mode == "F" else (255.0, 65535.0)
    top = next((top for top in usual if high <= top), high)
    values = (values - low) * (255.0 / max(top - low, 1e-9))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("RGBA", "LA", "RGBa", "La"):
        return image if image.mode == "RGB" else image.convert("RGB")
    layer = image.convert("RGBA")
    paper = Image.new("RGB", layer.size, "white")
    paper.paste(layer, mask=layer.getchannel("A"))
    return paper


def rgb_profile(image: Image.Image) -> bytes | None:
    """The colour profile, if it is a small one that still holds after decoding."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or len(profile) > _PROFILE_LIMIT_BYTES:
        return None
    return profile if profile[16:20] == b"RGB " else None
