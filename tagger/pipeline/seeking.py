"""Seeking: the photos an undo is for may have been moved, or be copies not met so far.

What an undo does to the record first, so that it knows of them, is found out for a
rehearsal without changing anything.
"""

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tagger.errors import FileChanged, ImageError, shown
from tagger.pipeline import whereabouts
from tagger.pipeline.homes import covering, newcomer
from tagger.pipeline.metadata.replacing import file_hash
from tagger.pipeline.stages import Item
from tagger.pipeline.territory import Territory
from tagger.pipeline.walking import is_photo, single, walk
from tagger.pipeline.workshop import Workshop
from tagger.records import Folder
from tagger.tracking import bound, copies, folders, jobs, placed, places
from tagger.tracking.copies import Borrowed
from tagger.tracking.database import Database
from tagger.tracking.files import Seen
from tagger.tracking.history import PastWrite

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """Where photos on record are now, by the path on record; and copies of ours that
    are not on record, or were not looked at."""

    moved: Mapping[bytes, bytes] = field(default_factory=dict)
    copies: tuple[Borrowed, ...] = ()


def seek(db: Database, place: bytes) -> Found:
    """What an undo at a place would meet that the record does not know of."""
    known = placed.known(db, place)
    seen = [one for one in _seen(place) if not known.get(one.path)]
    moved = placed.moved(db, [one for one in seen if one.path not in known])
    new = [one.path for one in seen if one.path not in moved.values()]
    borrowed = [copies.borrowed(db, path, file_hash(path)) for path in new]
    return Found(moved, tuple(one for one in borrowed if one is not None))


def seek_again(db: Database, past: Iterable[PastWrite]) -> Found:
    """Where photos are that are not where they were, within their folders."""
    moved: dict[bytes, bytes] = {}
    for folder in _left_by(db, past):
        moved |= placed.moved(db, _seen(folder.path))
    return Found(moved)


def meet(workshop: Workshop, place: bytes, *, run_id: int) -> None:
    """See that the photos at a place are on record as they are, copies of ours too."""
    db, config = workshop.db, workshop.config
    folder = covering(folders.every(db), place)
    if folder is None and os.path.isfile(place) and _is_ours(workshop, place):
        folder = folders.add(
            db,
            os.path.dirname(place),
            recursive=False,
            write_mode=config.metadata.write_mode,
            active=False,
            made_by_tag=True,
            data_dir=config.data_dir,
            roots=config.library.roots,
        )
    if folder is None:
        return
    if folder.path == place:
        workshop.scanner.scan(folder)
    else:
        workshop.scanner.look_at(folder, [place])
    new = [path for path, looked in placed.known(db, place).items() if not looked]
    _look(workshop, [path for path in new if _is_ours(workshop, path)], run_id=run_id)


def meet_again(workshop: Workshop, past: Iterable[PastWrite]) -> None:
    """Look through the folders of photos that are not where they were."""
    for folder in _left_by(workshop.db, past):
        workshop.scanner.scan(folder)


def _look(workshop: Workshop, paths: list[bytes], *, run_id: int) -> None:
    """Look at photos, whose jobs they keep: they may wait for an answer."""
    db = workshop.db
    waiting = {*places.ids(db, paths)}
    bound.take(db, run_id, sorted(waiting))
    stages = workshop.stages(run_id=run_id, side_px=workshop.config.model.image_side_px)
    while waiting and (claimed := jobs.claim(db, limit=1, run_id=run_id)):
        for job in claimed:
            waiting.discard(job.file_id)
            item = Item(job)
            try:
                stages.look(item)
            except ImageError as error:
                log.warning("%s", error)
            bound.leave(db, item.job, has_more=True)


def _seen(place: bytes) -> list[Seen]:
    """The photos at or below a place."""
    if os.path.isdir(place):
        return walk(Territory(place, recursive=True)).seen
    return single(place, Territory(os.path.dirname(place), recursive=False)).seen


def _is_ours(workshop: Workshop, path: bytes) -> bool:
    """Whether a photo, or its sidecar, has the very bytes we once wrote."""
    if not is_photo(os.path.basename(path)):
        return False
    try:
        return any(
            copies.is_known(workshop.db, file_hash(one))
            for one in (path, *_sidecars(workshop, path))
            if whereabouts.is_file(one)
        )
    except FileChanged as error:
        log.warning("%s", error)
    except OSError as error:
        log.warning("%s cannot be read: %s", shown(path), error.strerror)
    return False


def _sidecars(workshop: Workshop, path: bytes) -> tuple[bytes, ...]:
    """Where sidecars of a photo are that may not be on record yet."""
    folder = covering(folders.every(workshop.db), path) or newcomer(
        os.path.dirname(path),
        recursive=False,
        write_mode=workshop.config.metadata.write_mode,
    )
    return workshop.besides.where.of(path, folder).read


def _left_by(db: Database, past: Iterable[PastWrite]) -> list[Folder]:
    """The folders that photos are gone from."""
    gone = {write.path for write in past if not os.path.lexists(write.path)}
    known = folders.every(db)
    found = [covering(known, path) for path in sorted(gone)]
    return list({one.id: one for one in found if one is not None}.values())
