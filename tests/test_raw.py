"""RAW photos: seen through their preview, known by their sensor data, never trusted."""

import contextlib
import io
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tagger.errors import UnreadableImage
from tagger.imaging.formats import RAW_EXTENSIONS, is_photo_name, is_raw
from tagger.imaging.identity import identity
from tagger.imaging.libraw import CHECK, DEVELOP, PREVIEW, LibRaw, Refused
from tagger.imaging.look import Look, look
from tagger.imaging.rawdata import is_raw_identity, sensor_identity
from tagger.imaging.rawfacts import raw_shot_facts
from tagger.imaging.rawkind import raw_format
from tagger.imaging.render import browser_jpeg
from tagger.imaging.source import Source
from tagger.imaging.thumbnails import make_thumbnail
from tests.support_imaging import (
    HEIGHT_PX,
    WIDTH_PX,
    Pixels,
    encoded,
    exif,
    make,
    painted,
    put,
)
from tests.support_raw import (
    RAW_HEIGHT_PX,
    RAW_WIDTH_PX,
    cr3_facts,
    dng,
    nef,
    raf,
    usual_preview,
)

WHOLE = (RAW_WIDTH_PX, RAW_HEIGHT_PX)
HALF = (HEIGHT_PX, WIDTH_PX, 3)
CUT_SHORT = "the file is cut short: its picture data end too early"
UNKNOWN_KIND = "it is a RAW file of a kind this program cannot read"


@pytest.fixture
def libraw() -> Iterator[LibRaw]:
    child = LibRaw()
    yield child
    child.close()


def seen(path: bytes, *, side_px: int = 500, max_megapixels: int = 10) -> Look:
    return look(path, side_px=side_px, max_megapixels=max_megapixels)


def reason(path: bytes, *, max_megapixels: int = 10) -> str:
    with pytest.raises(UnreadableImage) as caught:
        seen(path, max_megapixels=max_megapixels)
    assert caught.value.path == path
    return caught.value.reason


def source_of(data: bytes) -> Source:
    return Source.of_memory(memoryview(data))


def likeness(left: Pixels, right: Pixels) -> float:
    """How much two pictures agree, whatever their brightness: at most 1."""
    small = [
        np.asarray(Image.fromarray(side).convert("L").resize((12, 8))).flatten()
        for side in (left, right)
    ]
    return float(np.corrcoef(small[0], small[1])[0, 1])


def distance(left: Pixels, right: Pixels) -> float:
    """Mean difference of two pictures, 0 to 255, compared at 16 by 16 pixels."""
    small = [
        np.asarray(Image.fromarray(side).resize((16, 16), Image.Resampling.BOX))
        for side in (left, right)
    ]
    return float(np.abs(small[0].astype(int) - small[1].astype(int)).mean())


def test_the_twelve_endings_are_photos_and_raw() -> None:
    assert len(RAW_EXTENSIONS) == 12
    assert all(is_photo_name(f"x{ending}") for ending in RAW_EXTENSIONS)
    assert all(is_raw(f"x{ending.upper()}".encode()) for ending in RAW_EXTENSIONS)
    assert not any(map(is_raw, (b"x.jpg", b"x.tif", b"x.nef.xmp", b"nef", b"x.\xff")))


def test_a_raw_photo_is_seen_through_its_preview(tmp_path: Path) -> None:
    found = seen(put(tmp_path, "photo.dng", dng()))
    assert found.picture.pixels.shape == HALF
    assert distance(found.picture.pixels, painted()) < 5
    assert Image.open(io.BytesIO(found.thumbnail)).size == (WIDTH_PX, HEIGHT_PX)
    assert found.note is None


@pytest.mark.parametrize("order", ["<", ">"])
def test_without_a_preview_the_sensor_data_are_developed_at_half_size(
    order: str, tmp_path: Path
) -> None:
    found = seen(put(tmp_path, "photo.dng", dng(preview=None, order=order)))
    assert found.picture.pixels.shape == HALF
    assert likeness(found.picture.pixels, painted()) > 0.9
    assert (found.facts.width_px, found.facts.height_px) == WHOLE


@pytest.mark.parametrize(
    "preview",
    [
        encoded(Image.new("RGB", (40, 30), "red"), "JPEG"),
        b"\xff\xd8\xff\xe0 not a picture at all",
        usual_preview()[:1500],
        usual_preview().replace(b"\xff\xc4\x00\x1f", b"\xff\xc4\x00\x05", 1),
    ],
    ids=["tiny", "nonsense", "cut short", "damaged tables"],
)
def test_a_preview_that_is_of_no_use_is_passed_over(
    preview: bytes, tmp_path: Path
) -> None:
    found = seen(put(tmp_path, "photo.dng", dng(preview=preview)))
    assert found.picture.pixels.shape == HALF
    assert likeness(found.picture.pixels, painted()) > 0.9


