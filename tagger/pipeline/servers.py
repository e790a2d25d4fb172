"""Servers: the places at each model server, and whether it or a photo is at fault."""

import logging
import threading
import time

from tagger.errors import ModelUnavailable, ServerFails
from tagger.pipeline.stages import Item
from tagger.records import ServerReport
from tagger.vision.protocol import Backend

log = logging.getLogger(__name__)

CHECK_S = 10.0
# This many photos one after the other without an answer: it is the server.
FAILURES_IN_A_ROW = 3


class Slots:
    """The places at one model server: how many are busy, and whether it answers."""

    def __init__(self, backend: Backend, places: int) -> None:
        self.backend = backend
        self.places = places
        self.busy = 0
        self.answered = 0
        self.problem: str | None = None
        self._failures = 0
        self._checked = 0.0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.busy += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.busy -= 1

    def report(self) -> ServerReport:
        return ServerReport(
            url=self.backend.url,
            kind=self.backend.kind,
            model=self.backend.model,
            usable=self.problem is None,
            problem=self.problem,
            busy=self.busy,
            places=self.places,
            answered=self.answered,
        )

    def succeeded(self) -> None:
        """A photo got its answer."""
        with self._lock:
            self.answered += 1
            self._failures = 0

    def failed(self, item: Item, error: ModelUnavailable) -> None:
        """A photo got none. Raises `ServerFails` if it is the photo's fault.

        A server that passes its check and failed on few photos in a row is not to
        blame; one photo that crashes a model must not hold up all others.
        """
        with self._lock:
            self._failures += 1
            few = self._failures < FAILURES_IN_A_ROW
        if few and self.backend.check().usable:
            raise ServerFails(item.job.path, str(error)) from error
        with self._lock:
            if self.problem is None:
                log.warning("%s", error)
            self.problem = str(error)
            self._checked = time.monotonic()

    def is_back(self, stop: threading.Event) -> bool:
        """Wait a little and ask the server whether it can work again."""
        if stop.wait(CHECK_S):
            return False
        with self._lock:
            if self.problem is None or time.monotonic() - self._checked < CHECK_S / 2:
                return self.problem is None  # another place has just asked
            self._checked = time.monotonic()
        state = self.backend.check()
        with self._lock:
            self.problem = None if state.usable else state.problem
            self._failures = 0
            if self.problem is None:
                log.info("%s answers again", self.backend.url)
            return self.problem is None
