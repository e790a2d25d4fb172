"""Renderings of a photo as JPEG: its thumbnail, and a copy any browser can show."""

from typing import BinaryIO

from PIL import Image

from tagger.imaging import decode
from tagger.imaging.colours import resized, rgb_profile
from tagger.imaging.picture import jpeg_bytes

THUMBNAIL_PX = 512
_THUMBNAIL_QUALITY = 80
# Average blocks before filtering: four times faster, and not seen at this size.
_THUMBNAIL_GAP = 1.0


def browser_jpeg(
    path: bytes,
    max_side_px: int,
    *,
    quality: int = 85,
    max_megapixels: int = decode.DEFAULT_MAX_MEGAPIXELS,
    file: BinaryIO | None = None,
) -> bytes:
    """The photo upright, as JPEG, not larger than it is; raises `UnreadableImage`.

    For what browsers cannot show themselves (HEIC, TIFF, RAW). A `file` that is open
    already is read instead of what stands at the path by now.
    """
    image, profile = _rendered(path, max_side_px, max_megapixels, file)
    return jpeg_bytes(image, quality=quality, icc_profile=profile)


def make_thumbnail(
    path: bytes,
    *,
    side_px: int = THUMBNAIL_PX,
    thumbnail_px: int = THUMBNAIL_PX,
    max_megapixels: int = decode.DEFAULT_MAX_MEGAPIXELS,
    file: BinaryIO | None = None,
) -> bytes:
    """The thumbnail without the rest of a look; raises `UnreadableImage`.

    With the `side_px` of a look it is, byte for byte, the one that look made.
    """
    side_px = max(side_px, thumbnail_px)
    image, profile = _rendered(path, side_px, max_megapixels, file)
    return thumbnail_jpeg(thumbnail_of(image, thumbnail_px), profile)


def thumbnail_of(image: Image.Image, thumbnail_px: int) -> Image.Image:
    """An upright RGB image at the size of a thumbnail."""
    return resized(image, thumbnail_px, reducing_gap=_THUMBNAIL_GAP)


def thumbnail_jpeg(image: Image.Image, icc_profile: bytes | None) -> bytes:
    """A thumbnail as it is stored."""
    return jpeg_bytes(image, quality=_THUMBNAIL_QUALITY, icc_profile=icc_profile)


def _rendered(
    path: bytes, side_px: int, max_megapixels: int, file: BinaryIO | None
) -> tuple[Image.Image, bytes | None]:
    """The photo as upright RGB image, and its colour profile if it has a small one."""
    with (
        decode.open_photo(path, max_megapixels=max_megapixels, file=file) as photo,
        decode.decoded(photo, side_px=side_px) as pixels,
    ):
        return decode.shrunk(pixels, side_px), rgb_profile(pixels.image)
