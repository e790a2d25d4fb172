"""Stages: what is done to one photo, step by step, each step durable before the next.

    look    decode once; facts, words, identity and thumbnail are recorded
    ask     the model is asked, unless the picture has an answer already
    write   the words go into the file or its sidecar, announced before and noted after

Every stage takes an `Item` and leaves it ready for the next one, or raises. What an
error means for the photo is decided in `Stages.ended`, for all stages alike.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tagger.config import Config
from tagger.errors import (
    ExiftoolUnavailable,
    FileChanged,
    ImageError,
    MetadataNotWritten,
    ModelUnavailable,
    ServerFails,
    TaggerError,
    UnreadableImage,
    shown,
)
from tagger.imaging.identity import thumbnail_version
from tagger.imaging.look import Look, look
from tagger.imaging.picture import Picture
from tagger.imaging.thumbnails import ThumbnailStore
from tagger.pipeline.metadata.writing import Writer
from tagger.records import Answer, FileWords, ImageState, Intent, StatKey, WriteMode
from tagger.tracking import jobs, looks, results, writes
from tagger.tracking.database import Database
from tagger.tracking.jobs import Job

log = logging.getLogger(__name__)

# A write that cannot be done now is tried again after this time, and at every start.
WRITE_AGAIN_S = 600.0
# A file that does not decode may still be arriving, if it was touched this lately;
# it is looked at this often before that is believed no more.
ARRIVING_S = 20.0
ARRIVING_LOOKS = 3
# So often a photo may fail at a server that works, and the pause before each try.
SERVER_FAILURES = 3
SERVER_AGAIN_S = 30.0

Observer = Callable[[str, Job], None]


def _ignore(step: str, job: Job) -> None:
    log.debug("%s: %s", shown(job.path), step)


@dataclass(slots=True)
class Item:
    """One photo on its way through the stages."""

    job: Job
    picture: Picture | None = None
    identity: str | None = None
    stat: StatKey | None = None
    result_id: int | None = None
    answer: Answer | None = None
    unasked: bool = True


@dataclass(slots=True, kw_only=True)
class Stages:
    """The stages with all they need. `observer` hears each step once it is durable.

    `reader` and `writer` are None when exiftool is not to be had: words in files are
    then unknown, and answers wait to be written.
    """

    config: Config
    db: Database
    thumbnails: ThumbnailStore
    reader: Writer | None
    writer: Writer | None
    run_id: int | None
    side_px: int
    observer: Observer = _ignore

    def look(self, item: Item) -> None:
        """Make sure the photo is known as it stands; decodes it if a model must see it.

        Raises `ImageError`, and `FileChanged` if the file is not at rest.
        """
        job = item.job
        stat = _present(job)
        self._settled(job, stat)
        item.stat, item.identity, item.result_id = stat, job.identity, job.result_id
        if job.looked and stat == job.stat and not self._needs_pixels(item):
            return
        found, words = self._read(job.path)
        if _present(job) != stat:
            raise FileChanged(job.path, "it changed while it was read")
        item.picture, item.identity = found.picture, found.identity
        version = thumbnail_version(found.identity, found.facts.orientation)
        self.thumbnails.save(version, found.thumbnail)
        file_id = looks.record(
            self.db,
            job.file_id,
            stat=stat,
            identity=found.identity,
            content_hash=found.content_hash,
            dhash=found.dhash,
            facts=found.facts,
            words=words,
            note=found.note,
        )
        item.job = replace(job, file_id=file_id)
        self.observer("looked", item.job)

    def _read(self, path: bytes) -> tuple[Look, FileWords | None]:
        found = look(
            path,
            side_px=self.side_px,
            max_megapixels=self.config.tagger.max_megapixels,
        )
        return found, self.reader.read(path) if self.reader else None

    def _needs_pixels(self, item: Item) -> bool:
        job = item.job
        if job.identity is None or job.orientation is None:
            return True
        version = thumbnail_version(job.identity, job.orientation)
        return self.known_answer(item) is None or self.thumbnails.read(version) is None

    def _settled(self, job: Job, stat: StatKey) -> None:
        """A file that changed since the scan, a moment ago, is left alone."""
        if stat == job.stat:
            return
        age_s = time.time() - max(stat.mtime_ns, stat.ctime_ns) / 1e9
        if 0 <= age_s < self.config.scan.settle_s:
            raise FileChanged(job.path, "it is still being written")

    def known_answer(self, item: Item) -> int | None:
        """An answer on record that serves this photo, so that no model is asked."""
        if item.identity is None:
            return None
        known = results.known(self.db, item.identity)
        if known is None:
            return None
        if item.job.ask_again and known.created_at < item.job.created_at:
            return None
        return known.result_id

    def use_known(self, item: Item) -> bool:
        """Take an answer on record, if there is one; False means: ask."""
        result_id = self.known_answer(item)
        if result_id is None:
            return False
        if item.result_id != result_id or item.job.result_id != result_id:
            results.use(self.db, item.job, result_id)
        item.result_id = result_id
        return True

    def answered(self, item: Item, answer: Answer) -> None:
        """Keep what the model said, the moment it said it."""
        assert item.identity is not None
        item.answer = answer
        item.result_id = results.record(self.db, item.job, item.identity, answer)
        item.picture = None  # 3 MB each: not needed any more
        self.observer("answered", item.job)

    def write(self, item: Item) -> None:
        """Put the words where the folder wants them, and end the job.

        Raises `MetadataNotWritten`, `ExiftoolUnavailable`, `FileChanged`.
        """
        job = item.job
        item.picture = None
        wanted = results.wanted(self.db, job.file_id)
        if wanted is None or job.write_mode is WriteMode.NONE:
            jobs.finish(self.db, job, ImageState.TAGGED)
            self.observer("finished", job)
            return
        if self.writer is None:
            self._not_written(item, "exiftool is not installed")
            return
        assert item.result_id is not None
        assert item.identity is not None
        result_id = item.result_id

        def announce(intent: Intent) -> None:
            writes.intend(self.db, job, result_id, intent, run_id=self.run_id)
            self.observer("intended", job)

        written = self.writer.write(
            job.path,
            wanted,
            mode=job.write_mode,
            expect=item.stat,
            identity=item.identity,
            on_intent=announce,
        )
        self.observer("replaced", job)
        writes.done(self.db, job, result_id, written)
        self.observer("noted", job)
        jobs.finish(self.db, job, ImageState.TAGGED, reason=written.note)
        self.observer("finished", job)

    def ended(self, item: Item, error: TaggerError) -> None:
        """Record what an error means for the photo: again, waiting, or failed."""
        match error:
            case ModelUnavailable():
                jobs.put_back(self.db, item.job)
            case MetadataNotWritten(reason=reason):
                self._not_written(item, reason)
            case ExiftoolUnavailable():
                self._not_written(item, str(error))
            case FileChanged():
                self._again(item, error)
            case UnreadableImage() if self._arriving(item.job):
                self._again(item, error)
            case ServerFails() if item.job.attempts + 1 < SERVER_FAILURES:
                jobs.put_back(self.db, item.job, delay_s=SERVER_AGAIN_S, blame=True)
            case ImageError(reason=reason):
                log.warning("%s", error)
                jobs.finish(self.db, item.job, ImageState.FAILED, reason=reason)
            case _:
                raise error

    def _not_written(self, item: Item, reason: str) -> None:
        """The answer is kept; its words wait until they can be written."""
        log.warning("%s: not written: %s", shown(item.job.path), reason)
        jobs.postpone(self.db, item.job, reason=reason, delay_s=WRITE_AGAIN_S)

    def _again(self, item: Item, error: TaggerError) -> None:
        """The file changed under our hands: take it up once it is at rest."""
        log.info("%s", error)
        stat = None
        if os.path.exists(item.job.path):
            stat = StatKey.of(os.stat(item.job.path))
        jobs.put_back(
            self.db,
            item.job,
            delay_s=max(0.1, self.config.scan.settle_s),
            blame=True,
            stat=stat,
        )

    def _arriving(self, job: Job) -> bool:
        if job.attempts + 1 >= ARRIVING_LOOKS:
            return False
        try:
            stat = os.stat(job.path)
        except OSError:
            return False
        touched = max(stat.st_mtime, stat.st_ctime)
        return 0 <= time.time() - touched < ARRIVING_S


def _present(job: Job) -> StatKey:
    """The file's stat key now; raises `UnreadableImage` if it cannot be had."""
    if b"\n" in job.path or b"\r" in job.path:
        raise UnreadableImage(
            job.path, "its path contains a line break; rename it to have it tagged"
        )
    try:
        return StatKey.of(os.stat(job.path))
    except FileNotFoundError:
        raise UnreadableImage(job.path, "the file is gone") from None
    except OSError as error:
        raise UnreadableImage(job.path, f"cannot be read: {error.strerror}") from error


class InFlight:
    """Pictures being asked about now: who has the same one waits for that answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._followers: dict[str, list[Item]] = {}

    def lead(self, item: Item) -> bool:
        """True if this item shall ask; False if it now follows another one."""
        assert item.identity is not None
        with self._lock:
            if item.identity in self._followers:
                self._followers[item.identity].append(item)
                return False
            self._followers[item.identity] = []
            return True

    def settle(self, item: Item) -> list[Item]:
        """The item's question is over; those who waited for it."""
        assert item.identity is not None
        with self._lock:
            return self._followers.pop(item.identity)
