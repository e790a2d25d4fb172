"""Place: the photos, a folder where more arrive, and the app with its tagger at work.

The photos are those of the bench of the screens. The arriving ones are real files that
the tagger finds, looks at, has described and writes to, while a model server of the
bench answers after a time that is given.
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

from scripts.bench_catalogue import asking, library, whole
from tagger.acting import Role
from tagger.bench.server import MODEL
from tagger.records import WriteMode
from tagger.tracking import folders, tokens, users
from tagger.tracking.database import Database

ROOT = Path(__file__).resolve().parents[2]
SLOTS, ANSWER_MS = 2, 300
ARRIVING_PX = (800, 600)
PATIENCE_S = 90.0
STOPPING_S = 60.0


@dataclass(frozen=True)
class App:
    """The running program."""

    port: int
    process: psutil.Process
    token: str

    def get(self, path: str) -> httpx.Response:
        signed = {"Authorization": f"Bearer {self.token}"}
        url = f"http://127.0.0.1:{self.port}{path}"
        answer = httpx.get(url, headers=signed, trust_env=False, timeout=30.0)
        return answer.raise_for_status()

    def tagged(self) -> int:
        """The tagged photos that the app has taken in."""
        return int(self.get("/api/images/stats").json()["tagged"])


def questions(folder: Path, count: int, photos: int) -> list[dict[str, str]]:
    """What searchers have in mind, as the parameters of a request."""
    with whole.opened(folder / "data") as catalogue:
        asked = asking.questions_of(catalogue, count, newest=photos)
    return [
        {
            "q": one.wanted.query,
            **({"tag": one.tags[0]} if one.tags else {}),
            **({"month": one.month} if one.month else {}),
        }
        for one in asked
    ]


def let_in(folder: Path, people: int) -> list[str]:
    """Have this many people let in besides an admin; a token of each."""
    with Database.open(library.database(folder / "data")) as db:
        if not users.are_any(db):
            users.add(db, "admin", role=Role.ADMIN, password=None)
        names = [f"reader {number}" for number in range(people)]
        for name in names:
            if users.called(db, name) is None:
                users.add(db, name, role=Role.VIEWER, password=None)
        return [tokens.make(db, name, "bench", days=1)[1] for name in names]


def arrive(folder: Path, count: int) -> None:
    """Real photos in a folder that the tagger watches; each is another picture."""
    root = folder / "arriving" / str(time.time_ns())
    root.mkdir(parents=True)
    dice = np.random.default_rng(time.time_ns())
    small = dice.integers(0, 255, (30, 40, 3), np.uint8)
    base = Image.fromarray(small).resize(ARRIVING_PX, Image.Resampling.BICUBIC)
    for number in range(count):
        patch = dice.integers(0, 255, (8, 8, 3), np.uint8)
        base.paste(Image.fromarray(patch).resize((200, 200)), (number % 600, 200))
        path = root / f"IMG_{number:05d}.jpg"
        with io.BytesIO() as file:
            base.save(file, "JPEG", quality=80)
            path.write_bytes(file.getvalue())
        os.utime(path, (1, time.time() - 3600))
    data = folder / "data"
    with Database.open(library.database(data)) as db:
        folders.add(
            db,
            os.fsencode(root),
            recursive=True,
            write_mode=WriteMode.FILE,
            data_dir=data,
        )


@contextmanager
def model_server() -> Iterator[str]:
    """The bench's model server; where it is."""
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "tagger.bench.server"),
            *("--slots", str(SLOTS), "--ms", str(ANSWER_MS)),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()


@contextmanager
def running(folder: Path, model_url: str, *, token: str) -> Iterator[App]:
    """`python -m tagger serve` on a free port; it starts its `tagger run` itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = folder / "config.toml"
    settings.touch()
    server = f'[{{"url": "{model_url}", "model": "{MODEL}", "parallel": {SLOTS}}}]'
    environment = {
        **os.environ,
        "TAGGER_CONFIG": str(settings),
        "TAGGER_DATA_DIR": str(folder / "data"),
        "TAGGER_SERVERS": server,
        "TAGGER_MODEL__BACKEND": "ollama",
        "PORT": str(port),
    }
    with (folder / "app.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tagger", "serve"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        app = App(port, psutil.Process(process.pid), token)
        _wait(app)
        yield app
    finally:
        process.terminate()
        process.wait(timeout=STOPPING_S)


def _wait(app: App) -> None:
    """Until it answers, and a first photo that arrived was taken in."""
    deadline = time.monotonic() + PATIENCE_S
    before: int | None = None
    while True:
        try:
            tagged = app.tagged()
            before = tagged if before is None else before
            if tagged > before:
                return
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise SystemExit("the tagger tags nothing; see app.log in the folder")
        time.sleep(0.2)
