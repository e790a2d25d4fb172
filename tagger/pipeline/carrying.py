"""Carrying out an edit: its photos' files are brought in line, and no model is asked.

A photo that still waits for its first answer is left to the next tagger, which writes
the edit and the answer at once.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tagger.config import Config
from tagger.errors import ExiftoolUnavailable, ImageError
from tagger.pipeline import failing, recover
from tagger.pipeline.stages import Item, Stages
from tagger.pipeline.workshop import opened
from tagger.records import ImageSnapshot, ImageState
from tagger.tracking import bound, edits, jobs, runs, snapshots
from tagger.tracking.edits import Edit
from tagger.tracking.jobs import LeaseLost

log = logging.getLogger(__name__)

TICK_S = 0.1

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What came of it; `run_id` is the run whose writes can be undone."""

    run_id: int
    images: tuple[ImageSnapshot, ...]

    @property
    def failed(self) -> list[ImageSnapshot]:
        """The photos whose files could not be brought in line, with their reasons."""
        bad = (ImageState.FAILED, ImageState.NOT_WRITTEN)
        return [image for image in self.images if image.state in bad]

    @property
    def waiting(self) -> list[ImageSnapshot]:
        """The photos left to the next tagger."""
        queued = (ImageState.NEW, ImageState.QUEUED, ImageState.MISSING)
        return [image for image in self.images if image.state in queued]


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
            while not stop.is_set() and bound.next_due(db, run_id=run_id) is not None:
                claimed = jobs.claim(db, limit=1, run_id=run_id)
                if not claimed:
                    time.sleep(TICK_S)
                for job in claimed:
                    _photo(stages, Item(job))
                    progress(edit.photos - bound.count(db, run_id), edit.photos)
            edits.close(db)
        finally:
            runs.end(db, run_id)
        return Carried(run_id=run_id, images=tuple(snapshots.images(db, edit.file_ids)))


def _photo(stages: Stages, item: Item) -> None:
    try:
        stages.look(item)
        if stages.use_known(item):
            stages.write(item)
        else:
            bound.leave(stages.db, item.job, has_more=True)
    except LeaseLost:
        log.info("%r: no longer this command's to do", item.job.path)
    except (ImageError, ExiftoolUnavailable) as error:
        failing.record(stages, item, error)
