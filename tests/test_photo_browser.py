"""The photo view in a real browser: zoom, keyboard, words changed in place."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.support_pipeline import in_file
from tests.support_web import ROOT, AppProcess, app_process, until
from tests.test_browser import CHROMIUM, PATIENCE_MS, QUIET

# Every claim takes real files through the tagger and exiftool, or a browser.
pytestmark = pytest.mark.slow

NAMES = ("china.jpg", "chelsea.png", "flower.tif")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photo_view")
    (folder / "photos").mkdir()
    for name in NAMES:
        shutil.copy(ROOT / "data" / "samples" / name, folder / "photos" / name)
    return folder


@pytest.fixture(scope="module")
def app(place: Path) -> Iterator[AppProcess]:
    environment = {
        "TAGGER_DATA_DIR": str(place / "data"),
        "TAGGER_SERVERS": '[{"url": "http://127.0.0.1:9"}]',
    }
    with app_process(place, environment=environment) as process:
        yield process


@pytest.fixture(scope="module")
def ids(app: AppProcess, place: Path) -> dict[str, int]:
    """The ids of the photos, once they are tagged."""
    with httpx.Client(base_url=f"{app.url}/api", trust_env=False) as api:
        api.post("/folders", json={"path": str(place / "photos")}).raise_for_status()
        done = {"state": "tagged"}
        until(
            lambda: api.get("/images", params=done).json()["total"] == len(NAMES),
            within_s=60,
        )
        return {one["name"]: one["id"] for one in api.get("/images").json()["images"]}


@pytest.fixture
def page() -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()
        browser.close()


def opened(page: Page, app: AppProcess, photo: int) -> Locator:
    page.goto(f"{app.url}/gallery?photo={photo}")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_test_id("viewer")).to_have_attribute("aria-busy", "false")
    return dialog


def shift(dialog: Locator) -> tuple[float, float, float]:
    """How far the picture is moved, in pixels, and how large it is."""
    style = dialog.locator(".stage img").get_attribute("style") or ""
    found = re.findall(r"-?[\d.]+", style.partition("transform")[2])
    return float(found[0]), float(found[1]), float(found[2])


@pytest.mark.timeout(300)
def test_a_photo_is_zoomed_moved_and_left_by_keyboard_and_mouse(
    app: AppProcess, ids: dict[str, int], page: Page
) -> None:
    first = next(iter(ids.values()))
    dialog = opened(page, app, first)
    level = dialog.get_by_test_id("zoom-level")
    expect(level).to_have_text("Fit")
    for key in ("+", "+"):
        page.keyboard.press(key)
    assert shift(dialog) == (0, 0, pytest.approx(1.96))
    expect(level).to_have_text(re.compile(r"^\d+ %$"))
    box = dialog.locator(".stage").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=4)
    page.mouse.up()
    assert shift(dialog)[:2] == (60, 40)
    page.mouse.wheel(0, -200)
    assert shift(dialog)[2] > 2
    page.keyboard.press("0")
    assert shift(dialog) == (0, 0, 1)
    dialog.locator(".stage").dblclick()
    assert shift(dialog)[2] >= 2
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    page.keyboard.press("i")
    expect(dialog.locator(".panel")).to_be_visible()
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement === null")

    page.keyboard.press("i")
    expect(page).to_have_url(re.compile("info=no"))
    expect(dialog.get_by_test_id("words")).to_have_count(0)
    # The picture stands elsewhere now, and keys go to it again once it is there.
    expect(dialog.get_by_test_id("viewer")).to_be_focused()
    page.keyboard.press("i")
    expect(dialog.get_by_test_id("words")).to_be_visible()
    expect(dialog.get_by_test_id("viewer")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page).not_to_have_url(re.compile(rf"photo={first}\b"))
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


@pytest.mark.timeout(300)
def test_words_are_changed_in_place_reach_the_file_and_are_undone(
    app: AppProcess, ids: dict[str, int], place: Path, page: Page
) -> None:
    photo = place / "photos" / "chelsea.png"
    before = in_file(photo)
    dialog = opened(page, app, ids["chelsea.png"])
    dialog.get_by_test_id("description").click()
    text = dialog.get_by_role("textbox", name="Description")
    text.fill("Never mind.")
    page.keyboard.press("Escape")
    expect(text).to_be_hidden()
    dialog.get_by_test_id("change-description").click()
    text.fill("Auf dem Sofa.")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("Described by a person")).to_be_visible()

    line = dialog.get_by_test_id("add-tag")
    line.fill("Oma & Opa")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Oma & Opa:")).to_be_visible()
    until(lambda: "Oma & Opa" in in_file(photo)["XMP-dc:Subject"], within_s=60)
    expect(dialog.get_by_text("waits for the tagger")).to_have_count(0)
    # Whoever types on is not disturbed by any of that.
    line.press_sequentially("fl", delay=50)
    page.wait_for_timeout(2500)
    assert line.input_value() == "fl"
    assert in_file(photo)["XMP-dc:Description"] == ["Auf dem Sofa."]

    line.fill("")

    dialog.get_by_role("button", name="Undo the last change").click()
    expect(dialog.get_by_role("button", name="Oma & Opa:")).to_have_count(0)
    until(
        lambda: in_file(photo)["XMP-dc:Subject"] == before["XMP-dc:Subject"],
        within_s=60,
    )
    assert in_file(photo)["XMP-dc:Description"] == ["Auf dem Sofa."]


def test_every_format_is_shown(
    app: AppProcess, ids: dict[str, int], page: Page
) -> None:
    for name in ("flower.tif", "china.jpg"):
        dialog = opened(page, app, ids[name])
        image = dialog.locator(".stage img")
        assert image.evaluate("image => image.naturalWidth") > 0
        assert "view=browser" in (image.get_attribute("src") or "")
