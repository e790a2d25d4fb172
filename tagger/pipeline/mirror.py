"""Mirror: a tree of sidecars that follows the photos', so that none is written there.

A photo's place in it comes from the photo's path and from nothing else, so that it is
found again by whoever knows where the photo is: below the common mirror by its whole
path, below a folder's own by its path within that folder. A note in the mirror's top
folder keeps it from being empty, as the folder of a disk is that is not connected.
"""

import contextlib
import errno
import logging
import os
from pathlib import Path

from tagger.errors import MetadataNotWritten, shown
from tagger.pipeline.metadata import replacing
from tagger.pipeline.metadata.sidecar import SUFFIX
from tagger.records import Folder, WriteMode
from tagger.tracking import folders, sidecars
from tagger.tracking.database import Database
from tagger.tracking.places import is_within
from tagger.tracking.usable import inside_data, mirror_tree

log = logging.getLogger(__name__)

NOTE = b"about-this-mirror.txt"
TEXT = """\
This folder mirrors photos that Image Tagger may not write to. It has an XMP sidecar
for each of them, with its description and tags, at the path of the photo.

Keep it with the photos, and this note in it: a mirror that is suddenly empty is taken
for one whose disk is not connected.
"""


class Mirrors:
    """Where the mirrors are, and which place in them is which photo's."""

    def __init__(self, db: Database, *, common: Path, data_dir: Path) -> None:
        self._db = db
        self._data_dir = data_dir
        self._common = common
        self.common = os.path.realpath(os.fsencode(common))

    def tree(self, folder: Folder) -> bytes:
        """The folder whose subfolders are those of a folder of photos."""
        return mirror_tree(folder, self._common)

    def place(self, photo: bytes, folder: Folder) -> bytes:
        """Where a photo would be if it were in the mirror itself.

        One that a link leads to, outside of its folder, is in the common mirror.
        """
        if folder.mirror is not None and is_within(photo, folder.path):
            below = os.path.relpath(photo, folder.path)
            return os.path.join(folder.mirror, below)
        return self._in_common(photo)

    def photo(self, path: bytes, folder: Folder) -> bytes:
        """The path beside the photo that a path in the folder's tree stands for."""
        return os.path.join(folder.path, os.path.relpath(path, self.tree(folder)))

    def has_words_of(self, path: bytes) -> bool:
        """Whether the common mirror has sidecars of a photo, or below a folder."""
        place = self._in_common(os.path.realpath(path))
        if not os.path.isdir(place):
            return os.path.isfile(place + SUFFIX)
        return any(
            name.endswith(SUFFIX) for _, _, names in os.walk(place) for name in names
        )

    def top(self, path: bytes, folder: Folder) -> bytes | None:
        """The top folder of the mirror that a path is in, None if it is in none."""
        tops = [self.common, *([folder.mirror] if folder.mirror else [])]
        return next((top for top in tops if is_within(path, top)), None)

    def away(self, path: bytes, folder: Folder) -> str | None:
        """Why the mirror that a path is in cannot be reached now, if so."""
        top, tree = self.top(path, folder), self.tree(folder)
        if top is None or not _is_empty(top):
            return None
        if not sidecars.any_below(self._db, tree if is_within(path, tree) else top):
            return None  # nothing was ever written there
        return (
            f"the mirror {shown(top)} is not there; connect its disk, or, to have it "
            "made anew, set the folder to mirror once more"
        )

    def prepare(self, photo: bytes, folder: Folder, place: bytes) -> None:
        """See that a sidecar may be put to this place.

        Raises `MetadataNotWritten` if the mirror is away, cannot be made, or is among
        photos that nothing may be written to.
        """
        if reason := self.away(place, folder):
            raise MetadataNotWritten(photo, reason)
        for other in folders.every(self._db):
            if other.write_mode is WriteMode.MIRROR and is_within(place, other.path):
                if inside_data(place, self._data_dir):
                    continue
                raise MetadataNotWritten(
                    photo,
                    f"its place in the mirror is inside {shown(other.path)}, where "
                    "nothing may be written; give the mirror another place "
                    "(metadata.mirror_dir, or --mirror of the folder)",
                )
        top = self.top(place, folder) or self.common
        try:
            os.makedirs(top, exist_ok=True)
            with (
                contextlib.suppress(FileExistsError),
                open(os.path.join(top, NOTE), "x", encoding="utf-8") as note,
            ):
                note.write(TEXT)
        except OSError as error:
            raise MetadataNotWritten(
                photo, f"the mirror {shown(top)} cannot be made: {error.strerror}"
            ) from error

    def _in_common(self, path: bytes) -> bytes:
        return os.path.join(self.common, path.lstrip(b"/"))


def _is_empty(folder: bytes) -> bool:
    """Whether nothing is in a folder, as in one where a disk would be, or no folder."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except (FileNotFoundError, NotADirectoryError):
        return True


def _rename(old: bytes, new: bytes) -> None:
    try:
        os.link(old, new)
        os.unlink(old)
    except OSError as error:
        # Some disks know no second names.
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP) or os.path.lexists(new):
            raise
        os.rename(old, new)


def carry(old: bytes, new: bytes) -> bool:
    """Move a sidecar in a mirror to a place that is free; whether that was done.

    By a second name first: a file that came there meanwhile is never replaced.
    """
    try:
        with replacing.folder_for(new):
            _rename(old, new)
    except OSError as error:
        log.info("%s stays where it is: %s", shown(old), error.strerror)
        return False
    replacing.to_disk(os.path.dirname(new))
    replacing.to_disk(os.path.dirname(old))
    return True
