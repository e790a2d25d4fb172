"""Makes small RAW photos: a DNG as cameras write it, from numbers and `struct` alone.

    path = put(tmp_path, "photo.dng", dng())                   # with a JPEG preview
    path = put(tmp_path, "photo.dng", dng(preview=None))       # mosaic data only

The first directory holds a tiny thumbnail that nobody should ever look at: it is grey.
The mosaic and the preview stand in directories below it, as Adobe advises. Shown
upright, both are `painted`, so a wrong turn shows; the mosaic is twice as wide and
high, and brighter by its tone curve.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tests.support_imaging import (
    HEIGHT_PX,
    WIDTH_PX,
    Pixels,
    encoded,
    painted,
    with_orientation,
)

RAW_WIDTH_PX, RAW_HEIGHT_PX = 2 * WIDTH_PX, 2 * HEIGHT_PX
_THUMBNAIL_PX = 16

BYTE, ASCII, SHORT, LONG, RATIONAL, SRATIONAL = 1, 2, 3, 4, 5, 10
_CODES = {BYTE: "B", ASCII: "s", SHORT: "H", LONG: "I", RATIONAL: "I", SRATIONAL: "i"}
_PREVIEW, _FULL_SIZE = 1, 0
_STRIP_OFFSETS = 273


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a directory. `below` are directories that it points to."""

    tag: int
    kind: int
    values: tuple[int, ...] | bytes = ()
    below: tuple["Directory", ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """Fields, and the data of its strip if it holds a picture."""

    entries: tuple[Entry, ...]
    strip: bytes | None = None


def dng(
    *,
    orientation: int = 1,
    preview: bytes | None = b"",
    pixels: Pixels | None = None,
    exif: bool = True,
    order: str = "<",
) -> bytes:
    """A DNG as the bytes of a file.

    `preview` is a JPEG, None for a file without one, and empty for the usual one.
    `pixels` is what the mosaic shows upright, at its full size.
    """
    shown = painted(RAW_WIDTH_PX, RAW_HEIGHT_PX) if pixels is None else pixels
    below = [_mosaic_directory(with_orientation(shown, orientation), order)]
    if preview is not None:
        below.append(_preview_directory(preview or usual_preview(orientation)))
    grey = bytes([128]) * (3 * _THUMBNAIL_PX**2)
    entries = [
        *_picture(_THUMBNAIL_PX, _THUMBNAIL_PX, compression=1, bits=(8, 8, 8)),
        Entry(254, LONG, (_PREVIEW,)),
        Entry(262, SHORT, (2,)),
        Entry(271, ASCII, b"Canon\0"),
        Entry(272, ASCII, b"Canon EOS R6\0"),
        Entry(274, SHORT, (orientation,)),
        Entry(330, LONG, below=tuple(below)),
        Entry(50706, BYTE, (1, 4, 0, 0)),
        Entry(50707, BYTE, (1, 1, 0, 0)),
        Entry(50708, ASCII, b"Canon EOS R6\0"),
        Entry(50721, SRATIONAL, _scaled(1, 0, 0, 0, 1, 0, 0, 0, 1)),
        Entry(50728, RATIONAL, _scaled(1, 1, 1)),
        Entry(50778, SHORT, (21,)),
    ]
    if exif:
        entries += [
            Entry(34665, LONG, below=(_shot_directory(),)),
            Entry(34853, LONG, below=(_place_directory(),)),
        ]
    return tiff(Directory(tuple(entries), grey), order=order)


def nef() -> bytes:
    """The same as most makers write it: a TIFF that does not say what it is."""
    mosaic = _mosaic_directory(painted(RAW_WIDTH_PX, RAW_HEIGHT_PX), "<")
    entries = (
        *_picture(_THUMBNAIL_PX, _THUMBNAIL_PX, compression=1, bits=(8, 8, 8)),
        Entry(254, LONG, (_PREVIEW,)),
        Entry(262, SHORT, (2,)),
        Entry(271, ASCII, b"NIKON CORPORATION\0"),
        Entry(272, ASCII, b"NIKON D750\0"),
        Entry(274, SHORT, (1,)),
        Entry(330, LONG, below=(mosaic, _preview_directory(usual_preview()))),
    )
    return tiff(Directory(entries, bytes([128]) * (3 * _THUMBNAIL_PX**2)))


def raf() -> bytes:
    """As much of Fujifilm's container as says where the sensor data are."""
    header = bytearray(b"FUJIFILMCCD-RAW 0201FF129502".ljust(160, b"\0"))
    header[100:108] = struct.pack(">II", len(header), 2000)
    return bytes(header) + bytes(range(250)) * 8


def cr3_facts() -> bytes:
    """As much of a CR3 as says what it is, and the facts of the shot; no picture."""
    maker = Directory(
        (Entry(271, ASCII, b"Canon\0"), Entry(272, ASCII, b"Canon EOS R6\0"))
    )
    blocks = (
        (b"CMT1", maker),
        (b"CMT2", _shot_directory()),
        (b"CMT4", _place_directory()),
    )
    canon = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48") + b"".join(
        _box(kind, tiff(block)) for kind, block in blocks
    )
    kind = _box(b"ftyp", b"crx \0\0\0\1crx isom")
    return kind + _box(b"moov", _box(b"uuid", canon))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def usual_preview(orientation: int = 1) -> bytes:
    """The preview of a camera: as large as half the mosaic, not turned."""
    stored = with_orientation(painted(), orientation)
    return encoded(Image.fromarray(stored), "JPEG", quality=92)


