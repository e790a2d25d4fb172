"""Undo: puts back, write by write and newest first, what photos and sidecars held.

A field that somebody changed since is left as it is and named, and so is whatever
exiftool cannot put back. An undo is recorded like every write and can be undone. It can
be tried beforehand, by the same steps, on copies.
"""

import dataclasses
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tagger.config import Config
from tagger.errors import FileChanged, ImageError, shown
from tagger.pipeline import recover, seeking
from tagger.pipeline.metadata.writing import Writer
from tagger.pipeline.rehearsal import Rehearsal
from tagger.pipeline.stages import Item
from tagger.pipeline.undoer import Observer, Undoer
from tagger.pipeline.unwinding import PutBack, Step, Unwinding, refused
from tagger.pipeline.workshop import Workshop, opened
from tagger.records import Changed
from tagger.tracking import bound, history, jobs, runs
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite, Which
from tagger.tracking.jobs import Job, LeaseLost
from tagger.tracking.places import is_within

log = logging.getLogger(__name__)

TICK_S = 0.1
# A photo that somebody has just written is waited for this long.
PATIENCE_S = 10.0

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A field that was not put back, and why; `refused` if somebody changed it since.

    What only exiftool cannot put back is not refused.
    """

    file: str
    field: str
    reason: str
    refused: bool


@dataclass(slots=True, kw_only=True)
class Undone:
    """What came of it, or would come of it: then there is no `run_id`."""

    run_id: int | None
    chosen: int
    put_back: list[PutBack] = field(default_factory=list)

    @property
    def writes(self) -> int:
        """How many writes were put back, at least in part."""
        return sum(one.is_undone for one in self.put_back)

    @property
    def photos(self) -> set[int]:
        """Of which photos."""
        return {one.write.file_id for one in self.put_back if one.is_undone}

    @property
    def refused(self) -> list[Left]:
        return [
            Left(file=one.file, field=name, reason=reason, refused=True)
            for one in self.put_back
            for name, reason in one.refused.items()
        ]

    @property
    def unrestorable(self) -> list[Left]:
        return [
            Left(file=one.file, field=name, reason=reason, refused=False)
            for one in self.put_back
            for name, reason in one.unrestorable.items()
        ]

    @property
    def waiting(self) -> int:
        """How many writes go back whole only once later ones are undone."""
        return sum(bool(one.waiting) for one in self.put_back)


def undo(
    config: Config,
    which: Which,
    *,
    changed: Changed = Changed.REFUSE,
    progress: Progress = lambda done, total: None,
    stop: threading.Event | None = None,
    observer: Observer = lambda step: None,
) -> Undone:
    """Put back what the chosen writes changed, and wait until that is done.

    `observer` hears each step once it is durable.
    """
    stop = stop or threading.Event()
    with opened(config) as workshop:
        db = workshop.db
        run_id = runs.begin(db, "undo")
        try:
            recover.at_start(db)
            if which.place is not None:
                seeking.meet(workshop, which.place, run_id=run_id)
            else:
                seeking.meet_again(workshop, _writes(_steps(db, which)))
            work = _Work(workshop, run_id, changed, observer)
            work.all(_steps(db, which), progress, stop)
        finally:
            runs.end(db, run_id)
    return work.outcome


def rehearse(
    config: Config,
    which: Which,
    *,
    changed: Changed = Changed.REFUSE,
    progress: Progress = lambda done, total: None,
    stop: threading.Event | None = None,
) -> Undone:
    """What `undo` would do, found out on copies; nothing is changed."""
    stop = stop or threading.Event()
    with opened(config) as workshop:
        photos = _tried(workshop.db, which)
        steps = [one for photo in photos for one in photo.steps]
        outcome = Undone(run_id=None, chosen=len(steps))
        writer = Writer(workshop.writing, config.metadata)
        for n, photo in enumerate(photos):
            if stop.is_set():
                break
            with Rehearsal(workshop.db, workshop.besides.where) as hands:
                unwinding = Unwinding(
                    workshop.db,
                    writer,
                    hands,
                    photo.file_id,
                    changed=changed,
                    until=photo.until,
                )
                outcome.put_back += _carried(unwinding, photo.steps)
            progress(n + 1, len(photos))
    return outcome


@dataclass(frozen=True, slots=True)
class _Photo:
    """One photo and what is to be put back of it, newest first."""

    file_id: int
    steps: Sequence[Step]
    until: int | None = None


def _steps(db: Database, which: Which) -> list[Step]:
    """What is to be put back, newest first."""
    if which.tag is None:
        return [Step(writes=(write,)) for write in history.chosen(db, which)]
    found = history.tagged(db, which.tag)
    return [Step(writes=tuple(writes), tag=which.tag) for writes in found]


def _writes(steps: Iterable[Step]) -> list[PastWrite]:
    return [write for step in steps for write in step.writes]


def _by_photo(steps: Iterable[Step]) -> list[_Photo]:
    by_file: dict[int, list[Step]] = defaultdict(list)
    for step in steps:
        by_file[step.first.file_id].append(step)
    return [_Photo(file_id, found) for file_id, found in by_file.items()]


def _tried(db: Database, which: Which) -> list[_Photo]:
    """The photos an undo would work on, once it had looked where they are."""
    steps = _steps(db, which)
    if which.place is None:
        found = seeking.seek_again(db, _writes(steps))
    else:
        found = seeking.seek(db, which.place)
        for old in found.moved:
            if not is_within(old, which.place):
                steps += _steps(db, Which(place=old))
    moved = [_moved(step, found.moved) for step in steps]
    borrowed = [
        _Photo(one.file_id, [Step(writes=(w,)) for w in one.writes], one.until)
        for one in found.copies
    ]
    return [*_by_photo(moved), *borrowed]


def _moved(step: Step, moved: Mapping[bytes, bytes]) -> Step:
    """A step with the photo's present place."""
    writes = [
        dataclasses.replace(write, path=moved[write.path], away=None)
        if write.path in moved
        else write
        for write in step.writes
    ]
    return dataclasses.replace(step, writes=tuple(writes))


