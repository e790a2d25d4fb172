"""A picture's identity outlives everything that is written beside its pixels."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tagger.errors import UnreadableImage
from tagger.imaging import streams
from tagger.imaging.digest import MAX_PARTS, StreamDigest
from tagger.imaging.identity import identity, thumbnail_version
from tagger.imaging.isobmff import isobmff
from tagger.imaging.look import look
from tagger.imaging.source import CHUNK_BYTES, Malformed, Source
from tagger.imaging.tiff import tiff
from tests.support_imaging import (
    KINDS,
    ORIENTATION,
    WRITABLE_KINDS,
    encoded,
    make,
    painted,
    with_orientation,
)

WORDS = (
    "-XMP-dc:Subject=dog",
    "-XMP-dc:Subject=sea",
    "-XMP-dc:Description=A dog at the sea.",
    "-XMP-digiKam:TagsList=dog",
    "-EXIF:ImageDescription=A dog at the sea.",
    "-IPTC:Keywords=dog",
    "-PNG:Description=A dog at the sea.",
    "-Comment=woof",
    "-Orientation#=6",
)

PREFIXES = {
    "jpeg": "j1:",
    "mpo": "j1:",
    "png": "p1:",
    "apng": "p1:",
    "gif": "g1:",
    "tiff": "t1:",
    "tiff-big": "t1:",
    "webp": "w1:",
    "heic": "h1:",
    "avif": "a1:",
    "bmp": "x1:",
}


def exiftool(path: bytes, folder: Path, *arguments: str) -> bytes:
    """What exiftool makes of a file, written into a new folder."""
    command = ["exiftool", "-q", "-q", "-m", *arguments, "-o", f"{folder}/"]
    subprocess.run([*command, os.fsdecode(path)], check=True, timeout=50)
    return os.path.join(os.fsencode(folder), os.path.basename(path))


def source_of(data: bytes) -> Source:
    return Source.of_memory(memoryview(data))


def digest_of(data: bytes) -> tuple[Source, StreamDigest]:
    source = source_of(data)
    return source, StreamDigest(source)


@pytest.mark.parametrize("kind", WRITABLE_KINDS)
def test_identity_is_the_same_after_exiftool_wrote_tags(
    kind: str, tmp_path: Path
) -> None:
    before = make(kind, tmp_path)
    tagged = exiftool(before, tmp_path / "tagged", *WORDS)
    assert (
        Path(os.fsdecode(tagged)).read_bytes() != Path(os.fsdecode(before)).read_bytes()
    )
    assert identity(tagged) == identity(before)
    bare = exiftool(tagged, tmp_path / "bare", "-all=")
    assert identity(bare) == identity(before)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_identity_differs_after_one_pixel_changed(kind: str, tmp_path: Path) -> None:
    before = make(kind, tmp_path)
    after = make(kind, tmp_path, painted(changed=True), name="after.bin")
    assert identity(after) != identity(before)


@pytest.mark.parametrize(("kind", "prefix"), sorted(PREFIXES.items()))
def test_identity_names_the_rule_it_was_made_by(
    kind: str, prefix: str, tmp_path: Path
) -> None:
    found = identity(make(kind, tmp_path))
    assert found.startswith(prefix)
    assert len(found) == len(prefix) + 32


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_identity_is_the_same_in_memory_on_disk_and_in_a_look(
    kind: str, tmp_path: Path
) -> None:
    path = make(kind, tmp_path)
    data = Path(os.fsdecode(path)).read_bytes()
    found = identity(path)
    assert identity(memoryview(data)) == found
    assert look(path, side_px=64, max_megapixels=1).identity == found


def test_identity_follows_a_renamed_and_a_copied_file(tmp_path: Path) -> None:
    path = make("jpeg", tmp_path)
    copy = shutil.copy(os.fsdecode(path), tmp_path / "another name.jpeg")
    assert identity(os.fsencode(copy)) == identity(path)


def test_identity_differs_when_one_byte_of_jpeg_data_is_another(tmp_path: Path) -> None:
    path = make("jpeg", tmp_path)
    data = bytearray(Path(os.fsdecode(path)).read_bytes())
    position = len(data) // 2
    data[position] = 0x55 if data[position] != 0x55 else 0x2A
    assert identity(memoryview(bytes(data))) != identity(path)


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_identity_differs_when_only_the_palette_is_another(format: str) -> None:
    image = Image.new("P", (16, 16), 1)
    image.putpalette([0, 0, 0, 200, 10, 10])
    red = encoded(image, format)
    image.putpalette([0, 0, 0, 10, 10, 200])
    blue = encoded(image, format)
    assert identity(memoryview(red)) != identity(memoryview(blue))


def test_identity_of_a_stereo_photo_is_that_of_its_first_picture(
    tmp_path: Path,
) -> None:
    mpo = make("mpo", tmp_path)
    data = Path(os.fsdecode(mpo)).read_bytes()
    assert identity(memoryview(data + b"appended by a phone")) == identity(mpo)
    first_only = data[: data.index(b"\xff\xd9") + 2]
    assert identity(memoryview(first_only)) == identity(mpo)


def test_identity_falls_back_to_pixels_when_the_stream_breaks_its_rules(
    tmp_path: Path,
) -> None:
    gif = Path(os.fsdecode(make("gif", tmp_path))).read_bytes()
    without_end = memoryview(gif[:-1])
    assert identity(without_end).startswith("x1:")
    changed = Path(os.fsdecode(make("gif", tmp_path, painted(changed=True))))
    assert identity(without_end) != identity(memoryview(changed.read_bytes()[:-1]))


def test_pixels_are_hashed_as_stored_whatever_the_orientation(tmp_path: Path) -> None:
    found = set()
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        data = encoded(Image.fromarray(painted()), "TIFF", exif=exif)
        # Without byte counts (tag 279) only decoding tells what the picture is.
        unlisted = data.replace(struct.pack("<H", 279), struct.pack("<H", 280), 1)
        found.add(identity(memoryview(unlisted)))
    assert len(found) == 1
    assert found.pop().startswith("x1:")


def test_identity_of_what_neither_parses_nor_decodes_is_refused() -> None:
    for data in (b"", b"\xff\xd8\xff\xe0", b"no picture at all", bytes(100)):
        with pytest.raises(UnreadableImage):
            identity(memoryview(data))


def test_thumbnail_version_is_made_of_identity_and_orientation() -> None:
    versions = {
        thumbnail_version(identity, orientation)
        for identity in ("j1:" + "0" * 32, "j1:" + "1" * 32)
        for orientation in range(1, 9)
    }
    assert len(versions) == 16
    assert all(version.isalnum() for version in versions)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_identity_of_a_jpeg_does_not_contain_its_orientation(orientation: int) -> None:
    image = Image.fromarray(with_orientation(painted(), 6))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    plain, turned = encoded(image, "JPEG"), encoded(image, "JPEG", exif=exif)
    assert identity(memoryview(turned)) == identity(memoryview(plain))


@pytest.mark.parametrize("shift", range(-3, 4))
def test_end_of_jpeg_data_is_found_across_the_pieces_it_is_read_in(shift: int) -> None:
    head = b"\xff\xd8\xff\xda\x00\x02"
    scan = b"\x11" * (CHUNK_BYTES + shift)
    source, digest = digest_of(head + scan + b"\xff\xd9" + b"trailer")
    streams.jpeg(source, digest)
    _, expected = digest_of(head + scan)
    expected.value(b"\xda", b"")
    expected.range(b"scan", len(head), len(scan))
    assert digest.hex() == expected.hex()


def test_directories_of_a_tiff_that_lead_in_a_circle_end(tmp_path: Path) -> None:
    data = bytearray(Path(os.fsdecode(make("tiff", tmp_path))).read_bytes())
    first = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    with pytest.raises(Malformed):
        tiff(*digest_of(bytes(data)))


def test_strips_that_share_the_same_bytes_a_thousand_times_are_refused() -> None:
    strips = 4096
    lists_at, data_at = 8 + 2 + 4 * 12 + 4, 100_000
    offsets = struct.pack(f"<{strips}I", *[data_at] * strips)
    lengths = struct.pack(f"<{strips}I", *[900_000] * strips)
    entries = [
        (256, 4, 1, 1000),
        (257, 4, 1, 1000),
        (273, 4, strips, lists_at),
        (279, 4, strips, lists_at + len(offsets)),
    ]
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    head += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    with pytest.raises(Malformed):
        tiff(*digest_of((head + offsets + lengths).ljust(1_000_000, b"\0")))


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def heif(iloc: bytes) -> bytes:
    """A container with one picture item and this item location box."""
    infe = box(b"infe", struct.pack(">IHH4s", 2 << 24, 1, 0, b"hvc1") + b"\0")
    meta = bytes(4) + box(b"iinf", struct.pack(">IH", 0, 1) + infe)
    meta += box(b"iloc", iloc) + box(b"iprp", box(b"ipco", b""))
    return box(b"ftyp", b"heic" + bytes(4)) + box(b"meta", meta)


def test_item_lists_that_cost_no_bytes_to_write_do_not_cost_hours_to_read() -> None:
    items = 65_535
    iloc = struct.pack(">IHH", 0, 0, items)
    iloc += b"".join(struct.pack(">HHH", i, 0, 65_535) for i in range(items))
    assert items * 65_535 > 1000 * MAX_PARTS
    with pytest.raises(Malformed):
        isobmff(*digest_of(heif(iloc)))


@pytest.mark.parametrize(
    "extent", [(0, 1 << 40), (1 << 40, 1), ((1 << 64) - 1, (1 << 64) - 1)]
)
def test_items_outside_the_file_are_refused(extent: tuple[int, int]) -> None:
    iloc = struct.pack(">IHHHHH", 0, 0x8800, 1, 1, 0, 1) + struct.pack(">QQ", *extent)
    with pytest.raises(Malformed):
        isobmff(*digest_of(heif(iloc)))


def test_boxes_that_never_advance_are_refused() -> None:
    stuck = struct.pack(">I4s", 1, b"free") + bytes(8)
    with pytest.raises(Malformed):
        isobmff(*digest_of(box(b"ftyp", b"heic") + stuck))
