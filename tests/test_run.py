"""The long-running tagger as a process: takes up what appears, and stops when told."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tagger.config import Config
from tagger.imaging.identity import identity
from tagger.records import ImageState, WriteMode
from tagger.sections import Model
from tagger.tracking import folders, jobs, status
from tagger.tracking.database import Database
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import (
    as_environment,
    in_file,
    known_images,
    numbered,
    put_keywords,
    reads_number,
    settings,
)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number) as double:
        yield double


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts taggers as processes; those still alive at the end are killed."""
    started: list[subprocess.Popen[bytes]] = []

    def launch(config: Config, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tagger", "run", *arguments],
            cwd=ROOT,
            env=as_environment(config),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(true: Callable[[], bool], *, timeout_s: float = 40.0) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def add(config: Config, path: Path, *, mode: WriteMode = WriteMode.FILE) -> None:
    with Database.of(config) as db:
        folders.add(
            db,
            os.fsencode(path),
            recursive=True,
            write_mode=mode,
            data_dir=config.data_dir,
        )


def all_tagged(config: Config, count: int) -> Callable[[], bool]:
    def check() -> bool:
        images = known_images(config).values()
        return len(images) == count and {i.state for i in images} == {ImageState.TAGGED}

    return check


def test_sidecars_that_somebody_changes_are_taken_up(
    tmp_path: Path, ollama: OllamaDouble, start
) -> None:
    """Beside the photo and in the mirror, by hints alone; our own are left alone."""
    config = settings(
        tmp_path, ollama.url, scan={"settle_s": 0.2, "interval_min": 60.0}
    )
    photo = numbered(tmp_path / "photos" / "1.jpg", 1)
    add(config, photo.parent, mode=WriteMode.MIRROR)
    process = start(config)
    until(all_tagged(config, 1))
    time.sleep(2.5)  # until the mirror, which is new, is watched as well
    put_keywords(Path(f"{photo}.xmp"), "beside")
    until(lambda: "beside" in tags_of(config))
    put_keywords(Path(f"{config.mirror_dir}{photo}.xmp"), "number 1", "in the mirror")
    until(lambda: tags_of(config) == {"beside", "number 1", "in the mirror"})
    # Of what was taken out, a field or two may be left: that is cleaned up, once.
    time.sleep(2.5)
    finished = known_images(config)["1.jpg"].written_at
    time.sleep(2.5)
    assert known_images(config)["1.jpg"].written_at == finished
    assert ollama.count == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def tags_of(config: Config) -> set[str]:
    return {tag.name for tag in known_images(config)["1.jpg"].tags}


def test_folders_and_photos_that_appear_are_taken_up(
    tmp_path: Path, ollama: OllamaDouble, start
) -> None:
    config = settings(
        tmp_path, ollama.url, scan={"settle_s": 0.2, "interval_min": 60.0}
    )
    process = start(config)
    numbered(tmp_path / "photos" / "1.jpg", 1)
    add(config, tmp_path / "photos")
    until(all_tagged(config, 1))
    numbered(tmp_path / "photos" / "new" / "2.jpg", 2)
    until(all_tagged(config, 2))
    assert in_file(tmp_path / "photos" / "new" / "2.jpg")["XMP-dc:Subject"] == [
        "number 2",
        "bar code",
    ]
    asked = ollama.count
    time.sleep(2.5)  # our own writes must not come back as work
    assert ollama.count == asked == 2
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_a_child_stops_when_its_parent_is_gone(
    tmp_path: Path, ollama: OllamaDouble, start
) -> None:
    config = settings(tmp_path, ollama.url)
    process = start(config, "--child")
    until(lambda: (config.data_dir / "tagger.lock").exists())
    process.stdin.close()
    assert process.wait(20) == 0
    process.stdin = None


GIVE_WAY = """
from pathlib import Path
from tagger import priority
def weight():
    try:
        return Path("/proc/self/autogroup").read_text().split()[-1]
    except (OSError, IndexError):
        return "none"
before = weight()
priority.give_way(7)
print(before, weight())
"""
PIPED: dict[str, Any] = {"capture_output": True, "text": True, "check": True}


def test_the_tagger_gives_way_to_programs_somebody_waits_for(
    tmp_path: Path, ollama: OllamaDouble, start
) -> None:
    mine = psutil.Process().nice()
    config = settings(tmp_path, ollama.url)
    process = start(config)
    until(lambda: (config.data_dir / "tagger.lock").exists())
    assert psutil.Process(process.pid).nice() == min(mine + 10, 19)


@pytest.mark.parametrize("leads", [True, False])
def test_a_session_gives_way_as_its_leader_does_and_nobody_elses(leads: bool) -> None:
    told = subprocess.run(
        [sys.executable, "-c", GIVE_WAY], start_new_session=leads, **PIPED
    ).stdout
    before, after = told.split()
    if before == "none":  # a system that weighs none, or not where this one stands
        assert after == "none"
    else:
        assert int(after) - int(before) == (7 if leads else 0)


def test_a_second_tagger_is_refused_with_a_sentence(
    tmp_path: Path, ollama: OllamaDouble, start
) -> None:
    config = settings(tmp_path, ollama.url)
    start(config)
    until(lambda: config.tracking_path.exists())
    second = start(config)
    assert second.wait(20) == 2
    assert b"another tagger already works" in second.stderr.read()


def test_a_server_without_the_model_is_waited_for_and_named(
    tmp_path: Path, ollama: OllamaDouble, start
) -> None:
    ollama.models.clear()
    numbered(tmp_path / "photos" / "1.jpg", 1)
    config = settings(tmp_path, ollama.url)
    add(config, tmp_path / "photos")
    start(config)

    def waiting() -> bool:
        with Database.of(config) as db:
            now = status.read(db)
        return now.state == "waiting" and "ollama pull" in (now.message or "")

    until(waiting)
    ollama.models.append("gemma3:4b")
    until(all_tagged(config, 1))


def test_tag_beside_run_shares_the_queue(
    tmp_path: Path, ollama: OllamaDouble, start
) -> None:
    ollama.delay_s = 0.2
    for number in range(1, 9):
        numbered(tmp_path / "photos" / f"{number}.jpg", number)
    config = settings(tmp_path, ollama.url)
    start(config)
    add(config, tmp_path / "photos")
    beside = subprocess.run(
        [sys.executable, "-m", "tagger", "tag", str(tmp_path / "photos")],
        cwd=ROOT,
        env=as_environment(config),
        capture_output=True,
        timeout=50,
    )
    assert beside.returncode == 0, beside.stderr.decode()
    until(all_tagged(config, 8))
    assert ollama.count == 8
    for number in range(1, 9):
        words = in_file(tmp_path / "photos" / f"{number}.jpg")
        assert words["XMP-dc:Subject"] == [f"number {number}", "bar code"]


def test_a_stop_while_a_server_thinks_is_prompt_and_clean(
    tmp_path: Path, ollama: OllamaDouble, start
) -> None:
    ollama.delay_s = 40.0
    for number in range(1, 7):
        numbered(tmp_path / "photos" / f"{number}.jpg", number)
    config = settings(tmp_path, ollama.url)
    add(config, tmp_path / "photos")
    process = start(config, "--child")
    until(lambda: ollama.busy == 4)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert b"Traceback" not in process.stderr.read()
    with Database.of(config) as db:
        assert len(jobs.claim(db, limit=9)) == 6


def test_a_scan_that_dies_ends_the_process_and_says_why(
    tmp_path: Path, ollama: OllamaDouble, start
) -> None:
    config = settings(tmp_path, ollama.url)
    (tmp_path / "photos").mkdir()
    add(config, tmp_path / "photos")
    process = start(config)

    def has_scanned() -> bool:
        with Database.of(config) as db:
            return folders.every(db)[0].last_scan_at is not None

    until(has_scanned)
    with sqlite3.connect(config.tracking_path) as connection:
        connection.execute("DROP TABLE folders")
    assert process.wait(20) != 0
    assert b"no such table: folders" in process.stderr.read()


def test_a_copy_in_two_halves_ends_tagged_once_and_whole(
    tmp_path: Path, ollama: OllamaDouble, start
) -> None:
    config = settings(
        tmp_path, ollama.url, scan={"settle_s": 0.5, "interval_min": 60.0}
    )
    (tmp_path / "photos").mkdir()
    add(config, tmp_path / "photos")
    whole = numbered(tmp_path / "1.jpg", 1).read_bytes()
    target = tmp_path / "photos" / "1.jpg"
    start(config)
    until(lambda: config.tracking_path.exists())
    # By a program that opens the file anew for each half, so nobody holds it between.
    target.write_bytes(whole[: len(whole) // 2])
    time.sleep(2.5)
    with target.open("ab") as file:
        file.write(whole[len(whole) // 2 :])
    until(all_tagged(config, 1))
    assert ollama.count == 1
    assert in_file(target)["XMP-dc:Subject"] == ["number 1", "bar code"]
    assert identity(os.fsencode(target)) == identity(os.fsencode(tmp_path / "1.jpg"))


@pytest.mark.slow
def test_auto_goes_over_to_ollama_once_it_is_there(
    tmp_path: Path, ollama: OllamaDouble, start
) -> None:
    ollama.models.clear()
    numbered(tmp_path / "photos" / "1.jpg", 1)
    config = settings(tmp_path, ollama.url)
    config = config.model_copy(update={"model": Model(backend="auto")})
    add(config, tmp_path / "photos")
    process = start(config)
    until(all_tagged(config, 1))
    assert ollama.count == 0
    ollama.models.append("gemma3:4b")
    numbered(tmp_path / "photos" / "2.jpg", 2)
    time.sleep(62)
    numbered(tmp_path / "photos" / "3.jpg", 3)
    until(all_tagged(config, 3))
    assert known_images(config)["3.jpg"].backend == "ollama"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_photos_of_the_builtin_model_are_asked_again_once_a_server_answers(
    tmp_path: Path, ollama: OllamaDouble, start
) -> None:
    photo = numbered(tmp_path / "photos" / "1.jpg", 1)
    put_keywords(photo, "Oma")
    without = settings(tmp_path, model={"backend": "builtin"})
    add(without, tmp_path / "photos")
    first = start(without)
    until(all_tagged(without, 1))
    first.terminate()
    first.wait(20)
    config = settings(tmp_path, ollama.url).model_copy(
        update={"model": Model(backend="auto")}
    )
    start(config)
    until(lambda: known_images(config)["1.jpg"].model == "gemma3:4b")
    until(all_tagged(config, 1))
    assert in_file(photo)["XMP-dc:Subject"] == ["Oma", "number 1", "bar code"]
    assert ollama.count == 1
