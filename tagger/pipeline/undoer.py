"""The undoer: the hands of an undo that is done, each step durable before the next."""

import os
from collections.abc import Callable

from tagger.pipeline import recover, targets
from tagger.pipeline.besides import Besides
from tagger.pipeline.metadata.replacing import file_hash
from tagger.pipeline.metadata.restoring import Restored
from tagger.pipeline.unwinding import Place, Step
from tagger.records import Intent, WriteMode
from tagger.tracking import jobs, undoing, untagging
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite
from tagger.tracking.jobs import Job

Observer = Callable[[str], None]


class Undoer:
    """One photo, held by its job, while writes of it are put back."""

    def __init__(
        self,
        db: Database,
        besides: Besides,
        run_id: int,
        job: Job,
        observer: Observer,
    ) -> None:
        self._db, self._run_id, self._job = db, run_id, job
        self._besides = besides
        self._observe = observer
        self._announced: list[int] = []

    def place(self, write: PastWrite) -> Place:
        """Where the photo and the words are; a sidecar in a mirror has come along."""
        jobs.renew(self._db, [self._job])
        self._besides.places(self._job.file_id, self._job.path)
        found = targets.of(self._db, self._besides.where, write)
        if write.mode is WriteMode.MIRROR:
            mirrors = self._besides.where.mirrors
            mirrors.prepare(write.path, found.folder, found.file)
        places = found.places
        return Place(found.photo, found.file, places.place, places.others)

    def identity(self) -> str:
        """The picture's identity, as just looked at."""
        return self._job.identity or ""

    def announce(self, step: Step, intent: Intent) -> None:
        """Make it durable that the file is about to be replaced."""
        before_hash = file_hash(intent.target) if intent.expect else None
        if step.tag is None:
            write_id = undoing.intend(
                self._db,
                self._job,
                step.first,
                intent,
                run_id=self._run_id,
                before_hash=before_hash,
            )
        else:
            write_id = untagging.intend(
                self._db,
                self._job,
                step.tag,
                intent,
                run_id=self._run_id,
                before_hash=before_hash,
            )
        self._announced.append(write_id)
        self._observe("intended")

    def done(self, step: Step, restored: Restored) -> None:
        """Note that it was replaced."""
        self._observe("replaced")
        assert restored.written is not None
        finish = undoing.done if step.tag is None else untagging.done
        finish(self._db, self._announced.pop(), restored.written)
        self._observe("noted")

    def nothing(self, step: Step, target: bytes, restored: Restored) -> None:
        """Note that the write is undone, though nothing had to be replaced."""
        there = os.stat(target) if os.path.exists(target) else None
        intent = Intent(
            target=target,
            mode=step.first.mode,
            expect=None,
            before={},
            intended={},
            added_tags=(),
            wrote_description=None,
            after_hash=file_hash(target) if there else "",
            after_size_bytes=there.st_size if there else None,
            after_mtime_ns=there.st_mtime_ns if there else None,
            left=restored.left,
            words=restored.words,
        )
        undoing.nothing_left(
            self._db, self._job, step.first, intent, run_id=self._run_id
        )
        self._observe("noted")

    def failed(self, step: Step) -> None:
        """Find out by the file's hash what became of what was announced."""
        for write_id in self._announced:
            recover.settle_file(self._db, self._job.file_id, {write_id})
            if step.tag is not None:
                untagging.forget(self._db, write_id, step.tag)
        self._announced.clear()
