"""Whereabouts: where a photo is that we wrote, and the file that holds its words.

It may have been moved since, its sidecar along with it. A name that has become a link
is not followed: what it leads to is another photo.
"""

import os

from tagger.errors import FileChanged
from tagger.pipeline.metadata import sidecar
from tagger.records import WriteMode
from tagger.tracking.history import PastWrite

ELSEWHERE = "its name leads to another file now"
GONE = "the photo is missing"


def of(write: PastWrite) -> tuple[bytes, bytes]:
    """The photo and the file a write of it changed. Raises `FileChanged`."""
    photo = os.path.realpath(write.path)
    if write.mode is WriteMode.FILE:
        if write.target == write.path != photo:
            raise FileChanged(write.path, ELSEWHERE)
        target = photo
    else:
        beside = sidecar.path_for(photo)
        moved = not os.path.lexists(write.target) and os.path.lexists(beside)
        target = beside if moved else write.target
    if not os.path.lexists(photo):
        raise FileChanged(write.path, GONE)
    return photo, target
