"""Run: the long-running tagger. It watches active folders and works the queue.

It stops cleanly on SIGTERM, SIGINT and, as a child of the app, at end-of-file of its
standard input, which the system closes even when the app is killed.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

from tagger.config import Config
from tagger.errors import DataFull, UsageError
from tagger.imaging.thumbnails import ThumbnailStore
from tagger.pipeline import recover, room
from tagger.pipeline.comparing import Comparing
from tagger.pipeline.crew import Crew
from tagger.pipeline.flow import Flow
from tagger.pipeline.gate import Gate, Pass
from tagger.pipeline.lookalikes import LookAlikes
from tagger.pipeline.meanings import Meanings
from tagger.pipeline.scouts import Scouts
from tagger.pipeline.workshop import Workshop, opened
from tagger.tracking import (
    bound,
    contests,
    folders,
    jobs,
    presence,
    runs,
    underway,
    upgrades,
)
from tagger.tracking.bindings import Among
from tagger.tracking.database import Database
from tagger.vision.choose import Choice, choose

log = logging.getLogger(__name__)

TICK_S = 0.2
REPORT_S = 1.0
LOOK_AROUND_S = 60.0
SCAN_GRACE_S = 3.0


def run(config: Config, *, child: bool = False, stop: threading.Event) -> None:
    """Work until `stop` is set. `child` also stops at the end of standard input.

    Raises `UsageError` if another tagger runs on this data folder.
    """
    with _only_one(config):
        if child:
            _stop_with_parent(stop)
        while not stop.is_set():
            try:
                with opened(config) as workshop:
                    _Tagger(workshop, stop).work()
            except DataFull as error:  # not even the database can be opened
                log.error("%s", error)
                stop.wait(room.CHECK_S)


def stop_on_signals(stop: threading.Event) -> None:
    """Let SIGTERM and SIGINT end the work after the step under way."""

    def asked(number: int, _frame: FrameType | None) -> None:
        log.info("stopping on %s", signal.Signals(number).name)
        stop.set()

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, asked)


def _stop_with_parent(stop: threading.Event) -> None:
    def wait() -> None:
        # Not through `sys.stdin`: whoever waits in there when Python ends aborts it.
        while os.read(sys.stdin.fileno(), 4096):
            log.debug("the app said something; nothing is agreed on")
        log.info("stopping, because the app has ended")
        stop.set()

    threading.Thread(target=wait, name="parent", daemon=True).start()


@contextmanager
def _only_one(config: Config) -> Iterator[None]:
    with presence.only_tagger(config.data_dir) as is_ours:
        if not is_ours:
            raise UsageError(
                f"another tagger already works on {config.data_dir}; it will do the "
                "work"
            )
        yield


class _Tagger:
    """The main loop and what it keeps between two rounds."""

    def __init__(self, workshop: Workshop, stop: threading.Event) -> None:
        self._shop = workshop
        self._db = workshop.db
        self._stop = stop
        self._run_id = 0
        self._scouts = Scouts(workshop, stop)
        self._crew = Crew()
        self._room = room.Room(workshop.config.data_dir)
        self._gate = Gate(workshop.db, workshop.config.schedule)
        self._choice: Choice | None = None
        self._flow: Flow | None = None
        self._looked_around_at = 0.0
        self._reported_at = 0.0
        self._exiftool_problem: str | None = None
        self._has_exiftool = False

    def work(self) -> None:
        if not self._begin():
            return
        try:
            self._crew.spawn("scan", self._scouts.work)
            self._crew.spawn("comparisons", self._comparing().work)
            if self._shop.config.catalogue.look_alikes:
                self._crew.spawn("look-alikes", self._look_alikes().work)
            if self._shop.config.semantic.model:
                self._crew.spawn("meanings", self._meanings().work)
            while not self._stop.wait(TICK_S):
                self._round()
        finally:
            self._end()

    def _begin(self) -> bool:
        """Put right what was left half done; False if told to stop before that."""
        while not self._stop.is_set():
            try:
                self._run_id = self._run_id or runs.begin(self._db, "run")
                self._scouts.alone = recover.at_start(self._db)
                self._shop.scanner.keep_to_roots()
                self._look_for_exiftool()
                folders.request_scan(self._db, None)
            except DataFull as error:
                self._room.is_out(error)
                self._stop.wait(room.CHECK_S)
            else:
                break
        if self._scouts.alone:
            ThumbnailStore(self._shop.config.thumbnails_dir).remove_stale()
            contests.release_all(self._db)
        return not self._stop.is_set()

    def _comparing(self) -> Comparing:
        return Comparing(self._db, self._shop.config, self._stop)

    def _look_alikes(self) -> LookAlikes:
        thumbnails = ThumbnailStore(self._shop.config.thumbnails_dir)
        return LookAlikes(self._db, thumbnails, self._stop)

    def _meanings(self) -> Meanings:
        return Meanings(self._db, self._shop.config, self._stop)

    def _end(self) -> None:
        self._stop.set()
        if self._flow is not None:
            self._flow.close()
        self._crew.join(SCAN_GRACE_S)
        try:
            runs.end(self._db, self._run_id)
        except DataFull as error:
            log.error("%s", error)

    def _round(self) -> None:
        self._crew.check()
        lately = time.monotonic() - self._looked_around_at < LOOK_AROUND_S
        if self._flow is None or not lately:
            self._look_around()
        assert self._flow is not None
        self._flow.tick()
        if time.monotonic() - self._reported_at < REPORT_S:
            return
        self._reported_at = time.monotonic()
        try:
            self._report(*self._state())
        except DataFull as error:
            self._flow.room.is_out(error)

    def _state(self) -> tuple[str, str | None]:
        assert self._flow is not None
        if self._flow.room.problem:
            return "paused", self._flow.room.problem
        gate, waits = self._flow.gate_says, self._flow.waits()
        if gate.by_person:
            return "paused", _finishing(gate.why, self._flow.held)
        if waits and (self._flow.problem or not self._flow.held):
            return "waiting", "; ".join(waits)
        if self._flow.held:
            return "working", "; ".join(waits) or gate.why or self._scouts.problem
        if why := _shut_out(self._db, gate):
            return "waiting", why
        return "idle", self._exiftool_problem or self._scouts.problem

    def _report(self, state: str, message: str | None) -> None:
        runs.report(
            self._db,
            self._run_id,
            state=state,
            message=message,
            backend=self._choice.reason if self._choice else None,
            servers=self._flow.reports() if self._flow else (),
            watching=self._scouts.watching(),
        )

    def _look_around(self) -> None:
        """Now and then: has exiftool come, is there a better model, what is over?"""
        self._looked_around_at = time.monotonic()
        self._choose()
        assert self._flow is not None
        try:
            self._look_for_exiftool()
            underway.close(self._db)
        except DataFull as error:
            self._flow.room.is_out(error)

    def _look_for_exiftool(self) -> None:
        """Once it is there, what waited for it is read and written."""
        if self._has_exiftool:
            return
        before, now = self._exiftool_problem, self._shop.exiftool_problem()
        self._exiftool_problem = now
        if now is None:
            bound.retry_not_written(self._db)
            self._has_exiftool = True
        elif now != before:
            log.warning("%s", now)

    def _choose(self) -> None:
        """Settle who is asked; with `auto`, look again while it is the built-in one."""
        automatic = self._shop.config.model.backend == "auto"
        if self._choice is not None and not (automatic and _is_builtin(self._choice)):
            return
        choice = choose(self._shop.config)
        if self._choice is not None and _is_builtin(choice):
            choice.close()
            self._choice = replace(self._choice, reason=choice.reason)
            return
        if self._flow is not None:
            self._flow.close()
        log.info("%s", choice.reason)
        if automatic and not _is_builtin(choice):
            self._upgrade()
        self._choice = choice
        self._flow = self._shop.flow(
            choice.members, run_id=self._run_id, patient=True, gate=self._gate
        )

    def _upgrade(self) -> None:
        """What the built-in model stood in for is asked again, after new photos."""
        try:
            if count := upgrades.ask_again(self._db, "builtin"):
                log.info("asking again about %s photos of the built-in model", count)
        except DataFull as error:
            self._room.is_out(error)


def _shut_out(db: Database, gate: Pass) -> str | None:
    """Why photos that are there wait for the gate to open; None if none does."""
    apart = frozenset(one.folder_id for one in gate.apart)
    if gate.why and jobs.are_waiting(db, Among(but=apart | gate.opened)):
        return gate.why
    if not apart or not jobs.are_waiting(db, Among(only=apart)):
        return None
    return "; ".join(
        one.why
        for one in gate.apart
        if jobs.are_waiting(db, Among(only=frozenset({one.folder_id})))
    )


def _finishing(why: str | None, held: int) -> str | None:
    if not held:
        return why
    photos = "1 photo is" if held == 1 else f"{held} photos are"
    return f"{why}; {photos} still being finished"


def _is_builtin(choice: Choice) -> bool:
    return all(backend.kind == "builtin" for backend in choice.backends)
