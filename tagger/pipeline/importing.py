"""Importing: the `import PATH…` command's work. It reads what files say, and no more.

Photos tagged on another machine, or before the database was lost, tell which words are
a model's. Each is looked at; if its file brings an answer, the photo is done, otherwise
it keeps its place in the queue. No model is asked, and no file is written. After a kill
the next import, or a tagger, goes on where this one was.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tagger.config import Config
from tagger.errors import ExiftoolUnavailable, ImageError, shown
from tagger.pipeline import failing, recover
from tagger.pipeline.crew import Crew
from tagger.pipeline.stages import Item, Observer, Stages
from tagger.pipeline.tagging import checked_place, discover
from tagger.pipeline.workshop import Workshop, opened
from tagger.records import ImageState, WriteMode
from tagger.tracking import (
    bound,
    brought,
    conflicts,
    folders,
    jobs,
    places,
    results,
    returns,
    runs,
)
from tagger.tracking.brought import Brought
from tagger.tracking.jobs import LeaseLost

log = logging.getLogger(__name__)

TICK_S = 0.1
RENEW_S = 15.0
UNREAD = "it is out of reach, or exiftool could not read its words"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of it, by photo. `untouched` were known before."""

    photos: tuple[Brought, ...]
    untouched: int
    seconds: float
    beside: tuple[bytes, ...] = ()
    stopped: bool = False

    @property
    def models(self) -> dict[str, int]:
        """How many photos brought an answer, by the model that gave it."""
        models = Counter(one.model for one in self._read if one.model is not None)
        return dict(models.most_common())

    @property
    def answered(self) -> int:
        """How many photos brought an answer."""
        return sum(self.models.values())

    @property
    def persons(self) -> int:
        """How many photos have words of a person's only."""
        return sum(one.model is None and one.has_words for one in self._read)

    @property
    def wordless(self) -> int:
        """How many photos have no words at all."""
        return sum(one.model is None and not one.has_words for one in self._read)

    @property
    def to_write(self) -> int:
        """How many brought an answer, and are to hold other words all the same."""
        queued = ImageState.QUEUED
        return sum(one.model is not None and one.state is queued for one in self._read)

    @property
    def failed(self) -> dict[bytes, str]:
        """The photos that could not be looked at or read, each with its reason."""
        return {
            one.path: one.reason or UNREAD
            for one in self.photos
            if one.state is ImageState.FAILED or (not one.is_read and not self.stopped)
        }

    @property
    def _read(self) -> list[Brought]:
        bad = ImageState.FAILED
        return [one for one in self.photos if one.is_read and one.state is not bad]


def bring_in(
    config: Config,
    paths: Sequence[bytes],
    *,
    progress: Progress = lambda done, total: None,
    stop: threading.Event | None = None,
    observer: Observer | None = None,
) -> Imported:
    """Take over the words of the photos at or below `paths`, and wait until done.

    Raises `UsageError` for a path that cannot be used and `ExiftoolUnavailable` if no
    file can be read.
    """
    began = time.monotonic()
    stop = stop or threading.Event()
    with opened(config) as workshop:
        db = workshop.db
        real = [checked_place(path, config) for path in paths]
        if problem := workshop.exiftool_problem():
            raise ExiftoolUnavailable(problem)
        run_id = runs.begin(db, "import")
        try:
            recover.at_start(db)
            for path in real:
                # Not even the left-overs of a killed tagger are touched.
                discover(workshop, path, alone=False)
            ids = bound.bind_unread(db, run_id, real)
            known = places.count_below(db, real)
            found = places.paths(db, ids)
            stages = workshop.stages(run_id=run_id, side_px=config.model.image_side_px)
            if observer is not None:
                stages.observer = observer
            _Reading(stages, run_id, stop).work(len(ids), progress)
            beside = () if stop.is_set() else _write_beside(workshop, real)
        finally:
            runs.end(db, run_id)
        return Imported(
            # By path: a photo that had been moved here goes by its old id by now.
            photos=tuple(brought.by(db, [*ids, *places.ids(db, found)])),
            untouched=known - len(ids),
            seconds=time.monotonic() - began,
            beside=beside,
            stopped=stop.is_set(),
        )


class _Reading:
    """Several threads that look at the photos bound to one import."""

    def __init__(self, stages: Stages, run_id: int, stop: threading.Event) -> None:
        self._stages = stages
        self._db = stages.db
        self._run_id = run_id
        self._stop = stop
        self._held: dict[int, Item] = {}
        self._lock = threading.Lock()

    def work(self, total: int, progress: Progress) -> None:
        """Until every job of the import is through, or it is told to stop."""
        crew = Crew()
        for n in range(self._stages.config.tagger.look_threads):
            crew.spawn(f"look-{n}", self._look)
        renewed = time.monotonic()
        try:
            while not crew.join(TICK_S):
                crew.check()
                progress(max(0, total - bound.count(self._db, self._run_id)), total)
                if time.monotonic() - renewed > RENEW_S:
                    renewed = time.monotonic()
                    with self._lock:
                        held = [item.job for item in self._held.values()]
                    jobs.renew(self._db, held)
        except BaseException:
            self._stop.set()
            crew.join(RENEW_S)
            raise
        crew.check()
        progress(total, total)

    def _look(self) -> None:
        while not self._stop.is_set():
            claimed = jobs.claim(self._db, limit=1, run_id=self._run_id)
            for job in claimed:
                self._hold(Item(job))
            if not claimed and bound.next_due(self._db, run_id=self._run_id) is None:
                return
            if not claimed:
                self._stop.wait(TICK_S)

    def _hold(self, item: Item) -> None:
        with self._lock:
            self._held[item.job.id] = item
        try:
            self._photo(item)
        except LeaseLost:
            log.info("%s: no longer this import's to do", shown(item.job.path))
        finally:
            with self._lock:
                del self._held[item.job.id]

    def _photo(self, item: Item) -> None:
        try:
            self._stages.look(item)
        except ImageError as error:
            failing.record(self._stages, item, error)
            return
        job = item.job
        if brought.has_answer(self._db, job.file_id) and self._is_done(item):
            reason = conflicts.of(self._db, job.file_id)
            jobs.finish(self._db, job, ImageState.TAGGED, reason=reason)
        else:
            bound.leave(self._db, job, has_more=True)

    def _is_done(self, item: Item) -> bool:
        """Whether no model is to be asked, and nothing to be written, any more."""
        if not self._stages.use_known(item):
            return False
        mode = returns.terms(self._db, item.job)
        wanted = results.wanted(self._db, item.job.file_id)
        return wanted is None or mode is WriteMode.NONE


def _write_beside(workshop: Workshop, paths: Sequence[bytes]) -> tuple[bytes, ...]:
    """Keep to sidecars where only they hold words; the folders for which that is new.

    A folder that no person added has the mode of the settings so far, and photos that
    were never written into would be, by the next edit.
    """
    db, moved = workshop.db, []
    for folder in folders.every(db):
        is_meant = any(
            places.is_within(path, folder.path) or places.is_within(folder.path, path)
            for path in paths
        )
        if (
            is_meant
            and folder.write_mode is WriteMode.FILE
            and folders.is_made_by_tag(db, folder.id)
            and brought.stands_beside(db, folder.id)
        ):
            folders.set_write_mode(db, folder.id, WriteMode.SIDECAR)
            moved.append(folder.path)
    return tuple(moved)
