"""Verify finds whatever is not as it should be, and nothing else."""

import os
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.pipeline.undo import undo
from tagger.pipeline.verify import verify
from tagger.tracking.history import Which
from tests.ollama_double import OllamaDouble
from tests.support_metadata import person_writes
from tests.support_pipeline import numbered, put_keywords, reads_number, settings
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
    stray = photos / f".tagger-1-{'0' * 32}.tmp"
    stray.write_bytes(b"")
    faults = found(config)
    assert "tags not in the catalogue: Opa" in faults["1.jpg"]
    assert "its picture is not the one on record" in faults["2.jpg"]
    assert faults[stray.name] == ["a temporary file that was left behind"]
    assert set(found(config, photos / "1.jpg")) == {"1.jpg", stray.name}
    assert "3.jpg" not in faults
