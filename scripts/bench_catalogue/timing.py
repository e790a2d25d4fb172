"""Timing: how long calls take, and how much memory this process holds meanwhile."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import psutil

SAMPLE_S = 0.01

Figures = dict[str, float]


def percentile(values: Iterable[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(times_s: list[float]) -> Figures:
    """The figures shown of many calls, in milliseconds."""
    return {
        "calls": len(times_s),
        "p50_ms": round(percentile(times_s, 0.5) * 1000, 2),
        "p95_ms": round(percentile(times_s, 0.95) * 1000, 2),
        "max_ms": round(max(times_s) * 1000, 2),
    }


def timed(calls: Iterable[Callable[[], object]]) -> list[float]:
    """The seconds each call takes."""
    return [seconds(call) for call in calls]


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


class Memory:
    """The resident memory of this process: at the start, and at most."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.before = self.peak = self.now()

    def now(self) -> int:
        return int(self._process.memory_info().rss)

    @property
    def growth_mib(self) -> float:
        return round((self.peak - self.before) / 2**20, 1)

    def look(self) -> None:
        self.peak = max(self.peak, self.now())


@contextmanager
def watched_memory() -> Iterator[Memory]:
    """Looks at the memory all the time while the block runs."""
    memory, over = Memory(), threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLE_S):
            memory.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        memory.look()
        over.set()
        thread.join()
