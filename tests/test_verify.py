"""Verify finds whatever is not as it should be, and nothing else."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tagger.config import Config
from tagger.pipeline.undo import undo
from tagger.pipeline.verify import verify
from tagger.sections import Server
from tagger.tracking.history import Which
from tagger.tracking.jobs import Job
from tests.ollama_double import OllamaDouble
from tests.support_metadata import person_writes
from tests.support_pipeline import (
    numbered,
    put_keywords,
    reads_number,
    settings,
    strays,
)
from tests.test_tagging import run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        numbered(tmp_path / "photos" / f"{number}.jpg", number)
    put_keywords(tmp_path / "photos" / "1.jpg", "Oma")
    return tmp_path / "photos"


@pytest.fixture
def config(tmp_path: Path, photos: Path) -> Config:
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos)
    return config


def found(config: Config, *paths: Path) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {}
    for fault in verify(config, [os.fsencode(path) for path in paths]).faults:
        faults.setdefault(Path(fault.file).name, []).append(fault.problem)
    return faults


def test_what_was_written_and_what_was_undone_is_well(
    config: Config, photos: Path
) -> None:
    assert verify(config, []).photos == 3
    assert found(config) == {}
    undo(config, Which(place=os.fsencode(photos)))
    assert verify(config, [os.fsencode(photos)]).photos == 3
    assert found(config) == {}


def test_each_fault_is_named(config: Config, photos: Path) -> None:
    person_writes(photos / "1.jpg", "-XMP-dc:Subject-=Oma", "-XMP-dc:Subject+=Opa")
    numbered(photos / "2.jpg", 7)
    (photos / "3.jpg").unlink()
    stray = photos / f".tagger-{dead_process()}-{'0' * 32}.tmp"
    stray.write_bytes(b"")
    faults = found(config)
    assert "tags not in the catalogue: Opa" in faults["1.jpg"]
    assert "its picture is not the one on record" in faults["2.jpg"]
    assert faults["3.jpg"] == ["it is gone"]
    assert faults[stray.name] == ["a temporary file that was left behind"]
    assert set(found(config, photos / "1.jpg")) == {"1.jpg", stray.name}


def dead_process() -> int:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    return ended.pid


def test_what_a_tagger_writes_at_the_moment_was_not_left_behind(
    config: Config, photos: Path
) -> None:
    (photos / f".tagger-{os.getppid()}-{'0' * 32}.tmp").write_bytes(b"half")
    assert found(config) == {}


def damage(path: Path) -> None:
    """Another bit in the middle of the picture, as a disk would have it."""
    stat, data = path.stat(), bytearray(path.read_bytes())
    middle = next(
        at
        for at in range(len(data) * 3 // 4, len(data))
        if 0xFF not in data[at - 1 : at + 2] and data[at] != 0xFE
    )
    data[middle] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


DAMAGED = (
    "its picture is damaged: it is not the one from before our first write, "
    "and no other program has saved the file since"
)


def test_a_picture_damaged_as_we_wrote_it_is_noticed_however_often_it_is_looked_at(
    config: Config, photos: Path
) -> None:
    def damage_the_copy(step: str, _job: Job) -> None:
        if step == "intended":
            [copy] = strays(photos)
            damage(copy)

    with OllamaDouble(first_answer) as ollama:
        again = config.model_copy(update={"servers": (Server(url=ollama.url),)})
        whole = (photos / "1.jpg").read_bytes()
        run(again, photos / "1.jpg", retag=True, observer=damage_the_copy)
        assert found(config) == {"1.jpg": [DAMAGED]}
        ollama.answer = reads_number
        run(again, photos / "1.jpg", retag=True)
        assert found(config) == {"1.jpg": [DAMAGED]}
        (photos / "1.jpg").write_bytes(whole)  # put back from a copy
        run(again, photos)
        assert found(config) == {}


def first_answer(_jpeg: bytes, _request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"description": "Something.", "tags": ["something"], "text": ""}


def test_a_picture_damaged_on_the_disk_is_noticed_also_once_it_was_looked_at(
    config: Config, photos: Path
) -> None:
    damage(photos / "2.jpg")
    assert found(config) == {"2.jpg": [DAMAGED]}
    with OllamaDouble(reads_number) as ollama:
        again = config.model_copy(update={"servers": (Server(url=ollama.url),)})
        run(again, photos)
    assert found(config) == {"2.jpg": [DAMAGED]}
    undo(config, Which(place=os.fsencode(photos / "2.jpg")))
    assert found(config) == {"2.jpg": [DAMAGED]}


def test_a_picture_that_a_person_edits_is_no_fault_once_it_was_looked_at(
    config: Config, photos: Path
) -> None:
    with OllamaDouble(reads_number) as ollama:
        again = config.model_copy(update={"servers": (Server(url=ollama.url),)})
        for number in (8, 9):
            with Image.open(photos / "2.jpg") as image:
                xmp = image.info["xmp"]
            numbered(photos / "2.jpg", number)
            person_writes(photos / "2.jpg", b"-XMP<=" + os.fsencode(saved(photos, xmp)))
            run(again, photos)
            assert found(config) == {}


def saved(photos: Path, xmp: bytes) -> Path:
    """The words of a photo, as a program that edits pictures takes them along."""
    path = photos.parent / "kept.xmp"
    path.write_bytes(xmp)
    return path
