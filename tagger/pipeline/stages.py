"""Stages: what is done to one photo, step by step, each step durable before the next.

    look    decode once; facts, words, identity and thumbnail are recorded
    ask     the model is asked, unless the picture has an answer already
    write   the words go into the file or its sidecar, announced before and noted after

Every stage takes an `Item` and leaves it ready for the next one, or raises. What an
error means for the photo is decided in `failing`, for all stages alike.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tagger.config import Config
from tagger.errors import FileChanged, shown
from tagger.imaging.darkroom import DARKROOM, Darkroom
from tagger.imaging.identity import thumbnail_version
from tagger.imaging.look import Look
from tagger.imaging.picture import Picture
from tagger.imaging.thumbnails import ThumbnailStore
from tagger.pipeline import atrest, recover
from tagger.pipeline.besides import Besides, Stats
from tagger.pipeline.discover import Scanner
from tagger.pipeline.metadata.replacing import file_hash
from tagger.pipeline.metadata.writing import Writer
from tagger.pipeline.whereabouts import Places
from tagger.records import (
    Answer,
    Cost,
    FileWords,
    ImageState,
    Intent,
    StatKey,
    WriteMode,
)
from tagger.tracking import (
    conflicts,
    folders,
    jobs,
    looks,
    placewords,
    results,
    returns,
    writes,
)
from tagger.tracking.database import Database
from tagger.tracking.jobs import Job
from tagger.tracking.sidecars import Beside

log = logging.getLogger(__name__)

# A crash takes along what the model is asked at that moment. Two of the three failures
# that are a photo's end may have been a neighbour's doing, so the third is its own.
SUSPECT_FAILURES = 2

Observer = Callable[[str, Job], None]


def _ignore(step: str, job: Job) -> None:
    log.debug("%s: %s", shown(job.path), step)


@dataclass(slots=True)
class Item:
    """One photo on its way through the stages. `announced` are its open intents.

    `servers` are those it may be sent to, by name; None leaves that open. `failed_at`
    are those that gave it no answer; `failures` counts how often that was its own
    fault, since its job was taken, `endings` how often a server went away meanwhile.
    `is_urgent` says that a person came to want it now after that. `waits_on` says that
    only an edit is carried out; an answer is still to come. `cost` is what it took.
    """

    job: Job
    picture: Picture | None = None
    identity: str | None = None
    stat: StatKey | None = None
    beside: Stats = field(default_factory=dict)
    result_id: int | None = None
    answer: Answer | None = None
    announced: dict[bytes, int] = field(default_factory=dict)
    unasked: bool = True
    waits_on: bool = False
    servers: frozenset[str] | None = None
    failed_at: set[str] = field(default_factory=set)
    failures: int = 0
    endings: int = 0
    is_urgent: bool = False
    cost: Cost = field(default_factory=Cost)
    ready_at: float | None = None

    @property
    def is_suspect(self) -> bool:
        """It failed at servers that work so often that no neighbour is to be near.

        Once may be chance, and to empty a server for it costs several answers.
        """
        failures = self.job.server_failures + self.failures
        return max(failures, self.endings) >= SUSPECT_FAILURES

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Count what is done within as spent on a step, whether or not it succeeds."""
        began = time.perf_counter()
        try:
            yield
        finally:
            spent_s = getattr(self.cost, step) + time.perf_counter() - began
            self.cost = replace(self.cost, **{step: spent_s})

    def waited(self) -> None:
        """Its wait for a place at a server, since `ready_at`, is over."""
        if self.ready_at is not None:
            waiting_s = self.cost.waiting_s + time.perf_counter() - self.ready_at
            self.cost = replace(self.cost, waiting_s=waiting_s)
            self.ready_at = None


