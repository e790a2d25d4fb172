"""Looking at a photo: one decode gives picture, thumbnail, hashes and facts."""

import contextlib
import io
import os
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tagger.errors import UnreadableImage
from tagger.imaging.budget import PixelBudget
from tagger.imaging.facts import camera, gps, taken_at
from tagger.imaging.formats import EXTENSIONS, is_photo_name
from tagger.imaging.look import Look, look
from tests.support_imaging import (
    HEIGHT_PX,
    KINDS,
    WIDTH_PX,
    Pixels,
    encoded,
    exif,
    grey16,
    huge_png,
    make,
    painted,
    put,
    with_orientation,
)

SEVERAL_FRAMES = {
    "apng": 3,
    "gif-animated": 3,
    "tiff-pages": 3,
    "webp-animated": 3,
    "heic-images": 3,
    "avif-animated": 3,
}
ORIENTED = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF")


def seen(path: bytes, *, side_px: int = 64, max_megapixels: int = 10) -> Look:
    return look(path, side_px=side_px, max_megapixels=max_megapixels)


def reason(path: bytes, *, max_megapixels: int = 10) -> str:
    with pytest.raises(UnreadableImage) as caught:
        seen(path, max_megapixels=max_megapixels)
    assert caught.value.path == path
    return caught.value.reason


def distance(left: Pixels, right: Pixels) -> float:
    """Mean difference of two pictures, 0 to 255, compared at 16 by 16 pixels."""
    small = [
        np.asarray(Image.fromarray(side).resize((16, 16), Image.Resampling.BOX))
        for side in (left, right)
    ]
    return float(np.abs(small[0].astype(int) - small[1].astype(int)).mean())


def expected_pixels(kind: str) -> Pixels:
    """What a person would see of a test picture of this kind."""
    pixels = painted()
    if kind in SEVERAL_FRAMES:
        return 255 - pixels
    if kind.endswith("16"):
        return np.repeat(pixels[..., :1], 3, axis=2)
    if kind == "jpeg-grey":
        return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))
    if kind.endswith("-alpha"):
        pixels[:, WIDTH_PX // 2 :] = 255
    return pixels


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_picture_of_every_kind_looks_as_it_should(kind: str, tmp_path: Path) -> None:
    found = seen(make(kind, tmp_path), side_px=2000)
    assert found.picture.pixels.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert found.picture.pixels.dtype == np.uint8
    # A palette of web colours is coarse; everything else is close.
    tolerance = 12 if kind in ("png-palette", "gif", "gif-animated") else 5
    assert distance(found.picture.pixels, expected_pixels(kind)) < tolerance
    assert (found.facts.width_px, found.facts.height_px) == (WIDTH_PX, HEIGHT_PX)
    assert found.facts.frames == SEVERAL_FRAMES.get(kind, 1)
    assert found.facts.orientation == 1
    assert found.note is None


@pytest.mark.parametrize(
    ("kind", "format"),
    [
        ("jpeg", "JPEG"),
        ("mpo", "JPEG"),
        ("png", "PNG"),
        ("gif", "GIF"),
        ("bmp", "BMP"),
        ("tiff", "TIFF"),
        ("webp", "WEBP"),
        ("heic", "HEIC"),
        ("avif", "AVIF"),
    ],
)
def test_format_is_named_by_content(kind: str, format: str, tmp_path: Path) -> None:
    assert seen(make(kind, tmp_path)).facts.format == format


def test_picture_and_thumbnail_are_bounded_by_their_longest_side(
    tmp_path: Path,
) -> None:
    data = encoded(Image.fromarray(painted(1600, 1200)), "JPEG")
    path = put(tmp_path, "large.jpg", data)
    for side_px in (224, 640, 1024):
        found = seen(path, side_px=side_px)
        assert found.picture.pixels.shape == (side_px * 3 // 4, side_px, 3)
        assert Image.open(io.BytesIO(found.thumbnail)).size == (512, 384)
        assert distance(found.picture.pixels, painted(1600, 1200)) < 3


def test_a_small_picture_is_not_made_larger(tmp_path: Path) -> None:
    found = seen(make("png", tmp_path), side_px=1024)
    assert found.picture.pixels.shape == (HEIGHT_PX, WIDTH_PX, 3)
    thumbnail = Image.open(io.BytesIO(found.thumbnail))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (WIDTH_PX, HEIGHT_PX))


def test_a_picture_one_pixel_high_stays_one_pixel_high(tmp_path: Path) -> None:
    path = put(tmp_path, "line.png", encoded(Image.new("RGB", (5000, 1)), "PNG"))
    assert seen(path, side_px=100).picture.pixels.shape == (1, 100, 3)


@pytest.mark.parametrize("format", ORIENTED)
def test_every_orientation_is_shown_upright(format: str, tmp_path: Path) -> None:
    for orientation in range(1, 9):
        stored = Image.fromarray(with_orientation(painted(), orientation))
        if format == "HEIF":
            # The encoder takes upright or turned pixels and says so in the container.
            stored.info["exif"] = exif(orientation).tobytes()
            data = encoded(stored, format, quality=90)
        else:
            data = encoded(stored, format, exif=exif(orientation))
        found = seen(put(tmp_path, f"{orientation}.{format}", data), side_px=500)
        assert distance(found.picture.pixels, painted()) < 5, orientation
        assert (found.facts.width_px, found.facts.height_px) == (WIDTH_PX, HEIGHT_PX)
        assert found.facts.orientation == orientation


def test_transparent_parts_are_white_even_where_they_shrink(tmp_path: Path) -> None:
    found = seen(make("png-alpha", tmp_path), side_px=32)
    assert (found.picture.pixels[:, 20:] == 255).all()


def test_sixteen_bit_grey_keeps_its_range(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256, dtype=np.uint16), (16, 1))
    for format in ("PNG", "TIFF"):
        path = put(tmp_path, f"ramp.{format}", encoded(Image.fromarray(ramp), format))
        row = seen(path, side_px=500).picture.pixels[8, :, 0].astype(int)
        assert np.abs(row - np.arange(256)).max() <= 1


