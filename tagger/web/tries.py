"""Tries: how often somebody may give a wrong password before they have to wait.

Counted by address, and, more patiently, by name, so that neither many names from one
place nor one name from many places can be tried for long. A try counts from its
beginning, so that a thousand at once are not a thousand. What is remembered is bounded.
"""

import threading
import time
from collections import OrderedDict, deque

WINDOW_S = 15 * 60.0
MOST_FROM_ADDRESS, MOST_FOR_NAME = 10, 50
MOST_REMEMBERED = 20_000


class Tries:
    """Failed tries of the last quarter of an hour, by address and by name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    @property
    def size(self) -> int:
        """How many addresses and names are remembered."""
        return len(self._known)

    def begin(self, address: str, name: str) -> float:
        """Count a try. The seconds to wait before another one; 0 lets this one pass."""
        now = time.monotonic()
        limits = (
            (("address", address), MOST_FROM_ADDRESS),
            (("name", name), MOST_FOR_NAME),
        )
        with self._lock:
            waits = [self._wait(key, most, now) for key, most in limits]
            if not any(waits):
                for key, _ in limits:
                    self._note(key, now)
            return max(waits)

    def forgive(self, address: str, name: str) -> None:
        """The try was a good one: it counts for nothing, nor do those before it."""
        with self._lock:
            self._known.pop(("address", address), None)
            if times := self._known.get(("name", name)):
                times.pop()

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._known.clear()

    def _wait(self, key: tuple[str, str], most: int, now: float) -> float:
        times = self._known.get(key)
        if times is None:
            return 0.0
        while times and now - times[0] >= WINDOW_S:
            times.popleft()
        return WINDOW_S - (now - times[0]) if len(times) >= most else 0.0

    def _note(self, key: tuple[str, str], now: float) -> None:
        self._known.setdefault(key, deque()).append(now)
        self._known.move_to_end(key)
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
