"""Usable: which folders may hold photos, or their mirror, and why others may not."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from tagger import acting
from tagger.errors import Forbidden, UsageError, shown
from tagger.records import Folder, WriteMode
from tagger.tracking.places import is_within
from tagger.tracking.roots import refuse_outside

# Folders below the data folder that hold photos all the same.
PHOTOS_IN_DATA = ("samples", "demo")


def checked(path: bytes, *, data_dir: Path, roots: Sequence[str] = ()) -> bytes:
    """The real path of a folder that may be added; raises `UsageError` otherwise.

    Outside the `roots` it is refused alike, whether there is one or not.
    """
    if b"\n" in path or b"\r" in path:
        raise UsageError(f"{shown(path)!r}: a path with a line break cannot be used")
    if b"\0" in path:
        raise UsageError(f"{shown(path)!r}: no path has a character of value zero")
    real = os.path.realpath(os.path.abspath(path))
    refuse_outside(real, roots, required=acting.is_elsewhere())
    try:
        if not stat.S_ISDIR(os.stat(real).st_mode):
            raise UsageError(f"{shown(path)} is a file, not a folder")
        os.scandir(real).close()
    except FileNotFoundError:
        raise UsageError(f"{shown(path)}: there is no such folder") from None
    except PermissionError:
        raise UsageError(
            f"{shown(path)} cannot be read; give this user the right to read it"
        ) from None
    except OSError as error:
        raise UsageError(f"{shown(path)} cannot be opened: {error.strerror}") from error
    if inside_data(real, data_dir):
        raise UsageError(
            f"{shown(path)} is inside the program's own data folder; "
            "choose the folder that holds your photos"
        )
    return real


def checked_mirror(
    path: bytes, photos: bytes, mode: WriteMode, folders: Sequence[Folder]
) -> bytes:
    """The real path of a folder for the sidecars of `photos`, there or yet to be made.

    Raises `UsageError` if it cannot be, `folders` being all there are: nothing may be
    written among photos whose words go into a mirror, nor two sidecars to one place.
    """
    if acting.is_elsewhere():
        raise Forbidden(
            "where a mirror is, is said at the machine itself: "
            "python -m tagger folders set PATH --write mirror --mirror PATH"
        )
    if mode is not WriteMode.MIRROR:
        raise UsageError("a mirror can be named only where words go into a mirror")
    if set(path) & {*b"\0\n\r"}:
        raise UsageError(f"{shown(path)!r}: a path with a line break cannot be used")
    real = os.path.realpath(os.path.abspath(path))
    if os.path.lexists(real) and not os.path.isdir(real):
        raise UsageError(f"{shown(path)} is a file; a mirror needs a folder")
    taken = [photos]
    for folder in folders:
        if folder.path != photos and folder.write_mode is WriteMode.MIRROR:
            taken += [folder.path, *([folder.mirror] if folder.mirror else [])]
    for other in taken:
        if is_within(real, other) or is_within(other, real):
            raise UsageError(
                f"{shown(path)}: a mirror needs a folder of its own, neither inside "
                f"{shown(other)} nor around it"
            )
    return real


def mirror_tree(folder: Folder, common: Path) -> bytes:
    """Where the sidecars of a folder are in mirror mode, its subfolders below it.

    `common` is the mirror of all folders that have none of their own.
    """
    top = os.path.realpath(os.fsencode(common))
    return folder.mirror or os.path.join(top, folder.path.lstrip(b"/"))


def inside_data(path: bytes, data_dir: Path) -> bool:
    """Whether `path` lies in the data folder, samples and demo apart."""
    data = os.path.realpath(os.fsencode(data_dir))
    if path != data and not path.startswith(data + b"/"):
        return False
    first = path[len(data) + 1 :].split(b"/", 1)[0]
    return first not in [os.fsencode(name) for name in PHOTOS_IN_DATA]
