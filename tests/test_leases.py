"""Taggers that die, sleep or share a folder: each photo is tagged once, by one of them.

Suspended here means really suspended, by SIGSTOP, past the end of the leases.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tagger.config import Config
from tagger.pipeline import recover
from tagger.pipeline.tagging import Tagging, tag
from tagger.records import ImageState, WriteMode
from tagger.tracking import bound, folders, jobs, presence, runs
from tagger.tracking.database import Database
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import (
    as_environment,
    known_images,
    numbered,
    put_keywords,
    reads_number,
    settings,
    strays,
)

# Each takes files through the tagger and exiftool, several times over.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
COUNT = 6
MANY = 24
LEASE_S = 2.0


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number) as double:
        yield double


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return made(tmp_path / "photos", COUNT)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """More than one tagger takes at a time."""
    return made(tmp_path / "photos", MANY)


def made(folder: Path, count: int) -> Path:
    for number in range(1, count + 1):
        numbered(folder / f"{number}.jpg", number, width_px=240)
    put_keywords(folder, "Oma")
    return folder


class Child:
    """A `tag` command in a process of its own, which the test suspends."""

    def __init__(self, config: Config, photos: Path, step: str, at: int) -> None:
        self._config = config
        self._go = photos.parent / "go"
        words = (step, str(at), str(LEASE_S), str(self._go), str(photos))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.late_child", *words],
            cwd=ROOT,
            env=as_environment(config),
            stderr=subprocess.PIPE,
        )

    def suspend(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        self.until_suspended()

    def until_suspended(self) -> None:
        """And holding no lock on the database: that would stop everybody else."""
        watched = psutil.Process(self.process.pid)
        end = time.monotonic() + 40
        while True:
            until(lambda: watched.status() == psutil.STATUS_STOPPED)
            if self._database_is_free():
                return
            assert time.monotonic() < end, "it never stops at a good moment"
            self.process.send_signal(signal.SIGCONT)
            time.sleep(0.02)
            self.process.send_signal(signal.SIGSTOP)

    def _database_is_free(self) -> bool:
        with sqlite3.connect(self._config.tracking_path, timeout=0.3) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            finally:
                connection.rollback()
        connection.close()
        return True

    def go_on(self) -> int:
        """Let it wake up; its exit status."""
        self._go.touch()
        self.process.send_signal(signal.SIGCONT)
        _, said = self.process.communicate(timeout=50)
        assert b"Traceback" not in said, said.decode()
        return self.process.returncode


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    started: list[Child] = []

    def launch(config: Config, step: str = "-", at: int = 1) -> Child:
        started.append(Child(config, tmp_path / "photos", step, at))
        return started[-1]

    yield launch
    for child in started:
        if child.process.poll() is None:
            child.process.kill()
        child.process.communicate()


def until(true: Callable[[], bool], *, timeout_s: float = 40.0) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def run(config: Config, *paths: Path) -> Tagging:
    return tag(config, [os.fsencode(p) for p in paths], choose(config), lease_s=LEASE_S)


def rows(config: Config, question: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(config.tracking_path)
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


def in_files(folder: Path) -> dict[str, dict[str, object]]:
    """What exiftool finds in every photo of a folder, asked once."""
    fields = ("-XMP-dc:Subject", "-XMP-dc:Description")
    answer = subprocess.run(
        ["exiftool", "-j", *fields, str(folder)], capture_output=True, check=True
    )
    return {
        os.path.basename(one["SourceFile"]): one for one in json.loads(answer.stdout)
    }


def assert_tagged_once(config: Config, photos: Path, count: int = COUNT) -> None:
    assert {i.state for i in known_images(config).values()} == {ImageState.TAGGED}
    words = in_files(photos)
    for number in range(1, count + 1):
        found = words[f"{number}.jpg"]
        assert found["Subject"] == ["Oma", f"number {number}", "bar code"]
        assert found["Description"] == f"This is picture {number}."
    answers = Counter(rows(config, "SELECT identity FROM results"))
    assert len(answers) == count
    assert set(answers.values()) == {1}
    done = Counter(rows(config, "SELECT file_id FROM writes WHERE state = 'done'"))
    assert len(done) == count
    assert set(done.values()) == {1}
    assert rows(config, "SELECT id FROM writes WHERE state = 'intent'") == []
    assert rows(config, "SELECT id FROM jobs") == []


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("looked", marks=pytest.mark.slow),
        pytest.param("answered", marks=pytest.mark.slow),
        "intended",
        "replaced",
    ],
)
def test_a_tagger_that_sleeps_past_its_leases_changes_nothing_when_it_wakes(
    tmp_path: Path,
    photos: Path,
    ollama: OllamaDouble,
    start: Callable[..., Child],
    step: str,
) -> None:
    config = settings(tmp_path, ollama.url)
    asleep = start(config, step, 2)
    asleep.until_suspended()
    time.sleep(LEASE_S)
    assert run(config, photos).failed == []
    before = {p.name: p.read_bytes() for p in photos.glob("*.jpg")}
    recorded = rows(config, "SELECT max(number) FROM changes")

    assert asleep.go_on() == 0

    assert {p.name: p.read_bytes() for p in photos.glob("*.jpg")} == before
    assert rows(config, "SELECT max(number) FROM changes") == recorded
    assert strays(photos) == []
    assert_tagged_once(config, photos)


def test_an_answer_that_comes_after_the_lease_is_not_recorded(
    tmp_path: Path, photos: Path, ollama: OllamaDouble, start: Callable[..., Child]
) -> None:
    ollama.delay_s = 5.0  # long enough that it sleeps before any answer comes
    config = settings(tmp_path, ollama.url)
    asleep = start(config)
    until(lambda: ollama.busy == 4)
    asleep.suspend()
    ollama.delay_s = 0.0
    time.sleep(LEASE_S)
    assert run(config, photos).failed == []

    assert asleep.go_on() == 0

    assert ollama.count == COUNT + 4
    assert_tagged_once(config, photos)


def test_photos_of_a_suspended_tagger_are_left_alone_until_its_leases_end(
    tmp_path: Path, photos: Path, ollama: OllamaDouble, start: Callable[..., Child]
) -> None:
    config = settings(tmp_path, ollama.url)
    asleep = start(config, "looked", 2)
    asleep.until_suspended()
    with Database.of(config) as db:
        assert not recover.at_start(db)
        assert jobs.release_dead(db) == 0
        held = rows(config, "SELECT id FROM jobs WHERE token IS NOT NULL")
        assert held
    assert asleep.go_on() == 0


def test_photos_of_a_tagger_that_was_killed_are_there_for_others_at_once(
    tmp_path: Path, photos: Path, ollama: OllamaDouble, start: Callable[..., Child]
) -> None:
    ollama.delay_s = 30.0
    config = settings(tmp_path, ollama.url)
    beside = start(config)
    until(lambda: ollama.busy == 4)
    ollama.delay_s = 0.0
    beside.process.kill()
    beside.process.wait()
    began = time.monotonic()
    outcome = tag(config, [os.fsencode(photos)], choose(config))  # leases of a minute
    assert time.monotonic() - began < 30
    assert outcome.failed == []
    assert_tagged_once(config, photos)


def test_a_tagger_at_work_inherits_from_one_that_dies_beside_it(
    tmp_path: Path, photos: Path, ollama: OllamaDouble, start: Callable[..., Child]
) -> None:
    """With another one alive, nobody may free all leases: only those of the dead."""
    config = settings(tmp_path, ollama.url)
    asleep = start(config, "looked", 2)
    asleep.until_suspended()
    with Database.of(config) as db:
        [mark] = presence.others(config.data_dir)
        mine = runs.begin(db, "tag")
        asleep.process.kill()
        asleep.process.wait()
        assert presence.others(config.data_dir) == []
        assert jobs.release_dead(db) == 1
        assert rows(config, "SELECT id FROM jobs WHERE token IS NOT NULL") == []
        assert not (config.data_dir / "taggers" / f"{mark}.lock").exists()
        assert len(
            bound.bind(db, mine, [os.fsencode(photos)], limit=None, ask_again=False)
        )


# Two commands on one place.


def test_two_commands_on_one_folder_both_end_with_all_photos_tagged(
    tmp_path: Path, many: Path, ollama: OllamaDouble, start: Callable[..., Child]
) -> None:
    ollama.delay_s = 1.0
    config = settings(tmp_path, ollama.url)
    first = start(config)
    until(lambda: ollama.busy == 4)
    outcome = run(config, many)  # takes over what the first had not begun
    assert outcome.failed == []
    assert len(outcome.images) + outcome.untouched == MANY
    assert {image.state for image in outcome.images} == {ImageState.TAGGED}
    assert first.go_on() == 0
    assert ollama.count == MANY
    assert_tagged_once(config, many, MANY)


def test_a_command_waits_for_what_a_later_one_took_from_it(
    tmp_path: Path, many: Path, ollama: OllamaDouble, start: Callable[..., Child]
) -> None:
    ollama.delay_s = 1.0
    config = settings(tmp_path, ollama.url)
    outcome: list[Tagging] = []
    first = threading.Thread(target=lambda: outcome.append(run(config, many)))
    first.start()
    until(lambda: ollama.busy == 4)
    later = start(config)
    first.join(50)
    assert later.go_on() == 0
    assert {image.state for image in outcome[0].images} == {ImageState.TAGGED}
    assert_tagged_once(config, many, MANY)


@pytest.mark.slow
def test_a_command_does_itself_what_a_later_one_took_and_died_over(
    tmp_path: Path, many: Path, ollama: OllamaDouble, start: Callable[..., Child]
) -> None:
    ollama.delay_s = 2.0
    config = settings(tmp_path, ollama.url)
    outcome: list[Tagging] = []
    first = threading.Thread(target=lambda: outcome.append(run(config, many)))
    first.start()
    until(lambda: ollama.busy == 4)
    with Database.of(config) as db:
        later = start(config)
        until(lambda: bool(_taken(db)))
        later.process.kill()
        later.process.wait()
        assert _taken(db)
    ollama.delay_s = 0.0
    first.join(55)
    assert {image.state for image in outcome[0].images} == {ImageState.TAGGED}
    assert_tagged_once(config, many, MANY)


def _taken(db: Database) -> list[int]:
    """The photos that a second command has taken from the first."""
    first = rows_of(db, "SELECT min(id) FROM runs")[0][0]
    return [i for ids in bound.taken_by(db, first, range(999)).values() for i in ids]


def rows_of(db: Database, question: str) -> list[tuple[int, ...]]:
    with db.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(question)]


@pytest.mark.slow
def test_the_long_running_tagger_takes_on_what_a_command_that_died_had(
    tmp_path: Path, many: Path, ollama: OllamaDouble, start: Callable[..., Child]
) -> None:
    ollama.delay_s = 2.0
    config = settings(tmp_path, ollama.url)
    with Database.of(config) as db:
        folders.add(
            db,
            os.fsencode(many),
            recursive=True,
            write_mode=WriteMode.FILE,
            data_dir=config.data_dir,
        )
    beside = start(config)
    until(lambda: ollama.busy == 4)
    long_running = subprocess.Popen(
        [sys.executable, "-m", "tagger", "run"],
        cwd=ROOT,
        env=as_environment(config),
        stderr=subprocess.PIPE,
    )
    try:
        until(lambda: len(rows(config, "SELECT run_id FROM taggers")) == 2)
        beside.process.kill()
        beside.process.wait()
        until(lambda: rows(config, "SELECT id FROM jobs") == [], timeout_s=50)
    finally:
        long_running.terminate()
        _, said = long_running.communicate(timeout=20)
    assert b"another tagger has ended" in said
    assert_tagged_once(config, many, MANY)