def tiff(first: Directory, *, order: str = "<", magic: int = 42) -> bytes:
    """A TIFF file of one directory and those below it, the picture data at its end."""
    mark = b"II" if order == "<" else b"MM"
    body = bytearray(mark + struct.pack(order + "HI", magic, 0))
    strips: list[tuple[int, bytes]] = []
    start = _append(body, strips, first, order)
    body[4:8] = struct.pack(order + "I", start)
    for offset_at, strip in sorted(strips, key=lambda found: len(found[1])):
        body[offset_at : offset_at + 4] = struct.pack(order + "I", _place(body, strip))
    return bytes(body)


def _append(
    body: bytearray, strips: list[tuple[int, bytes]], directory: Directory, order: str
) -> int:
    """Put a directory and those below it at the end; return where it begins.

    Its strip is noted, with the place of the field that has to say where it stands.
    """
    entries = list(directory.entries)
    if directory.strip is not None:
        entries.append(Entry(_STRIP_OFFSETS, LONG, (0,)))
        entries.append(Entry(279, LONG, (len(directory.strip),)))
    entries.sort(key=lambda entry: entry.tag)
    rows = []
    for entry in entries:
        values = entry.values or tuple(
            _append(body, strips, below, order) for below in entry.below
        )
        count, data = _encoded(entry.kind, values, order)
        if len(data) > 4:
            data = struct.pack(order + "I", _place(body, data))
        head = struct.pack(order + "HHI", entry.tag, entry.kind, count)
        rows.append(head + data.ljust(4, b"\0"))
    table = struct.pack(order + "H", len(rows)) + b"".join(rows) + bytes(4)
    start = _place(body, table)
    if directory.strip is not None:
        row = [entry.tag for entry in entries].index(_STRIP_OFFSETS)
        strips.append((start + 2 + 12 * row + 8, directory.strip))
    return start


def _encoded(
    kind: int, values: tuple[int, ...] | bytes, order: str
) -> tuple[int, bytes]:
    if isinstance(values, bytes):
        return len(values), values
    count = len(values) // 2 if kind in (RATIONAL, SRATIONAL) else len(values)
    return count, struct.pack(f"{order}{len(values)}{_CODES[kind]}", *values)


def _place(body: bytearray, data: bytes) -> int:
    body += bytes(len(body) % 2)
    start = len(body)
    body += data
    return start


def _picture(
    width: int, height: int, *, compression: int, bits: tuple[int, ...]
) -> Iterable[Entry]:
    return (
        Entry(256, LONG, (width,)),
        Entry(257, LONG, (height,)),
        Entry(258, SHORT, bits),
        Entry(259, SHORT, (compression,)),
        Entry(277, SHORT, (len(bits),)),
        Entry(278, LONG, (height,)),
        Entry(284, SHORT, (1,)),
    )


def _mosaic_directory(pixels: Pixels, order: str) -> Directory:
    """Sixteen bits a pixel behind a filter of red, green, green and blue."""
    height, width = pixels.shape[:2]
    light = (pixels.astype(np.float64) / 255) ** 2.2 * 16000
    mosaic = light[..., 1].copy()
    mosaic[0::2, 0::2] = light[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = light[1::2, 1::2, 2]
    entries = (
        *_picture(width, height, compression=1, bits=(16,)),
        Entry(254, LONG, (_FULL_SIZE,)),
        Entry(262, SHORT, (32803,)),
        Entry(33421, SHORT, (2, 2)),
        Entry(33422, BYTE, (0, 1, 1, 2)),
        Entry(50714, SHORT, (0,)),
        Entry(50717, SHORT, (16383,)),
    )
    return Directory(entries, mosaic.astype(order + "u2").tobytes())


def _preview_directory(jpeg: bytes) -> Directory:
    """A JPEG preview; its size is read from the JPEG itself where that can be read."""
    entries = (
        *_picture(WIDTH_PX, HEIGHT_PX, compression=7, bits=(8, 8, 8)),
        Entry(254, LONG, (_PREVIEW,)),
        Entry(262, SHORT, (6,)),
    )
    return Directory(entries, jpeg)


def _shot_directory() -> Directory:
    lens = b"RF24-105mm F4 L IS USM\0"
    moment = b"2024:05:06 07:08:09\0"
    return Directory((Entry(36867, ASCII, moment), Entry(42036, ASCII, lens)))


def _place_directory() -> Directory:
    return Directory(
        (
            Entry(1, ASCII, b"S\0"),
            Entry(2, RATIONAL, (33, 1, 51, 1, 30, 1)),
            Entry(3, ASCII, b"E\0"),
            Entry(4, RATIONAL, (151, 1, 12, 1, 36, 1)),
        )
    )


def _scaled(*numbers: int) -> tuple[int, ...]:
    """Whole numbers as fractions."""
    return tuple(part for number in numbers for part in (number, 1))
