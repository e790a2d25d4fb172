"""The undoer: the hands of an undo that is done, each step durable before the next."""

import os
from collections.abc import Callable

from tagger.pipeline import recover, whereabouts
from tagger.pipeline.metadata.replacing import file_hash
from tagger.pipeline.metadata.restoring import Restored
from tagger.pipeline.unwinding import Step
from tagger.records import Intent
from tagger.tracking import jobs, undoing, untagging
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite
from tagger.tracking.jobs import Job

Observer = Callable[[str], None]


class Undoer:
    """One photo, held by its job, while writes of it are put back."""

    def __init__(self, db: Database, run_id: int, job: Job, observer: Observer) -> None:
        self._db, self._run_id, self._job = db, run_id, job
        self._observe = observer
        self._announced: list[int] = []

    def place(self, write: PastWrite) -> tuple[bytes, bytes]:
        """Where the photo and the words are."""
        jobs.renew(self._db, [self._job])
        return whereabouts.of(write)

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
        finish(self._db, self._announced.pop(), stat=restored.written.stat)
        self._observe("noted")

    def nothing(self, step: Step, target: bytes, restored: Restored) -> None:
        """Note that the write is undone, though nothing had to be replaced."""
        intent = Intent(
            target=target,
            mode=step.first.mode,
            expect=None,
            before={},
            intended={},
            added_tags=(),
            wrote_description=None,
            after_hash=file_hash(target) if os.path.exists(target) else "",
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