@pytest.mark.parametrize("preview", [b"", None], ids=["preview", "developed"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_shown_upright(
    orientation: int, preview: bytes | None, tmp_path: Path
) -> None:
    data = dng(orientation=orientation, preview=preview)
    found = seen(put(tmp_path, "photo.dng", data))
    assert found.picture.pixels.shape == HALF
    assert likeness(found.picture.pixels, painted()) > 0.9
    assert (found.facts.width_px, found.facts.height_px) == WHOLE
    assert found.facts.orientation == orientation


@pytest.mark.parametrize("orientation", [6, 8])
def test_a_preview_that_is_upright_already_is_not_turned_again(
    orientation: int, tmp_path: Path
) -> None:
    data = dng(orientation=orientation, preview=usual_preview(1))
    found = seen(put(tmp_path, "photo.dng", data))
    assert found.picture.pixels.shape == HALF
    assert distance(found.picture.pixels, painted()) < 5


def test_facts_are_those_of_the_photo_and_not_of_its_preview(tmp_path: Path) -> None:
    facts = seen(put(tmp_path, "photo.dng", dng())).facts
    assert (facts.format, facts.width_px, facts.height_px) == ("DNG", *WHOLE)
    assert facts.taken_at == "2024-05-06T07:08:09"
    assert facts.camera == "Canon EOS R6"
    assert facts.lens == "RF24-105mm F4 L IS USM"
    assert facts.gps == pytest.approx((-33.858333, 151.21), abs=1e-5)
    assert facts.frames == 1


def test_a_raw_photo_that_says_nothing_of_the_shot_is_seen_all_the_same(
    tmp_path: Path,
) -> None:
    facts = seen(put(tmp_path, "photo.dng", dng(exif=False))).facts
    assert facts.camera == "Canon EOS R6"
    assert (facts.taken_at, facts.lens, facts.gps) == (None, None, None)


def test_facts_of_a_cr3_are_read_from_its_boxes() -> None:
    data = cr3_facts()
    assert raw_format(b"photo.cr3", source_of(data)) == "CR3"
    assert raw_shot_facts(source_of(data), "CR3", None) == {
        "taken_at": "2024-05-06T07:08:09",
        "camera": "Canon EOS R6",
        "lens": "RF24-105mm F4 L IS USM",
        "gps": pytest.approx((-33.858333, 151.21), abs=1e-5),
    }


def test_facts_of_a_raf_are_read_from_its_preview() -> None:
    jpeg = encoded(Image.fromarray(painted()), "JPEG", exif=exif())
    facts = raw_shot_facts(source_of(raf()), "RAF", Image.open(io.BytesIO(jpeg)))
    assert facts["camera"] == "Canon EOS R6"
    assert facts["taken_at"] == "2024-05-06T07:08:09"


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (b"II*\0\x10\0\0\0CR\x02\0", "CR2"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "CR3"),
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"IIRS\x08\0\0\0", "ORF"),
        (b"MMOR\0\0\0\x08", "ORF"),
        (b"IIU\0\x18\0\0\0", "RW2"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", None),
        (b"RIFF....WAVEfmt ", None),
        (b"", None),
    ],
)
def test_makers_are_told_by_the_first_bytes(head: bytes, format: str | None) -> None:
    assert raw_format(b"photo.raw", source_of(head)) == format


@pytest.mark.parametrize("name", ["photo.nef", "photo.arw", "photo.pef", "photo.srw"])
def test_formats_that_are_tiff_inside_are_named_by_their_ending(
    name: str, tmp_path: Path
) -> None:
    found = seen(put(tmp_path, name, nef()))
    assert found.facts.format == name[-3:].upper()
    assert (found.facts.width_px, found.facts.height_px) == WHOLE
    assert distance(found.picture.pixels, painted()) < 5
    assert found.note is None


@pytest.mark.parametrize("name", ["photo.nef", "photo.cr3", "photo.tif", "photo.jpg"])
def test_a_raw_photo_under_another_name_is_opened_by_content_and_remarked_on(
    name: str, tmp_path: Path
) -> None:
    found = seen(put(tmp_path, name, dng()))
    assert found.facts.format == "DNG"
    assert (found.facts.width_px, found.facts.height_px) == WHOLE
    ending = name[5:]
    assert found.note == f"the name ends in {ending}, but the file is a DNG picture"


