"""Servers: the places at each model server, and what becomes of a failure there."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tagger.errors import ImageError, ModelBusy, ModelLost, ModelUnavailable
from tagger.imaging.picture import Picture
from tagger.pipeline.health import Health
from tagger.pipeline.pace import Pace
from tagger.pipeline.stages import Item
from tagger.records import ServerReport
from tagger.sections import Retry
from tagger.vision.protocol import Backend

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Ask:
    """One question under way. `alone` keeps other photos away until it is over."""

    began: float
    alone: bool
    is_over: bool = False


class Slots:
    """The places at one model server, and whether it answers. Threads share it.

    `is_open` says that it takes photos of folders that are bound to no server. Whoever
    waits for a place hears through `on_change` that there may be one.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        retry: Retry,
        is_open: bool = True,
        problem: str | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.backend = backend
        self.name = backend.name
        self.is_open = is_open
        self.busy = 0
        self.answered = 0
        self.on_change = on_change
        self._pace = Pace(backend.parallel)
        self._health = Health(retry, problem=problem)
        self._alone = False
        self._doubts = 0
        self._check_began = 0.0
        self._found: str | None = None
        self._lock = threading.RLock()
        self._checking = threading.Lock()

    @property
    def places(self) -> int:
        """How many photos it may have at a time, as things are now."""
        return self._pace.places

    @property
    def most(self) -> int:
        """How many it may ever have."""
        return self._pace.most

    @property
    def problem(self) -> str | None:
        """Why it is not asked, if so."""
        return self._health.problem

    @property
    def is_hopeless(self) -> bool:
        """It is out, and waiting any longer for it is of no use."""
        return self.problem is not None and self._health.is_hopeless

    @property
    def has_place(self) -> bool:
        with self._lock:
            most = 1 if self._health.is_on_trial else self.places
            may_be_asked = self._health.may_be_asked and not self._doubts
            return may_be_asked and not self._alone and self.busy < most

    def may_have(self, item: Item) -> bool:
        """Whether its folder lets the photo be sent here."""
        return self.is_open if item.servers is None else self.name in item.servers

    def report(self) -> ServerReport:
        return ServerReport(
            name=self.name,
            url=self.backend.url,
            kind=self.backend.kind,
            model=self.backend.model,
            usable=self.problem is None,
            problem=self.problem,
            busy=self.busy,
            places=self.places,
            answered=self.answered,
            is_open=self.is_open,
        )

    def take_place(self, *, alone: bool) -> Ask:
        with self._lock:
            self.busy += 1
            self._alone = alone
            return Ask(began=time.monotonic(), alone=alone)

    def leave_place(self, ask: Ask) -> None:
        """Once for each place that was taken; more often is the same as once."""
        with self._lock:
            if ask.is_over:
                return
            ask.is_over = True
            self.busy -= 1
            self._alone = self._alone and not ask.alone
        self.on_change()

    def lacks_work(self) -> None:
        """A place is free, and nobody there to take it."""
        with self._lock:
            self._pace.was_idle()

    def succeeded(self) -> None:
        """A photo got its answer."""
        with self._lock:
            self.answered += 1
            self._health.answered()
            self._pace.answered()

    def failed(self, ask: Ask, error: ModelUnavailable) -> bool:
        """A photo got no answer; returns whether that is the photo's own fault.

        The server is looked at before it or the photo is blamed.
        """
        if isinstance(error, ModelBusy):
            self._is_busy(error)
            return False
        if self.problem is not None:
            return False
        with self._doubted():
            found = str(error)
            if error.may_pass and (state := self._check_after(time.monotonic())):
                found = state
            elif error.may_pass:
                return self._judge(ask, error)
            with self._lock:
                self._out(found, hopeless=not error.may_pass)
                if isinstance(error, ModelLost):
                    self._health.needs_proof = True  # it may crash at every photo
        # Whoever still waits for it there need not wait any longer.
        self.backend.hang_up()
        return False

    def _judge(self, ask: Ask, error: ModelUnavailable) -> bool:
        with self._lock:
            was_out = self.problem is not None
            is_photo = self._health.failed(ask.began, error)
        if not is_photo and not was_out:
            log.warning("%s", error)
        return is_photo

    @contextmanager
    def _doubted(self) -> Iterator[None]:
        """It gets no more photos until it is known what stands with it."""
        with self._lock:
            self._doubts += 1
        try:
            yield
        finally:
            with self._lock:
                self._doubts -= 1

    def look(self) -> None:
        """Look at a server that is out, if it is time to."""
        if not self._health.is_due:
            return
        found = self._check()
        if found is None and self._health.needs_proof:
            found = self._proof()
        with self._lock:
            self._health.looked(found)
        if found is None:
            log.info("%s answers again", self.name)
            self.on_change()

    def _proof(self) -> str | None:
        """Why not even a plain picture is described, if so."""
        try:
            self.backend.describe(Picture.plain(), b"a plain picture")
        except ModelUnavailable as error:
            return str(error)
        except ImageError as error:
            log.debug("it answers, and that is enough: %s", error)
        return None

    def _is_busy(self, error: ModelUnavailable) -> None:
        with self._lock:
            others = self.busy - 1
            if others > 0:
                self._pace.refused(others)
            else:
                self._pace.refused(1)
                self._health.is_busy(error)

    def _out(self, problem: str, *, hopeless: bool) -> None:
        if self.problem is None:
            log.warning("%s", problem)
        self._health.is_out(problem, hopeless=hopeless)

    def _check_after(self, failed_at: float) -> str | None:
        """The problem, if any, that a check after a failure finds.

        Those who fail together need one check only.
        """
        with self._checking:
            if self._check_began < failed_at:
                self._check_began = time.monotonic()
                self._found = self._check()
            return self._found

    def _check(self) -> str | None:
        state = self.backend.check()
        return None if state.usable else state.problem
