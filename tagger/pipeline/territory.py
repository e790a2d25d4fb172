"""Territory: which places are one folder's, and which are another's, or nobody's.

A photo belongs to the innermost folder around it, by its real path, so that no link,
hint or nested folder brings it under settings that were not made for it. What a link
leads to outside `library.roots` is nobody's.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from tagger.records import Folder
from tagger.tracking.places import is_within
from tagger.tracking.roots import real
from tagger.tracking.usable import inside_data

Place = tuple[int, int]


class Territory:
    """The part of the disk that one folder covers, `others` being all other folders."""

    def __init__(
        self,
        root: bytes,
        *,
        recursive: bool,
        others: Sequence[Folder] = (),
        data_dir: Path | None = None,
        roots: Sequence[str] = (),
    ) -> None:
        self.root = root
        self.recursive = recursive
        self._data_dir = data_dir
        self._limited, self._roots = bool(roots), real(roots)
        self._data = os.path.realpath(os.fsencode(data_dir)) if data_dir else None
        nearer = [other for other in others if not is_within(root, other.path)]
        self._deep = [other.path for other in nearer if other.recursive]
        self._flat = {other.path for other in nearer if not other.recursive}
        # By whatever path they are reached: a bind mount has the same inode.
        self.elsewhere = _places([other.path for other in others if other.recursive])

    def enters(self, path: bytes) -> bool:
        """Whether a folder, or a file, is to be gone into at all."""
        if self._limited and not self._is_allowed(path):
            return False
        if self._data_dir and self._data and is_within(path, self._data):
            return not inside_data(path, self._data_dir)
        return not any(is_within(path, other) for other in self._deep)

    def _is_allowed(self, path: bytes) -> bool:
        """Below the root nothing is met by a link; it was asked about before."""
        allowed = (self.root, *self._roots)
        return any(is_within(path, one) for one in allowed)

    def holds(self, directory: bytes) -> bool:
        """Whether the photos right in a directory are this folder's."""
        return directory not in self._flat and self.enters(directory)

    def covers(self, path: bytes) -> bool:
        """Whether a walk over the whole folder could come by this path."""
        if not self.enters(path):
            return False
        if not is_within(path, self.root):
            return True  # reached by a link
        below = path[len(self.root.rstrip(b"/")) :].strip(b"/").split(b"/")
        if any(part.startswith(b".") for part in below):
            return False
        flat = len(below) == 1 and (path == self.root or not os.path.isdir(path))
        return self.recursive or flat


def _places(paths: Sequence[bytes]) -> list[Place]:
    found = []
    for path in paths:
        try:
            stat = os.stat(path)
        except OSError:
            continue  # gone: a walk will not meet it either
        found.append((stat.st_dev, stat.st_ino))
    return found
