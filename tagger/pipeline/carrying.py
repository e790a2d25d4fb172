"""Carrying out an edit: its photos' files are brought in line, and no model is asked.

A photo that still waits for its first answer gets the person's words now, and its
answer from the next tagger.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tagger.config import Config
from tagger.errors import ExiftoolUnavailable, ImageError, shown
from tagger.pipeline import failing, recover
from tagger.pipeline.stages import Item, Stages
from tagger.pipeline.workshop import opened
from tagger.records import ImageSnapshot, ImageState
from tagger.tracking import bound, edits, jobs, runs, snapshots, underway
from tagger.tracking.edits import Edit
from tagger.tracking.jobs import LeaseLost

log = logging.getLogger(__name__)

TICK_S = 0.1

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What came of it; `run_id` is the run whose writes can be undone.

    `left` are the ids of photos the edit has not reached.
    """

    run_id: int
    images: tuple[ImageSnapshot, ...]
    left: frozenset[int]

    @property
    def failed(self) -> list[ImageSnapshot]:
        """The photos whose files could not be brought in line, with their reasons."""
        bad = (ImageState.FAILED, ImageState.NOT_WRITTEN)
        return [image for image in self.images if image.state in bad]

    @property
    def waiting(self) -> list[ImageSnapshot]:
        """The photos left to the next tagger."""
        failed = {image.id for image in self.failed}
        left = self.left - failed
        return [image for image in self.images if image.id in left]


def carry_out(
    config: Config,
    edit: Edit,
    *,
    progress: Progress = lambda done, total: None,
    stop: threading.Event | None = None,
) -> Carried:
    """Work the jobs of an edit, and wait until that is done."""
    assert edit.id is not None
    stop = stop or threading.Event()
    with opened(config) as workshop:
        db = workshop.db
        run_id = runs.begin(db, "edit")
        try:
            recover.at_start(db)
            edits.bind(db, edit.id, run_id)
            stages = workshop.stages(run_id=run_id, side_px=config.model.image_side_px)
            stages.asks = False
            while not stop.is_set() and bound.next_due(db, run_id=run_id) is not None:
                claimed = jobs.claim(db, limit=1, run_id=run_id)
                if not claimed:
                    time.sleep(TICK_S)
                for job in claimed:
                    _photo(stages, Item(job))
                    progress(edit.photos - bound.count(db, run_id), edit.photos)
        finally:
            runs.end(db, run_id)
        return Carried(
            run_id=run_id,
            images=tuple(snapshots.images(db, edit.file_ids)),
            left=underway.left(db, edit.id),
        )


def _photo(stages: Stages, item: Item) -> None:
    try:
        try:
            stages.look(item)
            item.waits_on = not stages.use_known(item)
            stages.write(item)
        except (ImageError, ExiftoolUnavailable) as error:
            failing.record(stages, item, error)
    except LeaseLost:
        log.info("%s: no longer this command's to do", shown(item.job.path))
