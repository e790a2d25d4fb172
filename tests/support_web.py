"""The app for tests: its API in this process, or all of it as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from tagger import config
from tagger.imaging.identity import thumbnail_version
from tagger.imaging.look import look
from tagger.records import Answer, FileWords, ImageState, StatKey, Tag, WriteMode
from tagger.tracking import files, folders, jobs, looks, results
from tagger.tracking.files import Seen
from tagger.web import assembly, runtime
from tagger.web.lifespan import Bound
from tagger.web.runtime import Runtime

ROOT = Path(__file__).resolve().parent.parent
SECRET = "the secret of this test"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(holds: Callable[[], bool], *, within_s: float = 30.0) -> None:
    """Wait for something another process does; fails when it does not."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@dataclass
class Library:
    """A folder of photos, and the runtime that knows them."""

    opened: Runtime
    root: Path
    folder_id: int

    def photo(
        self,
        name: str | bytes,
        *tags: str,
        description: str = "A photo.",
        colour: str = "red",
        save_as: str | None = None,
    ) -> int:
        """Make a real photo and take it through scan, look and answer; its id."""
        path = os.path.join(os.fsencode(self.root), os.fsencode(name))
        with open(path, "wb") as file:
            Image.new("RGB", (64, 48), colour).save(file, save_as or "JPEG")
        return self.tagged(path, *tags, description=description)

    def tagged(self, path: bytes, *tags: str, description: str = "A photo.") -> int:
        opened, seen = self.opened, StatKey.of(os.stat(path))
        found = look(path, side_px=224, max_megapixels=50)
        files.apply_scan(opened.db, self.folder_id, [Seen(path, seen)], within=[path])
        (job,) = jobs.claim(opened.db, limit=1)
        looks.record(
            opened.db,
            job,
            stat=seen,
            identity=found.identity,
            content_hash=found.content_hash,
            dhash=found.dhash,
            facts=found.facts,
            words=FileWords(),
            note=None,
        )
        version = thumbnail_version(found.identity, found.facts.orientation)
        opened.thumbnails.save(version, found.thumbnail)
        answer = Answer(
            description=description,
            tags=tuple(Tag(tag, 0.5) for tag in tags),
            backend="ollama",
            model="gemma3:4b",
            prompt_version="p1",
        )
        results.record(opened.db, job, found.identity, answer)
        jobs.finish(opened.db, job, ImageState.TAGGED)
        opened.take()
        return job.file_id


@contextmanager
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty library, its runtime in force for this process."""
    settings = config.load()
    opened = Runtime.open(settings)
    opened.secret = SECRET
    root = tmp_path / "photos"
    root.mkdir()
    added = folders.add(
        opened.db,
        os.fsencode(root),
        recursive=True,
        write_mode=WriteMode.FILE,
        data_dir=settings.data_dir,
    )
    runtime.use(opened)
    try:
        yield Library(opened, root, added.id)
    finally:
        runtime.use(None)
        opened.close()


@contextmanager
def served(
    app: Starlette | None = None, *, bound: str = "127.0.0.1"
) -> Iterator[httpx.Client]:
    """The routes and middleware of the app on a port of their own, without screens.

    `bound` is where the app takes itself to listen.
    """
    port = free_port()
    app = app or _without_screens(Bound(bound, port))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            log_level="warning",
            ws="websockets-sansio",
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive())
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False
        ) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def _without_screens(bound: Bound) -> Starlette:
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    return Starlette(
        routes=[*assembly.routes(), WebSocketRoute("/_stcore/stream", echo)],
        middleware=assembly.middleware(config.check({}), bound),
    )


def handshake(url: str, **headers: str) -> int:
    """The status a websocket handshake with these headers gets; 101 lets it in."""
    place = httpx.URL(url)
    lines = {
        "Host": f"{place.host}:{place.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection((place.host, place.port or 80), timeout=10) as plain:
        plain.sendall(f"GET /_stcore/stream HTTP/1.1\r\n{text}\r\n".encode())
        return int(plain.recv(4096).split()[1])


@dataclass
class AppProcess:
    """The whole app, run as people run it."""

    process: subprocess.Popen[bytes]
    url: str
    data_dir: Path
    log: Path

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def answers(self) -> bool:
        if self.process.poll() is not None:
            return True
        try:
            return httpx.get(f"{self.url}/api/health", trust_env=False).is_success
        except httpx.TransportError:
            return False


@contextmanager
def app_process(
    tmp_path: Path,
    *flags: str,
    command: tuple[str, ...] | None = None,
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Iterator[AppProcess]:
    """Start the app on a free port and wait until it answers or has ended."""
    port = port or free_port()
    command = command or (
        *(sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")),
        *(f"--server.port={port}", *flags),
    )
    environ = {
        **os.environ,
        "TAGGER_CONFIG": str(settings_file(tmp_path)),
        **(environment or {}),
    }
    if "PORT" in environ:
        environ["PORT"] = environ["PORT"].replace("FREE", str(port))
    log = tmp_path / "app.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=output, stderr=output
        )
    app = AppProcess(process, f"http://127.0.0.1:{port}", config.load().data_dir, log)
    try:
        until(app.answers)
        yield app
    finally:
        if process.poll() is None:
            app.stop()


def settings_file(tmp_path: Path, text: str = "") -> Path:
    """A settings file of the test's own, made if it is not there."""
    path = tmp_path / "config.toml"
    if text or not path.exists():
        path.write_text(text, "utf-8")
    return path
