"""Groups: photos that go by the same servers, each group with a line of its own.

A group whose servers are all out, or slow, must not fill the few places ahead that all
photos share; so each has as many as its own servers can use.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tagger.errors import shown
from tagger.pipeline.servers import Slots
from tagger.tracking.bindings import Among, Names, Rules

# How long an empty queue is left alone; one that took long to look through, longer.
IDLE_S = 0.4
IDLE_TIMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The photos bound to the same `names`; None: those bound to none."""

    names: Names | None
    among: Among
    servers: tuple[Slots, ...]

    @property
    def places(self) -> int:
        """How many photos its servers can have now."""
        return sum(server.places for server in self.servers if not server.problem)

    @property
    def problem(self) -> str | None:
        """Why none of its photos can be asked about, if so."""
        problems = [server.problem for server in self.servers]
        if not self.servers:
            return f"there is no server called {' or '.join(sorted(self.names or ()))}"
        return problems[0] if all(problems) else None

    @property
    def is_hopeless(self) -> bool:
        return all(server.is_hopeless for server in self.servers)


class Groups:
    """The groups by the rules as they were read last, and when each is served next.

    `chosen` are the names of servers that somebody chose for a photo.
    """

    def __init__(self, servers: Sequence[Slots]) -> None:
        self._servers = servers
        self.chosen: set[str] = set()
        self._named: set[str] = set()
        self._claim_at: dict[Names | None, float] = {}
        self.rules = Rules()
        self.all: tuple[Group, ...] = ()
        self.take_rules(self.rules)

    def take_rules(self, rules: Rules) -> None:
        if self.all and rules == self.rules:
            return
        self.rules = rules
        bound = [
            Group(names=names, among=Among(only=ids), servers=self._of(names))
            for names, ids in rules.groups.items()
        ]
        rest = Group(names=None, among=Among(but=rules.bound), servers=self._of(None))
        self.all = (rest, *bound)
        self._named = {server.name for group in self.all for server in group.servers}

    @property
    def needed(self) -> set[str]:
        """The names of the servers that some photo may be sent to."""
        return self._named | self.chosen

    def sentence(self, group: Group) -> str:
        """Why the photos of a group wait, for people."""
        problem = group.problem or "there is no server for them"
        if group.names is None:
            return problem
        paths = [rule.path for rule in self.rules.rules if {*rule.names} == group.names]
        folder = shown(paths[0]) if paths else "a folder"
        return f"{folder} is bound to {' or '.join(sorted(group.names))}: {problem}"

    def is_due(self, group: Group) -> bool:
        return time.monotonic() >= self._claim_at.get(group.names, 0.0)

    def was_empty(self, group: Group, took_s: float) -> None:
        """There was less to take than wanted: leave the queue alone for a while."""
        pause_s = max(IDLE_S, took_s * IDLE_TIMES)
        self._claim_at[group.names] = time.monotonic() + pause_s

    def _of(self, names: Names | None) -> tuple[Slots, ...]:
        return tuple(
            server
            for server in self._servers
            if (server.is_open if names is None else server.name in names)
        )


def union(groups: Sequence[Group], rules: Rules) -> Among:
    """The folders of these groups together."""
    ids = frozenset[int]().union(*(g.among.only or frozenset() for g in groups))
    if any(group.names is None for group in groups):
        return Among(but=rules.bound - ids)
    return Among(only=ids)