@pytest.mark.parametrize(
    ("values", "top"), [(np.float32, 1.0), (np.float32, 9000.0), (np.int32, 65535)]
)
def test_scientific_grey_is_brought_into_range(
    values: type, top: float, tmp_path: Path
) -> None:
    ramp = np.tile(np.linspace(0, top, 256).astype(values), (16, 1))
    path = put(tmp_path, "ramp.tif", encoded(Image.fromarray(ramp), "TIFF"))
    row = seen(path, side_px=500).picture.pixels[8, :, 0].astype(int)
    assert row[0] <= 1
    assert row[255] >= 254
    assert (np.diff(row) >= 0).all()


def test_facts_are_read_from_exif(tmp_path: Path) -> None:
    for format in ORIENTED:
        data = encoded(Image.fromarray(painted()), format, exif=exif().tobytes())
        facts = seen(put(tmp_path, f"facts.{format}", data)).facts
        assert facts.taken_at == "2024-05-06T07:08:09"
        assert facts.camera == "Canon EOS R6"
        assert facts.lens == "RF24-105mm F4 L IS USM"
        assert facts.gps == pytest.approx((-33.858333, 151.21), abs=1e-5)
        assert "words are not facts" not in repr(facts)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "block", [b"no TIFF header here", b"MM\0*\0\0\0\x08" + b"\xff" * 40]
)
def test_damaged_exif_does_not_fail_the_photo(
    format: str, block: bytes, tmp_path: Path
) -> None:
    data = encoded(Image.fromarray(painted()), format, exif=b"Exif\0\0" + block)
    found = seen(put(tmp_path, f"odd.{format}", data))
    assert found.facts.taken_at is None
    assert found.picture.pixels.shape == (43, 64, 3)


def test_damaged_exif_is_remarked_on(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(painted()), "WEBP", exif=b"no TIFF header here")
    found = seen(put(tmp_path, "odd.webp", data))
    assert found.note == "its EXIF data are damaged and were left out"


def test_pillow_warnings_stay_inside(tmp_path: Path) -> None:
    block = b"Exif\0\0II*\0\x08\0\0\0" + b"\x05\0" + b"\x0f\x01\x02\0\xff\xff\0\0" * 3
    data = encoded(Image.fromarray(painted()), "JPEG", exif=block)
    path = put(tmp_path, "odd.jpg", data)
    with warnings.catch_warnings(record=True) as escaped:
        warnings.simplefilter("always")
        seen(path)
    assert escaped == []


