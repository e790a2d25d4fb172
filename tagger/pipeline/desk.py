"""Desk: photos that wait to be asked about, and which server gets which.

All servers take from one line, each as it has a place, so a slow one never holds up a
fast one. Five things stand before first come, first served: what a person wants now
goes ahead; a photo goes to no server that its folder is not bound to; to one that
failed on it only if there is no other; to the free server of the greatest weight; and
one that failed repeatedly is asked about alone, so that it can take no neighbour along,
and its failure is its own.
"""

import threading
import time
from collections.abc import Callable, Sequence

from tagger.pipeline.line import is_wanted_now
from tagger.pipeline.servers import Ask, Slots
from tagger.pipeline.stages import Item


class Desk:
    """The line, and the threads that wait at it for their servers."""

    def __init__(self, servers: Sequence[Slots]) -> None:
        self._servers = servers
        self._lock = threading.Lock()
        self._line: list[Item] = []
        self._bell = {server: threading.Condition(self._lock) for server in servers}
        self._waiting = dict.fromkeys(servers, 0)
        for server in servers:
            server.on_change = self.look_again

    def put(self, item: Item, *, first: bool = False) -> None:
        """Let a photo wait; one handed on by a server that failed goes `first`."""
        with self._lock:
            self._line.insert(self._place(item, first=first), item)
            free = [s for s in self._servers if self._could(s, item)]
            if free:
                self._bell[max(free, key=lambda s: s.backend.weight)].notify()

    def take(self, server: Slots, timeout_s: float) -> tuple[Item, Ask] | None:
        """A photo for a place at a server, which is taken with it; None: there is none.

        The place is left with `Slots.leave_place`.
        """
        ends = time.monotonic() + timeout_s
        with self._lock:
            while True:
                if (item := self._next(server)) is not None:
                    self._line.remove(item)
                    return item, server.take_place(alone=item.is_suspect)
                rest_s = ends - time.monotonic()
                if rest_s <= 0:
                    return None
                self._waiting[server] += 1
                try:
                    self._bell[server].wait(rest_s)
                finally:
                    self._waiting[server] -= 1

    def sort(self) -> None:
        """Some came to be wanted now while they waited."""
        with self._lock:
            self._line.sort(key=lambda item: not is_wanted_now(item))

    def take_all(self, which: Callable[[Item], bool] = lambda item: True) -> list[Item]:
        """Take photos out of the line without asking about them."""
        with self._lock:
            taken = [item for item in self._line if which(item)]
            self._line = [item for item in self._line if not which(item)]
        return taken

    def has_another(self, item: Item) -> bool:
        """Whether a server that works may have the photo, and has not failed on it."""
        return any(
            server.problem is None
            and server.may_have(item)
            and server.name not in item.failed_at
            for server in self._servers
        )

    def look_again(self) -> None:
        """Something changed for a server: a place, or whether it answers."""
        with self._lock:
            for server, bell in self._bell.items():
                if self._waiting[server] and server.has_place and self._line:
                    bell.notify()

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._lock:
            for bell in self._bell.values():
                bell.notify_all()

    def _place(self, item: Item, *, first: bool) -> int:
        urgent = sum(is_wanted_now(other) for other in self._line)
        if is_wanted_now(item):
            return 0 if first else urgent
        return urgent if first else len(self._line)

    def _next(self, server: Slots) -> Item | None:
        if not server.has_place:
            return None
        lacks = True
        for item in self._line:
            if not server.may_have(item):
                continue
            lacks = False
            if self._is_for_another(server, item):
                continue
            if item.is_suspect and server.busy:
                return None  # it gets no more until it has none
            return item
        if lacks:
            server.lacks_work()
        return None

    def _is_for_another(self, server: Slots, item: Item) -> bool:
        """Whether a server that suits the photo better takes it at once, or soon."""
        able = [s for s in self._servers if s.problem is None and s.may_have(item)]
        able = [s for s in able if s.name not in item.failed_at] or able
        if server not in able:
            return True
        if item.is_suspect:
            # One server is emptied for it, not all: the one with the least to finish.
            return min(able, key=lambda s: s.busy) is not server
        return any(
            other.backend.weight > server.backend.weight and self._could(other, item)
            for other in able
        )

    def _could(self, server: Slots, item: Item) -> bool:
        """Whether a thread waits to take it, and would find a place."""
        return bool(
            self._waiting[server] and server.has_place and server.may_have(item)
        )
