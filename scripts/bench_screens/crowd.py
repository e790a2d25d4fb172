"""Crowd: many visitors at once, idle and then at work, and what the server takes."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
from playwright.sync_api import Browser, Page

from scripts.bench_screens.place import App
from scripts.bench_screens.visits import visitor

IDLE_S = 60.0
PAUSE_S = 3.0
SCREENS = ("", "gallery", "search?q=dog", "folders", "gallery?tag=cat", "search")
MIB = 2**20


def measure(
    browser: Browser, app: App, *, visitors: int, minutes: float
) -> dict[str, object]:
    """The share of a core while nobody does anything, and memory over time of use."""
    with ExitStack() as stack:
        pages = [stack.enter_context(visitor(browser)) for _ in range(visitors)]
        for number, page in enumerate(pages):
            page.goto(f"{app.url}/{SCREENS[number % len(SCREENS)]}")
        time.sleep(10.0)
        idle = _share(app.process, IDLE_S)
        memory = list(_used(app.process, pages, minutes))
    return {
        "visitors": visitors,
        "idle_percent_of_a_core": round(idle * 100, 1),
        "minutes_of_use": minutes,
        "rss_mib": {"first": memory[0], "max": max(memory), "last": memory[-1]},
    }


def _share(process: psutil.Process, seconds: float) -> float:
    before, began = _spent(process), time.monotonic()
    time.sleep(seconds)
    return (_spent(process) - before) / (time.monotonic() - began)


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _used(
    process: psutil.Process, pages: list[Page], minutes: float
) -> Iterator[float]:
    """The memory after each visit of somebody to some screen."""
    dice, ends = random.Random(4), time.monotonic() + minutes * 60
    while True:
        yield round(process.memory_info().rss / MIB, 1)
        if time.monotonic() > ends:
            return
        page = dice.choice(pages)
        url = "/".join(page.url.split("/")[:3])
        page.goto(f"{url}/{dice.choice(SCREENS)}")
        time.sleep(PAUSE_S / 2)
        page.mouse.wheel(0, 2_000)
        time.sleep(PAUSE_S / 2)
