"""An undo that is killed between any two steps is settled at the next start."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.records import Changed, WriteMode
from tagger.tracking import writes
from tagger.tracking.database import Database
from tests.ollama_double import OllamaDouble
from tests.support_metadata import field, person_writes
from tests.support_pipeline import (
    as_environment,
    numbered,
    put_keywords,
    reads_number,
    settings,
    strays,
)
from tests.support_undo import (
    as_meant,
    assert_at_rest,
    edited,
    refused,
    runs,
    told,
    undone,
    writes_of,
)
from tests.test_tagging import run

ROOT = Path(__file__).resolve().parent.parent
STEPS = ("intended", "replaced", "noted")

pytestmark = pytest.mark.slow


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        numbered(tmp_path / "photos" / f"{number}.jpg", number)
    put_keywords(tmp_path / "photos" / "1.jpg", "Oma")
    return tmp_path / "photos"


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number) as double:
        yield double


@pytest.fixture
def config(tmp_path: Path, ollama: OllamaDouble) -> Config:
    return settings(tmp_path, ollama.url)


def killed(config: Config, *arguments: object) -> None:
    """An undo that dies; see `undo_child`."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.undo_child", *map(str, arguments)],
        cwd=ROOT,
        env=as_environment(config),
        capture_output=True,
        timeout=60,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()


def settled(config: Config, photos: Path) -> None:
    """The next start: nothing is open any more, and all is at rest."""
    assert run(config, photos).failed == []
    with Database.of(config) as db:
        assert writes.open_intents(db) == []
    assert strays(photos) == []
    assert_at_rest(config, photos)


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("mode", [WriteMode.FILE, WriteMode.SIDECAR])
def test_what_was_written(
    config: Config, photos: Path, mode: WriteMode, step: str, at: int
) -> None:
    bare = told(photos)
    run(config, photos, write_mode=mode)
    killed(config, step, at, "place", photos)
    settled(config, photos)
    outcome = undone(config, photos)
    assert (refused(outcome), len(outcome.photos)) == (
        {},
        {"intended": 4 - at, "replaced": 3 - at, "noted": 3 - at}[step],
    )
    assert told(photos) == bare
    assert_at_rest(config, photos)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["rename", "merge", "delete", "describe"])
def test_an_edit(config: Config, photos: Path, kind: str, step: str) -> None:
    run(config, photos)
    before = told(photos)
    edit = {
        "rename": lambda: edited(config, "replace", ["bar code"], "stripes"),
        "merge": lambda: edited(config, "replace", ["number 1", "Oma"], "first"),
        "delete": lambda: edited(config, "replace", ["bar code"], None),
        "describe": lambda: edited(config, "describe", [os.fsencode(photos)], "Mine"),
    }[kind]()
    killed(config, step, 1, "run", edit)
    settled(config, photos)
    undone(config, edit)
    assert as_meant(told(photos)) == as_meant(before)
    assert_at_rest(config, photos)


@pytest.mark.parametrize("step", STEPS)
def test_an_undo_of_an_undo(config: Config, photos: Path, step: str) -> None:
    run(config, photos)
    edit = edited(config, "replace", ["bar code"], "stripes")
    after = told(photos)
    outcome = undone(config, edit)
    assert outcome.run_id is not None
    killed(config, step, 1, "run", outcome.run_id)
    settled(config, photos)
    undone(config, outcome.run_id)
    assert as_meant(told(photos)) == as_meant(after)
    assert_at_rest(config, photos)


@pytest.mark.parametrize("step", STEPS)
def test_one_that_is_refused_in_part(config: Config, photos: Path, step: str) -> None:
    run(config, photos)
    person_writes(photos / "1.jpg", "-XMP-dc:Subject+=holiday")
    killed(config, step, 1, "place", photos / "1.jpg")
    settled(config, photos)
    outcome = undone(config, photos / "1.jpg")
    assert refused(outcome) == {"1.jpg": {"XMP-dc:Subject"}}
    assert writes_of(config, photos / "1.jpg")[-1].is_partly_undone
    assert "holiday" in field(photos / "1.jpg", "XMP-dc:Subject")
    assert field(photos / "1.jpg", "XMP-dc:Description") == []
    assert refused(undone(config, photos / "1.jpg", Changed.OVERWRITE)) == {}
    assert field(photos / "1.jpg", "XMP-dc:Subject") == ["Oma", "holiday"]
    assert_at_rest(config, photos)


@pytest.mark.parametrize("step", STEPS)
def test_one_tag(config: Config, photos: Path, step: str) -> None:
    bare = told(photos)
    run(config, photos)
    killed(config, step, 1, "tag", "bar code")
    settled(config, photos)
    undone(config, runs(config)[-1].id)
    assert refused(undone(config, photos)) == {}
    assert as_meant(told(photos)) == as_meant(bare)
    assert_at_rest(config, photos)


@pytest.mark.parametrize("step", STEPS)
def test_several_writes_of_one_photo(
    config: Config, photos: Path, ollama: OllamaDouble, step: str
) -> None:
    bare = told(photos)
    run(config, photos)
    edited(config, "replace", ["bar code"], "stripes")
    ollama.answer = {"description": "A cat.", "tags": ["cat"], "text": ""}
    run(config, photos, retag=True)
    for at in (1, 2, 3):
        killed(config, step, at, "place", photos / "1.jpg")
        settled(config, photos)
        assert refused(undone(config, photos / "1.jpg")) == {}
        assert as_meant(told(photos))["1.jpg"] == as_meant(bare)["1.jpg"]
        assert_at_rest(config, photos)
        run(config, photos / "1.jpg", retag=True)
        edited(config, "tag", [os.fsencode(photos / "1.jpg")], add=["garden"])
        run(config, photos / "1.jpg", retag=True)
