"""The identity of a picture: a hash of its image stream, blind to its metadata.

A photo that is renamed, copied or gets other keywords keeps its identity; one changed
pixel gives another. The prefix names format and version of the rule: `j` JPEG, `p` PNG,
`w` WebP, `g` GIF, `t` TIFF, `h` HEIC, `a` AVIF. BMP and whatever does not follow its
format strictly is decoded, and the pixels are hashed with their size and mode: `x`.
RAW files go by their sensor data, `d`, `c` and `f`, or are hashed whole: `r`.
"""

import io
from collections.abc import Callable
from typing import BinaryIO

from blake3 import blake3

from tagger.errors import UnreadableImage
from tagger.imaging import decode, streams
from tagger.imaging.colours import resizable
from tagger.imaging.digest import StreamDigest
from tagger.imaging.formats import sniff
from tagger.imaging.isobmff import isobmff
from tagger.imaging.rawdata import sensor_identity
from tagger.imaging.rawkind import raw_format
from tagger.imaging.source import Malformed, Source, opened_file, reason_for
from tagger.imaging.tiff import tiff

_READERS: dict[str, tuple[str, Callable[[Source, StreamDigest], None]]] = {
    "JPEG": ("j1", streams.jpeg),
    "PNG": ("p1", streams.png),
    "WEBP": ("w1", streams.webp),
    "GIF": ("g1", streams.gif),
    "TIFF": ("t1", tiff),
    "HEIC": ("h1", isobmff),
    "AVIF": ("a1", isobmff),
}

_BAND_ROWS = 256
_THUMBNAIL_RULE = "1"  # counts up when thumbnails are made in another way
VERSION_LENGTH = 24


def identity(
    photo: bytes | memoryview,
    *,
    max_megapixels: int = decode.DEFAULT_MAX_MEGAPIXELS,
    file: BinaryIO | None = None,
) -> str:
    """`j1:` and 32 hex digits, or the like, of a path (bytes) or a file's content.

    A `file` that is open already is read instead of what stands at the path by now.

    Raises `UnreadableImage` if the stream is damaged and the pixels do not decode.
    """
    if isinstance(photo, memoryview):
        name, source = b"(in memory)", Source.of_memory(photo)
        return stream_identity(name, source) or _pixels_of(
            name, io.BytesIO(photo), source, max_megapixels
        )
    with opened_file(photo, file) as opened:
        source = Source.of_file(opened)
        return stream_identity(photo, source) or _pixels_of(
            photo, opened, source, max_megapixels
        )


def stream_identity(path: bytes, source: Source) -> str | None:
    """The identity from the file's structure alone; None if it has none to go by."""
    try:
        if format := raw_format(path, source):
            return sensor_identity(source, format)
        reader = _READERS.get(sniff(source.read(0, min(16, source.size_bytes))) or "")
        if reader is None:
            return None
        prefix, read = reader
        digest = StreamDigest(source)
        read(source, digest)
    except Malformed:
        return None
    except OSError as error:
        raise UnreadableImage(path, reason_for(error)) from error
    return f"{prefix}:{digest.hex()}"


def pixel_identity(photo: decode.DecodedPhoto) -> str:
    """The identity from the decoded pixels, before orientation, in bands of rows."""
    image = decode.as_stored(photo)
    if image.mode == "P":
        image = resizable(image)
    digest = blake3(f"{image.mode} {image.width} {image.height} ".encode())
    for top in range(0, image.height, _BAND_ROWS):
        bottom = min(top + _BAND_ROWS, image.height)
        digest.update(image.crop((0, top, image.width, bottom)).tobytes())
    return f"x1:{digest.hexdigest(length=16)}"


def thumbnail_version(identity: str, orientation: int) -> str:
    """A short name, safe in addresses, of the thumbnail of a picture so oriented."""
    text = f"{_THUMBNAIL_RULE} {identity} {orientation}"
    return blake3(text.encode()).hexdigest()[:VERSION_LENGTH]


def _pixels_of(name: bytes, file: BinaryIO, source: Source, max_megapixels: int) -> str:
    with (
        decode.open_stream(name, file, source, max_megapixels=max_megapixels) as photo,
        decode.decoded(photo, side_px=None) as pixels,
    ):
        return pixel_identity(pixels)
