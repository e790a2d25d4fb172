"""Two models are compared, as a person does it in a real browser."""

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.ollama_double import OllamaDouble
from tests.support_comparing import hashes
from tests.support_web import ROOT, AppProcess, app_process, until
from tests.test_browser import CHROMIUM, PATIENCE_MS, QUIET

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PHOTOS = ("chelsea.png", "friends.jpg", "ridge.jpg")
SETTINGS = """\
# My own settings, with a word of mine.
[model]
backend = "ollama"

# The machine under the desk.
[[servers]]
name = "desk"
url = "{url}"
model = "terse:1b"  # was quick
"""


def answers(_jpeg: bytes, body: Mapping[str, Any]) -> Mapping[str, Any]:
    if body["model"] == "terse:1b":
        return {"description": "A picture.", "tags": ["picture"], "text": ""}
    said = "A careful look at what there is <b>to see</b>."
    tags = ["picture", "careful", "detail", "light"]
    return {"description": said, "tags": tags, "text": "EXIT"}


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(answers, models=("terse:1b", "wordy:27b")) as double:
        yield double


@pytest.fixture
def place(tmp_path: Path, ollama: OllamaDouble) -> Path:
    (tmp_path / "photos").mkdir()
    for name in PHOTOS:
        shutil.copy(ROOT / "data" / "samples" / name, tmp_path / "photos")
    (tmp_path / "config.toml").write_text(SETTINGS.format(url=ollama.url))
    return tmp_path


@pytest.fixture
def app(place: Path) -> Iterator[AppProcess]:
    environment = {"TAGGER_DATA_DIR": str(place / "data")}
    with app_process(place, environment=environment) as process:
        add = {"path": str(place / "photos"), "write_mode": "none"}
        httpx.post(f"{process.url}/api/folders", json=add, trust_env=False)
        asked = f"{process.url}/api/images?state=tagged"
        until(
            lambda: httpx.get(asked, trust_env=False).json()["total"] == 3,
            within_s=120,
        )
        yield process


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()
        browser.close()


def choose_model(page: Page, at: int, name: str) -> None:
    box = page.get_by_role("combobox", name="Model").nth(at)
    box.click()
    page.get_by_role("option", name=name).click()


def test_the_winner_of_a_blind_comparison_becomes_the_setting(
    app: AppProcess, place: Path, page: Page
) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    before = hashes(place / "photos")
    page.goto(f"{app.url}/compare")
    expect(page.get_by_text("New comparison")).to_be_visible()
    server = page.get_by_role("combobox", name="Server of contender 2")
    server.click()
    page.get_by_role("option", name="desk").click()
    choose_model(page, 1, "wordy:27b")
    expect(page.get_by_text("6 questions about 3 photos.")).to_be_visible()
    page.get_by_role("button", name="Compare", exact=True).click()

    judge = page.get_by_test_id("judge")
    expect(judge).to_be_visible()
    expect(page).to_have_url(re.compile("comparison=1"))
    shown = page.get_by_test_id("judge-answer")
    expect(shown).to_have_count(2)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(shown.nth(1).get_by_text("<b>to see</b>")).to_be_visible()
    expect(shown.nth(0).get_by_role("heading")).to_have_text("terse:1b on desk")

    page.get_by_text("Judge blind").click()
    expect(page).to_have_url(re.compile("blind=1"))
    expect(shown.nth(0).get_by_role("heading")).to_have_text("Answer 1")
    expect(judge).not_to_contain_text("27b")
    expect(page.get_by_text("0 of 3 photos judged")).to_be_visible()
    said = page.get_by_test_id("judge-place")
    for number in range(3):  # as quickly as keys are pressed
        assert f"Photo {number + 1} of 3, {number} judged" in said.inner_text()
        texts = [shown.nth(at).inner_text() for at in (0, 1)]
        page.keyboard.press("1" if "careful" in texts[0] else "2")
    expect(said).to_contain_text("3 judged")

    expect(page.get_by_text("3 photos with a better answer")).to_be_visible()
    page.get_by_role("button", name="Make the winner the setting").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    text = (place / "config.toml").read_text()
    assert text.startswith("# My own settings, with a word of mine.")
    assert "# The machine under the desk." in text
    assert 'model = "wordy:27b"' in text
    found = httpx.get(f"{app.url}/api/comparisons/1", trust_env=False).json()
    assert [one["blind"] for one in found["choices"]] == [True] * 3
    assert found["result"]["winner"] == found["contenders"][1]["id"]
    asked = httpx.get(f"{app.url}/api/settings/config", trust_env=False).json()
    assert asked["config"]["servers"][0]["model"] == "wordy:27b"
    assert hashes(place / "photos") == before
    images = httpx.get(f"{app.url}/api/images", trust_env=False).json()["images"]
    assert {tag["name"] for one in images for tag in one["tags"]} == {"picture"}


def test_photos_selected_in_the_gallery_are_compared(
    app: AppProcess, page: Page
) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(f"{app.url}/gallery")
    tile = page.locator(".wall").get_by_role("button", name="ridge.jpg").first
    tile.click(modifiers=["Control"])
    page.get_by_role("button", name="Compare models").click()
    expect(page).to_have_url(re.compile("compare.ids=[0-9]+$"))
    expect(page.get_by_text("2 questions about 1 photo.")).to_be_visible()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_test_id("judge-answer")).to_have_count(2)
    page.go_back()
    expect(page.get_by_text("New comparison")).to_be_visible()
    expect(
        page.get_by_role("button", name=re.compile("terse:1b, builtin"))
    ).to_be_visible()
