"""Reading a file by pieces, never beyond its end and never more than was asked.

Files are read, not mapped into memory: a mapped file that is cut short by another
program kills the process, a short read raises `Malformed`.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from typing import BinaryIO

from blake3 import blake3

from tagger.errors import UnreadableImage

CHUNK_BYTES = 1 << 20
_WINDOW_BYTES = 1 << 16

_REASONS = {
    errno.ENOENT: "there is no such file",
    errno.EACCES: "the file may not be read (permission denied)",
    errno.EPERM: "the file may not be read (permission denied)",
    errno.ELOOP: "its link leads in a circle",
    errno.ENAMETOOLONG: "its name is too long for this disk",
    errno.EIO: "the disk reports an error while reading it",
    errno.ESTALE: "the network share it is on has gone away",
    errno.ENXIO: "it is not an ordinary file",
}


class Malformed(Exception):
    """The bytes do not follow their container's rules. Never leaves this room."""


class Source:
    """The bytes of one file or buffer, read by offset. For one thread at a time."""

    def __init__(self, read_at: Callable[[int, int], bytes], size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._read_at = read_at
        self._window = b""
        self._window_start = 0

    @classmethod
    def of_memory(cls, data: memoryview) -> "Source":
        flat = data.cast("B")
        return cls(lambda start, n: bytes(flat[start : start + n]), len(flat))

    @classmethod
    def of_file(cls, file: BinaryIO) -> "Source":
        descriptor = file.fileno()
        return cls(
            lambda start, n: _pread(descriptor, start, n), os.fstat(descriptor).st_size
        )

    def part(self, offset: int, length: int) -> "Source":
        """The bytes of a range as a source of their own."""
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise Malformed("points outside the file")
        return Source(lambda start, n: self._read_at(offset + start, n), length)

    def read(self, offset: int, length: int) -> bytes:
        """Exactly these bytes; raises `Malformed` if they are not all there."""
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise Malformed("points outside the file")
        if length > _WINDOW_BYTES // 4:
            return self._exactly(offset, length)
        start = offset - self._window_start
        if start < 0 or start + length > len(self._window):
            window_bytes = min(_WINDOW_BYTES, self.size_bytes - offset)
            self._window = self._exactly(offset, window_bytes)
            self._window_start, start = offset, 0
        return self._window[start : start + length]

    def integer(self, offset: int, length: int, *, little: bool = False) -> int:
        """An unsigned number of `length` bytes."""
        return int.from_bytes(self.read(offset, length), "little" if little else "big")

    def chunks(self, offset: int, length: int) -> Iterator[bytes]:
        """The same bytes as `read`, a megabyte at a time."""
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise Malformed("points outside the file")
        if length <= _WINDOW_BYTES // 4:
            yield self.read(offset, length)
            return
        for start in range(offset, offset + length, CHUNK_BYTES):
            yield self._exactly(start, min(CHUNK_BYTES, offset + length - start))

    def _exactly(self, offset: int, length: int) -> bytes:
        data = self._read_at(offset, length)
        if len(data) != length:
            raise Malformed("the file became shorter while it was read")
        return data


def _pread(descriptor: int, offset: int, length: int) -> bytes:
    parts: list[bytes] = []
    while length > 0 and (part := os.pread(descriptor, length, offset)):
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


@contextlib.contextmanager
def opened_file(path: bytes, file: BinaryIO | None = None) -> Iterator[BinaryIO]:
    """Open a photo for reading; raises `UnreadableImage` for whatever is no such.

    A `file` that is open already is used instead, from its beginning, and stays open.
    """
    if file is not None:
        if fault := _unfit(os.fstat(file.fileno())):
            raise UnreadableImage(path, fault)
        # Pillow closes the file of a TIFF, whoever opened it.
        with open(os.dup(file.fileno()), "rb") as again:
            again.seek(0)
            yield again
        return
    try:
        # Without O_NONBLOCK a named pipe would keep us waiting for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise UnreadableImage(path, reason_for(error)) from error
    if fault := _unfit(os.fstat(descriptor)):
        os.close(descriptor)
        raise UnreadableImage(path, fault)
    with open(descriptor, "rb") as file:
        yield file


@contextlib.contextmanager
def reading(path: bytes) -> Iterator[None]:
    """Turn what the operating system says of a file into `UnreadableImage`."""
    try:
        yield
    except OSError as error:
        raise UnreadableImage(path, reason_for(error)) from error


def _unfit(found: os.stat_result) -> str | None:
    if stat.S_ISDIR(found.st_mode):
        return "it is a folder, not a file"
    if not stat.S_ISREG(found.st_mode):
        return "it is not an ordinary file"
    return None if found.st_size else "the file is empty (0 bytes)"


def reason_for(error: OSError | ValueError) -> str:
    """Why the operating system would not give the file, as a clause for people."""
    if not isinstance(error, OSError):
        return "its name cannot be a file's name"
    known = _REASONS.get(error.errno or 0)
    return known or f"the file cannot be read ({error.strerror or 'unknown reason'})"


def content_hash(path: bytes, source: Source) -> str:
    """BLAKE3 of the whole file, hex; raises `UnreadableImage` if it cannot be read."""
    digest = blake3()
    try:
        for chunk in source.chunks(0, source.size_bytes):
            digest.update(chunk)
    except OSError as error:
        raise UnreadableImage(path, reason_for(error)) from error
    except Malformed as error:
        raise UnreadableImage(path, str(error)) from error
    return digest.hexdigest()
