"""Rehearsal: an undo is tried on copies of a photo and its sidecar, and thrown away.

So it can be told beforehand what exiftool will put back and what not. That the files
themselves could be replaced is checked, too.
"""

import os
import shutil
import tempfile
from types import TracebackType

from tagger.errors import MetadataNotWritten
from tagger.imaging.identity import identity
from tagger.pipeline import targets
from tagger.pipeline.metadata import replacing
from tagger.pipeline.metadata.replacing import Refused
from tagger.pipeline.metadata.restoring import Restored
from tagger.pipeline.unwinding import Place, Step
from tagger.pipeline.whereabouts import Whereabouts
from tagger.records import Intent, WriteMode
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite

# A changed copy is made beside the copy.
ROOM_FACTOR = 2.2


class Rehearsal:
    """Copies of one photo's files, in a folder of their own that goes at the end."""

    def __init__(self, db: Database, where: Whereabouts) -> None:
        self._db, self._where = db, where
        self._folder = tempfile.TemporaryDirectory(prefix="tagger-undo-")
        self._copies: dict[tuple[bytes, bool], bytes] = {}
        self._real: dict[bytes, bytes] = {}
        self._photo: bytes | None = None

    def __enter__(self) -> "Rehearsal":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def place(self, write: PastWrite) -> Place:
        """Copies of the photo and of what the write changed, made when first met."""
        found = targets.of(self._db, self._where, write)
        places = found.places
        is_photo = write.mode is WriteMode.FILE
        photo = self._copy(found.photo, for_writing=is_photo)
        self._photo = photo
        if is_photo:
            return Place(photo, photo, places.place, places.others)
        target = self._copy(found.file, for_writing=True)
        others = [one for one in places.read if os.path.realpath(one) != found.file]
        return Place(photo, target, target, tuple(others))

    def identity(self) -> str:
        """The picture's identity, as it is in the copy."""
        assert self._photo is not None
        return identity(self._photo)

    def announce(self, _step: Step, intent: Intent) -> None:
        """Raise `Refused` or `OSError` if the file itself could not be replaced."""
        target = self._real[intent.target]
        with replacing.trouble(target):
            there = os.stat(target) if os.path.lexists(target) else None
            if there is not None and (reason := replacing.why_not(target, there)):
                raise Refused(reason)
            size_bytes = there.st_size if there is not None else 0
            replacing.check_folder(_folder_of(target), size_bytes)

    def done(self, step: Step, restored: Restored) -> None:
        """The copy goes on as it is now, to the next step."""

    def nothing(self, step: Step, target: bytes, restored: Restored) -> None:
        """Nothing is noted of a rehearsal."""

    def failed(self, step: Step) -> None:
        """Nor has anything to be settled."""

    def _copy(self, path: bytes, *, for_writing: bool) -> bytes:
        """A copy of a file to change; a link to one that is only read."""
        copy = self._copies.get((path, for_writing))
        if copy is None:
            folder = os.path.join(
                os.fsencode(self._folder.name), b"%d" % len(self._copies)
            )
            os.mkdir(folder)
            copy = os.path.join(folder, os.path.basename(path))
            self._copies[path, for_writing] = copy
            self._real[copy] = path
            with replacing.trouble(path):
                _fill(path, copy, for_writing=for_writing)
        return copy


def _fill(path: bytes, copy: bytes, *, for_writing: bool) -> None:
    if not for_writing:
        os.symlink(path, copy)
        return
    if not os.path.lexists(path):
        return  # a sidecar that will be made, or is gone
    free = shutil.disk_usage(os.path.dirname(copy)).free
    if free < ROOM_FACTOR * os.path.getsize(path):
        room = "there is not enough room for temporary files to try it on a copy"
        raise MetadataNotWritten(path, room)
    shutil.copyfile(path, copy)
    shutil.copystat(path, copy)
    os.chmod(copy, 0o600)


def _folder_of(path: bytes) -> bytes:
    """The folder a file is in, or the nearest there is."""
    folder = os.path.dirname(path)
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return folder
