"""Tries: how often somebody may give a wrong password before they have to wait.

Counted by address, and, more patiently, by name, so that neither many names from one
place nor one name from many places can be tried for long. Of IPv6 whoever has one
address has 2^64, so those that begin alike are counted together, as patiently. Whoever
was in by that name from that address waits for no tries of others. A try counts from
its beginning, so that a thousand at once are not a thousand. What is remembered is
bounded.
"""

import threading
import time
from collections import OrderedDict, deque
from ipaddress import IPv6Address, ip_address

WINDOW_S = 15 * 60.0
MOST_FROM_ADDRESS, MOST_FOR_NAME, MOST_FROM_NETWORK = 10, 50, 50
MOST_REMEMBERED = 20_000

_Key = tuple[str, str]


class Tries:
    """Failed tries of the last quarter of an hour, by address and by name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, deque[float]] = OrderedDict()
        self._were_in: OrderedDict[_Key, None] = OrderedDict()

    @property
    def size(self) -> int:
        """How many addresses and names are remembered."""
        return len(self._known)

    def begin(self, address: str, name: str) -> float:
        """Count a try. The seconds to wait before another one; 0 lets this one pass."""
        now = time.monotonic()
        with self._lock:
            limits = self._limits(address, name)
            waits = [self._wait(key, most, now) for key, most in limits]
            if not any(waits):
                for key, _ in limits:
                    self._note(key, now)
            return max(waits)

    def forgive(self, address: str, name: str) -> None:
        """The try was a good one: it counts for nothing, nor do those before it."""
        with self._lock:
            for key, _ in self._limits(address, name)[1:]:
                if times := self._known.get(key):
                    times.pop()
            self._known.pop(("address", address), None)
            self._were_in[address, name] = None
            self._were_in.move_to_end((address, name))
            while len(self._were_in) > MOST_REMEMBERED:
                self._were_in.popitem(last=False)

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._known.clear()
            self._were_in.clear()

    def _limits(self, address: str, name: str) -> list[tuple[_Key, int]]:
        """What a try counts for, and how many of these there may be."""
        limits = [(("address", address), MOST_FROM_ADDRESS)]
        if (address, name) in self._were_in:
            return limits
        if network := _network(address):
            limits.append((("network", network), MOST_FROM_NETWORK))
        return [*limits, (("name", name), MOST_FOR_NAME)]

    def _wait(self, key: _Key, most: int, now: float) -> float:
        times = self._known.get(key)
        if times is None:
            return 0.0
        while times and now - times[0] >= WINDOW_S:
            times.popleft()
        return WINDOW_S - (now - times[0]) if len(times) >= most else 0.0

    def _note(self, key: _Key, now: float) -> None:
        self._known.setdefault(key, deque()).append(now)
        self._known.move_to_end(key)
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)


def _network(address: str) -> str:
    """How an IPv6 address begins; of others, nothing."""
    try:
        known = ip_address(address)
    except ValueError:
        return ""
    if not isinstance(known, IPv6Address) or known.ipv4_mapped is not None:
        return ""
    return known.exploded[:19]
