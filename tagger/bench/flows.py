"""Flows: photos all the way, from a folder to words in their files.

The limit is what the model servers can do: their slots, divided by the time of an
answer. The first and the last photo leave some slots without work, so that more photos
come nearer to it.
"""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tagger import config as settings
from tagger.bench.figures import Figure
from tagger.bench.server import MODEL
from tagger.config import ROOT, Config
from tagger.errors import DataError
from tagger.imaging import made
from tagger.pipeline import tagging
from tagger.vision.choose import choose

PHOTOS = 80
SLOTS = 4
ANSWER_MS = 500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One model server to measure with."""

    slots: int
    answer_ms: float

    @property
    def limit(self) -> float:
        """Answers a second when it never waits."""
        return self.slots / (self.answer_ms / 1000)

    def __str__(self) -> str:
        slots = "1 slot" if self.slots == 1 else f"{self.slots} slots"
        return f"{slots} of {self.answer_ms:g} ms"


def measure(
    folder: Path,
    config: Config,
    *,
    megapixels: float,
    photos: int = PHOTOS,
    slots: int = SLOTS,
    answer_ms: float = ANSWER_MS,
) -> Iterator[Figure]:
    """Photos a second of a whole `tag`, and answers a second of the servers meanwhile.

    Once with one server, and once with a slow one of a single slot beside it.
    """
    library = folder / "photos"
    library.mkdir()
    for number in range(photos):
        made.save(library, number, format="JPEG", megapixels=megapixels)
    name = f"{photos} JPEG of {megapixels:g} megapixels"
    fast, slow = (
        Box(slots=slots, answer_ms=answer_ms),
        Box(slots=1, answer_ms=4 * answer_ms),
    )
    for boxes in ((fast,), (fast, slow)):
        # Copies, for what was tagged once asks no server again.
        home = folder / f"{len(boxes)}"
        shutil.copytree(library, home / "photos")
        seconds, rate = _tagged(home, config, boxes)
        if len(boxes) == 1:
            yield _figure(name, "photos a second, all told", photos / seconds, boxes)
        yield _figure(name, "answers a second, first to last", rate, boxes)


def _figure(name: str, unit: str, value: float, boxes: Sequence[Box]) -> Figure:
    return Figure(
        part="flow",
        name=name,
        value=value,
        unit=unit,
        limit_name=" and ".join(map(str, boxes)),
        limit=sum(box.limit for box in boxes),
    )


def _tagged(home: Path, config: Config, boxes: Sequence[Box]) -> tuple[float, float]:
    """How many seconds a `tag` took, and how many answers a second came meanwhile."""
    with ExitStack() as stack:
        urls = [
            stack.enter_context(server(slots=box.slots, answer_ms=box.answer_ms))
            for box in boxes
        ]
        own = _settings(config, home / "data", urls, boxes)
        outcome = tagging.tag(own, [bytes(home / "photos")], choose(own))
        stats = [found for url in urls if (found := _stats(url))["answered"]]
    if outcome.failed or outcome.gave_up or not stats:
        raise DataError(f"the measured photos were not tagged: {outcome.failed[:1]}")
    began_s = min(one["first_s"] for one in stats)
    lasted_s = max(one["last_s"] for one in stats) - began_s
    return outcome.seconds, sum(one["answered"] for one in stats) / lasted_s


def _settings(
    config: Config, data: Path, urls: Sequence[str], boxes: Sequence[Box]
) -> Config:
    """Settings of its own: nothing of what people have is touched or asked."""
    servers = [
        {"url": url, "model": MODEL, "parallel": box.slots}
        for url, box in zip(urls, boxes, strict=True)
    ]
    return settings.check(
        {
            "data": {"dir": str(data)},
            "servers": servers,
            "model": {**config.model.model_dump(), "backend": "ollama"},
            "metadata": config.metadata.model_dump(),
            "tagger": config.tagger.model_dump(),
            "scan": {"settle_s": 0.0},
        }
    )


@contextmanager
def server(*, slots: int, answer_ms: float) -> Iterator[str]:
    """The model server, in a process of its own; its address."""
    command = [
        *(sys.executable, "-m", "tagger.bench.server"),
        *("--slots", str(slots), "--ms", str(answer_ms)),
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


def _stats(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/stats", timeout=10) as answer:
        found: dict[str, float] = json.load(answer)
        return found
