"""Sidecars: `photo.jpg.xmp` beside `photo.jpg`, for what cannot go into the file.

One that another program made is added to, never replaced.
"""

import os

from tagger.pipeline.metadata.reading import Dump

SUFFIX = b".xmp"


def path_of(photo: bytes) -> bytes:
    """Where the sidecar of a photo is, or would be; links are followed."""
    return os.path.realpath(photo + SUFFIX)


def is_usable(dump: Dump) -> bool:
    """Whether what stands under a sidecar's name is one."""
    return dump.format == "XMP" and dump.error is None
