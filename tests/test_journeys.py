"""Journeys: what a person comes to do, from first click to last, in a browser."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.support_screens import settled
from tests.support_web import ROOT, AppProcess, app_process, library, until
from tests.test_browser import CHROMIUM, PATIENCE_MS, QUIET

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PHONE = {"width": 390, "height": 844}
NAMES = ("friends.jpg", "chelsea.png", "ridge.jpg")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two folders with photos below a root, and a third outside of it."""
    samples = ROOT / "data" / "samples"
    for folder, names in (("disk/mine", NAMES[:2]), ("disk/trip", NAMES[2:])):
        (tmp_path / folder).mkdir(parents=True)
        for name in names:
            shutil.copy(samples / name, tmp_path / folder)
    (tmp_path / "outside" / "secret").mkdir(parents=True)
    (tmp_path / "disk" / "out").symlink_to(tmp_path / "outside")
    return tmp_path


@pytest.fixture
def app(place: Path) -> Iterator[AppProcess]:
    expect.set_options(timeout=PATIENCE_MS)
    environment = {
        "TAGGER_DATA_DIR": str(place / "data"),
        "TAGGER_SERVERS": json.dumps([{"url": "http://127.0.0.1:9"}]),
        "TAGGER_LIBRARY__ROOTS": json.dumps([str(place / "disk")]),
    }
    with app_process(place, environment=environment) as process:
        yield process


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield started
        started.close()


def window(browser: Browser, **viewport: int) -> Page:
    """A person of their own: nothing is shared with another one's window."""
    size = viewport or {"width": 1440, "height": 900}
    context = browser.new_context(viewport=size)
    context.set_default_timeout(PATIENCE_MS)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    return context.new_page()


def tile(page: Page, name: str) -> Locator:
    return page.locator(".wall").get_by_role("button", name=name).first


def tagged(app: AppProcess, count: int) -> None:
    asked = f"{app.url}/api/images?state=tagged"
    until(
        lambda: httpx.get(asked, trust_env=False).json()["total"] == count,
        within_s=120,
    )


def test_a_search_is_found_narrowed_and_shared_by_its_link(
    app: AppProcess, place: Path, browser: Browser
) -> None:
    add = {"path": str(place / "disk"), "write_mode": "none"}
    httpx.post(f"{app.url}/api/folders", json=add, trust_env=False)
    tagged(app, 3)
    page = window(browser)
    page.goto(f"{app.url}/search")
    expect(tile(page, "friends.jpg")).to_be_visible()
    sidebar = page.get_by_test_id("stSidebar")
    sidebar.get_by_test_id("chip").filter(has_text="animal").first.click()
    expect(page).to_have_url(re.compile("q=tag"))
    expect(tile(page, "ridge.jpg")).to_have_count(0)
    tile(page, "chelsea.png").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page).to_have_url(re.compile("photo="))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    settled(page, "found")
    page.get_by_test_id("copy-link").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    assert "animal" in link

    other = window(browser)
    other.goto(link)
    expect(tile(other, "chelsea.png")).to_be_visible()
    expect(tile(other, "ridge.jpg")).to_have_count(0)
    pressed = other.get_by_test_id("stSidebar").locator("[aria-pressed=true]")
    expect(pressed.first).to_contain_text("animal")

    page.get_by_role("button", name="Save this search").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Beasts")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as Beasts")).to_be_visible()
    other.goto(f"{app.url}/gallery")
    other.get_by_role("button", name="Beasts").click()
    expect(other).to_have_url(re.compile("search.*animal"))
    expect(tile(other, "chelsea.png")).to_be_visible()


def test_a_folder_is_browsed_to_and_added_on_a_phone(
    app: AppProcess, place: Path, browser: Browser
) -> None:
    page = window(browser, **PHONE)
    page.goto(f"{app.url}/folders")
    page.get_by_text("Browse", exact=True).click()
    directories = page.get_by_test_id("directory")
    expect(directories).to_have_count(1)
    directories.get_by_role("button", name=str(place / "disk")).click()
    expect(directories).to_have_text(["mine", "trip"])
    directories.get_by_role("button", name="mine").click()
    expect(page.get_by_text("There are no folders in it.")).to_be_visible()
    expect(page).to_have_url(re.compile("browse="))
    page.get_by_role("button", name="Add folder").click()
    expect(page.get_by_test_id("stAlertContentSuccess")).to_contain_text("was added")
    tagged(app, 2)
    page.goto(f"{app.url}/folders?folder=1")
    expect(page.get_by_text("2 photos · 2 tagged", exact=False)).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]
    page.get_by_role("button", name="Show photos").click()
    expect(tile(page, "chelsea.png")).to_be_visible()
    expect(tile(page, "friends.jpg")).to_be_visible()


def test_a_link_that_browses_outside_the_roots_lists_nothing_there(
    app: AppProcess, place: Path, browser: Browser
) -> None:
    page = window(browser)
    for outside in (str(place / "outside"), f"{place}/disk/out", f"{place}/disk/.."):
        page.goto(f"{app.url}/folders?browse={outside}")
        expect(page.get_by_text("in none of the folders").first).to_be_visible()
        expect(page.get_by_test_id("directory")).to_have_count(1)
        expect(page.get_by_text("secret")).to_have_count(0)


def test_arrows_in_the_photo_view_go_on_past_the_end_of_a_page(
    tmp_path: Path, browser: Browser
) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    with library(tmp_path) as photos:
        for number in range(202):
            colour = f"#{number:02x}00{255 - number:02x}"  # each is another picture
            photos.photo(f"{number:03d}.png", "dog", colour=colour, save_as="PNG")
    with app_process(tmp_path) as process:
        listed = {"sort": "name", "limit": 500}
        answer = httpx.get(f"{process.url}/api/images", params=listed, trust_env=False)
        ids = [image["id"] for image in answer.json()["images"]]
        assert len(ids) == 202
        page = window(browser)
        page.goto(f"{process.url}/gallery?sort=name&photo={ids[199]}")
        dialog = page.get_by_role("dialog")
        dialog.get_by_test_id("photo-after").click()
        expect(page).to_have_url(re.compile(rf"photo={ids[200]}\b"))
        expect(page).to_have_url(re.compile("after="))
        dialog.get_by_test_id("photo-after").click()
        expect(page).to_have_url(re.compile(rf"photo={ids[201]}\b"))
        expect(dialog.get_by_test_id("photo-after")).to_be_disabled()
        for number in (200, 199, 198):
            dialog.get_by_test_id("photo-before").click()
            expect(page).to_have_url(re.compile(rf"photo={ids[number]}\b"))
            # A click before it is shown would be one more on the photo before it.
            expect(dialog.get_by_text(f"{number:03d}.png").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("button", name="198.png").first).to_be_attached()
