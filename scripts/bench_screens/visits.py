"""Visits: what a person waits for, from the click until it is painted.

Each figure is the median of several tries in a browser that has not seen the page.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from scripts.bench_catalogue.timing import Figures, spread
from scripts.bench_screens import place

TRIES = 7
WIDTH_PX, HEIGHT_PX = 1440, 900
# Words begun after `dog `: each finds fewer photos than that alone.
BEGUN = ("ca", "su", "br", "wi", "st", "fo", "ga")

# Whether every picture in the window is there; at least one has to be.
_PAINTED = """() => {
  const all = [...document.querySelectorAll("*")].flatMap(
    (one) => one.shadowRoot ? [...one.shadowRoot.querySelectorAll(".wall img")] : []);
  const walls = [...document.querySelectorAll(".wall img"), ...all];
  const seen = walls.filter((img) => {
    const box = img.getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight && box.width > 0;
  });
  return seen.length > 0 && seen.every((img) => img.complete && img.naturalWidth > 0);
}"""
# The addresses of the pictures a wall begins with.
_FIRST = """() => {
  const all = [...document.querySelectorAll("*")].flatMap(
    (one) => one.shadowRoot ? [...one.shadowRoot.querySelectorAll(".wall img")] : []);
  const walls = [...document.querySelectorAll(".wall img"), ...all];
  return walls.slice(0, 12).map((img) => img.src).join(" ");
}"""
_IDLE = """() => document.querySelector('[data-testid=stApp]')
  ?.getAttribute('data-test-script-state') === 'notRunning'"""


def measure(browser: Browser, folder: Path) -> dict[str, Figures]:
    """The figures of every kind of wait, in milliseconds."""
    cold = [_cold(browser, folder) for _ in range(TRIES)]
    with place.running(folder) as app:
        kinds: dict[str, Callable[[Page, int], float]] = {
            "switch_screen": _switch,
            "page_of_gallery": _turn,
            "chart_to_pictures": _chart,
            "key_to_count": lambda page, n: _typed(page, n, _counted),
            "key_to_pictures": lambda page, n: _typed(page, n, _painted),
        }
        figures = {"first_page_cold": spread(cold)}
        for kind, wait in kinds.items():
            took = []
            for number in range(TRIES):
                with visitor(browser) as page:
                    page.goto(app.url)
                    _ready(page, "Most frequent tags")
                    took.append(wait(page, number))
            figures[kind] = spread(took)
    return figures


@contextmanager
def visitor(browser: Browser) -> Iterator[Page]:
    """A page of a browser that has no memory of others."""
    context = browser.new_context(viewport={"width": WIDTH_PX, "height": HEIGHT_PX})
    context.set_default_timeout(60_000)
    try:
        yield context.new_page()
    finally:
        context.close()


def _ready(page: Page, text: str | re.Pattern[str]) -> None:
    page.get_by_text(text).first.wait_for()
    page.wait_for_function(_IDLE)
    # Streamlit listens to the page's parts a moment after they are shown.
    page.wait_for_timeout(1_000)


def _cold(browser: Browser, folder: Path) -> float:
    """The first visit after the start, until the dashboard's pictures are there."""
    with place.running(folder) as app, visitor(browser) as page:
        began = time.perf_counter()
        page.goto(app.url)
        page.get_by_text("Different tags").first.wait_for()
        _painted(page)
        return time.perf_counter() - began


def _switch(page: Page, number: int) -> float:
    """From one screen to the next by the navigation, until it is complete."""
    name = ("Folders", "Search", "SQL")[number % 3]
    began = time.perf_counter()
    page.get_by_test_id("stSidebarNav").get_by_text(name, exact=True).click()
    page.get_by_role("heading", name=name, exact=True).wait_for()
    page.wait_for_function(_IDLE)
    return time.perf_counter() - began


def _turn(page: Page, _number: int) -> float:
    """The next page of the gallery, until all pictures in the window are painted."""
    page.get_by_test_id("stSidebarNav").get_by_text("Gallery", exact=True).click()
    page.get_by_role("heading", name="Gallery").wait_for()
    _painted(page)
    page.wait_for_timeout(500)
    first = _first(page)
    turn = page.get_by_role("button", name="Next", exact=False).last
    turn.scroll_into_view_if_needed()
    began = time.perf_counter()
    turn.click()
    page.wait_for_function("(first) => location.search.includes('after')", arg=first)
    _changed(page, first)
    _painted(page)
    return time.perf_counter() - began


def _chart(page: Page, _number: int) -> float:
    """A click on a bar of the tags, until the pictures of that tag are painted."""
    chart = page.locator(".st-key-dashboard_tags").locator("svg.marks, canvas").first
    chart.scroll_into_view_if_needed()
    size = chart.bounding_box()
    assert size is not None
    page.mouse.move(size["x"] + size["width"] * 0.4, size["y"] + 62)
    page.wait_for_timeout(300)
    began = time.perf_counter()
    page.mouse.click(size["x"] + size["width"] * 0.4, size["y"] + 60)
    page.get_by_role("heading", name="Gallery").wait_for()
    _painted(page)
    return time.perf_counter() - began


def _typed(page: Page, number: int, until: Callable[[Page], None]) -> float:
    """The last key of a word in the search box, until its answer is there."""
    page.get_by_test_id("stSidebarNav").get_by_text("Search", exact=True).click()
    box = page.get_by_placeholder("What should the photo show?")
    box.wait_for()
    _ready(page, re.compile(r"^All [\d,]+ photos$"))
    box.press_sequentially("dog")
    _counted(page)
    page.wait_for_timeout(1_500)
    first, before = _first(page), page.get_by_text(" found").first.inner_text()
    box.press_sequentially(f" {BEGUN[number]}", delay=60)
    began = time.perf_counter()
    if until is _counted:
        page.wait_for_function(
            "(before) => [...document.querySelectorAll('[data-testid=stText]')]"
            ".some((one) => one.innerText.includes(' found') "
            "&& one.innerText !== before)",
            arg=before,
        )
        return time.perf_counter() - began
    _changed(page, first)
    until(page)
    return time.perf_counter() - began


def _counted(page: Page) -> None:
    page.get_by_text(" found").first.wait_for()


def _painted(page: Page) -> None:
    page.wait_for_function(_PAINTED, polling=10)


def _first(page: Page) -> str:
    """Which pictures stand first on the wall."""
    return str(page.evaluate(f"({_FIRST})()"))


def _changed(page: Page, first: str) -> None:
    """Wait until other pictures stand there."""
    page.wait_for_function(
        f"(first) => ![first, ''].includes(({_FIRST})())", arg=first, polling=5
    )
