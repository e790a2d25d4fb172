"""Measurements by hand: how full servers are kept, and how much memory that takes.

    python -m tests.measure busy --places 4 --answer 0.5
    python -m tests.measure pool
    python -m tests.measure memory --megapixels 100 --count 40

Servers are doubles in processes of their own, as they are in life, so that what they
take of this machine's time is theirs. Photos are made once and kept below `--photos`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tagger.config import Config
from tests.support_pipeline import as_environment, numbered, settings

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Box:
    """One model server of a measurement."""

    places: int
    answer_s: float

    @property
    def best(self) -> float:
        """Answers a second when it never waits."""
        return self.places / self.answer_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["busy", "pool", "memory"])
    parser.add_argument("--places", type=int, default=4)
    parser.add_argument("--answer", type=float, default=0.5, help="seconds an answer")
    parser.add_argument("--count", type=int, default=160)
    parser.add_argument("--megapixels", type=int, default=12)
    parser.add_argument("--format", default="jpg", help="jpg, progressive or png")
    parser.add_argument("--write", default="file", choices=["file", "sidecar", "none"])
    parser.add_argument("--photos", type=Path, default=Path("/tmp/tagger-measure"))
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    for _ in range(given.times):
        boxes = [Box(given.places, given.answer)]
        if given.what == "pool":
            boxes = [Box(4, 0.5), Box(1, 2.0)]
        _measure(given, boxes)


def _measure(given: argparse.Namespace, boxes: Sequence[Box]) -> None:
    folder = _photos(given)
    work = Path(given.photos) / "work"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(folder, work / "photos", copy_function=_aged)
    with ExitStack() as stack:
        urls = [stack.enter_context(_server(box)) for box in boxes]
        config = _settings(work, boxes, urls)
        taken = _tagged(config, work / "photos", given.write)
        found = [_asked(url) for url in urls]
    _say(boxes, found, taken)


def _settings(work: Path, boxes: Sequence[Box], urls: Sequence[str]) -> Config:
    config = settings(work, *urls, scan={"settle_s": 2.0})
    servers = tuple(
        server.model_copy(update={"parallel": box.places})
        for server, box in zip(config.servers, boxes, strict=True)
    )
    return config.model_copy(update={"servers": servers})


def _photos(given: argparse.Namespace) -> Path:
    """As many different photos as are asked for; made once."""
    width_px = round((given.megapixels * 1e6 * 4 / 3) ** 0.5)
    folder = given.photos / f"{given.format}-{given.megapixels}"
    for number in range(1, given.count + 1):
        path = folder / f"{number}.{'png' if given.format == 'png' else 'jpg'}"
        if not path.exists():
            numbered(path, number, width_px=width_px, kind=given.format)
    keep = {f"{number}" for number in range(1, given.count + 1)}
    chosen = given.photos / "chosen"
    shutil.rmtree(chosen, ignore_errors=True)
    chosen.mkdir(parents=True)
    for path in folder.iterdir():
        if path.stem in keep:
            os.link(path, chosen / path.name)
    return chosen


def _aged(source: str, target: str) -> str:
    shutil.copyfile(source, target)
    os.utime(target, (1, time.time() - 3600))
    return target


@contextmanager
def _server(box: Box) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.ollama_double", "--port", "0"]
    command += ["--delay", str(box.answer_s), "--slots", str(box.places), "--say"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


@dataclass
class Taken:
    """What a kind of process took at most, and in all."""

    peak_bytes: int = 0
    cpu_s: float = 0.0


def _tagged(config: Config, folder: Path, write: str) -> dict[str, Taken]:
    """Tag the folder with the real command; the memory and the time that took."""
    command = [sys.executable, "-m", "tagger", "tag", str(folder), "--write", write]
    process = subprocess.Popen(
        command, cwd=ROOT, env=as_environment(config), stdout=subprocess.DEVNULL
    )
    taken = {"tagger": Taken(), "decoders": Taken(), "exiftool": Taken()}
    ended = threading.Event()
    watching = threading.Thread(target=_watch, args=(process.pid, taken, ended))
    watching.start()
    code = process.wait()
    ended.set()
    watching.join()
    assert code == 0, code
    return taken


def _watch(pid: int, taken: dict[str, Taken], ended: threading.Event) -> None:
    spent: dict[int, tuple[str, float]] = {}
    together = Taken()
    taken["all"] = together
    while not ended.wait(0.05):
        now = dict.fromkeys(taken, 0)
        try:
            parent = psutil.Process(pid)
            for one in (parent, *parent.children(recursive=True)):
                kind = "tagger" if one.pid == pid else _kind(one)
                now[kind] += one.memory_info().rss
                times = one.cpu_times()
                spent[one.pid] = kind, times.user + times.system
        except psutil.Error:
            continue
        now["all"] = sum(now.values())
        for kind, size in now.items():
            taken[kind].peak_bytes = max(taken[kind].peak_bytes, size)
    for kind, seconds in spent.values():
        taken[kind].cpu_s += seconds
        together.cpu_s += seconds


def _kind(process: psutil.Process) -> str:
    return "decoders" if "python" in process.name() else "exiftool"


def _asked(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/measured") as answer:
        return dict(json.load(answer))


def _say(
    boxes: Sequence[Box], found: Sequence[dict[str, float]], taken: dict[str, Taken]
) -> None:
    began = min(one["began_s"] for one in found)
    ended = max(one["ended_s"] for one in found)
    count = sum(one["count"] for one in found)
    lines = [
        f"{box.places} x {box.answer_s:g} s: {one['count']:.0f} answers, "
        f"busy {one['spent_s'] / box.places / (one['ended_s'] - one['began_s']):.1%}, "
        f"refused {one['refused']:.0f}"
        for box, one in zip(boxes, found, strict=True)
    ]
    rate, best = count / (ended - began), sum(box.best for box in boxes)
    lines.append(f"together {rate:.2f} of {best:.2f} answers/s ({rate / best:.1%})")
    lines += [
        f"{kind} {one.peak_bytes / 2**20:.0f} MiB {one.cpu_s / count * 1000:.0f} ms"
        for kind, one in taken.items()
    ]
    sys.stdout.write("; ".join(lines) + "\n")


if __name__ == "__main__":
    main()
