"""Flow: photos through the stages, so that model servers never wait for us.

    feed ─▶ look threads ─▶ slots, one thread for each place at a server ─▶ write thread

All slots take from one queue, so a slow server never holds up a fast one. Only a small
multiple of the slots is decoded ahead, which bounds memory at any library size. While
the gate is shut, what is at the servers is finished, and the rest goes back.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

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
from tagger.pipeline.gate import Gate, Pass
from tagger.pipeline.held import Held
from tagger.pipeline.inflight import InFlight
from tagger.pipeline.line import Line, is_wanted_now
from tagger.pipeline.room import Room
from tagger.pipeline.servers import Slots
from tagger.pipeline.stages import Item, Stages
from tagger.records import Answer
from tagger.tracking import jobs, returns
from tagger.vision.retry import describe_with_retry

log = logging.getLogger(__name__)

TICK_S = 0.1
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
        gate: Gate | None = None,
    ) -> None:
        self._stages = stages
        self._gate = gate
        self.gate_says = Pass()
        self.servers = list(servers)
        self._retry = retry
        self._patient = patient
        self.stop = threading.Event()
        self.gave_up: ModelUnavailable | None = None
        self.room = Room(stages.db.path.parent)
        self._crew, self._askers = Crew(), Crew()
        self._looking, self._asking, self._writing = Line(), Line(), Line()
        self._pictures = InFlight()
        self._held = Held(stages.db)
        self._claim_at = self._claim_now_at = self._edits_at = 0.0
        self._places = sum(server.places for server in self.servers)
        self._ahead = 2 * self._places + 2 * look_threads
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
            # While there was no room, leases could not be renewed.
            self._held.renew(at_once=self.room.is_back())
            if self.room.problem:
                return
            if self._patient:
                self._claim_edits()
            if self._patient and self.problem:
                self._give_back_unasked()
                return
            self._look_at_gate()
            self._claim(run_id)
            if run_id is None:
                self._claim_wanted_now()
        except DataFull as error:
            self.room.is_out(error)

    def _look_at_gate(self) -> None:
        if self._gate is None:
            return
        self.gate_says = self._gate.look()
        if not self.gate_says.takes_back:
            return
        for item in self._looking.take_all():
            if is_wanted_now(item):
                self._looking.put(item)
            else:
                self._guarded(item, self._give_back)
        self._give_back_unasked(but=is_wanted_now)

    def _claim(self, run_id: int | None) -> None:
        ahead = self._ahead + WRITES_AHEAD
        room = min(self._ahead - self._held.unasked, ahead - self.held)
        if self.gate_says.room is not None:
            room = min(room, self.gate_says.room - self._held.unasked)
        if room <= 0 or time.monotonic() < self._claim_at:
            return
        claimed = jobs.claim(
            self._stages.db,
            limit=room,
            run_id=run_id,
            newest_first=self._gate is not None and self._gate.newest_first,
        )
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

    def _claim_wanted_now(self) -> None:
        """What a person wants now is taken although all is full, or the gate shut."""
        if self._gate is None or time.monotonic() < self._claim_now_at:
            return
        self._claim_now_at = time.monotonic() + IDLE_S
        limit = self._places - self._held.wanted_now
        if limit > 0:
            for job in jobs.claim(self._stages.db, limit=limit, only_now=True):
                self._take(Item(job))

    def _take(self, item: Item) -> None:
        self._held.take(item)
        self._looking.put(item)

    def _give_back_unasked(
        self, *, but: Callable[[Item], bool] = lambda item: False
    ) -> None:
        """Leave the photos to a tagger that may have a server, or to a later hour."""
        for item in self._asking.take_all():
            if but(item):
                self._asking.put(item)
            else:
                self._give_back_leading(item)

    def _give_back_leading(self, item: Item) -> None:
        for waiting in (item, *self._pictures.settle(item)):
            self._guarded(waiting, self._give_back)

    def _give_back(self, item: Item) -> None:
        returns.put_back(self._stages.db, item.job)
        self._held.let_go(item)

    def close(self) -> None:
        """Stop: finish writes under way, give every other job back."""
        self.stop.set()
        self._crew.join(WRITE_GRACE_S)
        for server in self.servers:
            server.backend.close()
        # What a server may still say to those who wait for it, nobody holds any more.
        self._askers.join(HANG_UP_S)
        for item in self._held.every():
            self._guarded(item, self._give_back)

    def _loop(self, source: Line, step: Step) -> Callable[[], None]:
        def work() -> None:
            while not self.stop.is_set():
                try:
                    item = source.get(timeout=TICK_S)
                except queue.Empty:
                    continue
                self._guarded(item, step)

        return work

    def _look(self, item: Item) -> None:
        with item.timed("looking_s"):
            self._stages.look(item)
        item.ready_at = time.perf_counter()
        self._ask_or_pass(item)

    def _ask_or_pass(self, item: Item) -> None:
        is_known = self._stages.use_known(item)
        item.waits_on = item.job.is_edit and not is_known
        if is_known or item.waits_on:
            self._pass_on(item)
        elif self._pictures.lead(item):
            self._asking.put(item)

    def _pass_on(self, item: Item) -> None:
        self._held.is_asked(item)
        self._writing.put(item)

    def _write(self, item: Item) -> None:
        self._stages.write(item)
        self._held.let_go(item)

    def _serve(self, server: Slots) -> None:
        """One place at one server: take what is next, ask, record."""
        while not self.stop.is_set():
            if server.problem is not None and not server.is_back(self.stop):
                continue
            try:
                item = self._asking.get(timeout=TICK_S)
            except queue.Empty:
                continue
            if self.gate_says.takes_back and not is_wanted_now(item):
                self._give_back_leading(item)  # the gate shut a moment ago
            else:
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
        item.waited()
        with server, item.timed("asking_s"):
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
        item.cost = replace(
            item.cost,
            server=server.backend.url,
            model=server.backend.model,
            asked_at=time.time(),
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
        )
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
                self._held.let_go(item)
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
            self._held.let_go(item)
