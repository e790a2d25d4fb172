"""Kills at any moment: every photo ends tagged once, and nothing is lost."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.imaging.identity import identity
from tagger.pipeline.tagging import tag
from tagger.records import ImageState, WriteMode
from tagger.tracking import folders, status, writes
from tagger.tracking.database import Database
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import (
    as_environment,
    in_file,
    known_images,
    numbered,
    put_keywords,
    reads_number,
    settings,
    strays,
)

ROOT = Path(__file__).resolve().parent.parent
STEPS = ("looked", "answered", "intended", "replaced", "noted", "finished")
COUNT = 6


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number) as double:
        yield double


def photos_of_a_person(folder: Path, count: int = COUNT) -> dict[str, str]:
    """Photos with words of a person's; returns the identity of each."""
    found = {}
    for number in range(1, count + 1):
        path = numbered(folder / f"{number}.jpg", number)
        put_keywords(path, f"person {number}", "bar code")
        found[path.name] = identity(os.fsencode(path))
    return found


def assert_whole(config: Config, folder: Path, identities: dict[str, str]) -> None:
    """Each photo is tagged exactly once, and is the picture it was."""
    assert strays(folder) == []
    for image in known_images(config).values():
        assert image.state is ImageState.TAGGED, image
    for name, before in identities.items():
        number = name.removesuffix(".jpg")
        assert identity(os.fsencode(folder / name)) == before
        words = in_file(folder / name)
        assert words["XMP-dc:Subject"] == [
            f"person {number}",
            "bar code",
            f"number {number}",
        ]
        assert words["IPTC:Keywords"] == words["XMP-dc:Subject"]
        assert words["XMP-dc:Description"] == [f"This is picture {number}."]
    with Database.of(config) as db:
        assert writes.open_intents(db) == []


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("at", [1, 4])
@pytest.mark.slow
def test_a_kill_between_any_two_steps_loses_nothing(
    tmp_path: Path, ollama: OllamaDouble, step: str, at: int
) -> None:
    folder = tmp_path / "photos"
    identities = photos_of_a_person(folder)
    config = settings(tmp_path, ollama.url)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.kill_child", step, str(at), str(folder)],
        cwd=ROOT,
        env=as_environment(config),
        capture_output=True,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    outcome = tag(config, [os.fsencode(folder)], choose(config))
    assert outcome.failed == []
    assert_whole(config, folder, identities)
    # What was answered before the kill is not asked again.
    assert ollama.count <= COUNT + (4 if step != "finished" else 3)


@pytest.mark.slow
def test_kills_of_the_long_running_tagger_at_random_moments(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    ollama.delay_s = 1.5
    folder = tmp_path / "photos"
    identities = photos_of_a_person(folder, 60)
    config = settings(tmp_path, ollama.url)
    with Database.of(config) as db:
        folders.add(
            db,
            os.fsencode(folder),
            recursive=True,
            write_mode=WriteMode.FILE,
            data_dir=config.data_dir,
        )
    chance = random.Random(1)
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, "-m", "tagger", "run"],
            cwd=ROOT,
            env=as_environment(config),
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(1.5, 4.0))
        process.kill()
        process.wait()
    process = subprocess.Popen(
        [sys.executable, "-m", "tagger", "run"],
        cwd=ROOT,
        env=as_environment(config),
        stderr=subprocess.DEVNULL,
    )
    try:
        _until_all_tagged(config, len(identities))
        _until_idle(config)
    finally:
        process.terminate()
        assert process.wait(30) == 0
    assert_whole(config, folder, identities)


def _until_all_tagged(config: Config, count: int) -> None:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        states = [image.state for image in known_images(config).values()]
        if len(states) == count and set(states) == {ImageState.TAGGED}:
            return
        time.sleep(0.5)
    raise AssertionError(f"not all photos were tagged: {states}")


def _until_idle(config: Config) -> None:
    """The tagger has noticed that it is done, so it listens to signals."""
    end = time.monotonic() + 60
    with Database.of(config) as db:
        while status.read(db).state != "idle":
            assert time.monotonic() < end
            time.sleep(0.2)
