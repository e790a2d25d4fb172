"""Flow: photos through the stages, so that model servers never wait for us.

    feed ─▶ look threads ─▶ desk ─▶ threads for the places at servers ─▶ write thread

All places take from one desk, so a slow server never holds up a fast one. While the
gate is shut, what is at the servers is finished, and the rest goes back.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence

from tagger.errors import DataFull, ModelUnavailable
from tagger.pipeline.asking import Asking
from tagger.pipeline.crew import Crew
from tagger.pipeline.desk import Desk
from tagger.pipeline.feed import Feed
from tagger.pipeline.gate import Gate, Pass
from tagger.pipeline.guard import Guard, Step
from tagger.pipeline.held import Held
from tagger.pipeline.line import Line
from tagger.pipeline.room import Room
from tagger.pipeline.servers import Slots
from tagger.pipeline.stages import Item, Stages
from tagger.records import ServerReport
from tagger.tracking import jobs

TICK_S = 0.1
# Threads beyond the places of a server: while one puts down its answer, which may wait
# for the disk, another one is asking already.
MORE_THREADS = 8
# How long a stop waits for a write under way, and for servers to hang up.
WRITE_GRACE_S = 4.0
HANG_UP_S = 1.0


class Flow:
    """The threads of one tagger process and the queues between them.

    `patient` flows wait for servers that are away; others give up, with the error in
    `gave_up`, what no server is left for.
    """

    def __init__(
        self,
        stages: Stages,
        servers: Sequence[Slots],
        *,
        look_threads: int,
        patient: bool,
        gate: Gate | None = None,
        lease_s: float = jobs.LEASE_S,
    ) -> None:
        self._stages = stages
        self.servers = list(servers)
        self.stop = threading.Event()
        self.gave_up: ModelUnavailable | None = None
        self.room = Room(stages.db.path.parent)
        self._crew, self._askers = Crew(), Crew()
        self._looking, self._writing = Line(), Line()
        self._desk = Desk(self.servers)
        self._held = Held(stages.db, lease_s=lease_s)
        self._guard = Guard(stages, self._held, self.room, stop=self.stop)
        self._asking = Asking(
            stages,
            self._desk,
            self._held,
            self._guard,
            stop=self.stop,
            pass_on=self._pass_on,
            may_go=lambda item: self._feed.may_go(item),
        )
        self._feed = Feed(
            stages,
            self.servers,
            self._held,
            self._desk,
            self._asking,
            self._looking,
            look_threads=look_threads,
            patient=patient,
            gate=gate,
            lease_s=lease_s,
        )
        self._spawn(look_threads)

    def _spawn(self, look_threads: int) -> None:
        for n in range(look_threads):
            self._crew.spawn(f"look-{n}", self._loop(self._looking, self._look))
        for server in self.servers:
            self._askers.spawn("health", lambda s=server: self._watch(s))  # type: ignore[misc]
            for n in range(server.most + min(server.most, MORE_THREADS)):
                self._askers.spawn(
                    f"ask-{n}",
                    lambda s=server: self._asking.serve(s),  # type: ignore[misc]
                )
        self._crew.spawn("write", self._loop(self._writing, self._write))

    @property
    def held(self) -> int:
        """How many photos are on their way now."""
        return len(self._held)

    @property
    def gate_says(self) -> Pass:
        """What the gate let through when it was last asked."""
        return self._feed.gate_says

    @property
    def problem(self) -> str | None:
        """Why nothing moves, if so."""
        problems = [group.problem for group in self._feed.groups.all]
        return self.room.problem or (problems[0] if all(problems) else None)

    def reports(self) -> tuple[ServerReport, ...]:
        """What stands with each server that photos may be sent to now."""
        return self._feed.reports()

    def waits(self) -> list[str]:
        """What photos there are that wait for a server, and for which, as sentences."""
        return self._feed.waits()

    def is_done(self, run_id: int) -> bool:
        """Whether a command's jobs are done, but for those that nobody can do.

        The latter are then what `gave_up` is about.
        """
        if self.held:
            return False
        is_left, gave_up = self._feed.rest(run_id)
        self.gave_up = gave_up or self.gave_up
        return not is_left

    def tick(self, *, run_id: int | None = None) -> None:
        """Take new jobs as there is room, keep leases, and pass on a thread's death."""
        self._crew.check()
        self._askers.check()
        try:
            # While there was no room, leases could not be renewed.
            self._held.renew(at_once=self.room.is_back())
            if not self.room.problem:
                self._feed.tick(run_id)
        except DataFull as error:
            self.room.is_out(error)

    def close(self) -> None:
        """Stop: finish writes under way, give every other job back."""
        self.stop.set()
        self._desk.close()
        self._crew.join(WRITE_GRACE_S)
        for server in self.servers:
            server.backend.close()
        # What a server may still say to those who wait for it, nobody holds any more.
        self._askers.join(HANG_UP_S)
        for item in self._held.every():
            self._guard(item, self._asking.give_back)

    def _loop(self, source: Line, step: Step) -> Callable[[], None]:
        def work() -> None:
            while not self.stop.is_set():
                try:
                    item = source.get(timeout=TICK_S)
                except queue.Empty:
                    continue
                self._guard(item, step)

        return work

    def _look(self, item: Item) -> None:
        if not self._feed.may_go(item):
            self._asking.give_back(item)  # the gate shut a moment ago
            return
        with item.timed("looking_s"):
            self._stages.look(item)
        item.ready_at = time.perf_counter()
        self._asking.ask_or_pass(item)

    def _pass_on(self, item: Item) -> None:
        self._held.is_asked(item)
        self._writing.put(item)

    def _write(self, item: Item) -> None:
        self._stages.write(item)
        self._held.let_go(item)

    def _watch(self, server: Slots) -> None:
        """Look at a server that is out now and then, if anybody could need it."""
        while not self.stop.wait(TICK_S):
            if server.name in self._feed.groups.needed:
                server.look()
