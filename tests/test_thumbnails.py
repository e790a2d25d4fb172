"""Thumbnails on disk, and renderings for browsers."""

import errno
import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from tagger.errors import DataError, DataFull, UnreadableImage
from tagger.imaging.identity import thumbnail_version
from tagger.imaging.look import look
from tagger.imaging.render import browser_jpeg
from tagger.imaging.thumbnails import ThumbnailStore, make_thumbnail, refusal
from tests.support_imaging import (
    KINDS,
    encoded,
    exif,
    make,
    painted,
    put,
    with_orientation,
)

VERSION = thumbnail_version("j1:" + "0" * 32, 1)
JPEG = encoded(Image.fromarray(painted()), "JPEG")


@pytest.fixture
def store(tmp_path: Path) -> ThumbnailStore:
    return ThumbnailStore(tmp_path / "thumbnails")


def files_in(store: ThumbnailStore) -> list[str]:
    return sorted(path.name for path in store.dir.rglob("*") if path.is_file())


def test_what_is_saved_is_read_back(store: ThumbnailStore) -> None:
    assert store.read(VERSION) is None
    store.save(VERSION, JPEG)
    assert store.read(VERSION) == JPEG
    assert store.path_of(VERSION).parent.name == VERSION[:2]
    assert files_in(store) == [f"{VERSION}.jpg"]


def test_saving_again_replaces(store: ThumbnailStore) -> None:
    other = encoded(Image.new("RGB", (8, 8), "red"), "JPEG")
    store.save(VERSION, JPEG)
    store.save(VERSION, other)
    assert store.read(VERSION) == other


def test_readers_never_see_half_a_thumbnail_while_many_write(
    store: ThumbnailStore,
) -> None:
    whole = {encoded(Image.new("RGB", (200, 200), c), "JPEG") for c in ("red", "blue")}
    done = threading.Event()

    def write(jpeg: bytes) -> None:
        for _ in range(50):
            store.save(VERSION, jpeg)

    def read() -> set[bytes | None]:
        found: set[bytes | None] = set()
        while not done.is_set():
            found.add(store.read(VERSION))
        return found

    with ThreadPoolExecutor(6) as pool:
        reading = pool.submit(read)
        for writing in [pool.submit(write, jpeg) for jpeg in [*whole, *whole]]:
            writing.result()
        done.set()
        assert reading.result() <= {None, *whole}
    assert files_in(store) == [f"{VERSION}.jpg"]


@pytest.mark.parametrize(
    "version", ["", "../../etc/passwd", VERSION.upper(), VERSION + "/", VERSION[:-1]]
)
def test_what_is_no_version_reaches_no_file(
    store: ThumbnailStore, version: str
) -> None:
    assert store.read(version) is None
    with pytest.raises(ValueError, match="not a thumbnail version"):
        store.save(version, JPEG)


@pytest.mark.parametrize("left", [b"", JPEG[:-10], b"\0" * 500])
def test_what_a_crash_left_incomplete_counts_as_absent(
    store: ThumbnailStore, left: bytes
) -> None:
    store.save(VERSION, JPEG)
    store.path_of(VERSION).write_bytes(left)
    assert store.read(VERSION) is None


def test_left_over_temporaries_are_removed_once_they_are_old(
    store: ThumbnailStore,
) -> None:
    store.save(VERSION, JPEG)
    stray = store.path_of(VERSION).with_name(f".{VERSION}.1234.tmp")
    stray.write_bytes(b"half")
    assert store.remove_stale() == 0
    os.utime(stray, (0, 0))
    assert store.remove_stale() == 1
    assert files_in(store) == [f"{VERSION}.jpg"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = ThumbnailStore(tmp_path / "file")
    with pytest.raises(DataError, match=r"cannot write thumbnails in .*file"):
        store.save(VERSION, JPEG)


def test_a_full_disk_pauses_the_run(tmp_path: Path) -> None:
    full = refusal(tmp_path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert isinstance(full, DataFull)
    assert not isinstance(refusal(tmp_path, OSError(errno.EACCES, "no")), DataFull)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_thumbnail_made_later_equals_the_one_of_the_look(
    kind: str, tmp_path: Path
) -> None:
    path = make(kind, tmp_path, painted(1200, 800) if kind == "jpeg" else None)
    for side_px in (224, 1024):
        first = look(path, side_px=side_px, max_megapixels=10).thumbnail
        assert make_thumbnail(path, side_px=side_px) == first


def test_thumbnail_of_a_file_that_is_no_photo_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage):
        make_thumbnail(put(tmp_path, "x.jpg", b"text"))


@pytest.mark.parametrize("kind", ["heic", "tiff", "tiff-lab", "tiff-grey16"])
def test_browsers_get_a_jpeg_of_what_they_cannot_show(
    kind: str, tmp_path: Path
) -> None:
    rendering = Image.open(io.BytesIO(browser_jpeg(make(kind, tmp_path), 2000)))
    assert (rendering.format, rendering.mode) == ("JPEG", "RGB")
    assert rendering.size == (96, 64)


def test_rendering_for_browsers_is_upright_and_bounded(tmp_path: Path) -> None:
    stored = Image.fromarray(with_orientation(painted(), 6))
    path = put(tmp_path, "turned.tif", encoded(stored, "TIFF", exif=exif(6)))
    rendering = Image.open(io.BytesIO(browser_jpeg(path, 48)))
    assert rendering.size == (48, 32)
    assert rendering.getexif().get(0x0112, 1) == 1
