"""The picture data of JPEG, PNG, WebP and GIF: files that are read front to back.

Each function feeds the parts that decide the pixels into a digest, and leaves out
whatever programs add beside them (EXIF, XMP, comments, colour profiles, trailers).
All raise `Malformed` when the file does not follow its format to the end.
"""

import re

from tagger.imaging.digest import StreamDigest
from tagger.imaging.source import CHUNK_BYTES, Malformed, Source

# The next marker in JPEG scan data: 0xFF, but neither a stuffed zero, a restart marker
# nor one more fill byte.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")

_JPEG_EOI, _JPEG_SOS = 0xD9, 0xDA
_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_JPEG_METADATA = {0xFE, *range(0xE0, 0xF0)}

_PNG_PICTURE = {
    b"IHDR",
    b"PLTE",
    b"tRNS",
    b"IDAT",
    b"acTL",
    b"fcTL",
    b"fdAT",
}
_WEBP_PICTURE = {b"VP8 ", b"VP8L", b"ALPH", b"ANMF"}

_GIF_EXTENSION, _GIF_IMAGE, _GIF_END = 0x21, 0x2C, 0x3B
_GIF_GRAPHIC_CONTROL = 0xF9


def jpeg(source: Source, digest: StreamDigest) -> None:
    """Tables, frame and scans of the first picture, up to its end marker."""
    position, has_scan = 2, False
    while True:
        digest.step()
        marker, position = _jpeg_marker(source, position)
        if marker == _JPEG_EOI:
            break
        if marker in _JPEG_WITHOUT_LENGTH:
            continue
        length = source.integer(position, 2)
        if length < 2:
            raise Malformed("has a segment without a length")
        if marker not in _JPEG_METADATA:
            digest.range(bytes([marker]), position + 2, length - 2)
        position += length
        if marker == _JPEG_SOS:
            has_scan = True
            end = _jpeg_scan_end(source, position)
            digest.range(b"scan", position, end - position)
            position = end
    if not has_scan:
        raise Malformed("has no picture data")


def _jpeg_marker(source: Source, position: int) -> tuple[int, int]:
    """The marker at a position, fill bytes skipped, and where its content begins."""
    if source.integer(position, 1) != 0xFF:
        raise Malformed("has bytes between its segments")
    while (marker := source.integer(position + 1, 1)) == 0xFF:
        position += 1
    return marker, position + 2


def _jpeg_scan_end(source: Source, start: int) -> int:
    """Where the marker stands that ends the scan data."""
    position = start
    while position < source.size_bytes:
        chunk = source.read(position, min(CHUNK_BYTES, source.size_bytes - position))
        if found := _MARKER.search(chunk):
            return position + found.start()
        # A 0xFF at the very end of the chunk belongs to the next one.
        position += max(1, len(chunk) - 1)
    raise Malformed("ends within its picture data")


def png(source: Source, digest: StreamDigest) -> None:
    """Header, palette, transparency and image data, of every frame if it moves."""
    position, kind, has_data = 8, b"", False
    while kind != b"IEND":
        digest.step()
        length, kind = source.integer(position, 4), source.read(position + 4, 4)
        if kind in _PNG_PICTURE:
            digest.range(kind, position + 8, length)
            has_data = has_data or kind == b"IDAT"
        position += 12 + length
    if position > source.size_bytes or not has_data:
        raise Malformed("has no picture data")


def webp(source: Source, digest: StreamDigest) -> None:
    """Bitstream, alpha plane and frames. VP8X is left out: it lists the metadata."""
    end = 8 + source.integer(4, 4, little=True)
    if end > source.size_bytes:
        raise Malformed("ends too early")
    position, pictures = 12, 0
    while position + 8 <= end:
        digest.step()
        kind = source.read(position, 4)
        length = source.integer(position + 4, 4, little=True)
        if kind in _WEBP_PICTURE:
            digest.range(kind, position + 8, length)
            pictures += 1
        position += 8 + length + length % 2
    if not pictures:
        raise Malformed("has no picture data")


def gif(source: Source, digest: StreamDigest) -> None:
    """Screen, colour tables, image blocks and how each is shown; no comments."""
    digest.range(b"screen", 6, 7)
    position, pictures = _gif_colours(source, digest, at=13, flags_at=10), 0
    while (block := source.integer(position, 1)) != _GIF_END:
        if block == _GIF_EXTENSION:
            label = source.integer(position + 1, 1)
            shows = digest if label == _GIF_GRAPHIC_CONTROL else None
            position = _gif_sub_blocks(source, position + 2, digest, shows)
        elif block == _GIF_IMAGE:
            pictures += 1
            digest.range(b"image", position + 1, 9)
            position = _gif_colours(
                source, digest, at=position + 10, flags_at=position + 9
            )
            digest.range(b"code size", position, 1)
            position = _gif_sub_blocks(source, position + 1, digest, digest)
        else:
            raise Malformed("has bytes between its blocks")
    if not pictures:
        raise Malformed("has no picture data")


def _gif_colours(
    source: Source, digest: StreamDigest, *, at: int, flags_at: int
) -> int:
    """Take a colour table if the flags say there is one; return where it ends."""
    flags = source.integer(flags_at, 1)
    if not flags & 0x80:
        return at
    length = 3 << ((flags & 7) + 1)
    digest.range(b"colours", at, length)
    return at + length


def _gif_sub_blocks(
    source: Source, position: int, steps: StreamDigest, digest: StreamDigest | None
) -> int:
    """Walk a chain of sub-blocks, feeding them into `digest` if there is one."""
    while length := source.integer(position, 1):
        steps.step()
        if digest:
            digest.range(b"block", position + 1, length)
        position += 1 + length
    return position + 1
