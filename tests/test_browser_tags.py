"""A tag is renamed and taken back, as a person does it in a real browser."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support_pipeline import in_file
from tests.support_web import ROOT, AppProcess, app_process, until
from tests.test_browser import CHROMIUM, PATIENCE_MS, QUIET


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for name in ("chelsea.png", "friends.jpg", "ridge.jpg"):
        shutil.copy(ROOT / "data" / "samples" / name, tmp_path / "photos")
    return tmp_path


@pytest.fixture
def app(place: Path) -> Iterator[AppProcess]:
    environment = {
        "TAGGER_DATA_DIR": str(place / "data"),
        "TAGGER_SERVERS": '[{"url": "http://127.0.0.1:9"}]',
    }
    with app_process(place, environment=environment) as process:
        yield process


@pytest.fixture
def page(app: AppProcess) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()
        browser.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_tag_is_renamed_after_a_look_and_taken_back(
    app: AppProcess, place: Path, page: Page
) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    cat = place / "photos" / "chelsea.png"
    page.goto(f"{app.url}/folders")
    page.get_by_role("textbox", name="Path of the folder").fill(str(cat.parent))
    page.get_by_role("button", name="Add folder").click()
    expect(page.get_by_test_id("progress-count")).to_have_text("3 photos")
    expect(page.get_by_test_id("progress-state")).to_have_text("Up to date")
    before = sorted(in_file(cat)["XMP-dc:Subject"])
    assert "cat" in before

    page.goto(f"{app.url}/tags")
    rows = page.get_by_test_id("tag-row")
    expect(rows.first).to_be_visible()
    everything = rows.count()
    box = page.get_by_role("searchbox", name="Find a tag")
    box.press_sequentially("ca", delay=40)
    expect(page).to_have_url(re.compile("find=ca"))
    until(lambda: 0 < rows.count() < everything, within_s=30)
    box.press_sequentially("t", delay=40)
    page.get_by_test_id("tag-open").get_by_text("cat", exact=True).click()
    expect(page).to_have_url(re.compile("tag=cat"))
    expect(page.get_by_text("On 1 photo.")).to_be_visible()

    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("Mieze <b>")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_text("1 photo changes; 1 file will be written.")).to_be_visible()
    expect(page.locator(".wall img").first).to_be_visible()
    assert sorted(in_file(cat)["XMP-dc:Subject"]) == before
    page.get_by_role("button", name="Rename: 1 photo").click()
    expect(page.get_by_text("Done: 1 photo.")).to_be_visible()
    renamed = in_file(cat)["XMP-dc:Subject"]
    assert "Mieze <b>" in renamed
    assert "cat" not in renamed

    page.reload()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("taken back")).to_be_visible()
    expect(page.get_by_text("Done: 1 photo.")).to_be_visible()
    assert sorted(in_file(cat)["XMP-dc:Subject"]) == before
    page.get_by_role("button", name="All tags").click()
    expect(rows.first).to_be_visible()
    expect(page.get_by_test_id("tag-open").get_by_text("Mieze")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_tags_are_chosen_with_the_keyboard_and_made_one(
    app: AppProcess, place: Path, page: Page
) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(f"{app.url}/folders")
    path = page.get_by_role("textbox", name="Path of the folder")
    path.fill(str(place / "photos"))
    page.get_by_role("button", name="Add folder").click()
    expect(page.get_by_test_id("progress-count")).to_have_text("3 photos")
    expect(page.get_by_test_id("progress-state")).to_have_text("Up to date")

    page.goto(f"{app.url}/tags?by=name")
    marks = page.get_by_role("checkbox", name=re.compile("^Choose "))
    for at in (0, 1):
        marks.nth(at).focus()
        page.keyboard.press("Space")
        expect(page.get_by_text(re.compile(rf"{at + 1} tags? chosen"))).to_be_visible()
        expect(marks.nth(at)).to_be_focused()
    page.get_by_role("button", name="Look at merging").click()
    page.get_by_role("button", name=re.compile("^Merge: ")).click()
    expect(page.get_by_text(re.compile("Done: [0-9]+ photo"))).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
