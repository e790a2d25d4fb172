"""Thumbnails as files, named by what they show, so that a name never changes content.

The name is made of identity and orientation (`identity.thumbnail_version`). Files are
written whole beside their place and then put there, so a reader never sees half of
one, whoever else writes the same. All of them can be deleted and made again.
"""

import contextlib
import errno
import os
import re
import time
import uuid
from pathlib import Path

from tagger.errors import DataError, DataFull
from tagger.imaging.identity import VERSION_LENGTH
from tagger.imaging.render import make_thumbnail

__all__ = ["ThumbnailStore", "make_thumbnail"]

# A version comes out of an address, so anything else must not become a path.
_VERSION = re.compile(rf"[0-9a-f]{{{VERSION_LENGTH}}}")
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


class ThumbnailStore:
    """The thumbnails below one folder: `ab/abcdef….jpg`."""

    def __init__(self, dir: Path) -> None:
        self.dir = dir

    def path_of(self, version: str) -> Path:
        """Where the thumbnail of this version is or would be."""
        if not _VERSION.fullmatch(version):
            raise ValueError(f"not a thumbnail version: {version!r}")
        return self.dir / version[:2] / f"{version}.jpg"

    def read(self, version: str) -> bytes | None:
        """The JPEG, or None if there is none, or one that a crash left incomplete."""
        if not _VERSION.fullmatch(version):
            return None
        # Each system call lets other threads in, and waits for its turn after that:
        # no more of them than there must be.
        try:
            file = os.open(f"{self.dir}/{version[:2]}/{version}.jpg", os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            jpeg = os.read(file, os.fstat(file).st_size)
        finally:
            os.close(file)
        whole = jpeg.startswith(_JPEG_START) and jpeg.endswith(_JPEG_END)
        return jpeg if whole else None

    def save(self, version: str, jpeg: bytes) -> None:
        """Put a thumbnail in its place; raises `DataFull` or `DataError`."""
        path = self.path_of(version)
        temporary = path.with_name(f".{version}.{uuid.uuid4().hex}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(jpeg)
            os.replace(temporary, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise refusal(self.dir, error) from error

    def remove_stale(self, *, older_than_s: float = 3600.0) -> int:
        """Delete what killed writers left behind; return how many files that were."""
        removed, limit = 0, time.time() - older_than_s
        for path in self.dir.glob("*/.*.tmp"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()
                    removed += 1
        return removed


def refusal(dir: Path, error: OSError) -> DataError:
    """What a failed write below `dir` means for the run."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DataFull(f"no room left for thumbnails in {dir}")
    return DataError(f"cannot write thumbnails in {dir}: {error.strerror}")
