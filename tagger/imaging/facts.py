"""What a file's EXIF says of the shot: when, with what, where. Never words.

Pillow reads text tags as Latin-1, while captions are UTF-8, so captions and keywords
are exiftool's affair; of the tags here only ASCII is kept. EXIF comes from any
program and may say anything: what makes no sense is left out.
"""

import math
import re
import struct
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

# All that Pillow's EXIF reader was seen to raise on damaged blocks.
EXIF_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    struct.error,
    MemoryError,
    RuntimeError,
)

_TEXT_LIMIT = 100
_CORPORATE = re.compile(
    r"\b(corporation|imaging corp|corp|co|ltd|inc|gmbh|company|electronics)\b[.,]*",
    re.IGNORECASE,
)


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation 1 to 8, 1 where the file says nothing sensible.

    Raises one of `EXIF_FAULTS` if the EXIF block is damaged; Pillow takes it for an
    empty one when it is asked again (and has asked itself already, for a JPEG).
    """
    return valid_orientation(image.getexif().get(ExifTags.Base.Orientation, 1))


def valid_orientation(value: object) -> int:
    """An orientation as found, or 1 if it is none."""
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def shot_facts(image: Image.Image) -> dict[str, Any]:
    """`taken_at`, `camera`, `lens` and `gps` of an opened image, for `records.Facts`.

    Raises one of `EXIF_FAULTS` if the EXIF block is damaged.
    """
    exif = image.getexif()
    shot = exif.get_ifd(ExifTags.IFD.Exif)
    return {
        "taken_at": taken_at(shot.get(ExifTags.Base.DateTimeOriginal)),
        "camera": camera(exif.get(ExifTags.Base.Make), exif.get(ExifTags.Base.Model)),
        "lens": plain_text(shot.get(ExifTags.Base.LensModel)),
        "gps": gps(exif.get_ifd(ExifTags.IFD.GPSInfo)),
    }


def taken_at(value: object) -> str | None:
    """`2024:05:06 07:08:09` as ISO 8601; None for zeros, blanks and impossible days."""
    said = plain_text(value)
    if said is None:
        return None
    try:
        moment = datetime.strptime(said[:19].replace("-", ":"), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    return moment.isoformat() if moment.year >= 1800 else None


def camera(make: object, model: object) -> str | None:
    """Maker and model as people say it: `Canon EOS 5D`, not `Canon Canon EOS 5D`."""
    maker, name = plain_text(make), plain_text(model)
    if not maker or not name:
        return name or maker
    maker = plain_text(_CORPORATE.sub(" ", maker)) or maker
    if name.casefold().startswith(maker.split()[0].casefold()):
        return name
    return f"{maker} {name}"


def gps(tags: Mapping[int, Any]) -> tuple[float, float] | None:
    """Degrees north and east; None unless both are there, finite and on the globe."""
    try:
        latitude = _degrees(tags[ExifTags.GPS.GPSLatitude])
        longitude = _degrees(tags[ExifTags.GPS.GPSLongitude])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    if plain_text(tags.get(ExifTags.GPS.GPSLatitudeRef)) in ("S", "s"):
        latitude = -latitude
    if plain_text(tags.get(ExifTags.GPS.GPSLongitudeRef)) in ("W", "w"):
        longitude = -longitude
    on_globe = abs(latitude) <= 90 and abs(longitude) <= 180  # also False for NaN
    # Cameras without a fix write two zeros; no photo is worth that spot of ocean.
    nowhere = latitude == 0 and longitude == 0
    return (latitude, longitude) if on_globe and not nowhere else None


def _degrees(value: Any) -> float:
    parts = [float(part) for part in value]
    if not parts or not all(map(math.isfinite, parts)) or min(parts) < 0:
        raise ValueError("not an angle")
    padded = [*parts, 0.0, 0.0][:3]
    return round(padded[0] + padded[1] / 60 + padded[2] / 3600, 7)


def plain_text(value: object) -> str | None:
    """Printable ASCII up to the first NUL, blanks tidied; None if nothing is left."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return None
    ascii_only = "".join(c for c in value.split("\0")[0] if " " <= c <= "~")
    return " ".join(ascii_only.split())[:_TEXT_LIMIT] or None
