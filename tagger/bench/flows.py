"""Flows: photos all the way, from a folder to words in their files.

The limit is what the model server can do: its slots, divided by the time of an answer.
"""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
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


def measure(
    folder: Path,
    config: Config,
    *,
    megapixels: float,
    photos: int = PHOTOS,
    slots: int = SLOTS,
    answer_ms: float = ANSWER_MS,
) -> Iterator[Figure]:
    """Photos a second of a whole `tag`, and the share of the time slots were busy."""
    library = folder / "photos"
    library.mkdir()
    for number in range(photos):
        made.save(library, number, format="JPEG", megapixels=megapixels)
    with server(slots=slots, answer_ms=answer_ms) as url:
        own = _settings(config, folder / "data", url, slots)
        outcome = tagging.tag(own, [bytes(library)], choose(own))
        stats = _stats(url)
    if outcome.failed or outcome.gave_up:
        raise DataError(f"the measured photos were not tagged: {outcome.failed[:1]}")
    name = f"{photos} JPEG of {megapixels:g} megapixels"
    limit_name = f"{slots} slots of {answer_ms:g} ms"
    yield Figure(
        part="flow",
        name=name,
        value=photos / outcome.seconds,
        unit="photos a second, start and end included",
        limit_name=limit_name,
        limit=slots / (answer_ms / 1000),
    )
    yield Figure(
        part="flow",
        name=name,
        value=stats["answered"] / stats["seconds"] if stats["seconds"] else 0.0,
        unit="answers a second, from the first question to the last answer",
        limit_name=limit_name,
        limit=slots / (answer_ms / 1000),
    )


def _settings(config: Config, data: Path, url: str, slots: int) -> Config:
    """Settings of its own: nothing of what people have is touched or asked."""
    return settings.check(
        {
            "data": {"dir": str(data)},
            "servers": [{"url": url, "model": MODEL, "parallel": slots}],
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
