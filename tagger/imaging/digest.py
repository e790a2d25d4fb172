"""The hash that identities are made of: labelled parts, fed in reading order.

Each part goes in with its label and its length, so that two different sequences of
parts never look the same. What a hostile file can make us do is bounded: so many
parts, and so many bytes in relation to the size of the file.
"""

from blake3 import blake3

from tagger.imaging.source import Malformed, Source

MAX_PARTS = 2_000_000

# Tiles of one colour may share their bytes, so some are hashed more than once.
_MAX_TIMES_OVER = 4


class StreamDigest:
    """A running 128-bit BLAKE3 of the parts of `source` that make up its picture."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._hash = blake3()
        self._parts = 0
        self._bytes_left = _MAX_TIMES_OVER * source.size_bytes + (1 << 16)

    def hex(self) -> str:
        return self._hash.hexdigest(length=16)

    def value(self, label: bytes, data: bytes) -> None:
        """Take a part that is at hand."""
        self.step()
        self.charge(len(data))
        self._hash.update(label + len(data).to_bytes(8, "big") + data)

    def range(self, label: bytes, offset: int, length: int) -> None:
        """Take a part as it stands in the file."""
        self.step()
        self.charge(length)
        self._hash.update(label + length.to_bytes(8, "big"))
        for chunk in self._source.chunks(offset, length):
            self._hash.update(chunk)

    def step(self, count: int = 1) -> None:
        """Count steps of walking the file; raises `Malformed` if it never ends."""
        self._parts += count
        if self._parts > MAX_PARTS:
            raise Malformed("has too many parts")

    def charge(self, length: int) -> None:
        """Count bytes that are read; raises `Malformed` if they are far too many."""
        self._bytes_left -= length
        if self._bytes_left < 0:
            raise Malformed("refers to the same bytes too often")
