"""The picture data of HEIC and AVIF: the coded items, and the frames of a sequence.

Both are boxes in boxes (ISO base media). The `meta` box lists items by id (`iinf`) and
says where their bytes are (`iloc`); the picture, its tiles and its alpha plane are
items, and so are Exif and XMP, which do not count. Properties that decoding needs
count as well; rotation and colour profile do not. Raises `Malformed` when unsure.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tagger.imaging.digest import MAX_PARTS, StreamDigest
from tagger.imaging.source import Malformed, Source

_METADATA_ITEMS = {b"Exif", b"mime", b"uri "}
_DECIDING_PROPERTIES = {b"hvcC", b"av1C", b"ispe", b"clap", b"auxC"}
_IN_FILE, _IN_IDAT = 0, 1
_MAX_ITEMS = 100_000


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the file: its type, and where its content begins and ends."""

    kind: bytes
    start: int
    end: int


@dataclass(slots=True)
class Reader:
    """Reads big-endian numbers one after the other, and not beyond its box."""

    source: Source
    at: int
    end: int

    def integer(self, length: int) -> int:
        if self.at + length > self.end:
            raise Malformed("has a box that is too short")
        value = self.source.integer(self.at, length) if length else 0
        self.at += length
        return value

    def version(self) -> int:
        """Version of a full box; its flags are skipped."""
        return self.integer(4) >> 24


def boxes(source: Source, start: int, end: int) -> Iterator[Box]:
    """The boxes that stand in a range, in order."""
    for _ in range(MAX_PARTS):
        if start + 8 > end:
            return
        length, kind, header = source.integer(start, 4), source.read(start + 4, 4), 8
        if length == 1:
            length, header = source.integer(start + 8, 8), 16
        elif length == 0:
            length = end - start
        if length < header or start + length > end:
            raise Malformed("has a box that is longer than its place")
        yield Box(kind, start + header, start + length)
        start += length
    raise Malformed("has too many boxes")


def only(source: Source, parent: Box, *path: bytes, skip: int = 0) -> Box:
    """The first box reached by going down `path`; `skip` bytes precede the first."""
    for kind in path:
        children = boxes(source, parent.start + skip, parent.end)
        found = next((box for box in children if box.kind == kind), None)
        if found is None:
            raise Malformed("lacks a box that must be there")
        parent, skip = found, 0
    return parent


def isobmff(source: Source, digest: StreamDigest) -> None:
    """Every coded item by ascending id, and the frames of every track."""
    top = Box(b"", 0, source.size_bytes)
    found = list(boxes(source, top.start, top.end))
    meta = next((box for box in found if box.kind == b"meta"), None)
    moov = next((box for box in found if box.kind == b"moov"), None)
    if meta is None and moov is None:
        raise Malformed("has no picture data")
    if meta is not None:
        _items(source, digest, meta)
    if moov is not None:
        _tracks(source, digest, moov)


def _items(source: Source, digest: StreamDigest, meta: Box) -> None:
    pictures = picture_items(source, only(source, meta, b"iinf", skip=4))
    places = locations(source, digest, meta)
    if not pictures:
        raise Malformed("has no picture item")
    for item_id, kind in sorted(pictures.items()):
        digest.value(b"item", kind)
        for offset, length in places.get(item_id, ()):
            digest.range(b"extent", offset, length)
    properties = only(source, meta, b"iprp", skip=4)
    container = only(source, properties, b"ipco")
    for box in boxes(source, container.start, container.end):
        if box.kind in _DECIDING_PROPERTIES:
            digest.range(box.kind, box.start, box.end - box.start)


def picture_items(source: Source, iinf: Box) -> dict[int, bytes]:
    """Id and type of the items that are no metadata."""
    reader = Reader(source, iinf.start, iinf.end)
    reader.integer(2 if reader.version() == 0 else 4)
    pictures: dict[int, bytes] = {}
    for box in boxes(source, reader.at, iinf.end):
        entry = Reader(source, box.start, box.end)
        version = entry.version()
        if box.kind != b"infe" or version < 2 or len(pictures) >= _MAX_ITEMS:
            raise Malformed("has an item list of an unknown form")
        item_id = entry.integer(2 if version == 2 else 4)
        entry.integer(2)  # protection
        kind = entry.integer(4).to_bytes(4, "big")
        if kind not in _METADATA_ITEMS:
            pictures[item_id] = kind
    return pictures


