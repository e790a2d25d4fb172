"""Import plan: what an import would find; nothing is changed or recorded.

The words of each photo are read, but its picture is not decoded: one that is damaged
there counts as found.
"""

import time
from collections.abc import Sequence

from tagger.config import Config
from tagger.errors import ImageError
from tagger.pipeline.importing import Imported, Progress
from tagger.pipeline.metadata.exiftool import Exiftool
from tagger.pipeline.metadata.writing import Writer
from tagger.pipeline.tagging import photos_at
from tagger.records import ImageState
from tagger.tracking import places
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
    known: set[bytes] = set()
    if config.tracking_path.exists():
        with Database.open(config.tracking_path) as db:
            known = places.unchanged_and_read(db, seen)
    new = sorted(path for path in seen if path not in known)
    with Exiftool(config.metadata) as exiftool:
        reader, photos = Writer(exiftool, config.metadata), []
        for done, path in enumerate(new):
            progress(done, len(new))
            photos.append(_planned(reader, path))
    return Imported(
        photos=tuple(photos),
        untouched=len(known),
        seconds=time.monotonic() - began,
    )


def _planned(reader: Writer, path: bytes) -> Brought:
    try:
        words = reader.read(path)
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