@pytest.mark.parametrize(
    ("make_tag", "model_tag", "shown"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D750", "NIKON D750"),
        ("Apple", "iPhone 15 Pro", "Apple iPhone 15 Pro"),
        ("SONY\0\0", "ILCE-7M3  ", "SONY ILCE-7M3"),
        ("OLYMPUS IMAGING CORP.  ", "E-M10", "OLYMPUS E-M10"),
        ("samsung", "SM-G991B", "samsung SM-G991B"),
        ("FUJIFILM", None, "FUJIFILM"),
        (None, "Pixel 8", "Pixel 8"),
        ("", " \0", None),
        (None, 5, None),
        ("Caméra", "Modèle 1", "Camra Modle 1"),
    ],
)
def test_camera_is_named_once_and_in_ascii(
    make_tag: object, model_tag: object, shown: str | None
) -> None:
    assert camera(make_tag, model_tag) == shown


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("2024:05:06 07:08:09", "2024-05-06T07:08:09"),
        ("2024-05-06 07:08:09", "2024-05-06T07:08:09"),
        ("2024:05:06 07:08:09+02:00", "2024-05-06T07:08:09"),
        ("0000:00:00 00:00:00", None),
        ("2024:02:30 07:08:09", None),
        ("    :  :     :  :  ", None),
        ("", None),
        (None, None),
        (b"2024:05:06 07:08:09\0", "2024-05-06T07:08:09"),
    ],
)
def test_taken_at_is_a_real_moment_or_nothing(tag: object, shown: str | None) -> None:
    assert taken_at(tag) == shown


@pytest.mark.parametrize(
    ("tags", "place"),
    [
        ({1: "N", 2: (48, 51, 29.6), 3: "W", 4: (2, 17, 40.2)}, (48.8582222, -2.2945)),
        ({1: "N", 2: (0, 0, 0), 3: "E", 4: (0, 0, 0)}, None),
        ({1: "N", 2: (91, 0, 0), 3: "E", 4: (1, 0, 0)}, None),
        ({1: "N", 2: (float("nan"), 0, 0), 3: "E", 4: (1, 0, 0)}, None),
        ({1: "N", 2: (10, 0, 0)}, None),
        ({1: "N", 2: "text", 3: "E", 4: (1, 0, 0)}, None),
        ({}, None),
    ],
)
def test_gps_is_a_place_on_the_globe_or_nothing(
    tags: dict[int, object], place: tuple[float, float] | None
) -> None:
    assert gps(tags) == place


def test_a_misnamed_photo_is_opened_by_content_and_remarked_on(tmp_path: Path) -> None:
    path = make("png", tmp_path, name="holiday.jpg")
    found = seen(path)
    assert found.facts.format == "PNG"
    assert found.note == "the name ends in .jpg, but the file is a PNG picture"


def test_content_hash_is_that_of_the_whole_file(tmp_path: Path) -> None:
    one = make("jpeg", tmp_path, name="one.jpg")
    data = Path(os.fsdecode(one)).read_bytes()
    two = put(tmp_path, "two.jpg", data + b"trailer")
    assert seen(one).content_hash != seen(two).content_hash
    assert seen(one).identity == seen(two).identity


