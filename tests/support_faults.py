"""A pool of three model servers, each bad in its own way, as one run may meet them.

    with Pool(delay_s=0.2) as servers:
        ... ask servers.settings ...

One is killed and comes back, one answers 500 and nonsense now and then, one hangs.
"""

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from tests.ollama_double import Fault, OllamaDouble
from tests.support_pipeline import number_in, reads_number

SLOTS = 4
TIMEOUT_S = 5.0
NAMES = ("dying", "erring", "hanging")


class Faulty(OllamaDouble):
    """A double that gives every so-many-th question a fault instead of an answer."""

    def __init__(self, every: Mapping[int, Fault], **options: Any) -> None:
        super().__init__(reads_number, **options)
        self._every = every
        self._turns = 0
        self._turn_lock = threading.Lock()
        self.faulty_at: list[float] = []

    def take_slot(self) -> Fault | None:
        with self._turn_lock:
            self._turns += 1
            due = [f for n, f in self._every.items() if self._turns % n == 0]
            if due:
                self.faulty_at.append(time.monotonic())
                self.faults += 1
                return due[0]
        return super().take_slot()


class Pool:
    """The three. Those that were killed stay known, with all they were asked."""

    def __init__(self, *, delay_s: float, slots: int = SLOTS) -> None:
        self._stack = ExitStack()
        self._options = {"delay_s": delay_s, "slots": slots}
        self.dying = Faulty({}, **self._options)
        self.erring = Faulty(
            {10: Fault(500), 15: Fault(how="garbage")}, **self._options
        )
        self.hanging = Faulty({40: Fault(how="hang")}, **self._options)
        self.dead: list[Faulty] = []
        self.away: list[tuple[float, float]] = []

    def __enter__(self) -> "Pool":
        for server in (self.dying, self.erring, self.hanging):
            self._stack.enter_context(server)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def settings(self) -> list[dict[str, object]]:
        """The `[[servers]]` of a configuration."""
        servers = (self.dying, self.erring, self.hanging)
        return [
            {"name": n, "url": s.url, "parallel": SLOTS, "timeout_s": TIMEOUT_S}
            for n, s in zip(NAMES, servers, strict=True)
        ]

    @property
    def every(self) -> list[Faulty]:
        return [self.dying, self.erring, self.hanging, *self.dead]

    @property
    def answered(self) -> int:
        return sum(len(server.asked) for server in self.every)

    def questions(self) -> list[tuple[float, int]]:
        """When each question that was answered came in, and about which photo."""
        return sorted(
            (asked.began_s, number_in(asked.image))
            for server in self.every
            for asked in server.asked
        )

    def kill(self, *, away_s: float) -> None:
        """One server dies with all it was asked, and comes back after a while."""
        began_s, port = time.monotonic(), int(self.dying.url.rsplit(":", 1)[1])
        self.dying.hang_up()
        self.dead.append(self.dying)
        time.sleep(away_s)
        self.dying = self._stack.enter_context(Faulty({}, port=port, **self._options))
        self.away.append((began_s, time.monotonic()))
