"""Zipping: a ZIP file of many small ones, written as a stream.

Python's own writer keeps an object for each file in memory until the end: 0.6 GB for a
million. Here the list of contents goes to a file on disk as it grows. Every form is
ZIP64 from where the old one ends: 65,535 files, 4 GiB.
"""

import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_UTF8_NAMES = 0x800
_DEFLATED = 8
_VERSION, _VERSION_64 = 20, 45
_UNIX_FILE = 0o100644 << 16
_MADE_ON_UNIX = 3 << 8
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class File:
    """One file to go in. Its name has `/` between folders, and none in front."""

    name: str
    data: bytes


class Zipper:
    """One ZIP file on its way; `count` and `size_bytes` are what went out so far."""

    def __init__(self, contents: Path) -> None:
        self._contents = contents
        self._when = _dos_time(time.localtime())
        self.count = 0
        self.size_bytes = 0

    def pieces(self, files: Iterator[File]) -> Iterator[bytes]:
        """The bytes of a ZIP file with these in it."""
        with self._contents.open("w+b") as contents:
            held = bytearray()  # a piece for each file would be too many to send
            for file in files:
                held += self._one(file, contents)
                if len(held) >= _PIECE_BYTES:
                    yield bytes(held)
                    held.clear()
            yield bytes(held)
            size = contents.tell()
            contents.seek(0)
            while piece := contents.read(_PIECE_BYTES):
                yield piece
        yield self._end(size)

    def _one(self, file: File, contents: BinaryIO) -> bytes:
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(file.data) + packer.flush()
        name = file.name.encode()
        sizes = (zlib.crc32(file.data), len(packed), len(file.data))
        common = (_UTF8_NAMES, _DEFLATED, *self._when, *sizes, len(name))
        head = struct.pack("<4s5H3L2H", b"PK\3\4", _VERSION, *common, 0)
        at = self.size_bytes
        far = struct.pack("<HHQ", 1, 8, at) if at >= _FULL_32 else b""
        needs = _VERSION_64 if far else _VERSION
        contents.write(
            struct.pack(
                *("<4s6H3L5H2L", b"PK\1\2", _MADE_ON_UNIX | _VERSION_64, needs),
                *(*common, len(far), 0, 0, 0, _UNIX_FILE, min(at, _FULL_32)),
            )
            + name
            + far
        )
        written = head + name + packed
        self.count += 1
        self.size_bytes += len(written)
        return written

    def _end(self, contents_bytes: int) -> bytes:
        at, count = self.size_bytes, self.count
        whole = b""
        if count >= _FULL_16 or at >= _FULL_32 or contents_bytes >= _FULL_32:
            versions = (_MADE_ON_UNIX | _VERSION_64, _VERSION_64)
            sizes = (count, count, contents_bytes, at)
            whole = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, *versions, 0, 0, *sizes)
            whole += struct.pack("<4sLQL", b"PK\6\7", 0, at + contents_bytes, 1)
        few = min(count, _FULL_16)
        return whole + struct.pack(
            *("<4s4H2LH", b"PK\5\6", 0, 0, few, few),
            *(min(contents_bytes, _FULL_32), min(at, _FULL_32), 0),
        )


def _dos_time(when: time.struct_time) -> tuple[int, int]:
    """Time and date as MS-DOS had them, to two seconds."""
    year = min(max(when.tm_year, 1980), 2107) - 1980
    clock = when.tm_hour << 11 | when.tm_min << 5 | when.tm_sec // 2
    return clock, year << 9 | when.tm_mon << 5 | when.tm_mday
