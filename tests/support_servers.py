"""Pools of model servers for tests, and a flow that the test itself drives."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tagger.config import Config
from tagger.pipeline.flow import Flow
from tagger.pipeline.gate import Gate
from tagger.pipeline.tagging import Tagging, tag
from tagger.pipeline.workshop import Workshop, opened
from tagger.records import ImageState, ServerReport, WriteMode
from tagger.tracking import folders, runs, snapshots
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import number_in, settings


def pool(
    tmp_path: Path, *servers: Mapping[str, Any], backend: str = "ollama", **more: Any
) -> Config:
    """Settings with these servers; words stay in the catalogue, which is quicker."""
    sections = {"metadata": {"write_mode": "none"}, "model": {"backend": backend}}
    config = settings(tmp_path, **sections | more)
    listed = [{"url": "http://127.0.0.1:9"} | dict(server) for server in servers]
    return type(config)(**config.model_dump(mode="json") | {"servers": listed})


class Dying:
    """A server in a process of its own, which ends at picture `at` or, None, at any.

    It is started again each time, as a supervisor does; `deaths` counts those.
    """

    def __init__(self, *, at: int | None) -> None:
        self._at = "any" if at is None else str(at)
        self._port = "0"
        self.deaths = 0
        self._stop = threading.Event()
        self._process, self.url = self._start()
        self._port = self.url.rsplit(":", 1)[1]
        self._keeper = threading.Thread(target=self._keep)

    def __enter__(self) -> "Dying":
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._keeper.join()
        self._process.kill()
        self._process.wait()

    def _start(self) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "tests.ollama_double", "--say"]
        command += ["--port", self._port, "--delay", "0.1", "--dies-at", self._at]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout as said:
            return process, said.readline().strip()

    def _keep(self) -> None:
        while not self._stop.wait(0.05):
            if self._process.poll() is not None:
                self.deaths += 1
                time.sleep(0.3)  # long enough to be seen to be away
                self._process, _ = self._start()


def run(config: Config, *paths: Path, **options: object) -> Tagging:
    return tag(config, [os.fsencode(p) for p in paths], choose(config), **options)  # type: ignore[arg-type]


@contextmanager
def flowing(config: Config, *paths: Path) -> Iterator[tuple[Workshop, Flow]]:
    """A flow that works on active folders, to be ticked by the test."""
    with opened(config) as shop:
        for path in paths:
            add_folder(shop, path)
        run_id = runs.begin(shop.db, "run")
        flow = shop.flow(
            choose(config).members,
            run_id=run_id,
            patient=True,
            gate=Gate(shop.db, config.schedule),
        )
        try:
            yield shop, flow
        finally:
            flow.close()
            runs.end(shop.db, run_id)


def add_folder(shop: Workshop, path: Path) -> None:
    """Have the photos of a folder known and in the queue."""
    added = folders.find(shop.db, os.fsencode(path)) or folders.add(
        shop.db,
        os.fsencode(path),
        recursive=True,
        write_mode=WriteMode.NONE,
        data_dir=shop.config.data_dir,
    )
    shop.scanner.scan(added)


def tick_until(flow: Flow, true: Callable[[], bool], *, timeout_s: float = 40) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        flow.tick()
        time.sleep(0.02)


def tagged(shop: Workshop, *below: Path) -> Callable[[], bool]:
    """Whether all photos, or all in these folders, are tagged."""

    def check() -> bool:
        found = [
            image.state
            for image in snapshots.after(shop.db, 0, limit=1000)
            if not below or Path(image.shown_path).is_relative_to(below[0])
        ]
        return set(found) == {ImageState.TAGGED}

    return check


def report(flow: Flow, name: str) -> ServerReport:
    [found] = [one for one in flow.reports() if one.name == name]
    return found


def seen(double: OllamaDouble) -> list[int]:
    """The numbers of the photos that a server was asked about."""
    return [number_in(asked.image) for asked in double.asked]