def locations(
    source: Source, digest: StreamDigest, meta: Box
) -> dict[int, list[tuple[int, int]]]:
    """Offset in the file and length of every extent, by item id."""
    iloc = only(source, meta, b"iloc", skip=4)
    reader = Reader(source, iloc.start, iloc.end)
    version = reader.version()
    if version > 2:
        raise Malformed("has an item list of an unknown form")
    sizes = reader.integer(2)
    offset_bytes, length_bytes = sizes >> 12, sizes >> 8 & 15
    base_bytes, index_bytes = sizes >> 4 & 15, (sizes & 15 if version else 0)
    idat = next(
        (b for b in boxes(source, meta.start + 4, meta.end) if b.kind == b"idat"), None
    )
    places: dict[int, list[tuple[int, int]]] = {}
    for _ in range(reader.integer(4 if version == 2 else 2)):
        item_id = reader.integer(4 if version == 2 else 2)
        method = reader.integer(2) & 15 if version else _IN_FILE
        if reader.integer(2):
            raise Malformed("keeps its picture data in another file")
        base = reader.integer(base_bytes) + _origin(method, idat)
        extents: list[tuple[int, int]] = []
        digest.step()
        for _ in range(reader.integer(2)):
            digest.step()
            reader.integer(index_bytes)
            extents.append(
                (base + reader.integer(offset_bytes), reader.integer(length_bytes))
            )
        places[item_id] = extents
    return places


def _origin(method: int, idat: Box | None) -> int:
    """Where the offsets of an item are counted from."""
    if method == _IN_FILE:
        return 0
    if method == _IN_IDAT and idat is not None:
        return idat.start
    raise Malformed("builds its picture in an unknown way")


def _tracks(source: Source, digest: StreamDigest, moov: Box) -> None:
    """The samples of every track, in the order they are played."""
    for trak in boxes(source, moov.start, moov.end):
        if trak.kind != b"trak":
            continue
        table = only(source, trak, b"mdia", b"minf", b"stbl")
        lengths = _sample_lengths(source, digest, only(source, table, b"stsz"))
        chunks = _chunk_offsets(source, table)
        counts = _samples_a_chunk(source, only(source, table, b"stsc"), len(chunks))
        remaining = iter(lengths)
        for offset, count in zip(chunks, counts, strict=True):
            for _ in range(count):
                length = next(remaining, None)
                if length is None:
                    raise Malformed("has chunks without samples")
                digest.range(b"sample", offset, length)
                offset += length


def _sample_lengths(source: Source, digest: StreamDigest, stsz: Box) -> list[int]:
    reader = Reader(source, stsz.start, stsz.end)
    reader.version()
    same, count = reader.integer(4), reader.integer(4)
    digest.step(count)
    return [same or reader.integer(4) for _ in range(count)]


def _chunk_offsets(source: Source, table: Box) -> list[int]:
    for kind, length in ((b"stco", 4), (b"co64", 8)):
        for box in boxes(source, table.start, table.end):
            if box.kind == kind:
                reader = Reader(source, box.start, box.end)
                reader.version()
                return [reader.integer(length) for _ in range(reader.integer(4))]
    raise Malformed("has a track without data")


def _samples_a_chunk(source: Source, stsc: Box, chunks: int) -> list[int]:
    """How many samples each chunk holds; the table tells only where that changes."""
    reader = Reader(source, stsc.start, stsc.end)
    reader.version()
    counts: list[int] = []
    for _ in range(reader.integer(4)):
        first, count, _description = (reader.integer(4) for _ in range(3))
        if not len(counts) < first <= chunks:
            raise Malformed("has a sample table out of order")
        counts.extend([counts[-1] if counts else 0] * (first - 1 - len(counts)))
        counts.append(count)
    if not counts and chunks:
        raise Malformed("has a track without samples")
    return counts + counts[-1:] * (chunks - len(counts))
