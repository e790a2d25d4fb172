"""Place: a catalogue of made-up photos with thumbnails, and the program that shows it.

The folder is not active, so nobody looks for its files, which are not there.
"""

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from scripts.bench_catalogue import library, whole
from scripts.bench_catalogue.library import Library
from tagger.catalogue import intake
from tagger.imaging.identity import thumbnail_version
from tagger.imaging.thumbnails import ThumbnailStore
from tagger.tracking import folders
from tagger.tracking.database import Database

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync")
PICTURES = 300
SIDE_PX = 384
PATIENCE_S = 60.0


@dataclass(frozen=True)
class App:
    """The running program."""

    url: str
    process: psutil.Process


def fill(folder: Path, photos: int) -> None:
    """Make what is missing of so many photos, their catalogue and their thumbnails."""
    source = Library(folder)
    if source.count < photos:
        source.add(photos - source.count)
    with Database.open(library.database(source.data)) as db:
        for one in folders.every(db):
            folders.set_active(db, one.id, False)
        with whole.opened(source.data) as catalogue:
            intake.take(catalogue, db)
    store = ThumbnailStore(source.data / "thumbnails")
    made: list[Path] = []
    for n in range(photos):
        path = store.path_of(thumbnail_version(f"j1:{n:032x}", 1))
        if len(made) < PICTURES:
            store.save(path.stem, _picture(n))
            made.append(path)
        elif not path.exists():
            path.parent.mkdir(exist_ok=True)
            os.link(made[n % PICTURES], path)


def _picture(seed: int) -> bytes:
    """Something with the detail of a photo: soft noise of several sizes."""
    dice = np.random.default_rng(seed)
    mixed = np.zeros((SIDE_PX, SIDE_PX, 3))
    for cells in (3, 9, 30, 96):
        small = Image.fromarray(dice.integers(0, 255, (cells, cells, 3), np.uint8))
        mixed += np.asarray(small.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC))
    with io.BytesIO() as file:
        Image.fromarray((mixed / 4).astype(np.uint8)).save(file, "JPEG", quality=80)
        return file.getvalue()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that looks at the screens."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield browser
        browser.close()


@contextmanager
def running(folder: Path) -> Iterator[App]:
    """The program on a free port, as `streamlit run` starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = folder / "config.toml"
    settings.touch()
    environment = {
        **os.environ,
        "TAGGER_CONFIG": str(settings),
        "TAGGER_DATA_DIR": str(folder / "data"),
        "TAGGER_SERVERS": '[{"url": "http://127.0.0.1:9"}]',
    }
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    with (folder / "app.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--server.port={port}"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url)
        yield App(url, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def _wait(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            httpx.get(f"{url}/api/health", trust_env=False).raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
