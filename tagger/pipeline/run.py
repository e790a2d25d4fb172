"""Run: the long-running tagger. It watches active folders and works the queue.

It stops cleanly on SIGTERM, SIGINT and, as a child of the app, at end-of-file of its
standard input, which the system closes even when the app is killed.
"""

import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from filelock import FileLock, Timeout

from tagger.config import Config
from tagger.errors import DataFull, UsageError, shown
from tagger.imaging.thumbnails import ThumbnailStore
from tagger.pipeline import recover
from tagger.pipeline.crew import Crew
from tagger.pipeline.flow import Flow
from tagger.pipeline.watch import Watcher
from tagger.pipeline.workshop import Workshop, opened
from tagger.tracking import folders, jobs, runs
from tagger.vision.choose import Choice, choose

log = logging.getLogger(__name__)

TICK_S = 0.2
REPORT_S = 1.0
CHOOSE_AGAIN_S = 60.0


def run(config: Config, *, child: bool = False, stop: threading.Event) -> None:
    """Work until `stop` is set. `child` also stops at the end of standard input.

    Raises `UsageError` if another tagger runs on this data folder.
    """
    with _only_one(config), opened(config) as workshop:
        if child:
            _stop_with_parent(stop)
        _Tagger(workshop, stop).work()


def stop_on_signals(stop: threading.Event) -> None:
    """Let SIGTERM and SIGINT end the work after the step under way."""

    def asked(number: int, _frame: FrameType | None) -> None:
        log.info("stopping on %s", signal.Signals(number).name)
        stop.set()

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, asked)


def _stop_with_parent(stop: threading.Event) -> None:
    def wait() -> None:
        sys.stdin.buffer.read()
        log.info("stopping, because the app has ended")
        stop.set()

    threading.Thread(target=wait, name="parent", daemon=True).start()


@contextmanager
def _only_one(config: Config) -> Iterator[None]:
    config.data_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(config.data_dir / "tagger.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(
            f"another tagger already works on {config.data_dir}; it will do the work"
        ) from None
    try:
        yield
    finally:
        lock.release()


class _Tagger:
    """The main loop and what it keeps between two rounds."""

    def __init__(self, workshop: Workshop, stop: threading.Event) -> None:
        self._shop = workshop
        self._db = workshop.db
        self._stop = stop
        self._run_id = runs.begin(self._db, "run")
        self._watcher = Watcher()
        self._crew = Crew()
        self._choice: Choice | None = None
        self._flow: Flow | None = None
        self._chosen_at = 0.0
        self._reported_at = 0.0
        self._alone = False

    def work(self) -> None:
        self._alone = recover.at_start(self._db)
        self._report("idle", "starting")
        jobs.retry_not_written(self._db)
        if self._alone:
            ThumbnailStore(self._shop.config.thumbnails_dir).remove_stale()
        folders.request_scan(self._db, None)
        if self._shop.config.scan.watch:
            self._watcher.start()
        self._crew.spawn("scan", self._scan_when_due)
        try:
            while not self._stop.wait(TICK_S):
                self._round()
        finally:
            self._stop.set()
            self._crew.join(30.0)
            if self._flow is not None:
                self._flow.close()
            if self._shop.config.scan.watch:
                self._watcher.stop()
            runs.end(self._db, self._run_id)

    def _round(self) -> None:
        self._crew.check()
        self._choose()
        assert self._flow is not None
        try:
            self._flow.tick()
            if time.monotonic() - self._reported_at > REPORT_S:
                self._reported_at = time.monotonic()
                self._report(*self._state())
        except DataFull as error:
            self._flow.disk_full = str(error)

    def _state(self) -> tuple[str, str | None]:
        assert self._flow is not None
        if self._flow.disk_full:
            return "paused", self._flow.disk_full
        if self._flow.problem and jobs.next_due(self._db) is not None:
            return "waiting", self._flow.problem
        if self._flow.held:
            return "working", self._watcher.problem
        return "idle", self._shop.exiftool_problem or self._watcher.problem

    def _report(self, state: str, message: str | None) -> None:
        runs.report(
            self._db,
            self._run_id,
            state=state,
            message=message,
            backend=self._choice.reason if self._choice else None,
            servers=tuple(s.report() for s in self._flow.servers) if self._flow else (),
        )

    def _choose(self) -> None:
        """Settle who is asked; with `auto`, look now and then for a better one."""
        on_ramp = self._choice is not None and all(
            backend.kind == "builtin" for backend in self._choice.backends
        )
        automatic = self._shop.config.model.backend == "auto"
        if self._choice is not None and not (on_ramp and automatic):
            return
        if time.monotonic() - self._chosen_at < CHOOSE_AGAIN_S and self._chosen_at:
            return
        self._chosen_at = time.monotonic()
        choice = choose(self._shop.config)
        if self._choice is not None and choice.reason == self._choice.reason:
            for backend in choice.backends:
                backend.close()
            return
        if self._flow is not None:
            self._flow.close()
        log.info("%s", choice.reason)
        self._choice = choice
        self._flow = self._shop.flow(choice.backends, run_id=self._run_id, patient=True)

    def _scan_when_due(self) -> None:
        """A thread of its own: a long scan never keeps photos waiting."""
        interval_s = self._shop.config.scan.interval_min * 60
        while not self._stop.wait(TICK_S):
            try:
                for folder in folders.due(self._db, interval_s=interval_s):
                    if self._stop.is_set():
                        return
                    outcome = self._shop.scanner.scan(folder, alone=self._alone)
                    log.info("looked through %s: %s", shown(folder.path), outcome)
                self._take_hints()
            except DataFull as error:
                log.error("%s", error)
                self._stop.wait(5.0)

    def _take_hints(self) -> None:
        if not self._shop.config.scan.watch:
            return
        every = {folder.id: folder for folder in folders.every(self._db)}
        self._watcher.follow([f for f in every.values() if f.active])
        for folder_id, paths in self._watcher.hints().items():
            folder = every.get(folder_id)
            if folder is None:
                continue
            if paths is None:
                self._shop.scanner.scan(folder, alone=self._alone)
            else:
                self._shop.scanner.look_at(folder, paths)
