"""A HEIC that is a grid of tiles looks the same decoded tile by tile as whole."""

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tagger.errors import UnreadableImage
from tagger.imaging import decode, tiles
from tagger.imaging.look import look
from tagger.imaging.source import Malformed, Source
from tests import support_imaging
from tests.mixed_library import SAMPLES

SIDE_PX = 100
TILE_PX = 256


def heic(size_px: tuple[int, int], quality: int = 90, **options: object) -> bytes:
    with Image.open(SAMPLES[0]) as sample:
        photo = sample.convert("RGB").resize(size_px)
    buffer = io.BytesIO()
    photo.save(buffer, "HEIF", quality=quality, icc_profile=bytes(3000), **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def grid() -> bytes:
    """A photograph of two by three tiles, which reach beyond it."""
    return heic((700, 500), tile_size=TILE_PX)


def transformed(content: bytes, kind: bytes, value: int) -> bytes:
    """The same grid with a turn or a mirroring of the whole, as cameras store it.

    It takes the place of the colour profile's last bytes, so nothing else moves.
    """
    profile = content.index(b"colr") - 4
    length = int.from_bytes(content[profile : profile + 4], "big") - 9
    end = content.index(b"pixi") + 12
    properties = [
        length.to_bytes(4, "big") + content[profile + 4 : profile + length],
        content[profile + length + 9 : end],
        b"\0\0\0\x09" + kind + bytes([value]),
    ]
    found = content[:profile] + b"".join(properties) + content[end:]
    # The picture's third property was the profile; now it is the sixth of the file.
    third = found.index(b"\0\x01\x03", found.index(b"ipma")) + 5
    return found[:third] + b"\x86" + found[third + 1 :]


def source(content: bytes) -> Source:
    return Source.of_memory(memoryview(content))


@pytest.mark.parametrize("turns", [None, 0, 1, 2, 3])
def test_a_grid_looks_as_it_does_when_decoded_whole(
    grid: bytes, turns: int | None
) -> None:
    content = grid if turns is None else transformed(grid, b"irot", turns)
    with Image.open(io.BytesIO(content)) as opened:
        whole = opened.convert("RGB")
    assert whole.size == ((500, 700) if turns in (1, 3) else (700, 500))

    found = tiles.grid_of(source(content))
    assert found is not None
    assert len(found.tiles) == 6
    assert found.upright_px == whole.size
    assert found.reduction(SIDE_PX) == 2
    image = tiles.reduced(source(content), found, 2)

    expected = whole.reduce(2)
    assert image.size == expected.size
    difference = np.abs(np.asarray(image, int) - np.asarray(expected, int))
    assert difference.mean() < 1
    assert difference.max() < 16


@pytest.mark.parametrize("axis", [0, 1])
def test_a_mirrored_grid_is_left_to_be_decoded_whole(grid: bytes, axis: int) -> None:
    assert tiles.grid_of(source(transformed(grid, b"imir", axis))) is None


def test_a_picture_in_one_piece_is_left_to_be_decoded_whole() -> None:
    assert tiles.grid_of(source(heic((100, 80)))) is None


def test_a_grid_that_is_cut_short_is_no_picture(grid: bytes) -> None:
    found = tiles.grid_of(source(grid))
    assert found is not None
    with pytest.raises(Malformed):
        tiles.reduced(source(grid[: len(grid) * 3 // 4]), found, 2)


def test_what_is_no_heic_is_no_grid() -> None:
    assert tiles.grid_of(source(os.urandom(1000))) is None
    assert tiles.grid_of(source(SAMPLES[0].read_bytes())) is None


def test_a_large_grid_is_looked_at_tile_by_tile(tmp_path: Path) -> None:
    count, tile_px = 16, 512
    path = support_imaging.put(tmp_path, "large.heic", large(count, tile_px))
    with (
        decode.open_photo(path, max_megapixels=250) as photo,
        decode.decoded(photo, side_px=200) as pixels,
    ):
        assert photo.image.size == (count * tile_px, count * tile_px)
        assert (pixels.width_px, pixels.height_px) == photo.image.size
        assert pixels.image.size == (512, 512)
        shown = np.asarray(pixels.image, int)

    tile = shown[:32, :32]
    assert tile.std() > 10
    for row, column in ((0, 7), (3, 4), (15, 15)):
        place = shown[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32]
        assert (place == tile).all()


def test_a_large_grid_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    content = large(16, 512)
    path = support_imaging.put(tmp_path, "large.heic", content[:-2000])
    with pytest.raises(UnreadableImage, match="cut short"):
        look(path, side_px=200)


def large(count: int, tile_px: int) -> bytes:
    """A square grid of so many tiles on a side, which are all the same one."""
    content = heic((tile_px * 2, tile_px), quality=20, tile_size=tile_px)
    found = tiles.grid_of(source(content))
    assert found is not None
    ((start, length),) = found.tiles[0]
    properties = found.properties[0]
    side_px = count * tile_px
    layout = struct.pack(">BBBBII", 0, 1, count - 1, count - 1, side_px, side_px)
    coded = content[start : start + length]
    head = box(b"ftyp", b"heic", bytes(4), b"mif1heic")

    def meta(at: int) -> bytes:
        numbers = bytes(range(1, len(properties) + 1))
        whole = full(b"ispe", struct.pack(">II", side_px, side_px))
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(13)),
            full(b"pitm", struct.pack(">H", 1)),
            full(b"iinf", struct.pack(">H", 2), item(1, b"grid"), item(2, b"hvc1")),
            full(
                b"iref",
                box(b"dimg", struct.pack(">HH", 1, count**2), b"\0\x02" * count**2),
            ),
            box(
                b"iprp",
                box(b"ipco", *properties, whole),
                full(
                    b"ipma",
                    struct.pack(">IHBB", 2, 1, 1, len(properties) + 1),
                    struct.pack(">HB", 2, len(numbers)) + numbers,
                ),
            ),
            full(
                b"iloc",
                struct.pack(">HH", 0x4400, 2),
                struct.pack(">HHHII", 1, 0, 1, at, len(layout)),
                struct.pack(">HHHII", 2, 0, 1, at + len(layout), len(coded)),
            ),
        )

    data_at = len(head) + len(meta(0)) + 8
    return head + meta(data_at) + box(b"mdat", layout, coded)


def item(number: int, kind: bytes) -> bytes:
    return full(b"infe", struct.pack(">HH", number, 0), kind, bytes(1), version=2)


def full(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    return box(kind, bytes([version, 0, 0, 0]), *parts)


def box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return (8 + len(content)).to_bytes(4, "big") + kind + content
