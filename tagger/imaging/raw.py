"""Opening a RAW photo: the preview in it, or else its sensor data at half size.

The preview is what the photographer saw, has the camera's colours, and costs nothing.
It is used when it is large enough to be looked at. Sizes are those of the photo itself.
"""

import io
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image

from tagger.errors import UnreadableImage
from tagger.imaging.facts import plain_text, taken_at
from tagger.imaging.faults import DECODER_FAULTS
from tagger.imaging.libraw import CHECK, DEVELOP, LIBRAW, PREVIEW, Answer, Refused
from tagger.imaging.limits import refuse_too_large
from tagger.imaging.rawfacts import raw_shot_facts
from tagger.imaging.source import Source, reading

# A preview of this size serves every model and thumbnail; a smaller one is used only
# if the sensor data at half size are no larger.
ENOUGH_PX = 1000

# EXIF orientation by LibRaw's flip: bits for mirrored, upside down, and transposed.
_ORIENTATIONS = (1, 2, 4, 3, 5, 8, 6, 7)


@dataclass(frozen=True, slots=True)
class RawPhoto:
    """A RAW photo, and the picture to look at; `stored_px` is its size not turned."""

    path: bytes
    file: BinaryIO
    image: Image.Image
    stored_px: tuple[int, int]
    orientation: int
    facts: dict[str, Any]

    @property
    def width_px(self) -> int:
        return self.stored_px[self.orientation >= 5]

    @property
    def height_px(self) -> int:
        return self.stored_px[self.orientation < 5]

    def turn_of(self, image: Image.Image) -> int:
        """The orientation to apply to a picture of it: some previews are upright."""
        is_wide, stored_wide = (
            width > height for width, height in (image.size, self.stored_px)
        )
        return (
            1 if self.orientation >= 5 and is_wide != stored_wide else self.orientation
        )

    def developed(self) -> Image.Image:
        """A picture of half the size from the sensor data; raises `UnreadableImage`."""
        return _developed(self.path, self.file)

    def prove_whole(self) -> None:
        """Raise `UnreadableImage` if sensor data are missing or damaged."""
        _asked(CHECK, self.path, self.file)


def open_raw(
    path: bytes, file: BinaryIO, source: Source, format: str, max_megapixels: int
) -> RawPhoto:
    """Find sizes, facts and preview; raises `UnreadableImage`."""
    answer = _asked(PREVIEW, path, file)
    stored_px = _stored_size(answer.header)
    refuse_too_large(path, stored_px, max_megapixels, format=format)
    preview = _preview(answer)
    with reading(path):
        facts = raw_shot_facts(source, format, preview)
    facts["taken_at"] = facts["taken_at"] or taken_at(answer.header["taken_at"])
    facts["lens"] = facts["lens"] or plain_text(answer.header["lens"])
    usable = preview is not None and _is_usable(preview, stored_px, max_megapixels)
    image = preview if preview is not None and usable else _developed(path, file)
    orientation = _orientation(answer.header)
    return RawPhoto(path, file, image, stored_px, orientation, facts)


def _asked(what: bytes, path: bytes, file: BinaryIO) -> Answer:
    try:
        return LIBRAW.ask(what, file)
    except Refused as refused:
        raise UnreadableImage(path, str(refused)) from refused


def _stored_size(header: dict[str, Any]) -> tuple[int, int]:
    """The part that makers mean to be seen, if they say so; else all there is."""
    whole = header["width_px"], header["height_px"]
    seen = header["crop_width_px"], header["crop_height_px"]
    is_sensible = all(
        side // 2 < cropped <= side for cropped, side in zip(seen, whole, strict=True)
    )
    return seen if is_sensible else whole


def _orientation(header: dict[str, Any]) -> int:
    flip = header["flip"]
    return _ORIENTATIONS[flip] if 0 <= flip < len(_ORIENTATIONS) else 1


def _preview(answer: Answer) -> Image.Image | None:
    """The preview with its header read, unless there is none or it makes no sense."""
    mode = answer.header["preview"]
    if mode is None:
        return None
    try:
        if mode == "JPEG":
            return Image.open(io.BytesIO(answer.payload), formats=("JPEG",))
        return Image.frombytes(mode, answer.header["size_px"], answer.payload)
    except DECODER_FAULTS:
        return None


def _is_usable(
    preview: Image.Image, stored_px: tuple[int, int], max_megapixels: int
) -> bool:
    width, height = preview.size
    enough_px = min(ENOUGH_PX, max(stored_px) // 2)
    return max(width, height) >= enough_px and width * height <= max_megapixels * 1e6


def _developed(path: bytes, file: BinaryIO) -> Image.Image:
    answer = _asked(DEVELOP, path, file)
    return Image.frombytes("RGB", answer.header["size_px"], answer.payload)