@dataclass(slots=True, kw_only=True)
class Stages:
    """The stages with all they need. `observer` hears each step once it is durable.

    Without exiftool words in files are unknown, and answers wait to be written; each
    photo tries anew, so that it is taken into use once it is there. `asks` says whether
    photos without an answer get one in this process; `with_pixels` that somebody wants
    pictures not only as JPEG.
    """

    config: Config
    db: Database
    thumbnails: ThumbnailStore
    scanner: Scanner
    besides: Besides
    reader: Writer
    writer: Writer
    run_id: int | None
    side_px: int
    with_pixels: bool = False
    darkroom: Darkroom = DARKROOM
    observer: Observer = _ignore
    asks: bool = True

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
        places = self.besides.places(job.file_id, job.path)
        item.beside = self.besides.check(job.file_id, job.path, places)
        if not job.looked or stat != job.stat or self._needs_pixels(item):
            self._decode(item, stat, places)
        elif not job.words_known or self.besides.is_news(
            job.file_id, places, item.beside
        ):
            self._reread(item, places)

    def _decode(self, item: Item, stat: StatKey, places: Places) -> None:
        job = item.job
        found = self.darkroom.look(
            job.path,
            side_px=self.side_px,
            max_megapixels=self.config.tagger.max_megapixels,
            with_pixels=self.with_pixels,
        )
        words, beside = self._words(item, places)
        if atrest.stat_key(job) != stat:
            raise FileChanged(job.path, "it changed while it was read")
        item.picture, item.identity = found.picture, found.identity
        version = thumbnail_version(found.identity, found.facts.orientation)
        self.thumbnails.save(version, found.thumbnail)
        item.job = replace(job, file_id=self._keep(job, stat, found, words, beside))
        if item.job.file_id != job.file_id:
            # It goes by an old id again, whose sidecar may be where it was then.
            places = self.besides.places(item.job.file_id, job.path)
            item.beside = self.besides.stats(job.path, places)
            if self.besides.has_record(item.job.file_id):
                self._reread(item, places)
        self.observer("looked", item.job)

    def _keep(
        self,
        job: Job,
        stat: StatKey,
        found: Look,
        words: FileWords | None,
        beside: Beside,
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
            beside=beside,
            quality=found.quality,
        )

    def _words(self, item: Item, places: Places) -> tuple[FileWords | None, Beside]:
        job = item.job
        return self.besides.words(
            self.reader, job.file_id, job.path, places, item.beside
        )

    def _reread(self, item: Item, places: Places) -> None:
        words, beside = self._words(item, places)
        if words is not None:
            looks.record_words(self.db, item.job, words, beside=beside)

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
        job, began = item.job, time.perf_counter()
        mode = returns.terms(self.db, job)
        wanted = results.wanted(self.db, job.file_id, mode=mode)
        if wanted is None or mode is WriteMode.NONE:
            results.note_owed(self.db, job.file_id, mode=mode)
            self._finish(item, began, reason=conflicts.of(self.db, job.file_id))
            return
        assert item.identity is not None
        assert item.stat is not None
        # Not the item's: a person may have chosen another one since it was looked at.
        result_id = wanted.result_id

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
        places = self._ready(item, mode)
        written = self.writer.write(
            job.path,
            wanted,
            mode=mode,
            expect=item.stat,
            identity=item.identity,
            on_intent=announce,
            sidecar=places.place,
            others=places.others,
        )
        self.observer("replaced", job)
        write_id = item.announced.get(written.target)
        if places.old and written.mode is not WriteMode.FILE and written.stat:
            words = placewords.without(written.words, places.old)
            written = replace(written, words=words)
        writes.done(
            self.db, job, result_id, written, write_id=write_id, place=places.place
        )
        item.announced.pop(written.target, None)
        self.observer("noted", job)
        self.settle(item)
        results.note_owed(self.db, job.file_id, mode=mode)
        self._finish(item, began, reason=written.note)

    def _ready(self, item: Item, mode: WriteMode) -> Places:
        """Where the sidecars are, once it is sure that nobody touched them meanwhile.

        Raises `FileChanged`, and `MetadataNotWritten` if a mirror cannot take words.
        """
        job = item.job
        places = self.besides.places(job.file_id, job.path)
        if self.besides.stats(job.path, places) != item.beside:
            raise FileChanged(job.path, "its sidecar changed after it was looked at")
        if mode is WriteMode.MIRROR:
            folder = folders.of_file(self.db, job.file_id)
            self.besides.where.mirrors.prepare(job.path, folder, places.place)
        return places

    def _finish(self, item: Item, began: float, *, reason: str | None = None) -> None:
        cost = replace(item.cost, writing_s=time.perf_counter() - began)
        done = ImageState.TAGGED
        if item.waits_on:
            returns.go_on(self.db, item.job, bound=self.asks)
        elif jobs.finish(self.db, item.job, done, reason=reason, cost=cost):
            self.observer("finished", item.job)

    def settle(self, item: Item) -> None:
        """Find out by the files' hashes what became of the other announced writes.

        A refused attempt on the file itself may stand before the one on its sidecar.
        """
        if item.announced:
            recover.settle_file(self.db, item.job.file_id, {*item.announced.values()})
            item.announced.clear()
