"""The gallery of the whole program in a real browser: select, change, undo, leaf."""

import re
import shutil
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support_component import chromium
from tests.support_metadata import person_writes
from tests.support_pipeline import in_file
from tests.support_web import ROOT, AppProcess, app_process, until

PATIENCE_MS = 60_000
YEARS = (2019, 2021)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two years with three photos each, in folders of their own."""
    for year in YEARS:
        folder = tmp_path / "photos" / str(year)
        folder.mkdir(parents=True)
        for name in ("ridge.jpg", "friends.jpg", "rocket.jpg"):
            shutil.copy(ROOT / "data" / "samples" / name, folder / f"{year}-{name}")
            moment = f"{year}:05:10 10:00:00"
            person_writes(folder / f"{year}-{name}", f"-DateTimeOriginal={moment}")
    return tmp_path / "photos"


def opened(app: AppProcess, photos: Path, page: Page) -> None:
    """The gallery, once all photos are tagged."""
    added = {"path": str(photos)}
    httpx.post(f"{app.url}/api/folders", json=added, trust_env=False)
    asked = f"{app.url}/api/images?state=tagged"
    until(lambda: httpx.get(asked, trust_env=False).json()["total"] == 6, within_s=90)
    page.goto(f"{app.url}/gallery?sort=name")
    expect(page.get_by_test_id("photo")).to_have_count(6)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_photos_are_selected_changed_and_put_back(tmp_path: Path, photos: Path) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    first = photos / "2019" / "2019-friends.jpg"
    environment = {
        "TAGGER_DATA_DIR": str(tmp_path / "data"),
        "TAGGER_SERVERS": '[{"url": "http://127.0.0.1:9"}]',
    }
    with app_process(tmp_path, environment=environment) as app, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        opened(app, photos, page)
        before = in_file(first)["XMP-dc:Subject"]
        photo = page.get_by_test_id("photo")
        selected = page.locator("[role=gridcell][aria-selected=true]")

        photo.nth(0).click(modifiers=["Control"])
        photo.nth(1).click(modifiers=["Shift"])
        expect(page.get_by_text("2 photos selected").last).to_be_visible()
        photo.nth(3).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(selected).to_have_count(2)

        page.get_by_role("button", name="Tags").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("Nothing changes before")).to_be_visible()
        dialog.get_by_role("combobox").first.press_sequentially("trip")
        page.keyboard.press("Enter")
        expect(dialog.get_by_text("2 files will be written")).to_be_visible()
        # The list of tags that opens hides what is below it.
        dialog.get_by_text("2 photos selected").click(force=True)
        dialog.get_by_role("button", name="Change 2 photos").click()
        expect(page.get_by_text("Changed 2 photos")).to_be_visible()
        until(lambda: "trip" in in_file(first)["XMP-dc:Subject"], within_s=60)

        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Undone: 2 photos")).to_be_visible()
        until(lambda: in_file(first)["XMP-dc:Subject"] == before, within_s=60)
        expect(selected).to_have_count(2)

        page.get_by_test_id("timeline-month").nth(1).click()
        expect(page).to_have_url(re.compile("sort=taken"))
        expect(photo).to_have_count(3)
        expect(photo.first).to_have_attribute("aria-label", re.compile("^2019"))
        folder = page.get_by_test_id("folder")
        folder.first.focus()
        page.keyboard.press("ArrowRight")
        expect(folder).to_have_count(3)
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("dir=.*2021"))
        expect(photo).to_have_count(3)
        expect(photo.first).to_have_attribute("aria-label", re.compile("^2021"))