def test_a_name_that_is_no_utf8_is_opened(tmp_path: Path) -> None:
    data = KINDS["jpeg"][1](painted())
    assert seen(put(tmp_path, b"caf\xe9.jpg", data)).facts.format == "JPEG"


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(SEVERAL_FRAMES)))
def test_half_a_file_is_refused(kind: str, tmp_path: Path) -> None:
    whole = Path(os.fsdecode(make(kind, tmp_path))).read_bytes()
    text = reason(put(tmp_path, "half.jpg", whole[: len(whole) // 2]))
    assert "cut short" in text or "damaged" in text


def test_reasons_are_plain_words(tmp_path: Path) -> None:
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    os.mkfifo(tmp_path / "pipe.jpg")
    reasons = {
        reason(put(tmp_path, "empty.jpg", b"")): "the file is empty (0 bytes)",
        reason(put(tmp_path, "text.jpg", b"Dear diary, " * 20)): (
            "it is not a picture in a format this program reads"
        ),
        reason(put(tmp_path, "zeros.jpg", bytes(5000))): (
            "the file holds only zeros, as after a copy that failed"
        ),
        reason(put(tmp_path, "head.png", b"\x89PNG\r\n\x1a\n" + b"?" * 50)): (
            "it begins as PNG does, but its header is damaged"
        ),
        reason(os.fsencode(tmp_path)): "it is a folder, not a file",
        reason(os.fsencode(tmp_path / "gone.jpg")): "there is no such file",
        reason(os.fsencode(tmp_path / "pipe.jpg")): "it is not an ordinary file",
        reason(os.fsencode(loop)): "its link leads in a circle",
        reason(b"nul\0.jpg"): "its name cannot be a file's name",
    }
    assert list(reasons) == list(reasons.values())


def test_a_format_that_is_not_listed_is_not_decoded(tmp_path: Path) -> None:
    for format in ("PPM", "TGA", "ICO", "PCX", "EPS"):
        data = encoded(Image.fromarray(painted()), format)
        reason(put(tmp_path, "renamed.jpg", data))


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Without the right of root to read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_without_read_permission_is_refused(tmp_path: Path) -> None:
    path = make("jpeg", tmp_path)
    os.chmod(path, 0)
    with as_nobody():
        assert reason(path) == "the file may not be read (permission denied)"


def test_a_photo_of_exactly_the_limit_is_fine_and_one_more_row_is_not(
    tmp_path: Path,
) -> None:
    fits = encoded(Image.new("L", (2000, 1000)), "PNG")
    assert seen(put(tmp_path, "fits.png", fits), max_megapixels=2).facts.frames == 1
    over = put(tmp_path, "over.png", encoded(Image.new("L", (2000, 1001)), "PNG"))
    assert reason(over, max_megapixels=2) == (
        "it has 3 megapixels (2,000 x 1,001), and the limit is 2 "
        "(setting tagger.max_megapixels)"
    )


@pytest.mark.parametrize(
    ("width", "height", "megapixels"),
    [(30_000, 30_000, "900"), (40_000, 40_000, "1,600"), (1 << 20, 1 << 20, "1,099,5")],
)
def test_a_bomb_is_refused_by_its_header(
    width: int, height: int, megapixels: str, tmp_path: Path
) -> None:
    text = reason(put(tmp_path, "bomb.png", huge_png(width, height)))
    assert f"it has {megapixels}" in text


def test_pillow_keeps_a_limit_of_its_own() -> None:
    assert Image.MAX_IMAGE_PIXELS is not None


def test_a_file_far_longer_than_its_pixels_is_refused(tmp_path: Path) -> None:
    path = make("webp", tmp_path)
    os.truncate(path, 300_000_000)
    assert reason(path) == "the file has 300 MB, and the limit is 256 MB"


def test_dhash_survives_another_encoding_and_sees_another_picture(
    tmp_path: Path,
) -> None:
    jpeg, heic = (seen(make(kind, tmp_path)).dhash for kind in ("jpeg", "heic"))
    mirrored = seen(make("jpeg", tmp_path, painted()[:, ::-1].copy())).dhash
    assert (jpeg ^ heic).bit_count() <= 6
    assert (jpeg ^ mirrored).bit_count() > 20
    assert all(0 <= value < 2**63 for value in (jpeg, heic, mirrored))


def test_many_threads_see_what_one_sees(tmp_path: Path) -> None:
    paths = [make(kind, tmp_path) for kind in sorted(KINDS)] * 3
    alone = [seen(path) for path in paths[: len(KINDS)]] * 3
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(seen, paths))
    for one, other in zip(alone, together, strict=True):
        assert one.identity == other.identity
        assert one.thumbnail == other.thumbnail
        assert one.facts == other.facts
        assert (one.picture.pixels == other.picture.pixels).all()


def test_jpeg_of_a_picture_is_made_once_and_is_the_picture(tmp_path: Path) -> None:
    picture = seen(make("png", tmp_path)).picture
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: picture.jpeg(), range(16)))
    assert all(result is results[0] for result in results)
    again = np.asarray(Image.open(io.BytesIO(picture.jpeg(95))))
    assert distance(again, picture.pixels) < 2
    assert (picture.width_px, picture.height_px) == (64, 43)


