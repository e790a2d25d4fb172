"""Arriving: photos taken in, and what reading costs while they come."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from scripts.bench_catalogue import asking, library
from scripts.bench_catalogue.asking import Question
from scripts.bench_catalogue.feeding import RATE
from scripts.bench_catalogue.library import Library
from scripts.bench_catalogue.timing import Figures, spread, timed
from tagger.catalogue import questions
from tagger.catalogue.questions import Wanted
from tagger.catalogue.store import Catalogue
from tagger.config import Config
from tagger.tracking.database import Database
from tagger.web.intaker import Intaker
from tagger.web.promptness import take_short_turns
from tagger.web.runtime import Runtime

LARGEST_BULK = 20_000
PAUSE_S = 0.03
MARKERS = 5


def measure(
    catalogue: Catalogue, source: Library, *, for_s: float
) -> dict[str, object]:
    """Intake, the time until a result is found, and reads idle and busy."""
    with Database.open(library.database(source.data)) as db:
        runtime = Runtime(Config(), db, catalogue)
        take_short_turns()
        runtime.take()
        asked = asking.questions_of(catalogue, 100, seed=9)
        idle = _reads(catalogue, asked, for_s)
        bulk = min(LARGEST_BULK, source.count // 10)
        source.add(bulk)
        spent_s = time.process_time()
        alone_s = timed([runtime.take])[0]
        spent_s = time.process_time() - spent_s
        with _intaker(runtime):
            found = _until_found(catalogue, source)
            with _stream(source):
                streaming = _reads(catalogue, asked, for_s)
        full, busy_rate = _while_taking(runtime, source, asked, 3 * bulk)
    return {
        "intake": {
            "results": bulk,
            "results_per_s": round(bulk / alone_s),
            "cpu_us_a_result": round(spent_s / bulk * 1e6),
        },
        "findable_s": found,
        "reads": {
            "idle": idle,
            f"at_{RATE}_a_second": streaming,
            "at_full_intake": full,
            "intake_meanwhile_per_s": busy_rate,
        },
    }


def _until_found(catalogue: Catalogue, source: Library) -> Figures:
    took = []
    for number in range(MARKERS):
        word = f"qqmarker{number}x{time.time_ns()}"
        source.add(1, marker=word)
        began = time.perf_counter()
        while not questions.page(catalogue, Wanted(query=word)).total:
            time.sleep(0.01)
        took.append(time.perf_counter() - began)
    return {"median": round(sorted(took)[MARKERS // 2], 2), "max": round(max(took), 2)}


def _reads(
    catalogue: Catalogue,
    asked: list[Question],
    for_s: float,
    over: Callable[[], bool] = bool,
) -> dict[str, object]:
    """Reads of each kind in turn, with the pauses of one who looks at them."""
    kinds: dict[str, list[float]] = {"search": [], "facets": [], "page": []}
    ends = time.monotonic() + for_s
    for number in count():
        if number and (time.monotonic() > ends or over()):
            break
        one = asked[number % len(asked)]
        calls: dict[str, Callable[[], object]] = {
            "search": lambda one=one: asking.search(catalogue, one),
            "facets": lambda one=one: asking.facet(catalogue, one),
            "page": lambda: questions.page(catalogue, Wanted(sort="newest")),
        }
        for kind, call in calls.items():
            kinds[kind] += timed([call])
            time.sleep(PAUSE_S)
    every = [took for times in kinds.values() for took in times]
    return {**spread(every), **{kind: spread(times) for kind, times in kinds.items()}}


@contextmanager
def _intaker(runtime: Runtime) -> Iterator[None]:
    intaker = Intaker(runtime)
    intaker.start()
    try:
        yield
    finally:
        intaker.stop()


@contextmanager
def _stream(source: Library) -> Iterator[None]:
    """Results that come in one by one, from a process of its own like the tagger."""
    folder = source.data.parent
    with subprocess.Popen(
        [sys.executable, "-m", "scripts.bench_catalogue.feeding", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as feeder:
        assert feeder.stdin is not None
        assert feeder.stdout is not None
        feeder.stdout.readline()
        try:
            yield
        finally:
            feeder.stdin.close()
            source.count = int(feeder.stdout.readline())


def _while_taking(
    runtime: Runtime, source: Library, asked: list[Question], photos: int
) -> tuple[dict[str, object], int]:
    source.add(photos)
    took: list[float] = []
    thread = threading.Thread(target=lambda: took.extend(timed([runtime.take])))
    thread.start()
    reads = _reads(runtime.catalogue, asked, 120.0, over=lambda: not thread.is_alive())
    thread.join()
    return reads, round(photos / took[0])
