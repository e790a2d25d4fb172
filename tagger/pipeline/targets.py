"""Targets: where a photo is that we wrote, and the file that holds its words.

It may have been moved since, its sidecar along with it. A name that has become a link
is not followed: what it leads to is another photo.
"""

import os
from dataclasses import dataclass

from tagger.errors import FileChanged, MetadataNotWritten
from tagger.pipeline.homes import covering
from tagger.pipeline.metadata import replacing
from tagger.pipeline.whereabouts import Places, Whereabouts
from tagger.records import Folder, WriteMode
from tagger.tracking import folders
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite
from tagger.tracking.places import is_within

ELSEWHERE = "its name leads to another file now"
GONE = "the photo is missing"
MIRRORED = (
    "its folder has its words in a mirror now, and nothing is written among its "
    "photos; set the folder to another mode first"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The `file` that a write of a photo changed, and all places of its sidecars."""

    photo: bytes
    file: bytes
    folder: Folder
    places: Places


def of(db: Database, where: Whereabouts, write: PastWrite) -> Target:
    """The photo and the file a write of it changed; nothing is changed for that.

    Raises `FileChanged`, and `MetadataNotWritten` if nothing may be written there.
    """
    photo = os.path.realpath(write.path)
    if write.mode is WriteMode.FILE and write.target == write.path != photo:
        raise FileChanged(write.path, ELSEWHERE)
    if not os.path.lexists(photo):
        raise FileChanged(write.path, GONE)
    folder = folders.of_file(db, write.file_id)
    is_copy = not is_within(write.path, folder.path)  # one that is not on record
    if is_copy:
        folder = covering(folders.every(db), write.path) or folder
    try:
        places = (
            where.of(write.path, folder)
            if is_copy
            else where.of_file(write.file_id, write.path)
        )
    except OSError as error:
        raise MetadataNotWritten(write.path, replacing.clause(error)) from error
    file = photo if write.mode is WriteMode.FILE else write.target
    if write.mode is not WriteMode.FILE and not os.path.lexists(file):
        is_there = os.path.lexists(places.place)
        if is_there or not where.may_be(file, write.path, folder):
            file = os.path.realpath(places.place)
    if write.mode is WriteMode.MIRROR:
        if reason := where.mirrors.away(file, folder):
            raise MetadataNotWritten(write.path, reason)
    elif folder.write_mode is WriteMode.MIRROR:
        raise MetadataNotWritten(write.path, MIRRORED)
    return Target(photo=photo, file=file, folder=folder, places=places)