def test_a_mosaic_called_tif_is_not_taken_for_its_small_first_picture(
    tmp_path: Path,
) -> None:
    found = seen(put(tmp_path, "photo.tif", nef()))
    assert found.facts.format == "RAW"
    assert (found.facts.width_px, found.facts.height_px) == WHOLE


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "heic"])
def test_an_ordinary_picture_with_a_raw_name_is_opened_by_content(
    kind: str, tmp_path: Path
) -> None:
    ordinary = seen(make(kind, tmp_path))
    renamed = seen(make(kind, tmp_path, name="photo.nef"))
    format = ordinary.facts.format
    assert renamed.facts == ordinary.facts
    assert renamed.identity == ordinary.identity
    assert not is_raw_identity(renamed.identity)
    assert renamed.note == f"the name ends in .nef, but the file is a {format} picture"


def test_a_raw_photo_and_a_jpeg_of_one_name_are_two_photos(tmp_path: Path) -> None:
    raw = seen(put(tmp_path, "photo.dng", dng()))
    jpeg = seen(put(tmp_path, "photo.jpg", usual_preview()))
    assert raw.identity != jpeg.identity
    assert raw.content_hash != jpeg.content_hash
    assert raw.dhash == jpeg.dhash
    assert all(is_photo_name(name) for name in (b"photo.dng", b"photo.jpg"))


def exiftool(*arguments: str) -> None:
    subprocess.run(["exiftool", "-q", "-q", *arguments], check=True, timeout=50)


def test_identity_outlives_a_sidecar_and_what_is_written_beside_the_data(
    tmp_path: Path,
) -> None:
    path = put(tmp_path, "photo.dng", dng())
    name, before = os.fsdecode(path), identity(path)
    exiftool("-tagsfromfile", name, "-XMP-dc:Subject=dog", "-o", f"{name}.xmp", name)
    assert identity(path) == before
    exiftool("-overwrite_original", "-XMP-dc:Subject=dog", "-Orientation#=6", name)
    assert identity(path) == before == seen(path).identity
    assert seen(path).facts.orientation == 6
    assert before.startswith("d1:")


@pytest.mark.parametrize("data", [dng(), nef(), raf()], ids=["dng", "nef", "raf"])
def test_identity_differs_after_one_byte_of_the_sensor_data(data: bytes) -> None:
    changed = bytearray(data)
    changed[-1000] ^= 1
    format = raw_format(b"photo.nef", source_of(data)) or ""
    before = sensor_identity(source_of(data), format)
    assert sensor_identity(source_of(bytes(changed)), format) != before
    assert is_raw_identity(before)
    assert before[0] == ("f" if format == "RAF" else "d")


def test_identity_is_the_same_in_memory_on_disk_and_in_a_look(tmp_path: Path) -> None:
    data = dng()
    path = put(tmp_path, "photo.dng", data)
    assert identity(path) == identity(memoryview(data)) == seen(path).identity


def test_renderings_are_those_of_the_look(tmp_path: Path) -> None:
    path = put(tmp_path, "photo.dng", dng(orientation=6))
    assert make_thumbnail(path, side_px=500) == seen(path).thumbnail
    shown = Image.open(io.BytesIO(browser_jpeg(path, 50)))
    assert (shown.format, shown.size) == ("JPEG", (50, 33))


