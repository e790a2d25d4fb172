"""Pictures made to burst memory or time are refused at the door, or bounded behind it.

They are sent to a real port. The app's own process never decodes what is sent in, and
the child that does has a limit on memory that the system keeps.
"""

import io
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from tagger.imaging.darkroom import DARKROOM
from tagger.imaging.darkroom_child import MEMORY_BYTES
from tagger.web import pictures
from tests.ollama_double import OllamaDouble
from tests.support_imaging import encoded
from tests.support_web import Library, library, served, settings_file

MIB = 2**20
JPEG = {"content-type": "image/jpeg"}


def png(size_px: tuple[int, int], *chunks: bytes, rows: int | None = None) -> bytes:
    """A grey PNG, all black, with further chunks; all its rows are really there."""
    width, height = size_px
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(1)
    row = bytes(1 + width)
    data = [packer.compress(row) for _ in range(height if rows is None else rows)]
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", head),
            *chunks,
            png_chunk(b"IDAT", b"".join([*data, packer.flush()])),
            png_chunk(b"IEND", b""),
        ]
    )


def png_chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def packed_zeros(size_bytes: int) -> bytes:
    packer, piece = zlib.compressobj(9), bytes(MIB)
    parts = [packer.compress(piece) for _ in range(size_bytes // MIB)]
    return b"".join([*parts, packer.flush()])


def png_900_megapixels() -> bytes:
    return png((30_000, 30_000))


def png_profile() -> bytes:
    chunk = png_chunk(b"iCCP", b"p\0\0" + packed_zeros(300 * MIB))
    return png((64, 64), chunk)


def png_texts() -> bytes:
    text = packed_zeros(60 * MIB)
    return png((64, 64), *(png_chunk(b"zTXt", b"k\0\0" + text) for _ in range(10)))


def png_international_text() -> bytes:
    return png((64, 64), png_chunk(b"iTXt", b"k\0\1\0\0\0" + packed_zeros(300 * MIB)))


def tiff(*entries: tuple[int, int, int, int], more: bytes = b"") -> bytes:
    """A TIFF whose tags say what is given: tag, type, count, value."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    return head + packed + struct.pack("<I", 0) + more


SMALL = ((256, 3, 1, 64), (257, 3, 1, 64), (258, 3, 1, 8), (262, 3, 1, 1))


def tiff_counts() -> bytes:
    many = 2**32 - 1
    strips = ((273, 4, many, 200), (278, 3, 1, 1), (279, 4, many, 200))
    return tiff(*SMALL, *strips, (34675, 7, many, 200), more=bytes(5000))


def tiff_samples() -> bytes:
    sizes = ((256, 4, 1, 60_000), (257, 4, 1, 60_000), (277, 3, 1, 60_000))
    return tiff(*sizes, (258, 3, 60_000, 200), (273, 4, 1, 200), more=bytes(200_000))


def tiff_circle() -> bytes:
    """Its list of pages leads back to the first."""
    data = bytearray(tiff(*SMALL, (273, 4, 1, 200), (279, 4, 1, 4096)))
    data[-4:] = struct.pack("<I", 8)
    return bytes(data) + bytes(5000)


def gif_frames() -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    head = b"GIF89a" + struct.pack("<HHBBB", 4000, 4000, 0x80, 0, 0) + bytes(6)
    return head + frame * 40_000 + b";"


def jpeg_scans() -> bytes:
    """A progressive JPEG that tells the same scan over and over."""
    data = encoded(Image.new("L", (4000, 4000), 99), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * 300 + data[-2:]


def webp_huge() -> bytes:
    data = bytearray(encoded(Image.new("RGB", (8, 8)), "WEBP", lossless=True))
    at = data.index(b"VP8L") + 9
    data[at : at + 4] = struct.pack("<I", 0x3FFF | 0x3FFF << 14)
    return bytes(data)


BOMBS: list[Callable[[], bytes]] = [
    png_900_megapixels,
    png_profile,
    png_texts,
    png_international_text,
    tiff_counts,
    tiff_samples,
    tiff_circle,
    gif_frames,
    jpeg_scans,
    webp_huge,
]


class Watched:
    """The most memory that this process and its decoders had within the block."""

    def __enter__(self) -> "Watched":
        self.before = psutil.Process().memory_info().rss
        self.most, self.most_of_a_child = self.before, 0
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.most = max(self.most, psutil.Process().memory_info().rss)
            for pid in DARKROOM.pids:
                try:
                    rss = psutil.Process(pid).memory_info().rss
                except psutil.NoSuchProcess:
                    continue
                self.most_of_a_child = max(self.most_of_a_child, rss)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    answer = {"description": "Black.", "tags": ["Dark"], "text": ""}
    with OllamaDouble(answer) as ollama:
        server = f'[[servers]]\nurl = "{ollama.url}"\nmodel = "gemma3:4b"\n'
        monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path, server)))
        with library(tmp_path) as made:
            yield made


@pytest.fixture
def api(place: Library) -> Iterator[httpx.Client]:
    with served() as client:
        client.timeout = httpx.Timeout(110)
        yield client


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_sent_in_bursts_nothing(
    api: httpx.Client, place: Library, bomb: Callable[[], bytes]
) -> None:
    data = bomb()
    assert len(data) < 12 * MIB
    with Watched() as watched:
        answer = api.post("/api/tag", content=data, headers=JPEG)

    # Some of them are pictures all the same; what is refused is refused in words.
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 422:
        assert "the picture that was sent" in answer.json()["detail"]
    assert watched.most - watched.before < 200 * MIB
    assert watched.most_of_a_child < MEMORY_BYTES // 4
    good = encoded(Image.new("RGB", (64, 64), "red"), "JPEG")
    assert api.post("/api/tag", content=good, headers=JPEG).is_success
    assert list(place.opened.config.data_dir.glob(".upload-*")) == []


@pytest.mark.parametrize(
    "bomb", [png_900_megapixels, tiff_counts, gif_frames, jpeg_scans]
)
def test_a_photo_replaced_by_a_bomb_is_not_decoded_by_the_app(
    api: httpx.Client, place: Library, bomb: Callable[[], bytes]
) -> None:
    image_id = place.photo("a.tiff", save_as="TIFF")
    image = pictures.find(place.opened, image_id)
    assert image is not None
    thumbnail = pictures.thumbnail_url(image)
    for jpeg in place.opened.thumbnails.dir.rglob("*.jpg"):
        jpeg.unlink()
    (place.root / "a.tiff").write_bytes(bomb())
    with Watched() as watched:
        for url in (thumbnail, pictures.browser_url(image_id)):
            answer = api.get(str(url))
            assert answer.status_code == 404
            detail = answer.json()["detail"]
            assert "changed" in detail or "megapixels" in detail or "a.tiff" in detail
    assert watched.most - watched.before < 200 * MIB


def test_what_is_within_the_limit_is_looked_at(api: httpx.Client) -> None:
    data = io.BytesIO()
    Image.new("L", (9000, 9000)).save(data, "PNG")
    assert api.post("/api/tag", content=data.getvalue(), headers=JPEG).is_success