def test_colour_profile_of_an_rgb_photo_stays_with_its_thumbnail(
    tmp_path: Path,
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for mode, kept in (("RGB", profile), ("CMYK", None)):
        image = Image.fromarray(painted()).convert(mode)
        data = encoded(image, "JPEG", icc_profile=kept or b"\0" * 16 + b"CMYK")
        found = seen(put(tmp_path, f"{mode}.jpg", data))
        thumbnail = Image.open(io.BytesIO(found.thumbnail))
        assert thumbnail.info.get("icc_profile") == kept


def test_palette_colour_key_of_true_colour_png_is_white(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 16), (9, 9, 9))
    path = put(tmp_path, "key.png", encoded(image, "PNG", transparency=(9, 9, 9)))
    assert (seen(path).picture.pixels == 255).all()


def test_names_of_photos_are_known_by_extension() -> None:
    assert all(is_photo_name(f"x{extension.upper()}") for extension in EXTENSIONS)
    assert is_photo_name(b"caf\xe9.HEIC")
    assert not is_photo_name(b"x.jpg.xmp")
    assert not is_photo_name(b"jpg")
    assert not is_photo_name(b"x.\xff\xfe")


ORIGINALS = {kind: encode(painted(48, 32)) for kind, (_, encode) in KINDS.items()}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_whatever_the_bytes_only_unreadable_image_is_raised(
    kind: str, data: st.DataObject
) -> None:
    content = bytearray(ORIGINALS[kind])
    places = st.integers(0, len(content) - 1) | st.integers(
        0, min(200, len(content)) - 1
    )
    for place in data.draw(st.lists(places, min_size=1, max_size=6)):
        content[place] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
    del content[data.draw(st.just(len(content)) | places) :]
    descriptor = os.memfd_create("photo")
    try:
        os.write(descriptor, content)
        with contextlib.suppress(UnreadableImage):
            seen(f"/proc/self/fd/{descriptor}".encode())
    finally:
        os.close(descriptor)


def started(
    budget: PixelBudget, pixels: int
) -> tuple[threading.Event, threading.Event]:
    """A thread that holds pixels until told; says when it has them."""
    has, release = threading.Event(), threading.Event()

    def hold() -> None:
        with budget.hold(pixels):
            has.set()
            release.wait(30)

    threading.Thread(target=hold, daemon=True).start()
    return has, release


def test_two_large_pictures_are_never_decoded_at_once() -> None:
    budget = PixelBudget(100)
    first_has, first_release = started(budget, 60)
    assert first_has.wait(30)
    second_has, second_release = started(budget, 60)
    assert not second_has.wait(0.2)
    first_release.set()
    assert second_has.wait(30)
    second_release.set()


def test_small_pictures_are_decoded_side_by_side() -> None:
    budget = PixelBudget(100)
    holders = [started(budget, 30) for _ in range(3)]
    assert all(has.wait(30) for has, _ in holders)
    for _, release in holders:
        release.set()


def test_a_picture_above_the_whole_budget_runs_alone() -> None:
    budget = PixelBudget(100)
    small_has, small_release = started(budget, 10)
    assert small_has.wait(30)
    giant_has, giant_release = started(budget, 500)
    assert not giant_has.wait(0.2)
    late_has, late_release = started(budget, 10)
    assert not late_has.wait(0.2)  # does not overtake the giant
    small_release.set()
    assert giant_has.wait(30)
    giant_release.set()
    assert late_has.wait(30)
    late_release.set()


def test_a_failed_decode_gives_its_share_back() -> None:
    budget = PixelBudget(100)
    for _ in range(3):
        with pytest.raises(ValueError, match="bad photo"), budget.hold(90):
            raise ValueError("bad photo")
    has, release = started(budget, 100)
    assert has.wait(30)
    release.set()


def test_sixteen_bit_pictures_of_the_tests_use_the_whole_range() -> None:
    assert np.asarray(grey16(painted())).max() > 50_000