def _carried(unwinding: Unwinding, steps: Iterable[Step]) -> Iterator[PutBack]:
    """Put back one step after the other, but for what is out of reach."""
    for step in steps:
        if step.first.away is not None:
            yield refused(step.first, step.first.away)
            continue
        outcome = unwinding.carry(step)
        if step.tag is None or outcome.is_undone or outcome.refused:
            yield outcome


class _Work:
    """The photos of one undo, each held by its job while it is put back."""

    def __init__(
        self, workshop: Workshop, run_id: int, changed: Changed, observer: Observer
    ) -> None:
        self._db, self._run_id = workshop.db, run_id
        self._changed, self._observe = changed, observer
        config = workshop.config
        self._stages = workshop.stages(
            run_id=run_id, side_px=config.model.image_side_px
        )
        self._settle_s = config.scan.settle_s
        self.outcome = Undone(run_id=run_id, chosen=0)

    def all(
        self, steps: Sequence[Step], progress: Progress, stop: threading.Event
    ) -> None:
        """Take one photo after the other, waiting for those another tagger holds."""
        db, run_id = self._db, self._run_id
        self.outcome.chosen = len(steps)
        left = {photo.file_id: photo for photo in _by_photo(self._within_reach(steps))}
        total = len(left)
        waiting = bound.take(db, run_id, list(left))
        while left and not stop.is_set():
            claimed = jobs.claim(db, limit=1, run_id=run_id)
            if not claimed and bound.next_due(db, run_id=run_id) is None:
                break
            if not claimed:
                time.sleep(TICK_S)
            for job in claimed:
                photo = left.pop(job.file_id, None)
                if photo is not None:
                    self._photo(job, photo)
                    progress(total - len(left), total)
                self._leave(job, has_more=photo is None or job.file_id in waiting)
        if not stop.is_set():
            self._out_of_reach(left.values())
        bound.give_back(db, run_id, waiting)

    def _within_reach(self, steps: Iterable[Step]) -> list[Step]:
        reached = []
        for step in steps:
            if step.first.away is None:
                reached.append(step)
            else:
                self._add(refused(step.first, step.first.away))
        return reached

    def _out_of_reach(self, photos: Iterable[_Photo]) -> None:
        for photo in photos:
            for step in photo.steps:
                self._add(refused(step.first, "it cannot be reached now"))

    def _add(self, outcome: PutBack) -> None:
        self.outcome.put_back.append(outcome)

    def _leave(self, job: Job, *, has_more: bool) -> None:
        try:
            bound.leave(self._db, job, has_more=has_more)
        except LeaseLost:
            log.info("%s: another tagger has taken it over", shown(job.path))

    def _photo(self, job: Job, photo: _Photo) -> None:
        try:
            job = self._met(job)
            hands = Undoer(
                self._db, self._stages.besides, self._run_id, job, self._observe
            )
            unwinding = Unwinding(
                self._db, self._stages.writer, hands, job.file_id, changed=self._changed
            )
            for outcome in _carried(unwinding, photo.steps):
                self._add(outcome)
        except ImageError as error:
            for step in photo.steps:
                self._add(refused(step.first, error.reason))

    def _met(self, job: Job) -> Job:
        """Know the photo as it is: what a person changed outside is theirs to keep.

        Raises `ImageError` if it cannot be looked at now.
        """
        end = time.monotonic() + min(PATIENCE_S, 2 * self._settle_s)
        while True:
            item = Item(job)
            try:
                self._stages.look(item)
            except FileChanged:
                if time.monotonic() > end:
                    raise
                time.sleep(TICK_S)
                jobs.renew(self._db, [job])
                continue
            return jobs.fresh(self._db, item.job)
