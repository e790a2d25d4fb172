"""The search box in a real browser: answered while typing, completed at the caret."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support_web import AppProcess, app_process, library
from tests.test_browser import CHROMIUM, PATIENCE_MS, QUIET

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PLACEHOLDER = "What should the photo show?"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[AppProcess]:
    with library(tmp_path) as photos:
        photos.photo("rex.jpg", "dog", description="A dog on a beach.", colour="red")
        photos.photo(
            "light.jpg", "lighthouse", "red car", description="A tower.", colour="blue"
        )
    with app_process(tmp_path) as process:
        yield process


@pytest.fixture
def page() -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


def names(page: Page) -> list[str]:
    return [
        str(tile.get_attribute("aria-label")).split(".jpg")[0]
        for tile in page.get_by_test_id("photo").all()
    ]


def test_a_search_is_answered_completed_and_corrected(
    app: AppProcess, page: Page
) -> None:
    photos = page.get_by_test_id("photo")
    page.goto(f"{app.url}/search?q=beach")
    box = page.get_by_placeholder(PLACEHOLDER)
    expect(box).to_have_value("beach")
    expect(photos).to_have_count(1)

    box.fill("")
    expect(photos).to_have_count(2)
    box.press_sequentially("tag:r", delay=40)
    option = page.get_by_test_id("option")
    expect(option).to_have_text(['tag:"red car"with exactly this tag'])
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value('tag:"red car" ')
    expect(photos).to_have_count(1)
    assert names(page) == ["light"]

    box.press_sequentially("OR be", delay=40)
    expect(photos).to_have_count(2)
    assert box.input_value() == 'tag:"red car" OR be'

    box.fill("lighthose")
    expect(page.get_by_text("These match lighthouse")).to_be_visible()
    expect(photos).to_have_count(1)

    box.fill("beach -colour:red")
    expect(page.get_by_text("there is no field colour")).to_be_visible()
    expect(page.locator("code").filter(has_text="^")).to_be_visible()

    box.fill("")
    expect(photos).to_have_count(2)
    page.get_by_test_id("chip").filter(has_text="dog").click()
    expect(box).to_have_value("tag:dog")
    expect(photos).to_have_count(1)
    page.reload()
    expect(page.get_by_placeholder(PLACEHOLDER)).to_have_value("tag:dog")
