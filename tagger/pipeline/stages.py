"""Stages: what is done to one photo, step by step, each step durable before the next.

    look    decode once; facts, words, identity and thumbnail are recorded
    ask     the model is asked, unless the picture has an answer already
    write   the words go into the file or its sidecar, announced before and noted after

Every stage takes an `Item` and leaves it ready for the next one, or raises. What an
error means for the photo is decided in `failing`, for all stages alike.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tagger.config import Config
from tagger.errors import ExiftoolUnavailable, FileChanged, UnreadableImage, shown
from tagger.imaging.darkroom import DARKROOM, Darkroom
from tagger.imaging.identity import thumbnail_version
from tagger.imaging.look import Look
from tagger.imaging.picture import Picture
from tagger.imaging.thumbnails import ThumbnailStore
from tagger.pipeline import atrest, recover
from tagger.pipeline.discover import Scanner
from tagger.pipeline.metadata import sidecar
from tagger.pipeline.metadata.replacing import file_hash
from tagger.pipeline.metadata.writing import Writer
from tagger.records import Answer, FileWords, ImageState, Intent, StatKey, WriteMode
from tagger.tracking import conflicts, jobs, looks, results, returns, writes
from tagger.tracking.database import Database
from tagger.tracking.jobs import Job

log = logging.getLogger(__name__)

Observer = Callable[[str, Job], None]


def _ignore(step: str, job: Job) -> None:
    log.debug("%s: %s", shown(job.path), step)


@dataclass(slots=True)
class Item:
    """One photo on its way through the stages. `announced` are its open intents.

    `servers` are those it may be sent to, by name; None leaves that open. `failed_at`
    are those that gave it no answer; `failures` counts how often that was its own
    fault, since its job was taken.
    """

    job: Job
    picture: Picture | None = None
    identity: str | None = None
    stat: StatKey | None = None
    result_id: int | None = None
    answer: Answer | None = None
    announced: dict[bytes, int] = field(default_factory=dict)
    unasked: bool = True
    servers: frozenset[str] | None = None
    failed_at: set[str] = field(default_factory=set)
    failures: int = 0

    @property
    def is_suspect(self) -> bool:
        """It failed at a server that works, and may do so again."""
        return self.job.server_failures + self.failures > 0


@dataclass(slots=True, kw_only=True)
class Stages:
    """The stages with all they need. `observer` hears each step once it is durable.

    Without exiftool words in files are unknown, and answers wait to be written; each
    photo tries anew, so that it is taken into use once it is there. `with_pixels` says
    that somebody wants pictures not only as JPEG.
    """

    config: Config
    db: Database
    thumbnails: ThumbnailStore
    scanner: Scanner
    reader: Writer
    writer: Writer
    run_id: int | None
    side_px: int
    with_pixels: bool = False
    darkroom: Darkroom = DARKROOM
    observer: Observer = _ignore

    def look(self, item: Item) -> None:
        """Make sure the photo is known as it stands; decodes it if a model must see it.

        Raises `ImageError`, and `FileChanged` if the file is not at rest.
        """
        if item.job.interrupted:
            recover.settle_file(self.db, item.job.file_id)
            item.job = jobs.fresh(self.db, item.job)
        job = item.job
        stat = atrest.stat_key(job)
        atrest.check(job, stat, settle_s=self.config.scan.settle_s)
        item.stat, item.identity, item.result_id = stat, job.identity, job.result_id
        if not job.looked or stat != job.stat or self._needs_pixels(item):
            self._decode(item, stat)
        elif not job.words_known:
            self._reread(job)

    def _decode(self, item: Item, stat: StatKey) -> None:
        job = item.job
        found = self.darkroom.look(
            job.path,
            side_px=self.side_px,
            max_megapixels=self.config.tagger.max_megapixels,
            with_pixels=self.with_pixels,
        )
        words, beside = self._words(job.path)
        if atrest.stat_key(job) != stat:
            raise FileChanged(job.path, "it changed while it was read")
        item.picture, item.identity = found.picture, found.identity
        version = thumbnail_version(found.identity, found.facts.orientation)
        self.thumbnails.save(version, found.thumbnail)
        item.job = replace(job, file_id=self._keep(job, stat, found, words, beside))
        self.observer("looked", item.job)

    def _keep(
        self,
        job: Job,
        stat: StatKey,
        found: Look,
        words: FileWords | None,
        beside: str | None,
    ) -> int:
        return looks.record(
            self.db,
            job,
            stat=stat,
            identity=found.identity,
            content_hash=found.content_hash,
            dhash=found.dhash,
            facts=found.facts,
            words=words,
            note=found.note,
            sidecar_hash=beside,
        )

    def _words(self, path: bytes) -> tuple[FileWords | None, str | None]:
        """The words in a file and its sidecar, and the hash of the sidecar, if any."""
        beside = sidecar.path_for(os.path.realpath(path))
        try:
            before = file_hash(beside) if os.path.isfile(beside) else None
            return self.reader.read(path), before
        except ExiftoolUnavailable as error:
            log.debug("%s: its words cannot be read: %s", shown(path), error)
            return None, None
        except OSError as error:
            raise UnreadableImage(
                path, f"its sidecar cannot be read: {error.strerror}"
            ) from error

    def _reread(self, job: Job) -> None:
        words, beside = self._words(job.path)
        if words is not None:
            looks.record_words(self.db, job, words, sidecar_hash=beside)

    def _needs_pixels(self, item: Item) -> bool:
        job = item.job
        if job.identity is None or job.orientation is None:
            return True
        version = thumbnail_version(job.identity, job.orientation)
        return self.known_answer(item) is None or self.thumbnails.read(version) is None

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
            item.result_id = results.use(self.db, item.job, result_id)
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
        mode = returns.terms(self.db, job)
        wanted = results.wanted(self.db, job.file_id)
        if wanted is None or mode is WriteMode.NONE:
            self._finish(job, reason=conflicts.of(self.db, job.file_id))
            return
        assert item.identity is not None
        assert item.stat is not None
        result_id = item.result_id

        def announce(intent: Intent) -> None:
            exists = os.path.exists(intent.target)
            item.announced[intent.target] = writes.intend(
                self.db,
                job,
                result_id,
                intent,
                run_id=self.run_id,
                before_hash=file_hash(intent.target) if exists else None,
            )
            self.observer("intended", job)
            jobs.check(self.db, job)  # a machine that slept here wakes up much later

        atrest.check_unopened(job, item.stat)
        written = self.writer.write(
            job.path,
            wanted,
            mode=mode,
            expect=item.stat,
            identity=item.identity,
            on_intent=announce,
        )
        self.observer("replaced", job)
        write_id = item.announced.get(written.target)
        writes.done(self.db, job, result_id, written, write_id=write_id)
        item.announced.pop(written.target, None)
        self.observer("noted", job)
        self.settle(item)
        self._finish(job, reason=written.note)

    def _finish(self, job: Job, *, reason: str | None = None) -> None:
        if jobs.finish(self.db, job, ImageState.TAGGED, reason=reason):
            self.observer("finished", job)

    def settle(self, item: Item) -> None:
        """Find out by the files' hashes what became of the other announced writes.

        A refused attempt on the file itself may stand before the one on its sidecar.
        """
        if item.announced:
            recover.settle_file(self.db, item.job.file_id, {*item.announced.values()})
            item.announced.clear()
