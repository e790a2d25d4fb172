"""The picture data of TIFF: strips or tiles of every page, with what decodes them.

The directories of a TIFF may stand anywhere and be rewritten in another place and
order of bytes, so numbers are compared, not bytes. Reading ends at a directory seen
before. Raises `Malformed` when offsets lead outside the file or tags are missing.
"""

import struct
from dataclasses import dataclass

from tagger.imaging.digest import MAX_PARTS, StreamDigest
from tagger.imaging.source import Malformed, Source

_MAX_PAGES = 100_000

# TIFF field types that hold numbers, by the struct code that reads them.
_TYPES = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I"}
_BIG_TYPES = {16: "Q", 17: "q", 18: "Q"}

_STRIPS, _TILES = (273, 279), (324, 325)  # offsets, byte counts

# What, besides the data, decides the pixels: size, bits, compression, colour model,
# bit order, samples, rows a strip, planes, fax options, predictor, palette, tile size,
# extra samples, sample format, JPEG tables and YCbCr subsampling.
_DECIDING = (
    *(256, 257, 258, 259, 262, 266, 277, 278, 284, 292, 293),
    *(317, 320, 322, 323, 338, 339, 347, 530),
)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How this file writes numbers: order of bytes, and 64-bit offsets if it is big."""

    little: bool
    big: bool

    @property
    def offset_bytes(self) -> int:
        return 8 if self.big else 4

    @property
    def count_bytes(self) -> int:
        return 8 if self.big else 2

    @property
    def entry_bytes(self) -> int:
        return 20 if self.big else 12


def tiff(source: Source, digest: StreamDigest) -> None:
    """Every page of the main chain, in order."""
    little = source.read(0, 2) == b"II"
    layout = _Layout(little, big=source.integer(2, 2, little=little) == 43)
    seen: set[int] = set()
    at = source.integer(8 if layout.big else 4, layout.offset_bytes, little=little)
    while at:
        if at in seen or len(seen) >= _MAX_PAGES:
            raise Malformed("has directories that lead in a circle")
        seen.add(at)
        at = _page(source, digest, layout, at)
    if not seen:
        raise Malformed("has no page")


def _page(source: Source, digest: StreamDigest, layout: _Layout, at: int) -> int:
    """Take one page into the digest; return where the next one stands."""
    count = source.integer(at, layout.count_bytes, little=layout.little)
    at += layout.count_bytes
    wanted = {*_DECIDING, *_STRIPS, *_TILES}
    values: dict[int, tuple[int, ...]] = {}
    for entry in range(at, at + count * layout.entry_bytes, layout.entry_bytes):
        digest.step()
        tag = source.integer(entry, 2, little=layout.little)
        if tag in wanted:
            values[tag] = _values(source, digest, layout, entry)
    for tag in _DECIDING:
        numbers = ",".join(map(str, values.get(tag, ())))
        digest.value(b"tag %d" % tag, numbers.encode())
    _picture_data(digest, values)
    end = at + count * layout.entry_bytes
    return source.integer(end, layout.offset_bytes, little=layout.little)


def _picture_data(digest: StreamDigest, values: dict[int, tuple[int, ...]]) -> None:
    offsets_tag, lengths_tag = _TILES if _TILES[0] in values else _STRIPS
    offsets, lengths = values.get(offsets_tag, ()), values.get(lengths_tag, ())
    if not offsets or len(offsets) != len(lengths):
        raise Malformed("does not say where its picture data are")
    for offset, length in zip(offsets, lengths, strict=True):
        digest.range(b"data", offset, length)


def _values(
    source: Source, digest: StreamDigest, layout: _Layout, entry: int
) -> tuple[int, ...]:
    """The numbers of one directory entry, stored in it or elsewhere."""
    kind = source.integer(entry + 2, 2, little=layout.little)
    count = source.integer(entry + 4, layout.offset_bytes, little=layout.little)
    code = _TYPES.get(kind) or (_BIG_TYPES.get(kind) if layout.big else None)
    if code is None or count > MAX_PARTS:
        raise Malformed("has a tag that holds no numbers")
    value_at = entry + 4 + layout.offset_bytes
    length = struct.calcsize("=" + code) * count
    digest.charge(length)
    if length > layout.offset_bytes:
        value_at = source.integer(value_at, layout.offset_bytes, little=layout.little)
    order = "<" if layout.little else ">"
    return struct.unpack(f"{order}{count}{code}", source.read(value_at, length))
