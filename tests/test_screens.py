"""Every screen, in light and dark, on a desk, a tablet and a phone.

Each is photographed; the pictures are kept in the folder `screens` of the test run, or
where `--screens FOLDER` says, to be looked at.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support_screens import SCREENS, WINDOWS, Window, barriers, opened, settled
from tests.support_screens import tagged_app as tagged
from tests.support_web import AppProcess
from tests.test_browser import CHROMIUM, QUIET, note_outside

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    with tagged(tmp_path_factory.mktemp("app")) as process:
        yield process


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield started
        started.close()


@pytest.fixture(scope="module")
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Where the pictures go."""
    folder = request.config.getoption("--screens")
    path = Path(folder) if folder else tmp_path_factory.getbasetemp() / "screens"
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: window.name)
def test_screens_have_no_barrier_no_traceback_and_ask_nothing_outside(
    app: AppProcess, browser: Browser, kept: Path, window: Window
) -> None:
    outside: list[str] = []
    found: list[str] = []
    with opened(browser, window) as page:
        page.on("request", lambda request: note_outside(request.url, outside))
        for screen, seen in SCREENS.items():
            page.goto(f"{app.url}/{screen}")
            settled(page, seen)
            name = re.sub(r"[^a-z_0-9]+", "-", screen).strip("-") or "dashboard"
            page.screenshot(path=kept / f"{name}-{window.name}.png", full_page=True)
            assert page.locator("[data-testid=stException]").count() == 0, screen
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= window.width_px, f"{screen} is {wide} px wide"
            found += [f"{name}: {one}" for one in barriers(page)]
    assert outside == []
    assert not found, "\n".join(found)
