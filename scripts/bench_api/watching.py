"""Watching: what the app's process holds, second by second, and who takes the cores."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import psutil

SAMPLE_S = 1.0
ENDS_S = 20.0
MIB = 2**20


class Watch:
    """Samples of one process, and the processor time of it and its children."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._began_s = time.monotonic()
        self._spent = _spent(process)
        self._samples: list[tuple[float, float]] = []

    def look(self) -> None:
        at_s = time.monotonic() - self._began_s
        self._samples.append((at_s, self._process.memory_info().rss / MIB))

    def figures(self) -> dict[str, object]:
        lasted_s = time.monotonic() - self._began_s
        app_s, tagger_s = (
            after - before
            for after, before in zip(_spent(self._process), self._spent, strict=True)
        )
        return {
            "rss_mib": memory(self._samples),
            "app_percent_of_a_core": round(app_s / lasted_s * 100, 1),
            "tagger_percent_of_a_core": round(tagger_s / lasted_s * 100, 1),
        }


def memory(samples: Sequence[tuple[float, float]]) -> dict[str, float]:
    """How samples (second, MiB) begin, end and lean. In a short time, the ends meet."""
    seconds, held = np.array(samples).T
    ends_s = min(ENDS_S, seconds[-1] / 2)
    slope = np.polyfit(seconds, held, 1)[0] if len(held) > 2 else 0.0
    return {
        "first_mean": round(float(held[seconds <= ends_s].mean()), 1),
        "last_mean": round(float(held[seconds >= seconds[-1] - ends_s].mean()), 1),
        "max": round(float(held.max()), 1),
        "slope_a_minute": round(float(slope) * 60, 2),
        "mean_of_s": round(float(ends_s), 1),
    }


@contextmanager
def watched(process: psutil.Process) -> Iterator[Watch]:
    """Looks each second while the block runs."""
    watch, over = Watch(process), threading.Event()
    watch.look()

    def look() -> None:
        while not over.wait(SAMPLE_S):
            watch.look()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()
        watch.look()


def _spent(process: psutil.Process) -> tuple[float, float]:
    """The processor seconds of a process, and of all those below it."""
    below_s = 0.0
    for child in process.children(recursive=True):
        try:
            below_s += _seconds(child)
        except psutil.NoSuchProcess:
            continue  # ended just now; what it took goes to its parent
    return _seconds(process), below_s


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
