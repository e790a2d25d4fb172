"""Comparing: what comparisons ask is asked, beside the queue and apart from it.

Each contender is asked about one photo at a time, and those at one server take turns,
so a server gets one question more than the queue gives it, which keeps its places.
Photos are decoded as for tagging, in the darkroom; what comes back goes into the tables
of comparisons and nowhere else. A photo of a bound folder goes to its servers only.
"""

import logging
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from tagger.config import Config
from tagger.errors import (
    DataFull,
    ImageError,
    ModelUnavailable,
    UnusableAnswer,
    UsageError,
)
from tagger.imaging.darkroom import DARKROOM, Darkroom
from tagger.imaging.picture import Picture
from tagger.pipeline.crew import Crew
from tagger.records import Answer
from tagger.sections import BUILTIN
from tagger.tracking import bindings, comparisons, contests
from tagger.tracking.contested import Answered, Contender, Outcome, State
from tagger.tracking.contests import Contest
from tagger.tracking.database import Database
from tagger.vision import contending
from tagger.vision.protocol import Backend
from tagger.vision.retry import pause_s

log = logging.getLogger(__name__)

REST_S = 1.0
TICK_S = 0.2
HOLD_EVERY_S = 2.0
ENDING_S = 3.0
FULL_S = 30.0
PICTURES_KEPT = 4

Progress = Callable[[int, int], None]


def carry_out(
    config: Config,
    db: Database,
    comparison_id: int,
    *,
    progress: Progress = lambda done, total: None,
) -> None:
    """Ask what a comparison asks, here or by whoever holds it, until it is over."""
    stop = threading.Event()
    worker = Comparing(db, config, stop, progress=progress)
    try:
        while comparisons.read(db, comparison_id).state is State.WAITING:
            if not worker.next(comparison_id):
                found = comparisons.read(db, comparison_id)
                progress(found.answered + found.failed, found.questions)
                time.sleep(REST_S)
    finally:
        stop.set()


