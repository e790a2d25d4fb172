"""Review in a real browser: photos are decided by key, and files get just that."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.ollama_double import OllamaDouble
from tests.support_pipeline import in_file, put_keywords
from tests.support_web import ROOT, AppProcess, app_process, until
from tests.test_browser import CHROMIUM, PATIENCE_MS, QUIET

# Every claim takes real files through the tagger and exiftool, and a browser.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PHOTOS_A_MINUTE = 30
MINE = "mine"


def says(jpeg: bytes, _request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Words of this picture and no other."""
    word = blake2b(jpeg, digest_size=3).hexdigest()
    return {
        "description": f"The picture {word}.",
        "tags": [f"seen {word}", "common"],
        "text": "",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The sample photographs; the first has a keyword of a person's."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for sample in sorted((ROOT / "data" / "samples").iterdir()):
        if sample.suffix in (".jpg", ".png", ".webp", ".tif"):
            shutil.copy(sample, photos / sample.name)
    put_keywords(min(photos.iterdir()), MINE)
    return photos


@pytest.fixture
def app(tmp_path: Path, folder: Path) -> Iterator[AppProcess]:
    """The program with these photos, all of which wait."""
    with OllamaDouble(says) as ollama:
        environment = {
            "TAGGER_DATA_DIR": str(tmp_path / "data"),
            "TAGGER_SERVERS": json.dumps([{"url": ollama.url}]),
            "TAGGER_MODEL__BACKEND": "ollama",
        }
        with app_process(tmp_path, environment=environment) as process:
            with api(process) as asked:
                body = {"path": str(folder), "review": True}
                asked.post("/folders", json=body).raise_for_status()
                count = len(list(folder.iterdir()))
                until(
                    lambda: asked.get("/review").json()["total"] == count, within_s=120
                )
            yield process


@pytest.fixture
def page() -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()
        browser.close()


def api(app: AppProcess) -> httpx.Client:
    return httpx.Client(base_url=f"{app.url}/api", trust_env=False, timeout=30)


def waiting(app: AppProcess) -> list[dict[str, Any]]:
    with api(app) as asked:
        photos: list[dict[str, Any]] = asked.get("/review").json()["photos"]
    return photos


def opened(page: Page, app: AppProcess) -> Locator:
    page.goto(f"{app.url}/review")
    name = page.get_by_test_id("review-name")
    expect(name).not_to_have_text("")
    return name


def is_seen(page: Page, photo: Mapping[str, Any]) -> None:
    """The photo is shown, and its whole picture is there."""
    expect(page.get_by_test_id("review-name")).to_have_text(photo["name"])
    picture = page.get_by_test_id("review-photo")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth > 0")


def words(path: Path) -> tuple[set[str], list[str]]:
    found = in_file(path)
    return set(found["XMP-dc:Subject"]), found["XMP-dc:Description"]


def test_ten_photos_are_reviewed_by_keyboard_and_files_have_just_that(
    app: AppProcess, folder: Path, page: Page
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    photos = waiting(app)
    name = opened(page, app)
    expected: dict[str, tuple[set[str], list[str]]] = {}
    for number, photo in enumerate(photos[:10]):
        is_seen(page, photo)
        tags = {tag["name"] for tag in photo["proposed"]["tags"]}
        texts = [photo["said"]]
        if number in (2, 5):
            page.keyboard.press("3")
            continue
        if number == 3:  # other words, typed
            page.keyboard.press("2")
            page.keyboard.press("ControlOrMeta+a")
            page.keyboard.type("As I remember it.")
            page.get_by_test_id("review-add").focus()
            page.keyboard.type("Rex")
            page.keyboard.press("Enter")
            page.keyboard.press("Enter")
            tags, texts = tags | {"Rex"}, ["As I remember it."]
        elif number == 4:  # a word left out, by a click
            page.get_by_test_id("review-tags").get_by_text("common").click()
            expect(page.get_by_test_id("review-accept")).to_contain_text("corrected")
            page.keyboard.press("1")
            tags -= {"common"}
        elif number == 6:  # seen again, and decided otherwise
            page.keyboard.press("3")
            expect(name).not_to_have_text(photo["name"])
            page.keyboard.press("z")
            is_seen(page, photo)
            page.keyboard.press("1")
        else:
            page.keyboard.press("1")
        expected[photo["name"]] = tags, texts
    assert expected[photos[0]["name"]][0] > {MINE}
    # Arrows decide nothing.
    is_seen(page, photos[10])
    page.keyboard.press("ArrowRight")
    is_seen(page, photos[11])
    page.keyboard.press("ArrowLeft")
    is_seen(page, photos[10])
    left = len(photos) - 10
    expect(page.get_by_test_id("review-count")).to_have_text(f"{left} to review")
    expect(page.get_by_test_id("review-news")).to_be_hidden()
    with api(app) as asked:
        until(
            lambda: (
                asked.get("/edits?unfinished=true").json() == []
                and asked.get("/review").json()["total"] == left
            ),
            within_s=90,
        )
    for path in folder.iterdir():
        if path.name in expected:
            assert words(path) == expected[path.name], path.name
        else:
            assert path.read_bytes() == before[path.name], path.name


def test_thirty_photos_a_minute_are_easily_decided(app: AppProcess, page: Page) -> None:
    photos = waiting(app)
    opened(page, app)
    is_seen(page, photos[0])
    began = time.monotonic()
    for photo in photos:
        is_seen(page, photo)
        page.keyboard.press("1")
    expect(page.get_by_role("heading", name="All reviewed")).to_be_visible()
    spent_s = time.monotonic() - began
    a_minute = len(photos) / spent_s * 60
    with api(app) as asked:
        until(lambda: asked.get("/review").json()["total"] == 0, within_s=60)
    assert a_minute > 2 * PHOTOS_A_MINUTE, f"{a_minute:.0f} photos a minute"


def test_what_could_not_be_decided_is_said_and_shown_again(
    app: AppProcess, page: Page
) -> None:
    first, second = waiting(app)[:2]
    name = opened(page, app)
    is_seen(page, first)
    body = {"image_id": first["id"], "answer": first["answer"], "decision": "reject"}
    with api(app) as asked:  # somebody else was faster
        asked.post("/review", json=body).raise_for_status()
    page.keyboard.press("1")
    expect(page.get_by_test_id("review-news")).to_contain_text(
        f"{first['name']} was not decided"
    )
    expect(name).to_have_text(second["name"])


def test_a_link_shows_the_same_photos(app: AppProcess, page: Page) -> None:
    chosen = waiting(app)[3]
    word = chosen["name"].partition(".")[0]
    page.goto(f"{app.url}/review?q={word}")
    is_seen(page, chosen)
    expect(page.get_by_test_id("review-count")).to_have_text("1 to review")
    expect(page.get_by_test_id("searchbox").locator("input")).to_have_value(word)
