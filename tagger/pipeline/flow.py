"""Flow: photos through the stages, so that model servers never wait for us.

    feed ─▶ look threads ─▶ slots, one thread for each place at a server ─▶ write thread

All slots take from one queue, so a slow server never holds up a fast one. Only a small
multiple of the slots is decoded ahead, which bounds memory at any library size.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from tagger.config import Retry
from tagger.errors import (
    DataFull,
    ExiftoolUnavailable,
    ImageError,
    ModelUnavailable,
    shown,
)
from tagger.pipeline import failing
from tagger.pipeline.crew import Crew
from tagger.pipeline.inflight import InFlight
from tagger.pipeline.room import Room
from tagger.pipeline.servers import Slots
from tagger.pipeline.stages import Item, Stages
from tagger.records import Answer
from tagger.tracking import jobs, returns
from tagger.vision.retry import describe_with_retry

log = logging.getLogger(__name__)

TICK_S = 0.1
RENEW_S = 15.0
# How long an empty queue is left alone.
IDLE_S = 0.4
# Answers that wait to be written hold no pixels; this many may queue up.
WRITES_AHEAD = 64
EDITS_AT_ONCE = 8
# How long a stop waits for a write under way, and for servers to hang up.
WRITE_GRACE_S = 4.0
HANG_UP_S = 1.0

Step = Callable[[Item], None]


class Flow:
    """The threads of one tagger process and the queues between them.

    `patient` flows wait for servers that are away; others give up, with the error in
    `gave_up`, once no server is left.
    """

    def __init__(
        self,
        stages: Stages,
        servers: Sequence[Slots],
        *,
        retry: Retry,
        look_threads: int,
        patient: bool,
    ) -> None:
        self._stages = stages
        self.servers = list(servers)
        self._retry = retry
        self._patient = patient
        self.stop = threading.Event()
        self.gave_up: ModelUnavailable | None = None
        self.room = Room(stages.db.path.parent)
        self._crew, self._askers = Crew(), Crew()
        self._looking: queue.Queue[Item] = queue.Queue()
        self._asking: queue.Queue[Item] = queue.Queue()
        self._writing: queue.Queue[Item] = queue.Queue()
        self._pictures = InFlight()
        self._held: dict[int, Item] = {}
        self._held_lock = threading.Lock()
        self._unasked = 0
        self._renewed = time.time()
        self._claim_at = self._edits_at = 0.0
        slots = sum(server.places for server in self.servers)
        self._ahead = 2 * slots + 2 * look_threads
        for n in range(look_threads):
            self._crew.spawn(f"look-{n}", self._loop(self._looking, self._look))
        for server in self.servers:
            for n in range(server.places):
                self._askers.spawn(f"ask-{n}", lambda s=server: self._serve(s))  # type: ignore[misc]
        self._crew.spawn("write", self._loop(self._writing, self._write))

    @property
    def held(self) -> int:
        """How many photos are on their way now."""
        return len(self._held)

    @property
    def problem(self) -> str | None:
        """Why nothing moves, if so."""
        if self.room.problem:
            return self.room.problem
        problems = [server.problem for server in self.servers]
        if all(problems):
            return problems[0]
        return None

    def tick(self, *, run_id: int | None = None) -> None:
        """Take new jobs as there is room, keep leases, and pass on a thread's death."""
        self._crew.check()
        self._askers.check()
        try:
            if self.room.is_back():
                self._renewed = 0.0  # it could not be done meanwhile
            self._renew()
            if self.room.problem:
                return
            if self._patient:
                self._claim_edits()
            if self._patient and self.problem:
                self._give_back_unasked()
                return
            self._claim(run_id)
        except DataFull as error:
            self.room.is_out(error)

    def _renew(self) -> None:
        # By the wall clock, as leases are: a laptop that slept renews before it takes
        # new jobs, which else could be its own, run out meanwhile.
        if abs(time.time() - self._renewed) > RENEW_S:
            with self._held_lock:
                mine = [item.job for item in self._held.values()]
            jobs.renew(self._stages.db, mine)
            self._renewed = time.time()

    def _claim(self, run_id: int | None) -> None:
        ahead = self._ahead + WRITES_AHEAD
        room = min(self._ahead - self._unasked, ahead - self.held)
        if room <= 0 or time.monotonic() < self._claim_at:
            return
        claimed = jobs.claim(self._stages.db, limit=room, run_id=run_id)
        if len(claimed) < room:
            self._claim_at = time.monotonic() + IDLE_S
        for job in claimed:
            self._take(Item(job))

    def _claim_edits(self) -> None:
        """They need no model: a full line, or servers that are away, hold up none."""
        if self.held >= self._ahead + WRITES_AHEAD or time.monotonic() < self._edits_at:
            return
        claimed = jobs.claim(self._stages.db, limit=EDITS_AT_ONCE, edits_only=True)
        if len(claimed) < EDITS_AT_ONCE:
            self._edits_at = time.monotonic() + IDLE_S
        for job in claimed:
            self._take(Item(job))

    def _take(self, item: Item) -> None:
        with self._held_lock:
            self._held[item.job.id] = item
            self._unasked += 1
        self._looking.put(item)

    def _give_back_unasked(self) -> None:
        """No server answers: leave the photos to a tagger that may have another one."""
        while True:
            try:
                item = self._asking.get_nowait()
            except queue.Empty:
                return
            for waiting in (item, *self._pictures.settle(item)):
                self._guarded(waiting, self._give_back)

    def _give_back(self, item: Item) -> None:
        returns.put_back(self._stages.db, item.job)
        self._let_go(item)

    def close(self) -> None:
        """Stop: finish writes under way, give every other job back."""
        self.stop.set()
        self._crew.join(WRITE_GRACE_S)
        for server in self.servers:
            server.backend.close()
        # What a server may still say to those who wait for it, nobody holds any more.
        self._askers.join(HANG_UP_S)
        with self._held_lock:
            left = list(self._held.values())
        for item in left:
            self._guarded(item, self._give_back)

    def _loop(self, source: "queue.Queue[Item]", step: Step) -> Callable[[], None]:
        def work() -> None:
            while not self.stop.is_set():
                try:
                    item = source.get(timeout=TICK_S)
                except queue.Empty:
                    continue
                self._guarded(item, step)

        return work

    def _look(self, item: Item) -> None:
        self._stages.look(item)
        self._ask_or_pass(item)

    def _ask_or_pass(self, item: Item) -> None:
        is_known = self._stages.use_known(item)
        item.waits_on = item.job.is_edit and not is_known
        if is_known or item.waits_on:
            self._pass_on(item)
        elif self._pictures.lead(item):
            self._asking.put(item)

    def _pass_on(self, item: Item) -> None:
        self._count_asked(item)
        self._writing.put(item)

    def _write(self, item: Item) -> None:
        self._stages.write(item)
        self._let_go(item)

    def _serve(self, server: Slots) -> None:
        """One place at one server: take what is next, ask, record."""
        while not self.stop.is_set():
            if server.problem is not None and not server.is_back(self.stop):
                continue
            try:
                item = self._asking.get(timeout=TICK_S)
            except queue.Empty:
                continue
            self._ask_leading(server, item)

    def _ask_leading(self, server: Slots, item: Item) -> None:
        """Ask for one photo, then let those with the same picture go on as well."""
        try:
            self._guarded(item, lambda i: self._ask(server, i))
        finally:
            followers = self._pictures.settle(item)
        for follower in followers:
            # If this question failed, the first of them leads the next one.
            self._guarded(follower, self._ask_or_pass)

    def _ask(self, server: Slots, item: Item) -> None:
        # An answer that could not be recorded, for want of room, is not asked again;
        # nor is one that came in since the photo was looked at.
        if item.answer is None and self._stages.use_known(item):
            self._pass_on(item)
            return
        if item.answer is None:
            item.answer = self._answer(server, item)
        self._stages.answered(item, item.answer)
        self._pass_on(item)

    def _answer(self, server: Slots, item: Item) -> Answer:
        assert item.picture is not None
        with server:
            try:
                answer = describe_with_retry(
                    server.backend,
                    item.picture,
                    item.job.path,
                    retry=self._retry,
                    stop=self.stop,
                )
            except ModelUnavailable as error:
                if not self.stop.is_set():
                    server.failed(item, error)
                    self._may_give_up(error)
                raise
        server.succeeded()
        return answer

    def _may_give_up(self, error: ModelUnavailable) -> None:
        if not self._patient and all(server.problem for server in self.servers):
            self.gave_up = error

    def _guarded(self, item: Item, step: Step) -> None:
        """Do one step; what goes wrong is settled for this photo alone.

        While the disk is full the photo waits here, and keeps what it has.
        """
        while True:
            try:
                self._attempt(item, step)
                return
            except jobs.LeaseLost:
                log.info("%s: no longer this tagger's to do", shown(item.job.path))
                self._let_go(item)
                return
            except DataFull as error:
                self.room.is_out(error)
            while self.room.problem is not None:
                if self.stop.wait(TICK_S):
                    return

    def _attempt(self, item: Item, step: Step) -> None:
        try:
            step(item)
        except (ImageError, ModelUnavailable, ExiftoolUnavailable) as error:
            failing.record(self._stages, item, error)
            self._let_go(item)

    def _let_go(self, item: Item) -> None:
        with self._held_lock:
            # Given back, the job may be held anew already, as another item.
            if self._held.get(item.job.id) is item:
                del self._held[item.job.id]
        self._count_asked(item)

    def _count_asked(self, item: Item) -> None:
        """The photo waits for no model any more, and needs no pixels."""
        item.picture = None
        with self._held_lock:
            if item.unasked:
                item.unasked = False
                self._unasked -= 1
