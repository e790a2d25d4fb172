"""Homes: the folder of ours that a photo is in, or would be in once it is taken in."""

import os
from collections.abc import Iterable

from tagger.pipeline.whereabouts import Whereabouts
from tagger.records import Folder, WriteMode
from tagger.tracking.places import is_within


def covering(known: Iterable[Folder], path: bytes) -> Folder | None:
    """The innermost of the known folders around a path.

    One without its subfolders covers only the files right in it.
    """
    around = [
        folder
        for folder in known
        if is_within(path, folder.path)
        and (
            folder.recursive
            or path == folder.path
            or os.path.dirname(path) == folder.path
        )
    ]
    return max(around, key=lambda folder: len(folder.path), default=None)


def newcomer(path: bytes, *, recursive: bool, write_mode: WriteMode) -> Folder:
    """A folder as it would be on record; it is not."""
    return Folder(
        id=0,
        path=path,
        recursive=recursive,
        active=False,
        write_mode=write_mode,
        added_at="",
    )


def new_mode(where: Whereabouts, path: bytes) -> WriteMode:
    """Where words go in a folder that is not known so far.

    If its words are in the mirror, nothing was to be written there, and nothing is.
    """
    return (
        WriteMode.MIRROR
        if where.mirrors.has_words_of(path)
        else where.settings.write_mode
    )
