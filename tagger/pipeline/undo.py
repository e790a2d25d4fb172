"""Undo: puts back, write by write and newest first, what photos and sidecars held.

A field that somebody changed since is left as it is and named, and so is whatever
exiftool cannot put back. An undo is recorded like every write and can be undone.
"""

import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tagger.config import Config
from tagger.errors import ImageError, MetadataNotWritten, shown
from tagger.pipeline import recover
from tagger.pipeline.metadata.replacing import file_hash
from tagger.pipeline.metadata.restoring import Restored
from tagger.pipeline.metadata.writing import Writer
from tagger.pipeline.whereabouts import Places
from tagger.pipeline.workshop import Workshop, opened
from tagger.records import Intent, StatKey, WriteMode
from tagger.tracking import bound, folders, history, jobs, runs, sidecars, undoing
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite, Which
from tagger.tracking.jobs import Job

log = logging.getLogger(__name__)

TICK_S = 0.1
WHOLE = "(all of it)"

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
    """What came of it: the writes that were put back, of how many photos."""

    run_id: int | None
    chosen: int
    photos: set[int] = field(default_factory=set)
    writes: int = 0
    left: list[Left] = field(default_factory=list)

    @property
    def refused(self) -> list[Left]:
        return [one for one in self.left if one.refused]

    @property
    def unrestorable(self) -> list[Left]:
        return [one for one in self.left if not one.refused]


def plan(config: Config, which: Which) -> list[PastWrite]:
    """The writes that would be put back, newest first; nothing is changed."""
    with Database.open(config.tracking_path) as db:
        return history.chosen(db, which)


def undo(
    config: Config,
    which: Which,
    *,
    progress: Progress = lambda done, total: None,
    stop: threading.Event | None = None,
) -> Undone:
    """Put back what the chosen writes changed, and wait until that is done."""
    stop = stop or threading.Event()
    with opened(config) as workshop:
        db = workshop.db
        run_id = runs.begin(db, "undo")
        try:
            recover.at_start(db)
            past = history.chosen(db, which)
            work = _Work(
                workshop, Writer(workshop.writing, config.metadata), run_id, past
            )
            work.all(progress, stop)
        finally:
            runs.end(db, run_id)
    return work.outcome


class _Work:
    """The photos of one undo, each held by its job while it is put back."""

    def __init__(
        self, workshop: Workshop, writer: Writer, run_id: int, past: Sequence[PastWrite]
    ) -> None:
        self._db, self._writer, self._run_id = workshop.db, writer, run_id
        self._besides = workshop.besides
        self._by_file: dict[int, list[PastWrite]] = defaultdict(list)
        self.outcome = Undone(run_id=run_id, chosen=len(past))
        for write in past:
            if write.away is None:
                self._by_file[write.file_id].append(write)
            else:
                self._leave(write, {WHOLE: write.away}, refused=True)

    def all(self, progress: Progress, stop: threading.Event) -> None:
        """Take one photo after the other, waiting for those another tagger holds."""
        db, run_id, total = self._db, self._run_id, len(self._by_file)
        waiting = bound.take(db, run_id, list(self._by_file))
        done = 0
        while done < total and not stop.is_set():
            claimed = jobs.claim(db, limit=1, run_id=run_id)
            if not claimed:
                if bound.next_due(db, run_id=run_id) is None:
                    return
                time.sleep(TICK_S)
            for job in claimed:
                self._photo(job)
                bound.leave(db, job, has_more=job.file_id in waiting)
                done += 1
                progress(done, total)

    def _photo(self, job: Job) -> None:
        for write in self._by_file.get(job.file_id, []):
            jobs.renew(self._db, [job])
            try:
                self._put_back(job, write)
            except ImageError as error:
                self._leave(write, {WHOLE: error.reason}, refused=True)

    def _put_back(self, job: Job, write: PastWrite) -> None:
        target, places = self._target(job, write)
        stat_before = _stat(job.path)
        known = {k.path: k.stat for k in sidecars.known(self._db, job.file_id)}
        is_known = known.get(target) == _stat(target)
        announced: list[tuple[int, Intent]] = []

        def announce(intent: Intent) -> None:
            write_id = undoing.intend(
                self._db,
                job,
                write,
                intent,
                run_id=self._run_id,
                before_hash=file_hash(target) if intent.expect else None,
            )
            announced.append((write_id, intent))

        try:
            restored = self._writer.restore(
                write.path,
                target,
                before=write.before,
                intended=write.intended,
                mode=write.mode,
                identity=write.identity,
                on_intent=announce,
                sidecar=places.place,
                others=places.others,
            )
        except ImageError:
            recover.settle_file(self._db, job.file_id, {i for i, _ in announced})
            raise
        self._leave(write, restored.refused, refused=True, target=target)
        self._leave(write, restored.unrestorable, refused=False, target=target)
        if announced and restored.written is not None:
            if write.mode is WriteMode.FILE:
                is_known = stat_before == jobs.fresh(self._db, job).stat
            self._note(write, announced[-1][0], restored, target, known=is_known)

    def _note(
        self,
        write: PastWrite,
        write_id: int,
        restored: Restored,
        target: bytes,
        *,
        known: bool,
    ) -> None:
        assert restored.written is not None
        in_photo = write.mode is WriteMode.FILE
        undoing.done(
            self._db,
            write_id,
            undoing.Done(
                words=restored.written.words,
                # What changed outside before is found by the next scan.
                stat=restored.written.stat if known else None,
                place=target if known and not in_photo else None,
            ),
        )
        self.outcome.photos.add(write.file_id)
        self.outcome.writes += 1

    def _target(self, job: Job, write: PastWrite) -> tuple[bytes, Places]:
        """Where the words are now, for the photo may have been moved, and all places.

        Raises `MetadataNotWritten` if nothing may be written there any more.
        """
        places = self._besides.places(job.file_id, job.path)
        folder = folders.of_file(self._db, job.file_id)
        target = write.target
        if write.mode is WriteMode.FILE:
            target = os.path.realpath(write.path)
        elif not os.path.exists(target):
            where, place = self._besides.where, places.place
            if os.path.exists(place) or not where.may_be(target, write.path, folder):
                target = os.path.realpath(place)
        if write.mode is WriteMode.MIRROR:
            self._besides.where.mirrors.prepare(write.path, folder, target)
        elif folder.write_mode is WriteMode.MIRROR:
            raise MetadataNotWritten(
                write.path,
                "its folder has its words in a mirror now, and nothing is written "
                "among its photos; set the folder to another mode first",
            )
        return target, places

    def _leave(
        self,
        write: PastWrite,
        why: dict[str, str],
        *,
        refused: bool,
        target: bytes | None = None,
    ) -> None:
        there = write.path if write.mode is WriteMode.FILE else write.target
        file = shown(target or there)
        self.outcome.left += [
            Left(file=file, field=name, reason=reason, refused=refused)
            for name, reason in why.items()
        ]


def _stat(path: bytes) -> StatKey | None:
    try:
        return StatKey.of(os.stat(path))
    except OSError:
        return None
