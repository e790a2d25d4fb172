"""Figures: what was measured, and how near it came to its limit."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil

ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure; `ratio` is the share of the limit that was reached."""

    part: str
    name: str
    value: float
    unit: str
    limit_name: str
    limit: float

    @property
    def ratio(self) -> float:
        return self.value / self.limit if self.limit else 0.0


def cpu_s() -> float:
    """Processor seconds of this process and of every child it has or had."""
    times = os.times()
    # Its own to the nanosecond; the system counts those of others in ticks of 10 ms.
    spent_s = time.process_time() + times.children_user + times.children_system
    for child in psutil.Process().children(recursive=True):
        try:
            of_child = child.cpu_times()
        except psutil.NoSuchProcess:
            continue  # its time is among those of the ended ones by now
        spent_s += of_child.user + of_child.system
    return spent_s


def per_cpu_s(count: int, work: Callable[[], object]) -> float:
    """How many of `count` things a processor second would do."""
    began = cpu_s()
    work()
    return count / max(cpu_s() - began, 1e-6)


def per_s(count: int, work: Callable[[], object]) -> float:
    """How many of `count` things a second did."""
    began = time.perf_counter()
    work()
    return count / max(time.perf_counter() - began, 1e-9)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
