"""Look: everything the program wants to know of a photo, from one decode.

The picture for the model, the thumbnail, the perceptual hash, the identity and the
facts are made together, since decoding is what costs. Several threads may look at once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from tagger.imaging import decode
from tagger.imaging.colours import resized, rgb_profile
from tagger.imaging.facts import EXIF_FAULTS, shot_facts
from tagger.imaging.faults import DECODER_FAULTS
from tagger.imaging.formats import misnamed
from tagger.imaging.identity import pixel_identity, stream_identity
from tagger.imaging.picture import Picture
from tagger.imaging.quality import quality
from tagger.imaging.rawdata import is_proven_whole
from tagger.imaging.render import THUMBNAIL_PX, thumbnail_jpeg, thumbnail_of
from tagger.imaging.source import content_hash
from tagger.records import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen. `note` is a remark for people on something odd, not a failure.

    `content_hash` is the BLAKE3 of the whole file, hex; `thumbnail` a JPEG; `dhash` 63
    bits, so that it fits a signed integer of a database; `quality` is 0 to 100.
    """

    identity: str
    content_hash: str
    facts: Facts
    picture: Picture
    thumbnail: bytes
    dhash: int
    quality: int
    note: str | None = None


def look(
    path: bytes,
    *,
    side_px: int,
    thumbnail_px: int = THUMBNAIL_PX,
    max_megapixels: int = decode.DEFAULT_MAX_MEGAPIXELS,
) -> Look:
    """Look at one photo; raises `UnreadableImage` and nothing else about the file."""
    with decode.open_photo(path, max_megapixels=max_megapixels) as photo:
        whole_file = content_hash(path, photo.source)
        identity = stream_identity(path, photo.source)
        if photo.raw and identity and not is_proven_whole(identity):
            photo.raw.prove_whole()
        base_px = max(side_px, thumbnail_px)
        with decode.decoded(photo, side_px=base_px if identity else None) as pixels:
            identity = identity or pixel_identity(pixels)
            base = decode.shrunk(pixels, base_px)
            profile = rgb_profile(pixels.image)
            shot, notes = (photo.raw.facts, []) if photo.raw else _shot(pixels)
            frames, frame_notes = _frames(photo)
    small = thumbnail_of(base, thumbnail_px)
    notes = [misnamed(path, photo.format), *notes, *frame_notes]
    return Look(
        identity=identity,
        content_hash=whole_file,
        facts=Facts(
            format=photo.format,
            width_px=pixels.width_px,
            height_px=pixels.height_px,
            orientation=pixels.orientation,
            frames=frames,
            **shot,
        ),
        picture=Picture.of_image(resized(base, side_px)),
        thumbnail=thumbnail_jpeg(small, profile),
        dhash=dhash(small),
        quality=quality(base),
        note="; ".join(filter(None, notes)) or None,
    )


def dhash(image: Image.Image) -> int:
    """63 bits that tell where an image gets brighter from left to right."""
    grey = image.convert("L").resize((9, 8), Image.Resampling.BOX)
    values = np.asarray(grey, dtype=np.int16)
    bits = (values[:, 1:] > values[:, :-1]).flatten()[:63]
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _shot(photo: decode.DecodedPhoto) -> tuple[dict[str, Any], list[str | None]]:
    damaged: list[str | None] = ["its EXIF data are damaged and were left out"]
    if photo.exif_damaged:
        return {}, damaged
    try:
        return shot_facts(photo.image), []
    except EXIF_FAULTS:
        return {}, damaged


def _frames(photo: decode.OpenPhoto) -> tuple[int, list[str | None]]:
    try:
        return decode.frames_of(photo), []
    except DECODER_FAULTS:
        return 1, ["only its first frame or page can be read"]
