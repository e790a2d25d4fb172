"""A HEIC that is a grid of tiles looks the same decoded tile by tile as whole."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from tagger.imaging import tiles
from tagger.imaging.source import Malformed, Source
from tests.mixed_library import SAMPLES

SIDE_PX = 100
TILE_PX = 256


def heic(size_px: tuple[int, int], **options: object) -> bytes:
    with Image.open(SAMPLES[0]) as sample:
        photo = sample.convert("RGB").resize(size_px)
    buffer = io.BytesIO()
    photo.save(buffer, "HEIF", quality=90, icc_profile=bytes(3000), **options)
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
