"""Import plan: what an import would find; nothing is changed or recorded.

The words of each photo are read, but its picture is not decoded: one that is damaged
there counts as found.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tagger.config import Config
from tagger.errors import ImageError
from tagger.pipeline.besides import unreadable
from tagger.pipeline.homes import covering, new_mode, newcomer
from tagger.pipeline.importing import Imported, Progress
from tagger.pipeline.metadata.exiftool import Exiftool
from tagger.pipeline.metadata.writing import Writer
from tagger.pipeline.tagging import photos_at
from tagger.pipeline.whereabouts import Whereabouts
from tagger.records import FileWords, Folder, ImageState
from tagger.tracking import folders, places
from tagger.tracking.brought import Brought
from tagger.tracking.database import Database


def plan(
    config: Config,
    paths: Sequence[bytes],
    *,
    progress: Progress = lambda done, total: None,
) -> Imported:
    """What `importing.bring_in` would find at or below `paths`."""
    began = time.monotonic()
    seen = photos_at(config, paths)
    with _record(config) as db, Exiftool(config.metadata) as exiftool:
        known = places.unchanged_and_read(db, seen)
        new = sorted(path for path in seen if path not in known)
        reader, photos = Writer(exiftool, config.metadata), []
        where, on_record = Whereabouts(db, config), folders.every(db)
        made = [_newcomer(where, os.path.realpath(path)) for path in paths]
        for done, path in enumerate(new):
            progress(done, len(new))
            folder = covering(on_record, path) or covering(made, path)
            assert folder is not None  # it was found below one of the paths
            photos.append(_planned(reader, where, path, folder))
    return Imported(
        photos=tuple(photos),
        untouched=len(known),
        seconds=time.monotonic() - began,
    )


@contextmanager
def _record(config: Config) -> Iterator[Database]:
    """The tracking database; where there is none, one that goes when it was asked."""
    if Database.is_there(config):
        with Database.of(config) as db:
            yield db
    else:
        with (
            tempfile.TemporaryDirectory(prefix="tagger-plan-") as folder,
            Database.open(Path(folder) / "tracking.db") as db,
        ):
            yield db


def _newcomer(where: Whereabouts, top: bytes) -> Folder:
    """The folder that an import of this path would make."""
    single = os.path.isfile(top)
    return newcomer(
        os.path.dirname(top) if single else top,
        recursive=not single,
        write_mode=new_mode(where, top),
    )


def _words(
    reader: Writer, where: Whereabouts, path: bytes, folder: Folder
) -> FileWords:
    try:
        beside = where.of(path, folder)
    except OSError as error:
        raise unreadable(path, error) from error
    return reader.read(path, sidecar=beside.place, others=beside.others)


def _planned(
    reader: Writer, where: Whereabouts, path: bytes, folder: Folder
) -> Brought:
    try:
        words = _words(reader, where, path, folder)
    except ImageError as error:
        return Brought(
            path=path,
            state=ImageState.FAILED,
            reason=error.reason,
            model=None,
            has_words=False,
            is_read=False,
        )
    said = words.provenance
    return Brought(
        path=path,
        state=ImageState.NEW if said is None else ImageState.TAGGED,
        reason=None,
        model=None if said is None else said.model,
        has_words=bool(words.tags or words.description),
        is_read=True,
    )
