"""The whole program in a real browser, as a person meets it the first time."""

import csv
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.support_component import CHROMIUM
from tests.support_web import ROOT, AppProcess, app_process, until

QUIET = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
# A cold start on a busy machine: Streamlit, the models and exiftool all at once.
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the photos and the program's data are, one beside the other."""
    folder = tmp_path_factory.mktemp("app")
    shutil.copytree(ROOT / "data" / "samples", folder / "photos")
    return folder


@pytest.fixture(scope="module")
def app(place: Path) -> Iterator[AppProcess]:
    nothing_there = '[{"url": "http://127.0.0.1:9"}]'
    environment = {
        "TAGGER_DATA_DIR": str(place / "data"),
        "TAGGER_SERVERS": nothing_there,
    }
    with app_process(place, environment=environment) as process:
        yield process


@pytest.fixture
def outside() -> list[str]:
    """Addresses beyond this machine that the browser asked for."""
    return []


@pytest.fixture
def page(app: AppProcess, outside: list[str]) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("request", lambda request: note_outside(request.url, outside))
        yield page
        browser.close()


def note_outside(url: str, outside: list[str]) -> None:
    if not re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:", url):
        outside.append(url)


def tile(page: Page, name: str) -> Locator:
    return page.locator(".wall").get_by_role("button", name=name).first


@pytest.mark.timeout(300)
def test_a_folder_is_added_tagged_explored_searched_and_exported(
    app: AppProcess, place: Path, page: Page, outside: list[str], tmp_path: Path
) -> None:
    expect.set_options(timeout=PATIENCE_MS)

    page.goto(f"{app.url}/folders")
    page.get_by_role("textbox", name="Path of the folder").fill(str(place / "photos"))
    page.get_by_role("button", name="Add folder").click()
    expect(page.get_by_test_id("stAlertContentSuccess")).to_contain_text("was added")
    expect(page.get_by_test_id("progress-count")).to_have_text("15 photos")
    expect(page.get_by_test_id("progress-state")).to_have_text("Up to date")

    page.goto(app.url)
    expect(page.get_by_text("Most frequent tags").first).to_be_visible()
    expect(page.locator(".wall img").first).to_be_visible()

    page.goto(f"{app.url}/gallery")
    tile(page, "chelsea.png").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_test_id("description")).to_contain_text("A photo of a cat")
    dialog.get_by_test_id("chip").filter(has_text="animal").click()
    expect(page).to_have_url(re.compile("animal"))
    expect(tile(page, "friends.jpg")).to_be_visible()
    expect(tile(page, "ridge.jpg")).to_have_count(0)

    page.goto(f"{app.url}/search")
    box = page.get_by_placeholder("What should the photo show?")
    box.press_sequentially("mountain", delay=30)
    expect(tile(page, "picos.heic")).to_be_visible()
    expect(tile(page, "chelsea.png")).to_have_count(0)

    csv_only = re.compile("^CSV$")
    link = page.get_by_test_id("download").filter(has_text=csv_only)
    expect(link).to_have_attribute("href", re.compile("mountain"))
    with page.expect_download() as download:
        link.click()
    saved = tmp_path / "found.csv"
    download.value.save_as(saved)
    with saved.open(newline="") as file:
        names = {row["name"] for row in csv.DictReader(file)}
    assert names == {"picos.heic", "ridge.jpg"}
    assert outside == []


@pytest.mark.timeout(300)
def test_a_click_on_a_tag_in_the_chart_shows_its_photos(
    app: AppProcess, place: Path, page: Page
) -> None:
    has_all_tagged(app, place)
    page.goto(app.url)
    chart = page.locator(
        ".st-key-dashboard_tags svg.marks, .st-key-dashboard_tags canvas"
    )
    expect(chart.first).to_be_visible(timeout=PATIENCE_MS)
    # The longest bar is the topmost one.
    size = chart.first.bounding_box()
    assert size is not None
    chart.first.click(position={"x": size["width"] * 0.4, "y": 60})
    expect(page).to_have_url(re.compile("gallery.*tag="), timeout=PATIENCE_MS)
    expect(page.get_by_test_id("photo").first).to_be_visible(timeout=PATIENCE_MS)
    shown = page.get_by_test_id("photo").count()
    assert 0 < shown < 15


def has_all_tagged(app: AppProcess, place: Path) -> None:
    """The samples are in the library, whoever added them."""
    with httpx.Client(base_url=app.url, trust_env=False) as api:
        if not api.get("/api/folders").json():
            added = api.post("/api/folders", json={"path": str(place / "photos")})
            assert added.is_success, added.text
        asked = "/api/images?state=tagged"
        until(lambda: api.get(asked).json()["total"] == 15, within_s=120)


def test_chromium_is_the_one_that_is_driven() -> None:
    assert os.access(CHROMIUM, os.X_OK)