@pytest.mark.parametrize("preview", [b"", None], ids=["preview", "no preview"])
@pytest.mark.parametrize("percent", [10, 50, 90, 99])
def test_a_raw_photo_that_is_cut_short_is_refused(
    percent: int, preview: bytes | None, tmp_path: Path
) -> None:
    data = dng(preview=preview)
    path = put(tmp_path, "photo.dng", data[: len(data) * percent // 100])
    assert reason(path) == CUT_SHORT


def test_reasons_are_plain_words(tmp_path: Path) -> None:
    no_tiff = b"II*\0\xff\xff\xff\x7f" + bytes(5000)
    assert reason(put(tmp_path, "head.nef", no_tiff)) == UNKNOWN_KIND
    assert reason(put(tmp_path, "fuji.raf", raf())) == UNKNOWN_KIND
    text = put(tmp_path, "disk.raw", b"Dear diary, " * 900)
    assert reason(text) == "it is not a picture in a format this program reads"
    assert reason(put(tmp_path, "empty.cr2", b"")) == "the file is empty (0 bytes)"


def test_too_many_megapixels_are_refused_before_they_are_unpacked(
    tmp_path: Path,
) -> None:
    data = dng(pixels=painted(1200, 1000), preview=None)
    assert reason(put(tmp_path, "photo.dng", data), max_megapixels=1) == (
        "it has 2 megapixels (1,200 x 1,000), and the limit is 1 "
        "(setting tagger.max_megapixels)"
    )


def test_a_name_that_is_no_utf8_is_opened(tmp_path: Path) -> None:
    assert seen(put(tmp_path, b"caf\xe9.dng", dng())).facts.format == "DNG"


def test_many_threads_see_what_one_sees(tmp_path: Path) -> None:
    paths = [
        put(tmp_path, f"{turn}.dng", dng(orientation=turn)) for turn in range(1, 9)
    ]
    alone = [seen(path) for path in paths]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(seen, paths))
    for one, other in zip(alone, together, strict=True):
        assert (one.facts, one.thumbnail) == (other.facts, other.thumbnail)


@pytest.mark.parametrize("start", range(0, 1600, 100))
def test_whatever_the_bytes_only_unreadable_image_is_raised(
    start: int, tmp_path: Path
) -> None:
    chance = np.random.default_rng(start)
    for name in ("photo.dng", "photo.nef", "photo.raw"):
        data = bytearray(nef() if name == "photo.nef" else dng(preview=None))
        for at in chance.integers(start, start + 100, 4):
            data[at] = chance.integers(256)
        with contextlib.suppress(UnreadableImage):
            seen(put(tmp_path, name, bytes(data)))


def test_the_program_survives_the_death_of_the_decoder(
    libraw: LibRaw, tmp_path: Path
) -> None:
    with open(put(tmp_path, "photo.dng", dng()), "rb") as file:
        before = libraw.ask(PREVIEW, file).header
        assert libraw.pid is not None
        os.kill(libraw.pid, signal.SIGSEGV)
        assert libraw.ask(PREVIEW, file).header == before
        assert libraw.ask(CHECK, file).header == {}
        assert libraw.ask(DEVELOP, file).header == {"size_px": [WIDTH_PX, HEIGHT_PX]}


def fake(code: str, *, timeout_s: int = 60) -> LibRaw:
    """A decoder that behaves badly."""
    return LibRaw(command=(sys.executable, "-c", code), timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("code", "timeout_s", "expected"),
    [
        ("import os; os.abort()", 60, "the RAW decoder crashed on it"),
        ("pass", 60, "the RAW decoder crashed on it"),
        (
            "import signal, sys, time; signal.alarm(int(sys.argv[2])); time.sleep(50)",
            1,
            "the RAW decoder did not finish in 1 seconds",
        ),
        (
            "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); "
            "s.recv(1); s.send(b'\\xff' * 8)",
            60,
            "the RAW decoder crashed on it",
        ),
    ],
    ids=["crashes", "ends", "hangs", "babbles"],
)
def test_a_decoder_that_fails_blames_the_photo_in_plain_words(
    code: str, timeout_s: int, expected: str, tmp_path: Path
) -> None:
    with open(put(tmp_path, "photo.dng", dng()), "rb") as file:
        child = fake(code, timeout_s=timeout_s)
        with pytest.raises(Refused, match=f"^{expected}$"):
            child.ask(PREVIEW, file)
        child.close()


def test_a_decoder_that_cannot_be_started_is_said_to_be_so(tmp_path: Path) -> None:
    with open(put(tmp_path, "photo.dng", dng()), "rb") as file:
        child = LibRaw(command=(str(tmp_path / "no such program"),))
        with pytest.raises(Refused, match="cannot be started"):
            child.ask(PREVIEW, file)


def test_the_decoder_ends_with_the_program() -> None:
    ours, theirs = socket.socketpair()
    child = Path("tagger/imaging/libraw_child.py")
    command = [sys.executable, "-P", str(child), str(theirs.fileno()), "60"]
    with subprocess.Popen(command, pass_fds=(theirs.fileno(),)) as process, theirs:
        ours.close()
        theirs.close()
        assert process.wait(timeout=30) == 0


def test_looking_at_ordinary_photos_needs_no_libraw(tmp_path: Path) -> None:
    code = (
        "import sys; from tagger.imaging.look import look; "
        "look(sys.argv[1].encode(), side_px=64); print('rawpy' in sys.modules)"
    )
    path = os.fsdecode(make("jpeg", tmp_path))
    command = [sys.executable, "-c", code, path]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_our_dng_is_one(tmp_path: Path) -> None:
    path = os.fsdecode(put(tmp_path, "photo.dng", dng(orientation=6)))
    command = ["exiftool", "-validate", "-s3", path]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "OK"
    assert struct.unpack("<2sH", Path(path).read_bytes()[:4]) == (b"II", 42)
