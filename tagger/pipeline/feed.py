"""Feed: which photos are taken from the queue, and when.

Only a small multiple of the places at the servers is taken ahead, which bounds memory
at any library size. What a person wants now is taken although all is full; edits need
no model, and wait for none. While the gate is shut, and where no server is left, photos
that were not asked about go back.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from tagger.errors import ModelUnavailable, shown
from tagger.pipeline.asking import Asking
from tagger.pipeline.desk import Desk
from tagger.pipeline.gate import Gate, Pass
from tagger.pipeline.groups import IDLE_S, Group, Groups, union
from tagger.pipeline.held import Held
from tagger.pipeline.line import Line, is_wanted_now
from tagger.pipeline.servers import Slots
from tagger.pipeline.stages import Item, Stages
from tagger.records import ServerReport
from tagger.sections import BUILTIN
from tagger.tracking import bindings, bound, jobs

log = logging.getLogger(__name__)

# How often it is seen to that the dead hold no photos.
INHERIT_S = 1.0
# Answers that wait to be written hold no pixels; this many may queue up.
WRITES_AHEAD = 64
EDITS_AT_ONCE = 8
CHOSEN_AT_ONCE = 4


class Feed:
    """Takes jobs for one flow; photos go into the line of those to be `looking` at.

    `patient` says that the flow waits for servers that are away.
    """

    def __init__(
        self,
        stages: Stages,
        servers: Sequence[Slots],
        held: Held,
        desk: Desk,
        asking: Asking,
        looking: Line,
        *,
        look_threads: int,
        patient: bool,
        gate: Gate | None,
        lease_s: float,
    ) -> None:
        self._stages = stages
        self._servers = servers
        self._held = held
        self._desk = desk
        self._asking = asking
        self._looking = looking
        self._look_ahead = 2 * look_threads
        self._patient = patient
        self._gate = gate
        self._lease_s = lease_s
        self._inherited = self._claim_now_at = self._edits_at = 0.0
        self.gate_says = Pass()
        self._left: int | None = None
        self.groups = Groups(servers)
        self._take_rules(bindings.read(stages.db))

    def may_go(self, item: Item) -> bool:
        """Whether the gate lets a photo pass that was taken before it was shut."""
        return self.gate_says.lets(item.job.folder_id) or is_wanted_now(item)

    def tick(self, run_id: int | None) -> None:
        """Take new jobs as there is room, and give back what has to wait."""
        self._inherit()
        self._read_rules()
        if self._patient:
            self._claim_edits()
        self._look_at_the_gate()
        if self.gate_says.takes_back or not self.gate_says.among.is_all:
            self._asking.give_back_waiting(lambda item: not self.may_go(item))
        for group in self.groups.all:
            if not group.problem:
                self._claim(group, run_id)
            elif self._patient or group.is_hopeless:
                self._asking.give_back_waiting(
                    lambda item, names=group.names: item.servers == names  # type: ignore[misc]
                )
        if run_id is None:
            self._claim_wanted_now()

    def _look_at_the_gate(self) -> None:
        """What is under way is counted first: an answer in between counts twice then,
        for a moment, and not never.
        """
        under_way = self._held.unasked.total()
        if self._gate is not None:
            self.gate_says = self._gate.look()
        room = self.gate_says.room
        self._left = None if room is None else room - under_way

    def reports(self) -> tuple[ServerReport, ...]:
        """What stands with each server that photos may be sent to now."""
        needed = self.groups.needed
        return tuple(s.report() for s in self._servers if s.name in needed)

    def waits(self) -> list[str]:
        """What photos there are that wait for a server, and for which, as sentences."""
        return [
            self.groups.sentence(group)
            for group in self.groups.all
            if group.problem
            and bound.next_due(self._stages.db, among=group.among) is not None
        ]

    def rest(self, run_id: int) -> tuple[bool, ModelUnavailable | None]:
        """Whether a command has jobs left that somebody can do; why not the others."""
        db, groups = self._stages.db, self.groups
        left = [group for group in groups.all if group.is_hopeless]
        able = [group for group in groups.all if group not in left]
        among = union(able, groups.rules)
        if bound.next_due(db, run_id=run_id, among=among) is not None:
            return True, None
        gave_up = None
        for group in left:
            if bound.next_due(db, run_id=run_id, among=group.among) is not None:
                gave_up = ModelUnavailable(groups.sentence(group))
        return False, gave_up

    def _inherit(self) -> None:
        """What a tagger that died beside us had taken is there for others at once."""
        if time.monotonic() - self._inherited > INHERIT_S:
            self._inherited = time.monotonic()
            if jobs.release_dead(self._stages.db):
                log.info("another tagger has ended; its photos are in the queue again")

    def _read_rules(self) -> None:
        """People may bind folders at any time; what waits goes by the new rules."""
        rules = bindings.read(self._stages.db)
        if rules == self.groups.rules:
            return
        self._take_rules(rules)
        for item in self._desk.take_all():
            names = bindings.narrowed(rules.of(item.job.path), item.job.asked_with)
            self._held.regroup(item, names)
            self._desk.put(item)

    def _take_rules(self, rules: bindings.Rules) -> None:
        self.groups.take_rules(rules)
        self._suit()

    def _suit(self) -> None:
        """Look at photos as the servers need them that may be asked."""
        needed = [s.backend for s in self._servers if s.name in self.groups.needed]
        sides = [backend.side_px for backend in needed]
        self._stages.side_px = max(sides, default=self._stages.side_px)
        self._stages.with_pixels = any(b.kind == BUILTIN for b in needed)

    def _claim(self, group: Group, run_id: int | None) -> None:
        room = min(
            self._ahead(group) - self._held.unasked[group.names],
            self._all_ahead - len(self._held),
        )
        if self._left is not None:
            room = min(room, self._left)
        if room <= 0 or not self.groups.is_due(group):
            return
        began = time.monotonic()
        claimed = jobs.claim(
            self._stages.db,
            limit=room,
            run_id=run_id,
            among=group.among.within(self.gate_says.among),
            newest_first=self._gate is not None and self._gate.newest_first,
            lease_s=self._lease_s,
        )
        if len(claimed) < room:
            self.groups.was_empty(group, time.monotonic() - began)
        if self._left is not None:
            self._left -= len(claimed)
        self._take(claimed)

    def _ahead(self, group: Group) -> int:
        return 2 * group.places + self._look_ahead

    @property
    def _all_ahead(self) -> int:
        return sum(self._ahead(group) for group in self.groups.all) + WRITES_AHEAD

    def _claim_edits(self) -> None:
        """They need no model: a full line, or servers that are away, hold up none."""
        if len(self._held) >= self._all_ahead or time.monotonic() < self._edits_at:
            return
        claimed = jobs.claim(
            self._stages.db,
            limit=EDITS_AT_ONCE,
            edits_only=True,
            lease_s=self._lease_s,
        )
        if len(claimed) < EDITS_AT_ONCE:
            self._edits_at = time.monotonic() + IDLE_S
        self._take(claimed)

    def _claim_wanted_now(self) -> None:
        """What a person wants now is taken although all is full, or the gate shut."""
        if self._gate is None or time.monotonic() < self._claim_now_at:
            return
        self._claim_now_at = time.monotonic() + IDLE_S
        if len(self._held) < self._all_ahead:
            self._claim_chosen()
        if self._held.hurry():
            self._looking.sort()
            self._desk.sort()
        for group in self.groups.all:
            limit = group.places - self._held.wanted_now(group.names)
            if limit > 0:
                claimed = jobs.claim(
                    self._stages.db,
                    limit=limit,
                    among=group.among,
                    only_now=True,
                    lease_s=self._lease_s,
                )
                self._take(claimed)

    def _claim_chosen(self) -> None:
        """One that works may be chosen where all others of a folder are out."""
        able = [server for server in self._servers if server.problem is None]
        claimed = jobs.claim(
            self._stages.db,
            limit=CHOSEN_AT_ONCE,
            only_now=True,
            asked_with=[server.name for server in able],
            lease_s=self._lease_s,
        )
        self._take(claimed)

    def _take(self, claimed: Sequence[jobs.Job]) -> None:
        for job in map(self._with_choice, claimed):
            names = self.groups.rules.of(job.path)
            item = Item(job, servers=bindings.narrowed(names, job.asked_with))
            self._held.take(item)
            self._looking.put(item)

    def _with_choice(self, job: jobs.Job) -> jobs.Job:
        """The job without the server chosen for it, if this flow has no such one.

        A command asks those that it was told to, and waits for none.
        """
        known = {server.name for server in self._servers}
        if job.asked_with is None:
            return job
        if not self._patient or job.asked_with not in known:
            log.warning(
                "%s: there is no server %s here; asking as usual",
                shown(job.path),
                job.asked_with,
            )
            return replace(job, asked_with=None)
        if job.asked_with not in self.groups.chosen:
            self.groups.chosen.add(job.asked_with)
            self._suit()
        return job
