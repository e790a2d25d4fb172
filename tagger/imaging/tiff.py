"""The picture data of TIFF: strips or tiles of every page, with what decodes them.

The directories of a TIFF may stand anywhere and be rewritten in another place and
order of bytes, so numbers are compared, not bytes. Reading ends at a directory seen
before. Raises `Malformed` when offsets lead outside the file or tags are missing.
"""

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tagger.imaging.digest import MAX_PARTS, StreamDigest
from tagger.imaging.source import Malformed, Source

MAX_PAGES = 100_000

# TIFF field types that hold numbers, by the struct code that reads them.
_TYPES = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I"}
_BIG_TYPES = {16: "Q", 17: "q", 18: "Q"}
# Where texts and fractions are wanted too: their bytes, and two numbers for each.
_FACT_TYPES = {**_TYPES, 2: "B", 5: "II", 10: "ii"}

_STRIPS, _TILES = (273, 279), (324, 325)  # offsets, byte counts
PICTURE_DATA = (*_STRIPS, *_TILES)

# What, besides the data, decides the pixels: size, bits, compression, colour model,
# bit order, samples, rows a strip, planes, fax options, predictor, palette, tile size,
# extra samples, sample format, JPEG tables and YCbCr subsampling.
DECIDING = (
    *(256, 257, 258, 259, 262, 266, 277, 278, 284, 292, 293),
    *(317, 320, 322, 323, 338, 339, 347, 530),
)

Numbers = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How this file writes numbers: order of bytes, and 64-bit offsets if it is big."""

    little: bool
    big: bool

    @classmethod
    def of(cls, source: Source) -> "Layout":
        little = source.read(0, 2) == b"II"
        return cls(little, big=source.integer(2, 2, little=little) == 43)

    @property
    def offset_bytes(self) -> int:
        return 8 if self.big else 4

    @property
    def count_bytes(self) -> int:
        return 8 if self.big else 2

    @property
    def entry_bytes(self) -> int:
        return 20 if self.big else 12

    def first_directory(self, source: Source) -> int:
        """Where the first directory stands."""
        at = 8 if self.big else 4
        return source.integer(at, self.offset_bytes, little=self.little)


def tiff(source: Source, digest: StreamDigest) -> None:
    """Every page of the main chain, in order."""
    layout = Layout.of(source)
    seen: set[int] = set()
    at = layout.first_directory(source)
    while at:
        if at in seen or len(seen) >= MAX_PAGES:
            raise Malformed("has directories that lead in a circle")
        seen.add(at)
        values, at = directory(source, digest, layout, at, {*DECIDING, *PICTURE_DATA})
        picture(digest, values, DECIDING)
    if not seen:
        raise Malformed("has no page")


def picture(
    digest: StreamDigest, values: Mapping[int, Numbers], deciding: Collection[int]
) -> None:
    """Take one page into the digest: the deciding numbers, then the data."""
    for tag in deciding:
        numbers = ",".join(map(str, values.get(tag, ())))
        digest.value(b"tag %d" % tag, numbers.encode())
    offsets_tag, lengths_tag = _TILES if _TILES[0] in values else _STRIPS
    offsets, lengths = values.get(offsets_tag, ()), values.get(lengths_tag, ())
    if not offsets or len(offsets) != len(lengths):
        raise Malformed("does not say where its picture data are")
    for offset, length in zip(offsets, lengths, strict=True):
        digest.range(b"data", offset, length)


def directory(
    source: Source,
    digest: StreamDigest,
    layout: Layout,
    at: int,
    wanted: Collection[int],
) -> tuple[dict[int, Numbers], int]:
    """The numbers of the wanted tags that have any, and where the next one stands."""
    found, following = entries(source, digest, layout, at, wanted)
    types = {**_TYPES, **_BIG_TYPES} if layout.big else _TYPES
    values = {
        tag: _values(source, digest, layout, entry, types)
        for tag, entry in found.items()
    }
    return {tag: numbers for tag, numbers in values.items() if numbers}, following


def facts_of(
    source: Source,
    digest: StreamDigest,
    layout: Layout,
    at: int,
    wanted: Collection[int],
) -> dict[int, Numbers]:
    """The same, with texts as their bytes and fractions; what is odd is left out."""
    values = {}
    for tag, entry in entries(source, digest, layout, at, wanted)[0].items():
        try:
            values[tag] = _values(source, digest, layout, entry, _FACT_TYPES)
        except Malformed:
            continue
    return values


def entries(
    source: Source,
    digest: StreamDigest,
    layout: Layout,
    at: int,
    wanted: Collection[int],
) -> tuple[dict[int, int], int]:
    """Where the entry of each wanted tag stands, and where the next directory does."""
    count = source.integer(at, layout.count_bytes, little=layout.little)
    at += layout.count_bytes
    end = at + count * layout.entry_bytes
    found = {}
    for entry in range(at, end, layout.entry_bytes):
        digest.step()
        tag = source.integer(entry, 2, little=layout.little)
        if tag in wanted:
            found[tag] = entry
    return found, source.integer(end, layout.offset_bytes, little=layout.little)


def _values(
    source: Source,
    digest: StreamDigest,
    layout: Layout,
    entry: int,
    types: Mapping[int, str],
) -> Numbers:
    """The numbers of one directory entry, stored in it or elsewhere."""
    kind = source.integer(entry + 2, 2, little=layout.little)
    count = source.integer(entry + 4, layout.offset_bytes, little=layout.little)
    code = types.get(kind)
    if code is None or count > MAX_PARTS:
        raise Malformed("has a tag that holds no numbers")
    value_at = entry + 4 + layout.offset_bytes
    length = struct.calcsize("=" + code) * count
    digest.charge(length)
    if length > layout.offset_bytes:
        value_at = source.integer(value_at, layout.offset_bytes, little=layout.little)
    order = "<" if layout.little else ">"
    numbers = f"{order}{count * len(code)}{code[0]}"
    return struct.unpack(numbers, source.read(value_at, length))
