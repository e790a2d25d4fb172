"""Boxes: the model servers to measure with, and what became of a `tag` with them."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tagger import config as settings
from tagger.bench.figures import cpu_s
from tagger.bench.server import MODEL
from tagger.config import ROOT, Config
from tagger.errors import DataError
from tagger.pipeline import tagging
from tagger.vision.choose import choose


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One `tag`: from the first question to the last answer, and what it cost.

    `busy_places` is an average of all servers together; `cpu_s` is the tagger's with
    its decoders and exiftool, and without the servers'.
    """

    answers_a_second: float
    busy_places: float
    cpu_s: float


def tagged(home: Path, config: Config, boxes: Sequence[Box]) -> Ran:
    """Tag what is in `photos` at `home`; raises `DataError` if any photo was not."""
    with ExitStack() as stack:
        urls = [
            stack.enter_context(server(slots=box.slots, answer_ms=box.answer_ms))
            for box in boxes
        ]
        own = _settings(config, home / "data", urls, boxes)
        began_s = cpu_s() - _servers_cpu_s(urls)
        outcome = tagging.tag(own, [bytes(home / "photos")], choose(own))
        spent_s = cpu_s() - _servers_cpu_s(urls) - began_s
        stats = [found for url in urls if (found := _stats(url))["answered"]]
    if outcome.failed or outcome.gave_up or not stats:
        raise DataError(f"the measured photos were not tagged: {outcome.failed[:1]}")
    began = min(one["first_s"] for one in stats)
    lasted_s = max(max(one["last_s"] for one in stats) - began, 1e-6)
    return Ran(
        answers_a_second=sum(one["answered"] for one in stats) / lasted_s,
        busy_places=sum(one["busy_s"] for one in stats) / lasted_s,
        cpu_s=max(spent_s, 1e-6),
    )


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


def _servers_cpu_s(urls: Sequence[str]) -> float:
    return sum(_stats(url)["cpu_s"] for url in urls)


def _stats(url: str) -> dict[str, float]:
    # The address is that of the server started above.
    with urllib.request.urlopen(f"{url}/stats", timeout=10) as answer:  # nosec B310
        found: dict[str, float] = json.load(answer)
        return found
