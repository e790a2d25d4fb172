"""Screenshots: the pictures of the program in README and docs, made of the samples.

`make screenshots` runs it; it is no part of the program.
"""

import shutil
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Page

from scripts.bench_screens.place import PATIENCE_S, ROOT, chromium, running

DOCS = ROOT / "docs"
WIDTH_PX, HEIGHT_PX = 1440, 900
SHOTS = {"dashboard": "", "gallery": "gallery", "tags": "tags"}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tagger-shots-") as made:
        folder = Path(made)
        photos = folder / "Pictures"
        shutil.copytree(ROOT / "data" / "samples", photos)
        with running(folder) as app, chromium() as browser:
            _tag(app.url, photos)
            page = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX})
            for name, screen in SHOTS.items():
                page.goto(f"{app.url}/{screen}")
                _keep(page, name)
            page.goto(f"{app.url}/gallery")
            page.locator(".wall [data-testid=photo]").nth(2).click()
            page.get_by_role("dialog").wait_for()
            _keep(page, "photo")


def _tag(url: str, photos: Path) -> None:
    """Let the built-in model tag the samples."""
    with httpx.Client(base_url=url, trust_env=False) as client:
        client.post("/api/folders", json={"path": str(photos)}).raise_for_status()
        count = sum(path.suffix != ".md" for path in photos.iterdir())
        deadline = time.monotonic() + PATIENCE_S
        while client.get("/api/images?state=tagged").json()["total"] < count:
            if time.monotonic() > deadline:
                raise TimeoutError("the samples were not tagged in time")
            time.sleep(0.5)


def _keep(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(3_000)
    page.screenshot(path=DOCS / f"{name}.jpg", type="jpeg", quality=82)


if __name__ == "__main__":
    main()