class Comparing:
    """A worker that carries out one comparison after the other until `stop` is set."""

    def __init__(
        self,
        db: Database,
        config: Config,
        stop: threading.Event,
        *,
        darkroom: Darkroom = DARKROOM,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self._db = db
        self._config = config
        self._stop = stop
        self._darkroom = darkroom
        self._progress = progress

    def work(self) -> None:
        """The thread's whole life."""
        while not self._stop.is_set():
            try:
                rest_s = 0.0 if self.next() else REST_S
            except DataFull as error:
                log.warning("comparisons wait: %s", error)
                rest_s = FULL_S
            self._stop.wait(rest_s)

    def next(self, comparison_id: int | None = None) -> bool:
        """Carry out one that waits; False if there is none to take."""
        contest = contests.take(self._db, comparison_id=comparison_id)
        if contest is None:
            return False
        total = sum(len(left) for left in contest.left.values())
        log.info("comparison %s: %s questions", contest.id, total)
        round_ = _Round(self._db, self._config, contest, self._darkroom)
        try:
            asked_all = round_.carry(self._stop, self._tell)
        except BaseException:
            contests.release(self._db, contest)
            raise
        if asked_all:
            contests.finish(self._db, contest)
        else:
            contests.release(self._db, contest)
        self._tell(contest.id)
        return True

    def _tell(self, comparison_id: int) -> None:
        try:
            found = comparisons.read(self._db, comparison_id)
        except UsageError:
            return  # deleted meanwhile
        self._progress(found.answered + found.failed, found.questions)


class _Round:
    """One comparison, as far as it can be carried out now."""

    def __init__(
        self, db: Database, config: Config, contest: Contest, darkroom: Darkroom
    ) -> None:
        self._db = db
        self._config = config
        self._contest = contest
        self._halt = threading.Event()
        self._backends: dict[int, Backend] = {}
        self._refused: dict[int, str] = {}
        self._turns: dict[str, threading.Lock] = {}
        for one in contest.contenders:
            try:
                self._backends[one.id] = _backend(config, one)
            except UsageError as error:
                self._refused[one.id] = str(error)
        for backend in self._backends.values():
            self._turns.setdefault(backend.url, threading.Lock())
        self._pictures = _Pictures(config, [*self._backends.values()], darkroom)

    def carry(self, stop: threading.Event, tell: Callable[[int], None]) -> bool:
        """Ask everything that is left; False if it was cut short."""
        crew = Crew()
        for one in self._contest.contenders:
            crew.spawn(f"comparison-{one.position}", self._work_of(one))
        held_at = time.monotonic()
        try:
            while not crew.join(TICK_S):
                crew.check()
                if time.monotonic() - held_at > HOLD_EVERY_S:
                    held_at = time.monotonic()
                    tell(self._contest.id)
                    if not contests.hold(self._db, self._contest):
                        self._halt.set()
                if stop.is_set() or self._halt.is_set():
                    break
            else:
                crew.check()
                return not self._halt.is_set()
            return False
        finally:
            self._halt.set()
            for backend in self._backends.values():
                backend.close()
            crew.join(ENDING_S)

    def _work_of(self, contender: Contender) -> Callable[[], None]:
        return lambda: self._ask_all(contender)

    def _ask_all(self, contender: Contender) -> None:
        """One contender's photos, one after the other."""
        problem = self._refused.get(contender.id)
        for file_id in self._contest.left[contender.id]:
            said = Answered(
                contender_id=contender.id, file_id=file_id, outcome=Outcome.FAILED
            )
            if problem is not None:
                said = replace(said, reason=problem)
            else:
                try:
                    said = self._asked(contender, said)
                except ModelUnavailable as error:
                    said = replace(said, reason=str(error))
                    problem = self._why_out(contender, error)
            if self._halt.is_set():
                return
            if not contests.record(self._db, self._contest, said):
                self._halt.set()

    def _why_out(self, contender: Contender, error: ModelUnavailable) -> str | None:
        """Why it is of no use to ask about more photos; None: it was this one."""
        if self._halt.is_set() or not error.may_pass:
            return str(error)
        return self._backends[contender.id].check().problem

    def _asked(self, contender: Contender, said: Answered) -> Answered:
        """What came of one question. Raises `ModelUnavailable`."""
        path = self._contest.paths[said.file_id]
        try:
            answer = self._answer(contender, path)
        except UnusableAnswer as error:
            return replace(said, outcome=Outcome.INVALID, reason=error.reason)
        except ImageError as error:
            return replace(said, reason=error.reason)
        except _Withheld as error:
            return replace(said, outcome=Outcome.WITHHELD, reason=str(error))
        return replace(
            said,
            outcome=Outcome.ANSWERED,
            description=answer.description,
            text=answer.text,
            tags=tuple(tag.name for tag in answer.tags),
            seconds=answer.seconds,
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
            prompt_version=answer.prompt_version,
        )

    def _answer(self, contender: Contender, path: bytes) -> Answer:
        """Ask, and again while what went wrong may pass. Raises `ModelUnavailable`."""
        backend = self._backends[contender.id]
        retry, attempt = self._config.retry, 0
        while True:
            self._check_allowed(contender, path)
            picture = self._pictures.of(path)
            try:
                with self._turns[backend.url]:
                    self._check_allowed(contender, path)  # it may be bound by now
                    return backend.describe(picture, path)
            except ModelUnavailable as error:
                attempt += 1
                is_last = attempt >= retry.attempts or not error.may_pass
                if is_last or self._halt.is_set():
                    raise
                wait_s = pause_s(attempt, retry, error.retry_after_s, random.random())
                self._halt.wait(wait_s)

    def _check_allowed(self, contender: Contender, path: bytes) -> None:
        names = bindings.allowed(self._db, path)
        if names is not None and contender.server not in names:
            raise _Withheld(
                f"its folder is bound to {' and '.join(sorted(names))}, so it was not "
                f"sent to {contender.server}"
            )


class _Withheld(Exception):
    """The photo may not be sent there; the text says why."""


class _Pictures:
    """Photos as they are sent, the last ones kept: contenders ask about the same."""

    def __init__(
        self, config: Config, backends: list[Backend], darkroom: Darkroom
    ) -> None:
        self._side_px = max([b.side_px for b in backends], default=1)
        self._with_pixels = any(b.kind == BUILTIN for b in backends)
        self._max_megapixels = config.tagger.max_megapixels
        self._darkroom = darkroom
        self._kept: OrderedDict[bytes, Picture] = OrderedDict()
        self._lock = threading.Lock()  # one is decoded at a time

    def of(self, path: bytes) -> Picture:
        """Raises `UnreadableImage`."""
        with self._lock:
            if path not in self._kept:
                self._kept[path] = self._darkroom.look(
                    path,
                    side_px=self._side_px,
                    max_megapixels=self._max_megapixels,
                    with_pixels=self._with_pixels,
                ).picture
            self._kept.move_to_end(path)
            while len(self._kept) > PICTURES_KEPT:
                self._kept.popitem(last=False)
            return self._kept[path]


def _backend(config: Config, contender: Contender) -> Backend:
    return contending.backend(
        config,
        server=contender.server,
        model=contender.model,
        asked={
            "language": contender.language,
            "tags_min": contender.tags_min,
            "tags_max": contender.tags_max,
            "extra_instruction": contender.extra_instruction,
        },
    )
