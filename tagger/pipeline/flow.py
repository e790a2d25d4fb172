"""Flow: photos through the stages, so that model servers never wait for us.

    feed ─▶ look threads ─▶ desk ─▶ threads for the places at servers ─▶ write thread

All places take from one desk, so a slow server never holds up a fast one. Only a small
multiple of the places is decoded ahead, which bounds memory at any library size.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from tagger.config import BUILTIN
from tagger.errors import (
    DataFull,
    ExiftoolUnavailable,
    ImageError,
    ModelBusy,
    ModelUnavailable,
    ServerFails,
    shown,
)
from tagger.pipeline import failing
from tagger.pipeline.crew import Crew
from tagger.pipeline.desk import Desk
from tagger.pipeline.groups import Group, Groups, union
from tagger.pipeline.inflight import InFlight
from tagger.pipeline.room import Room
from tagger.pipeline.servers import Ask, Slots
from tagger.pipeline.stages import Item, Stages
from tagger.records import Answer, ServerReport
from tagger.tracking import bindings, bound, jobs, returns
from tagger.tracking.bindings import Names

log = logging.getLogger(__name__)

TICK_S = 0.1
WAIT_S = 0.5
# Leases are renewed four times in their life.
RENEWALS = 4
# How often it is seen to that the dead hold no photos.
INHERIT_S = 1.0
# Threads beyond the places of a server: while one puts down its answer, which may wait
# for the disk, another one is asking already.
MORE_THREADS = 8
# Answers that wait to be written hold no pixels; this many may queue up.
WRITES_AHEAD = 64
# How long a stop waits for a write under way, and for servers to hang up.
WRITE_GRACE_S = 4.0
HANG_UP_S = 1.0

Step = Callable[[Item], None]


class _HandedOn(Exception):
    """The photo is at the desk again, and is still the one that leads its picture."""


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
        lease_s: float = jobs.LEASE_S,
    ) -> None:
        self._stages = stages
        self.servers = list(servers)
        self._patient = patient
        self._lease_s = lease_s
        self.stop = threading.Event()
        self.gave_up: ModelUnavailable | None = None
        self.room = Room(stages.db.path.parent)
        self._crew, self._askers = Crew(), Crew()
        self._looking: queue.Queue[Item] = queue.Queue()
        self._desk = Desk(self.servers)
        self._writing: queue.Queue[Item] = queue.Queue()
        self._pictures = InFlight()
        self._groups = Groups(self.servers)
        self._take_rules(bindings.read(stages.db))
        self._held: dict[int, Item] = {}
        self._held_lock = threading.Lock()
        self._renewed = time.time()
        self._inherited = 0.0
        self._look_ahead = 2 * look_threads
        for n in range(look_threads):
            self._crew.spawn(f"look-{n}", self._loop(self._looking, self._look))
        for server in self.servers:
            self._askers.spawn("health", lambda s=server: self._watch(s))  # type: ignore[misc]
            for n in range(server.most + min(server.most, MORE_THREADS)):
                self._askers.spawn(f"ask-{n}", lambda s=server: self._serve(s))  # type: ignore[misc]
        self._crew.spawn("write", self._loop(self._writing, self._write))

    @property
    def held(self) -> int:
        """How many photos are on their way now."""
        return len(self._held)

    @property
    def problem(self) -> str | None:
        """Why nothing moves, if so."""
        problems = [group.problem for group in self._groups.all]
        return self.room.problem or (problems[0] if all(problems) else None)

    def reports(self) -> tuple[ServerReport, ...]:
        """What stands with each server that photos may be sent to now."""
        needed = self._groups.needed
        return tuple(s.report() for s in self.servers if s.name in needed)

    def waits(self) -> list[str]:
        """What photos there are that wait for a server, and for which, as sentences."""
        return [
            self._groups.sentence(group)
            for group in self._groups.all
            if group.problem
            and bound.next_due(self._stages.db, among=group.among) is not None
        ]

    def is_done(self, run_id: int) -> bool:
        """Whether a command's jobs are done, but for those that nobody can do.

        The latter are then what `gave_up` is about.
        """
        if self.held:
            return False
        db, groups = self._stages.db, self._groups
        left = [group for group in groups.all if group.is_hopeless]
        able = [group for group in groups.all if group not in left]
        rest = union(able, groups.rules)
        if bound.next_due(db, run_id=run_id, among=rest) is not None:
            return False
        for group in left:
            if bound.next_due(db, run_id=run_id, among=group.among) is not None:
                self.gave_up = ModelUnavailable(groups.sentence(group))
        return True

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
            self._inherit()
            self._read_rules()
            for group in self._groups.all:
                if not group.problem:
                    self._claim(group, run_id)
                elif self._patient or group.is_hopeless:
                    self._give_back_unasked(group)
        except DataFull as error:
            self.room.is_out(error)

    def _renew(self) -> None:
        # By the wall clock, as leases are: a laptop that slept renews before it takes
        # new jobs, which else could be its own, run out meanwhile.
        if abs(time.time() - self._renewed) > self._lease_s / RENEWALS:
            with self._held_lock:
                mine = [item.job for item in self._held.values()]
            jobs.renew(self._stages.db, mine, lease_s=self._lease_s)
            self._renewed = time.time()

    def _inherit(self) -> None:
        """What a tagger that died beside us had taken is there for others at once."""
        if time.monotonic() - self._inherited > INHERIT_S:
            self._inherited = time.monotonic()
            if jobs.release_dead(self._stages.db):
                log.info("another tagger has ended; its photos are in the queue again")

    def _read_rules(self) -> None:
        """People may bind folders at any time; what waits goes by the new rules."""
        rules = bindings.read(self._stages.db)
        if rules == self._groups.rules:
            return
        self._take_rules(rules)
        for item in self._desk.take_all():
            self._regroup(item, rules.of(item.job.path))
            self._desk.put(item)

    def _take_rules(self, rules: bindings.Rules) -> None:
        self._groups.take_rules(rules)
        needed = [s.backend for s in self.servers if s.name in self._groups.needed]
        sides = [backend.side_px for backend in needed]
        self._stages.side_px = max(sides, default=self._stages.side_px)
        self._stages.with_pixels = any(b.kind == BUILTIN for b in needed)

    def _claim(self, group: Group, run_id: int | None) -> None:
        ahead = 2 * group.places + self._look_ahead
        all_ahead = sum(2 * g.places + self._look_ahead for g in self._groups.all)
        room = min(
            ahead - self._groups.unasked[group.names],
            all_ahead + WRITES_AHEAD - self.held,
        )
        if room <= 0 or not self._groups.is_due(group):
            return
        began = time.monotonic()
        claimed = jobs.claim(
            self._stages.db,
            limit=room,
            run_id=run_id,
            among=group.among,
            lease_s=self._lease_s,
        )
        if len(claimed) < room:
            self._groups.was_empty(group, time.monotonic() - began)
        for job in claimed:
            self._take(Item(job))

    def _take(self, item: Item) -> None:
        item.servers = self._groups.rules.of(item.job.path)
        with self._held_lock:
            self._held[item.job.id] = item
            self._groups.unasked[item.servers] += 1
        self._looking.put(item)

    def _regroup(self, item: Item, names: Names | None) -> None:
        with self._held_lock:
            if item.unasked:
                self._groups.unasked[item.servers] -= 1
                self._groups.unasked[names] += 1
            item.servers = names

    def _give_back_unasked(self, group: Group) -> None:
        """No server answers: leave the photos to a tagger that may have another one."""
        for item in self._desk.take_all(lambda item: item.servers == group.names):
            followers = self._pictures.settle(item)
            self._guarded(item, self._give_back)
            for follower in followers:
                # It may be of another folder, whose servers are there.
                self._guarded(follower, self._ask_or_pass)

    def _give_back(self, item: Item) -> None:
        returns.put_back(self._stages.db, item.job, server_failures=item.failures)
        self._let_go(item)

    def close(self) -> None:
        """Stop: finish writes under way, give every other job back."""
        self.stop.set()
        self._desk.close()
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
        if self._stages.use_known(item):
            self._pass_on(item)
        elif self._pictures.lead(item):
            self._desk.put(item)

    def _pass_on(self, item: Item) -> None:
        self._count_asked(item)
        self._writing.put(item)

    def _write(self, item: Item) -> None:
        self._stages.write(item)
        self._let_go(item)

    def _watch(self, server: Slots) -> None:
        """Look at a server that is out now and then, if anybody could need it."""
        while not self.stop.wait(TICK_S):
            if server.name in self._groups.needed:
                server.look()

    def _serve(self, server: Slots) -> None:
        """One place at one server: take what is next, ask, record."""
        while not self.stop.is_set():
            if taken := self._desk.take(server, WAIT_S):
                self._ask_leading(server, *taken)

    def _ask_leading(self, server: Slots, item: Item, ask: Ask) -> None:
        """Ask for one photo, then let those with the same picture go on as well."""
        try:
            self._guarded(item, lambda i: self._ask(server, i, ask))
        except _HandedOn:
            return
        finally:
            server.leave_place(ask)
        for follower in self._pictures.settle(item):
            # If this question failed, the first of them leads the next one.
            self._guarded(follower, self._ask_or_pass)

    def _ask(self, server: Slots, item: Item, ask: Ask) -> None:
        # An answer that could not be recorded, for want of room, is not asked again;
        # nor is one that came in since the photo was looked at.
        if item.answer is None and self._stages.use_known(item):
            self._pass_on(item)
            return
        if item.answer is None:
            self._check_allowed(server, item)
            item.answer = self._answer(server, item, ask)
        self._stages.answered(item, item.answer)
        self._pass_on(item)

    def _check_allowed(self, server: Slots, item: Item) -> None:
        """Right before a photo leaves: its folder may have been bound meanwhile."""
        names = bindings.allowed(self._stages.db, item.job.path)
        if names == item.servers:
            return
        self._regroup(item, names)
        if not server.may_have(item):
            self._desk.put(item, first=True)
            raise _HandedOn

    def _answer(self, server: Slots, item: Item, ask: Ask) -> Answer:
        assert item.picture is not None
        try:
            answer = server.backend.describe(item.picture, item.job.path)
        except ModelUnavailable as error:
            if not self.stop.is_set():
                self._hand_on(server, item, ask, error)
            raise
        server.succeeded()
        server.leave_place(ask)  # the next photo need not wait for the disk
        return answer

    def _hand_on(
        self, server: Slots, item: Item, ask: Ask, error: ModelUnavailable
    ) -> None:
        """A photo got no answer: give it to another server at once, if there is one.

        Raises `ServerFails` if it is its own fault and nobody else is to be asked.
        """
        if isinstance(error, ModelBusy):
            server.failed(ask, error)
            self._desk.put(item, first=True)
            raise _HandedOn
        item.failed_at.add(server.name)
        goes_on = failing.may_fail_again(item) and self._desk.has_another(item)
        if goes_on:
            self._desk.put(item, first=True)
        is_its_fault = server.failed(ask, error)
        item.failures += is_its_fault
        if goes_on:
            raise _HandedOn
        if is_its_fault:
            raise ServerFails(item.job.path, str(error)) from error

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
                self._groups.unasked[item.servers] -= 1
