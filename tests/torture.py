"""Pictures that picture libraries test themselves with, through the whole program.

The source distributions of Pillow, pillow-heif and thumbor hold a thousand pictures
that once broke a decoder or a writer, beside ordinary ones. They are fetched by the
test run, in fixed versions, and are in no repository of ours. All whose names are those
of photos are taken, copies too; the program runs on them as people run it.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path, PurePosixPath
from typing import Any

import psutil

from tagger.config import Config
from tagger.imaging.faults import DECODER_FAULTS
from tagger.imaging.formats import is_photo_name
from tagger.imaging.identity import identity
from tests.support_metadata import pixels
from tests.support_pipeline import as_environment

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("pillow==13.0.0", "pillow_heif==1.8.1", "thumbor==7.8.0")
FETCH_S = 240.0
# Longer than all of them take; who goes beyond it hangs.
RUN_S = 400.0
SAMPLE_S = 0.1

# The hash of a file, and its time.
Digest = tuple[str, int]


def fetch(folder: Path) -> None:
    """Put the pictures of all sources below a folder."""
    archives = folder.with_name(f"{folder.name}-archives")
    wanted = ["--no-deps", "--no-binary", ":all:", "--dest", str(archives), *SOURCES]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", *wanted],
        check=True,
        timeout=FETCH_S,
    )
    found = sorted(archives.iterdir())
    assert len(found) == len(SOURCES), found
    for archive in found:
        with tarfile.open(archive) as sources:
            photos = [
                member
                for member in sources
                if member.isfile() and is_photo_name(PurePosixPath(member.name).name)
            ]
            sources.extractall(folder, members=photos, filter="data")
    shutil.rmtree(archives)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def digests(folder: Path) -> dict[str, Digest]:
    """The bytes of every file, as a hash, and its time."""
    return {
        str(path): (sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in files(folder)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One command: how it ended, and the most memory of each program in it."""

    code: int
    output: str
    messages: str
    seconds: float
    peak_bytes: Mapping[str, int]

    def json(self) -> Any:
        return json.loads(self.output)


def command(config: Config, *arguments: str) -> Ran:
    """Run the program as people do, and see how much memory it takes."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "tagger", *arguments],
        cwd=ROOT,
        env=as_environment(config),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        peak, ended = dict[str, int](), threading.Event()
        watching = threading.Thread(target=_watch, args=(process.pid, peak, ended))
        watching.start()
        try:
            output, messages = process.communicate(timeout=RUN_S)
        finally:
            ended.set()
            watching.join()
            process.kill()
    return Ran(
        code=process.returncode,
        output=output,
        messages=messages,
        seconds=time.monotonic() - began,
        peak_bytes=peak,
    )


def _watch(pid: int, peak: dict[str, int], ended: threading.Event) -> None:
    """Note the high-water mark of a process and of all it starts, by program."""
    while not ended.wait(SAMPLE_S):
        try:
            main = psutil.Process(pid)
            for one in (main, *main.children(recursive=True)):
                peak[one.name()] = max(peak.get(one.name(), 0), _high_water(one.pid))
        except psutil.NoSuchProcess:
            continue  # it has just ended


def _high_water(pid: int) -> int:
    """The most memory a process has had; the kernel keeps it, so no peak is missed."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines.get("VmHWM", "0 kB").split()[0]) << 10


@dataclass(frozen=True, slots=True)
class Shown:
    """What a picture shows: its identity and its pixels, None if they do not decode."""

    identity: str
    pixels: str | None


def shown(paths: Sequence[str]) -> dict[str, Shown]:
    """What each file shows, by its path."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        return dict(zip(paths, workers.map(_shown, paths, chunksize=8), strict=True))


def _shown(path: str) -> Shown:
    try:
        decoded = pixels(path)
    except DECODER_FAULTS:
        decoded = None
    return Shown(identity(os.fsencode(path)), decoded)
