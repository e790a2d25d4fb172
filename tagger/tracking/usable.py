"""Usable: which folders may be searched for photos, and why others may not."""

import os
import stat
from pathlib import Path

from tagger.errors import UsageError, shown

# Folders below the data folder that hold photos all the same.
PHOTOS_IN_DATA = ("samples", "demo")


def checked(path: bytes, *, data_dir: Path) -> bytes:
    """The real path of a folder that may be added; raises `UsageError` otherwise."""
    if b"\n" in path or b"\r" in path:
        raise UsageError(f"{shown(path)!r}: a path with a line break cannot be used")
    if b"\0" in path:
        raise UsageError(f"{shown(path)!r}: no path has a character of value zero")
    real = os.path.realpath(os.path.abspath(path))
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


def inside_data(path: bytes, data_dir: Path) -> bool:
    """Whether `path` lies in the data folder, samples and demo apart."""
    data = os.path.realpath(os.fsencode(data_dir))
    if path != data and not path.startswith(data + b"/"):
        return False
    first = path[len(data) + 1 :].split(b"/", 1)[0]
    return first not in [os.fsencode(name) for name in PHOTOS_IN_DATA]
