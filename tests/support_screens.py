"""Screens for tests: every page of the program, filled with the sample photos."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support_web import ROOT, AppProcess, app_process, until

SERIOUS = ("serious", "critical")
# Streamlit puts the sections of its navigation between the list and its items, and
# fades what is said of a field that is held: both are its own, and not to be changed.
LOOKED_AT = {
    "exclude": [
        ["[data-testid=stSidebarNavItems]"],
        ["[data-testid=stWidgetLabel][disabled]"],
    ]
}
PATIENCE_MS = 60_000


@dataclass(frozen=True)
class Window:
    """What the page is looked at with."""

    name: str
    width_px: int
    height_px: int
    scheme: str


WINDOWS = (
    Window("light", 1440, 900, "light"),
    Window("dark", 1440, 900, "dark"),
    Window("tablet", 1024, 768, "light"),
    Window("phone", 390, 844, "dark"),
)
# Each screen, and what is seen on it once it is complete.
SCREENS = {
    "": "Most frequent tags",
    "?view=cloud": "Click a tag to see its photos",
    "?view=time&by=year": "Click a bar to see its photos",
    "?view=together": "Of the 200 most frequent tags",
    "?view=cameras": "Click a bar to see its photos",
    "?view=models": "To compare models on the same photos",
    "gallery": "photos",
    "search?q=dog": "found",
    "sql": "SQL",
    "duplicates": "Duplicates",
    "review": "Proposed by",
    "tags": "Tags",
    "compare": "New comparison",
    "compare?comparison=1": "What it comes to",
    "compare?comparison=1&blind=1": "of 15 photos judged",
    "folders": "Folders",
    "folders?folder=2": "Scan every",
    "folders?browse=roots": "Add a folder",
    "import_tags": "Import tags",
    "settings": "Model servers",
    "people": "Nobody signs in yet",
    "audit": "Select a row to read all of it.",
}


@contextmanager
def tagged_app(place: Path) -> Iterator[AppProcess]:
    """The program with the sample photos, tagged by the built-in model."""
    photos = place / "photos"
    shutil.copytree(ROOT / "data" / "samples", photos)
    _date(photos)
    environment = {
        "TAGGER_DATA_DIR": str(place / "data"),
        "TAGGER_SERVERS": json.dumps([{"url": "http://127.0.0.1:9"}]),
        "TAGGER_LIBRARY__ROOTS": json.dumps([str(place)]),
    }
    with app_process(place, environment=environment) as app:
        for folder in (photos, photos / "later"):
            folder.mkdir(exist_ok=True)
            add = {"path": str(folder)}
            httpx.post(f"{app.url}/api/folders", json=add, trust_env=False)
        dogs = {"name": "Dogs", "query": "tag:dog"}
        httpx.put(f"{app.url}/api/searches", json=dogs, trust_env=False)
        asked = f"{app.url}/api/images?state=tagged"
        until(
            lambda: httpx.get(asked, trust_env=False).json()["total"] == 15,
            within_s=120,
        )
        _compare(app)
        _some_wait(app)
        yield app


def _date(photos: Path) -> None:
    """Let each photo say when and with which camera it was taken."""
    for number, path in enumerate(sorted(photos.glob("*.[jp][pn]g"))):
        when = f"{2018 + number // 3}:{1 + number * 5 % 12:02d}:11 10:00:00"
        said = [f"-DateTimeOriginal={when}", f"-Model={('X100V', 'M10')[number % 2]}"]
        command = ["exiftool", "-q", "-overwrite_original", *said, str(path)]
        subprocess.run(command, check=True)


def _compare(app: AppProcess) -> None:
    """Have the built-in model compared with a server that is away."""
    address, away = f"{app.url}/api/comparisons", "http://127.0.0.1:9"
    body = {"contenders": [{"server": "builtin"}, {"server": away}]}
    made = httpx.post(address, json=body, trust_env=False).json()["id"]
    until(
        lambda: (
            httpx.get(f"{address}/{made}", trust_env=False).json()["state"] == "done"
        ),
        within_s=120,
    )


def _some_wait(app: AppProcess) -> None:
    """Answers for two of the photos wait for a person."""
    with httpx.Client(base_url=f"{app.url}/api", trust_env=False) as api:
        folder, _ = api.get("/folders").json()
        api.patch(f"/folders/{folder['id']}", json={"review": True})
        ids = [one["id"] for one in api.get("/images").json()["images"][:2]]
        api.post("/queue/now", json={"image_ids": ids, "ask_again": True})
        until(lambda: api.get("/review").json()["total"] == 2, within_s=60)


@contextmanager
def opened(browser: Browser, window: Window) -> Iterator[Page]:
    """A page in a window of its own, which notes what it asks of other machines."""
    context = browser.new_context(
        viewport={"width": window.width_px, "height": window.height_px},
        color_scheme="dark" if window.scheme == "dark" else "light",
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


def settled(page: Page, seen: str) -> None:
    """Wait until the screen says so, and Streamlit runs no script any more."""
    expect(page.get_by_text(seen).first).to_be_visible(timeout=PATIENCE_MS)
    app = page.locator("[data-testid=stApp]")
    expect(app).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=PATIENCE_MS
    )
    page.wait_for_load_state("networkidle")


def barriers(page: Page) -> list[str]:
    """What keeps people with a screen reader or a keyboard out, found by axe-core."""
    found = Axe().run(page, context=LOOKED_AT).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['target']} {node['html'][:200]}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
