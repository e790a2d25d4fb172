"""Sidecars: an XMP file beside a photo, or in a tree of their own that follows it.

Beside `photo.jpg` stands `photo.jpg.xmp`, which belongs to nothing else. Some programs
look for `photo.xmp`; that name is also the one for `photo.cr2`, so who asks for it has
to see to it, with `shared_with`, that no two photos get one sidecar. One that another
program made is added to, never replaced.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from tagger.pipeline.metadata import fields
from tagger.pipeline.metadata.reading import Dump

SUFFIX = b".xmp"

Naming = Literal["full", "stem"]

# Enough for any sidecar; what is longer is no text.
GLANCE_BYTES = 32 << 20
_END = re.compile(rb"</\s*([\w.-]+:)?RDF\s*>|<([\w.-]+:)?RDF\b[^<>]*/>")
_FOR = re.compile(rb"""SidecarForExtension\s*(?:=\s*["']|>)\s*\.?(\w{1,9})\s*["'<]""")
_NAMES_US = b"https://ns.image-tagger.invalid/"


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


@dataclass(frozen=True, slots=True)
class Glance:
    """What a sidecar shows at a glance: whether its end is there, whose it is.

    `extension` is that of the photo it says to be for, in lower case, if it does;
    `names_us` whether a write of ours has been there.
    """

    is_whole: bool
    extension: str | None
    names_us: bool


def glance(path: bytes) -> Glance:
    """Look at a sidecar without exiftool, which reads half of one without a word."""
    with open(path, "rb") as file:
        text = file.read(GLANCE_BYTES).replace(b"\0", b"")  # UTF-16, as far as needed
    found = _FOR.search(text)
    return Glance(
        is_whole=_END.search(text) is not None,
        extension=found[1].decode("ascii", "replace").lower() if found else None,
        names_us=_NAMES_US in text,
    )


def checked(path: bytes, dump: Dump) -> Dump:
    """What exiftool saw in a sidecar, with an error if its end is missing.

    Somebody may be writing it just now; what is not there yet was not taken out.
    """
    if not is_usable(dump) or glance(path).is_whole:
        return dump
    error = ("its end is missing",)
    return replace(dump, values={**dump.values, "ExifTool:Error": error})


def mark(place: bytes, photo: bytes) -> dict[str, str]:
    """What to put into a new sidecar whose name does not tell which photo it is for.

    Adobe's programs do the same, and leave one alone that is for another extension.
    """
    if os.path.basename(place).startswith(os.path.basename(photo)):
        return {}
    extension = os.path.splitext(os.fsdecode(photo))[1][1:]
    return {fields.SIDECAR_FOR: extension.upper()} if extension.isalnum() else {}
