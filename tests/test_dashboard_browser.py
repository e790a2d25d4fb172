"""The charts of the dashboard lead to the photos they count, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support_screens import settled, tagged_app
from tests.support_web import AppProcess
from tests.test_browser import CHROMIUM, PATIENCE_MS, QUIET

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    with tagged_app(tmp_path_factory.mktemp("app")) as process:
        yield process


@pytest.fixture
def page() -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        context = browser.new_context(viewport={"width": 1440, "height": 1200})
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()
        browser.close()


def test_a_tag_of_the_cloud_leads_to_its_photos(app: AppProcess, page: Page) -> None:
    page.goto(app.url)
    settled(page, "Most frequent tags")
    page.get_by_text("Tag cloud", exact=True).click()
    expect(page).to_have_url(re.compile("view=cloud"))
    tag = page.get_by_test_id("cloud-tag").filter(has_text=re.compile("^person$"))
    said = tag.get_attribute("aria-label") or ""
    tag.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("gallery.*tag=person"))
    photos = said.removeprefix("person, ")
    expect(page.get_by_text(photos, exact=True).first).to_be_visible()


def test_a_bar_of_a_year_leads_to_its_photos(app: AppProcess, page: Page) -> None:
    page.goto(f"{app.url}/?view=time&by=year")
    settled(page, "Tags")
    bars = page.locator(".st-key-dashboard_over_year .mark-rect path")
    expect(bars).to_have_count(4)
    for _ in range(5):  # the chart hears clicks a moment after it is drawn
        bars.last.click()
        page.wait_for_timeout(1500)
        if "gallery" in page.url:
            break
    expect(page).to_have_url(re.compile(r"gallery\?month=[0-9]{4}"))


def test_the_view_is_kept_by_a_reload(app: AppProcess, page: Page) -> None:
    page.goto(f"{app.url}/?view=models")
    settled(page, "To compare models on the same photos")
    page.reload()
    settled(page, "To compare models on the same photos")
