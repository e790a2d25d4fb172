"""Opening: the file of a photo, once it is certain which file that is.

A photo is asked for by its id and its path is on record, but a link may have been put
there since, at the file or at a folder above it. So the file is opened first, and then
the system is asked where the open one lies: that must be the recorded place itself,
which the scan wrote down with all links resolved, and below `library.roots`. Only what
is read from the open file is shown; the path is not used again.
"""

import os
import stat
from typing import BinaryIO

from tagger.records import ImageSnapshot
from tagger.tracking import folders, roots
from tagger.tracking.places import is_within
from tagger.web.runtime import Runtime

# A file that is just being replaced by a new version is opened once more.
TRIES = 3
_DESCRIPTORS = b"/proc/self/fd"


class NoPicture(Exception):
    """There is nothing to show for this image now; the text says why."""


def photo(opened: Runtime, image: ImageSnapshot) -> BinaryIO:
    """The photo's file, open for reading. Raises `NoPicture`."""
    for _ in range(TRIES):
        file = _regular(image.path)
        try:
            place = _place_of(file.fileno(), image.path)
            if place is not None:
                _refuse(opened, image, place)
                return file
        except BaseException:
            file.close()
            raise
        file.close()
    raise NoPicture("The file is being replaced just now; ask once more.")


def path_of(file: BinaryIO) -> str:
    """A path by which this process opens the same file again, whatever its name is."""
    return f"/dev/fd/{file.fileno()}"


def _regular(path: bytes) -> BinaryIO:
    try:
        # Without O_NONBLOCK a named pipe would keep us waiting for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise NoPicture(f"The file cannot be reached: {error.strerror}.") from error
    except ValueError as error:
        raise NoPicture("The photo's path cannot be a path.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NoPicture("What stands at the photo's path is no file.")
    return os.fdopen(descriptor, "rb")


def _place_of(descriptor: int, path: bytes) -> bytes | None:
    """Where an open file lies; None if it has no name any more."""
    if not os.fstat(descriptor).st_nlink:
        return None
    try:
        return os.readlink(b"%s/%d" % (_DESCRIPTORS, descriptor))
    except OSError:
        # No such list on this system: the name it has now, if it is that file's.
        real = os.path.realpath(path)
        try:
            is_it = os.path.samestat(os.lstat(real), os.fstat(descriptor))
        except OSError:
            return None
        return real if is_it else None


def _refuse(opened: Runtime, image: ImageSnapshot, place: bytes) -> None:
    if place != image.path and place != _moved_with_folder(opened, image):
        raise NoPicture(
            "A link leads from the photo's path to another file, which is not shown; "
            "have its folder looked through again."
        )
    named = opened.config.library.roots
    if named and not any(is_within(place, one) for one in roots.real(named)):
        raise NoPicture(
            f"The file is not served: it lies in none of the folders of "
            f"{roots.SETTING} (config.toml)."
        )


def _moved_with_folder(opened: Runtime, image: ImageSnapshot) -> bytes:
    """The recorded place where the folder itself was replaced by a link to it."""
    folder = folders.of_file(opened.db, image.id)
    if not is_within(image.path, folder.path):
        return image.path  # reached by a link, and recorded where that led
    return os.path.realpath(folder.path) + image.path[len(folder.path) :]
