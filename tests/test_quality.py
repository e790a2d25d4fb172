"""Of two pictures of one scene the sharper and better exposed one has more quality."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from tagger.imaging.look import look
from tagger.imaging.quality import quality

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
PHOTOS = sorted(path for path in SAMPLES.glob("*.jpg"))
# A launch at night is the better for more light.
BY_DAY = [path for path in PHOTOS if path.stem != "rocket"]

Spoil = Callable[[Image.Image], Image.Image]


def blurred(radius_px: float) -> Spoil:
    return lambda image: image.filter(ImageFilter.GaussianBlur(radius_px))


def times(factor: float) -> Spoil:
    return lambda image: image.point(lambda grey: min(255, int(grey * factor)))


def opened(path: Path) -> Image.Image:
    image = Image.open(path).convert("RGB")
    image.thumbnail((1024, 1024))
    return image


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_each_step_of_blur_costs_quality(path: Path) -> None:
    photo = opened(path)

    found = [quality(photo), *(quality(blurred(r)(photo)) for r in (1, 2, 4, 8))]

    assert found == sorted(found, reverse=True)
    assert found[0] > 2 * found[3]
    assert found[0] > 55


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_a_picture_too_dark_has_less(path: Path) -> None:
    photo = opened(path)

    assert quality(times(0.2)(photo)) < quality(photo)


@pytest.mark.parametrize("path", BY_DAY, ids=lambda path: path.stem)
def test_a_burnt_out_picture_has_less(path: Path) -> None:
    photo = opened(path)

    assert quality(times(3.0)(photo)) < quality(photo)


def test_a_soft_background_takes_nothing_away() -> None:
    """What counts is whether the picture is sharp where it is sharpest."""
    photo = opened(SAMPLES / "life.jpg")
    width, height = photo.size
    soft = blurred(8)(photo)
    box = (width // 3, height // 3, 2 * width // 3, 2 * height // 3)
    soft.paste(photo.crop(box), box)

    assert quality(soft) > 0.8 * quality(photo)
    assert quality(soft) > 2 * quality(blurred(8)(photo))


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (3, 3), (2000, 3)])
@pytest.mark.parametrize("colour", ["white", "black", "grey"])
def test_a_plain_picture_of_any_size_has_none(
    size: tuple[int, int], colour: str
) -> None:
    assert quality(Image.new("RGB", size, colour)) == 0


def test_a_look_measures_it(tmp_path: Path) -> None:
    photo = opened(SAMPLES / "china.jpg")
    found = []
    for name, image in (("sharp", photo), ("soft", blurred(4)(photo))):
        path = tmp_path / f"{name}.jpg"
        image.save(path, quality=95)
        found.append(look(os.fsencode(path), side_px=1024).quality)

    sharp, soft = found
    assert abs(sharp - quality(photo)) <= 2
    assert soft < sharp / 2
