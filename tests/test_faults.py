"""Long runs on servers that fail, and kills meanwhile: every photo comes to an end."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tagger.config import Config
from tagger.records import ImageState, WriteMode
from tagger.tracking import folders, status, writes
from tagger.tracking.database import Database
from tests.ollama_double import OllamaDouble
from tests.support_faults import NAMES, SLOTS, TIMEOUT_S, Pool
from tests.support_pipeline import (
    as_environment,
    in_file,
    known_images,
    numbered,
    settings,
    strays,
)

ROOT = Path(__file__).resolve().parent.parent
COUNT = int(os.environ.get("TEST_FAULT_PHOTOS", "2000"))
ANSWER_S = 1.5
AWAY_S = 10.0
END_S = 1100
KILLS, KILLED_COUNT = 50, 600
SEED = int(os.environ.get("TEST_SEED", "1"))


@dataclass(frozen=True)
class Taken:
    """What a process has of the system at one moment."""

    rss_bytes: int
    threads: int
    files: int

    @classmethod
    def of(cls, process: psutil.Process) -> "Taken":
        with process.oneshot():
            return cls(
                process.memory_info().rss, process.num_threads(), process.num_fds()
            )


def add(config: Config, folder: Path, mode: WriteMode) -> None:
    with Database.of(config) as db:
        folders.add(
            db,
            os.fsencode(folder),
            recursive=True,
            write_mode=mode,
            data_dir=config.data_dir,
        )


def start(config: Config) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tagger", "run"],
        cwd=ROOT,
        env=as_environment(config),
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def running(config: Config) -> Iterator[subprocess.Popen[bytes]]:
    """The long-running tagger at work; it is stopped at the end."""
    process = start(config)
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(30) == 0


def busy_share(server: OllamaDouble, until_s: float, *, hung_s: float = 0.0) -> float:
    """Slot-seconds of answering, and of hanging, of all up to a moment."""
    began_s = min(asked.began_s for asked in server.asked)
    spent_s = sum(
        min(a.ended_s, until_s) - min(a.began_s, until_s) for a in server.asked
    )
    hung = sum(at < until_s for at in getattr(server, "faulty_at", ()))
    return (spent_s + hung * hung_s) / SLOTS / (until_s - began_s)


@pytest.mark.slow
@pytest.mark.alone
def test_every_photo_comes_to_an_end_and_nothing_leaks(tmp_path: Path) -> None:
    for number in range(1, COUNT + 1):
        numbered(tmp_path / "photos" / f"{number}.jpg", number, width_px=240)
    seen: list[Taken] = []
    with Pool(delay_s=ANSWER_S) as pool:
        config = settings(tmp_path, servers=pool.settings, model={"backend": "ollama"})
        add(config, tmp_path / "photos", WriteMode.NONE)
        with running(config) as process:
            tagger = psutil.Process(process.pid)
            _until(lambda: pool.answered > COUNT // 4)
            seen.append(Taken.of(tagger))
            pool.kill(away_s=AWAY_S)
            _until(lambda: pool.answered > COUNT * 3 // 4)
            nearly_done_s = time.monotonic()
            seen.append(Taken.of(tagger))
            with Database.of(config) as db:
                _until(lambda: _is_over(db, COUNT))
                reports = {one.name: one for one in status.read(db).servers}
                seen.append(Taken.of(tagger))
        shares = _shares(pool, nearly_done_s)
        _all_ended_once(config, pool)
    assert set(reports) == set(NAMES)
    assert all(one.usable for one in reports.values()), reports
    assert min(shares.values()) >= 0.9, shares
    first, later, last = seen
    for name in ("threads", "files"):
        counts = [getattr(one, name) for one in (first, later, last)]
        assert max(counts[1:]) <= counts[0] + 2 * len(NAMES), (name, counts)
    assert last.rss_bytes < first.rss_bytes + (40 << 20), seen


def _shares(pool: Pool, until_s: float) -> dict[str, float]:
    """How busy each server was while it worked."""
    [(died_s, back_s)] = pool.away
    asked = [one for one in pool.dying.asked if one.began_s < until_s]
    # How long it takes to be noticed again is not counted: pauses grow to some seconds.
    alive_s = until_s - min(one.began_s for one in asked) if asked else 0.0
    again = sum(min(one.ended_s, until_s) - one.began_s for one in asked)
    assert alive_s > (until_s - back_s) / 2, "the server that came back got no photos"
    return {
        "before": busy_share(pool.dead[0], died_s),
        "again": again / SLOTS / alive_s,
        "erring": busy_share(pool.erring, until_s),
        "hanging": busy_share(pool.hanging, until_s, hung_s=TIMEOUT_S),
    }


def _all_ended_once(config: Config, pool: Pool) -> None:
    """Each photo is tagged with its own answer, or failed for a reason."""
    found = known_images(config)
    assert len(found) == COUNT
    states = Counter(image.state for image in found.values())
    assert set(states) <= {ImageState.TAGGED, ImageState.FAILED}, states
    # A photo fails if three servers in a row have nothing for it: one in hundreds.
    assert states[ImageState.FAILED] <= COUNT // 100, states
    for name, image in found.items():
        if image.state is ImageState.FAILED:
            assert image.reason
        else:
            assert f"number {Path(name).stem}" in [tag.name for tag in image.tags]
    times = Counter(number for _, number in pool.questions())
    lost = sum(len(server.asked) for server in pool.dead)
    # Only what was at the server that died may be asked about a second time.
    assert sum(times.values()) - len(times) <= min(lost, SLOTS), times.most_common(5)


@pytest.mark.slow
def test_kills_at_any_moment_repeat_no_question_that_was_answered(
    tmp_path: Path,
) -> None:
    chance = random.Random(SEED)
    for number in range(1, KILLED_COUNT + 1):
        numbered(tmp_path / "photos" / f"{number}.jpg", number, width_px=240)
    known: dict[int, float] = {}
    with Pool(delay_s=1.0) as pool:
        config = settings(tmp_path, servers=pool.settings, model={"backend": "ollama"})
        add(config, tmp_path / "photos", WriteMode.FILE)
        for kill in range(KILLS):
            process = start(config)
            if chance.random() < 0.8:  # else it dies on its way to the first question
                _until(lambda: any(server.busy for server in pool.every))
            time.sleep(chance.uniform(0.0, 3.0))
            process.kill()
            process.wait()
            if kill == KILLS // 2:
                pool.kill(away_s=0.5)
            now = time.monotonic()
            for number in answered(config):
                known.setdefault(number, now)
        with running(config), Database.of(config) as db:
            _until(lambda: _is_over(db, KILLED_COUNT))
            # What the last one asked is over, too.
            _until(lambda: not any(server.busy for server in pool.every))
        repeated = [
            number
            for began_s, number in pool.questions()
            if began_s > known.get(number, float("inf"))
        ]
    assert len(known) > KILLS // 2, "the kills met no answers"
    assert repeated == []
    found = known_images(config)
    assert {image.state for image in found.values()} <= {
        ImageState.TAGGED,
        ImageState.FAILED,
    }
    for name, image in found.items():
        words = in_file(tmp_path / "photos" / name)
        once = [f"number {Path(name).stem}", "bar code"]
        is_tagged = image.state is ImageState.TAGGED
        assert words["XMP-dc:Subject"] == (once if is_tagged else []), image
    assert strays(tmp_path / "photos") == []
    with Database.of(config) as db:
        assert writes.open_intents(db) == []


def answered(config: Config) -> set[int]:
    """The numbers of the photos whose answer is on record."""
    connection = sqlite3.connect(config.tracking_path)
    rows = connection.execute("SELECT description FROM results").fetchall()
    connection.close()
    return {int(text.rstrip(".").rsplit(" ", 1)[1]) for (text,) in rows}


def _is_over(db: Database, count: int) -> bool:
    now = status.read(db)
    return now.total == count and now.queued + now.working + now.new == 0


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + END_S
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)
