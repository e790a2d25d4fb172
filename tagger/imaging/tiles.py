"""A HEIC of very many pixels, decoded tile by tile and made smaller on the way.

Cameras store a large HEIC as a grid of tiles, which decoders put together before
anybody can make it smaller: of 200 megapixels, that takes 1.4 GB. Here each tile is
offered to the decoder as a file of its own. What is not a plain grid of equal tiles is
left to be decoded whole.
"""

import io
import math
import struct
from dataclasses import dataclass

import pillow_heif
from PIL import Image

from tagger.imaging.colours import REDUCING_GAP
from tagger.imaging.digest import StreamDigest
from tagger.imaging.isobmff import Box, Reader, boxes, locations, only, picture_items
from tagger.imaging.source import Malformed, Source

_MAX_REDUCTION = 64
# Each tile costs the decoder a start, so the time of very many is bounded by this.
_LEAST_TILE_PX = 1 << 14
_DIMENSIONS, _ROTATION, _COLOUR = b"ispe", b"irot", b"colr"
# What decoding of a tile needs; and what would change how it is put together.
_NEEDED = {b"hvcC", _DIMENSIONS, _COLOUR, b"pixi"}
_TRANSFORMING = {b"imir", b"clap", _ROTATION}
_TURNED = {
    1: Image.Transpose.ROTATE_90,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_270,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Where the tiles of a picture are, row by row, and how they make it up.

    Sizes are as stored, before it is turned. `properties` are those of each tile, as
    whole boxes.
    """

    width_px: int
    height_px: int
    columns: int
    tile_width_px: int
    tile_height_px: int
    turn: Image.Transpose | None
    tiles: tuple[tuple[tuple[int, int], ...], ...]
    properties: tuple[tuple[bytes, ...], ...]

    @property
    def upright_px(self) -> tuple[int, int]:
        is_on_side = self.turn in (_TURNED[1], _TURNED[3])
        size = (self.width_px, self.height_px)
        return (size[1], size[0]) if is_on_side else size

    def reduction(self, side_px: int) -> int:
        """How many pixels of a side become one, so that enough stay for a filter."""
        found, least_px = 1, side_px * REDUCING_GAP
        while (
            found < _MAX_REDUCTION
            and max(self.width_px, self.height_px) >= least_px * found * 2
            and not self.tile_width_px % (found * 2)
            and not self.tile_height_px % (found * 2)
        ):
            found *= 2
        return found


def grid_of(source: Source) -> Grid | None:
    """The grid that the main picture of a HEIC is; None if it is another picture."""
    try:
        meta = only(source, Box(b"", 0, source.size_bytes), b"meta")
        return _grid(source, meta)
    except Malformed:
        return None


def reduced(source: Source, grid: Grid, reduction: int) -> Image.Image:
    """The picture, upright, with `reduction` pixels of a side become one.

    Raises `Malformed` of a tile, and what the decoder raises.
    """
    size = (-(-grid.width_px // reduction), -(-grid.height_px // reduction))
    canvas = Image.new("RGB", size)
    for number, extents in enumerate(grid.tiles):
        left = number % grid.columns * grid.tile_width_px
        top = number // grid.columns * grid.tile_height_px
        data = b"".join(source.read(*extent) for extent in extents)
        tile = _decoded(data, grid.properties[number])
        if tile.size != (grid.tile_width_px, grid.tile_height_px):
            raise Malformed("has another size than it says")
        # Tiles at the right and at the bottom reach beyond the picture.
        right = min(grid.tile_width_px, grid.width_px - left)
        bottom = min(grid.tile_height_px, grid.height_px - top)
        shown = tile.crop((0, 0, right, bottom)).reduce(reduction)
        canvas.paste(shown, (left // reduction, top // reduction))
    return canvas if grid.turn is None else canvas.transpose(grid.turn)


def _grid(source: Source, meta: Box) -> Grid | None:
    kinds = picture_items(source, only(source, meta, b"iinf", skip=4))
    main = _main_item(source, meta)
    if kinds.get(main) != b"grid":
        return None
    places = locations(source, StreamDigest(source), meta)
    columns, rows, width, height = _layout(source, places.get(main, []))
    tiles = _parts_of(source, meta, main)
    properties = _Properties(source, meta)
    turn = properties.turn_of(main)
    sizes = {properties.size_of(tile) for tile in tiles}
    if (
        len(tiles) != rows * columns
        or {kinds.get(tile) for tile in tiles} != {b"hvc1"}
        or len(sizes) != 1
        or math.prod(min(sizes)) < _LEAST_TILE_PX
        or any(properties.is_transformed(tile) for tile in tiles)
    ):
        return None
    tile_width, tile_height = sizes.pop()
    is_whole = _covers(tile_width, columns, width) and _covers(
        tile_height, rows, height
    )
    if not is_whole:
        return None
    return Grid(
        width_px=width,
        height_px=height,
        columns=columns,
        tile_width_px=tile_width,
        tile_height_px=tile_height,
        turn=turn,
        tiles=tuple(tuple(places.get(tile, ())) for tile in tiles),
        properties=tuple(properties.for_tile(tile, main) for tile in tiles),
    )


def _covers(tile_px: int, count: int, whole_px: int) -> bool:
    return tile_px * (count - 1) < whole_px <= tile_px * count


def _main_item(source: Source, meta: Box) -> int:
    pitm = only(source, meta, b"pitm", skip=4)
    reader = Reader(source, pitm.start, pitm.end)
    return reader.integer(2 if reader.version() == 0 else 4)


def _layout(
    source: Source, extents: list[tuple[int, int]]
) -> tuple[int, int, int, int]:
    """Columns, rows, width and height, as the content of the grid's item says."""
    if len(extents) != 1:
        raise Malformed("has a grid of an unknown form")
    ((start, length),) = extents
    reader = Reader(source, start, start + length)
    version, flags = reader.integer(1), reader.integer(1)
    if version:
        raise Malformed("has a grid of an unknown form")
    rows, columns = reader.integer(1) + 1, reader.integer(1) + 1
    number_bytes = 4 if flags & 1 else 2
    return columns, rows, reader.integer(number_bytes), reader.integer(number_bytes)


def _parts_of(source: Source, meta: Box, item: int) -> list[int]:
    """The items a picture is derived from, in their order."""
    iref = only(source, meta, b"iref", skip=4)
    reader = Reader(source, iref.start, iref.end)
    id_bytes = 2 if reader.version() == 0 else 4
    for box in boxes(source, reader.at, iref.end):
        entry = Reader(source, box.start, box.end)
        if box.kind == b"dimg" and entry.integer(id_bytes) == item:
            return [entry.integer(id_bytes) for _ in range(entry.integer(2))]
    raise Malformed("has a grid without tiles")


class _Properties:
    """What the file says of its items: size, turn, and how they are coded."""

    def __init__(self, source: Source, meta: Box) -> None:
        self._source = source
        table = only(source, meta, b"iprp", skip=4)
        container = only(source, table, b"ipco")
        self._all = list(boxes(source, container.start, container.end))
        self._of: dict[int, list[Box]] = {}
        for box in boxes(source, table.start, table.end):
            if box.kind == b"ipma":
                self._associate(box)

    def _associate(self, ipma: Box) -> None:
        reader = Reader(self._source, ipma.start, ipma.end)
        head = reader.integer(4)
        id_bytes = 2 if head >> 24 == 0 else 4
        number_bytes = 2 if head & 1 else 1
        for _ in range(reader.integer(4)):
            found = self._of.setdefault(reader.integer(id_bytes), [])
            for _ in range(reader.integer(1)):
                # The first bit says whether a reader must know it.
                number = reader.integer(number_bytes) & (0x7FFF if head & 1 else 0x7F)
                if not 0 < number <= len(self._all):
                    raise Malformed("has a property that is not there")
                found.append(self._all[number - 1])

    def size_of(self, item: int) -> tuple[int, int]:
        for box in self._of.get(item, []):
            if box.kind == _DIMENSIONS:
                reader = Reader(self._source, box.start + 4, box.end)
                return reader.integer(4), reader.integer(4)
        raise Malformed("has a tile without a size")

    def is_transformed(self, item: int) -> bool:
        return any(box.kind in _TRANSFORMING for box in self._of.get(item, []))

    def turn_of(self, item: int) -> Image.Transpose | None:
        """How the whole is turned; raises `Malformed` for any other change of it."""
        found = [b for b in self._of.get(item, []) if b.kind in _TRANSFORMING]
        if not found:
            return None
        if len(found) > 1 or found[0].kind != _ROTATION:
            raise Malformed("is cut or mirrored")
        return _TURNED.get(self._source.integer(found[0].start, 1) & 3)

    def for_tile(self, tile: int, main: int) -> tuple[bytes, ...]:
        """The properties a tile needs by itself, the colours of the whole included."""
        own = [box for box in self._of.get(tile, []) if box.kind in _NEEDED]
        if not any(box.kind == _COLOUR for box in own):
            own += [box for box in self._of.get(main, []) if box.kind == _COLOUR]
        return tuple(_box(b.kind, self._content(b)) for b in own)

    def _content(self, box: Box) -> bytes:
        return self._source.read(box.start, box.end - box.start)


def _decoded(data: bytes, properties: tuple[bytes, ...]) -> Image.Image:
    single = pillow_heif.open_heif(io.BytesIO(_file_of(data, properties)))
    image: Image.Image = single.to_pillow()
    return image if image.mode == "RGB" else image.convert("RGB")


def _file_of(data: bytes, properties: tuple[bytes, ...]) -> bytes:
    """A HEIC that holds one coded picture and nothing else."""
    head = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    length = len(_meta(0, len(data), properties))
    start = len(head) + length + 8
    return b"".join([head, _meta(start, len(data), properties), _box(b"mdat", data)])


def _meta(start: int, length: int, properties: tuple[bytes, ...]) -> bytes:
    numbers = bytes(0x80 | number for number in range(1, len(properties) + 1))
    return _full(
        b"meta",
        _full(b"hdlr", bytes(4), b"pict", bytes(13)),
        _full(b"pitm", struct.pack(">H", 1)),
        _full(b"iinf", struct.pack(">H", 1), _entry()),
        _box(
            b"iprp",
            _box(b"ipco", *properties),
            _full(b"ipma", struct.pack(">IHB", 1, 1, len(numbers)), numbers),
        ),
        _full(
            b"iloc",
            struct.pack(">HHHHHII", 0x4400, 1, 1, 0, 1, start, length),
        ),
    )


def _entry() -> bytes:
    return _full(b"infe", struct.pack(">HH", 1, 0), b"hvc1", bytes(1), version=2)


def _full(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24), *parts)


def _box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + kind + content
