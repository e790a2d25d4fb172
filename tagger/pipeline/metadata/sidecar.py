"""Sidecars: an XMP file beside a photo, or in a tree of their own that follows it.

Beside `photo.jpg` stands `photo.jpg.xmp`, which belongs to nothing else. Some programs
look for `photo.xmp`; that name is also the one for `photo.cr2`, so who asks for it has
to see to it, with `shared_with`, that no two photos get one sidecar. One that another
program made is added to, never replaced.
"""

import os
from collections.abc import Iterable
from typing import Literal

from tagger.pipeline.metadata.reading import Dump

SUFFIX = b".xmp"

Naming = Literal["full", "stem"]


def path_for(
    photo: bytes,
    *,
    naming: Naming = "full",
    mirror: tuple[bytes, bytes] | None = None,
) -> bytes:
    """Where the sidecar of a photo is, or would be.

    `full` is `photo.jpg.xmp`, `stem` `photo.xmp`. `mirror` is the folder the photos
    are in and the one that takes the sidecars, with the same subfolders. Raises
    `ValueError` if the photo is not in the former.
    """
    named = (photo if naming == "full" else os.path.splitext(photo)[0]) + SUFFIX
    if mirror is None:
        return named
    root, other = mirror
    below = os.path.relpath(named, root)
    if below.startswith(b".." + os.fsencode(os.sep)):
        raise ValueError(f"{photo!r} is not in {root!r}")
    return os.path.join(other, below)


def shared_with(photo: bytes, present_names: Iterable[bytes]) -> list[bytes]:
    """The photos that `stem` would give the same sidecar as this one.

    `present_names` are the names of all photos in its folder, RAW files too. Names
    that differ in case only count as one: on many disks they are.
    """
    own = os.path.basename(photo)
    return sorted(
        name for name in present_names if name != own and _stem(name) == _stem(own)
    )


def _stem(name: bytes) -> str:
    return os.path.splitext(os.fsdecode(name))[0].casefold()


def is_usable(dump: Dump) -> bool:
    """Whether what stands under a sidecar's name is one."""
    return dump.format == "XMP" and dump.error is None
