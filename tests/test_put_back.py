"""A word that a person took out and brings back is the person's, however that is."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.pipeline.carrying import carry_out
from tagger.records import WriteMode
from tagger.tracking import edits
from tagger.tracking.database import Database
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import known_images, numbered, settings
from tests.test_reconcile import exiftool, run, sources, subject, take_out

pytestmark = pytest.mark.slow

ANSWER = {"description": "A dog.", "tags": ["dog", "grass"], "text": ""}
OTHER = {"description": "A cat.", "tags": ["cat"], "text": ""}


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(ANSWER) as double:
        yield double


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return numbered(tmp_path / "photos" / "a.jpg", 1)


@pytest.fixture
def config(tmp_path: Path, ollama: OllamaDouble) -> Config:
    return settings(tmp_path, ollama.url)


def removed(config: Config, photo: Path, *names: str) -> None:
    with Database.of(config) as db:
        edit = edits.tag(db, [os.fsencode(photo)], remove=names)
    assert carry_out(config, edit).failed == []


def put_back(photo: Path, name: str) -> None:
    exiftool(photo, f"-XMP-dc:Subject+={name}")


@pytest.mark.parametrize("metadata", [{}, {"provenance": False}], ids=str)
def test_a_word_removed_here_and_put_back_outside_is_the_persons_also_after_a_rename(
    tmp_path: Path,
    photo: Path,
    ollama: OllamaDouble,
    metadata: Mapping[str, bool],
) -> None:
    config = settings(tmp_path, ollama.url, metadata=metadata)
    run(config, photo.parent)
    removed(config, photo, "dog")
    assert subject(photo) == ["grass"]
    put_back(photo, "dog")
    moved = photo.rename(photo.with_name("b.jpg"))
    run(config, photo.parent)
    assert subject(moved) == ["dog", "grass"]
    assert sources(config, "b.jpg")["dog"] == "file"
    ollama.answer = OTHER
    run(config, photo.parent, retag=True)
    assert "dog" in subject(moved)
    assert sources(config, "b.jpg")["dog"] == "file"
    assert len(known_images(config)) == 1


def test_a_word_taken_out_outside_stays_out_also_after_a_rename(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    take_out(photo, "dog")
    moved = photo.rename(photo.with_name("b.jpg"))
    run(config, photo.parent)
    assert subject(moved) == ["grass"]
    assert sources(config, "b.jpg") == {"grass": "gemma3:4b"}
    ollama.answer = OTHER
    run(config, photo.parent, retag=True)
    assert subject(moved) == ["cat"]


def test_an_older_copy_under_another_name_takes_no_word_out(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    older = photo.read_bytes()
    with Database.of(config) as db:
        edit = edits.change(
            db, [os.fsencode(photo)], add=["Rex"], description="Rex at home"
        )
    assert carry_out(config, edit).failed == []
    photo.unlink()
    moved = photo.with_name("b.jpg")
    moved.write_bytes(older)
    exiftool(moved, "-XMP-xmp:Rating=5")
    run(config, photo.parent)
    assert subject(moved) == ["Rex", "dog", "grass"]
    image = known_images(config)["b.jpg"]
    assert (image.description, image.description_source) == ("Rex at home", "person")


def by_hand(config: Config, photo: Path, names: Sequence[str]) -> None:
    take_out(photo, *names)
    run(config, photo.parent)


def by_edit(config: Config, photo: Path, names: Sequence[str]) -> None:
    removed(config, photo, *names)


@pytest.mark.parametrize("take", [by_hand, by_edit])
@pytest.mark.parametrize("renamed", [False, True], ids=["in place", "renamed"])
def test_a_restored_backup_brings_back_the_words_taken_out_since(
    config: Config, photo: Path, ollama: OllamaDouble, take: object, renamed: bool
) -> None:
    exiftool(photo, "-XMP-dc:Subject=Rex")
    run(config, photo.parent)
    backup = photo.read_bytes()
    take(config, photo, ["Rex", "dog"])  # type: ignore[operator]
    assert subject(photo) == ["grass"]
    if renamed:
        photo.unlink()
        photo = photo.with_name("b.jpg")
    photo.write_bytes(backup)
    run(config, photo.parent)
    assert subject(photo) == ["Rex", "dog", "grass"]
    said = {"Rex": "file", "dog": "person", "grass": "gemma3:4b"}
    assert sources(config, photo.name) == said
    ollama.answer = OTHER
    run(config, photo.parent, retag=True)
    assert subject(photo) == ["Rex", "cat", "dog"]


def test_a_restored_sidecar_brings_back_the_words_taken_out_since(
    tmp_path: Path, photo: Path, ollama: OllamaDouble
) -> None:
    mode = {"write_mode": WriteMode.SIDECAR.value}
    config = settings(tmp_path, ollama.url, metadata=mode)
    exiftool(photo, "-XMP-dc:Subject=Rex")
    run(config, photo.parent)
    sidecar = photo.with_name("a.jpg.xmp")
    backup = sidecar.read_bytes()
    removed(config, photo, "Rex", "dog")
    assert subject(sidecar) == ["grass"]
    sidecar.write_bytes(backup)
    run(config, photo.parent)
    assert subject(sidecar) == ["Rex", "dog", "grass"]
    assert sources(config) == {"Rex": "file", "dog": "person", "grass": "gemma3:4b"}


def test_a_word_put_back_into_a_sidecar_is_the_persons_also_after_a_rename(
    tmp_path: Path, photo: Path, ollama: OllamaDouble
) -> None:
    mode = {"write_mode": WriteMode.SIDECAR.value}
    config = settings(tmp_path, ollama.url, metadata=mode)
    exiftool(photo, "-XMP-dc:Subject=Rex")
    run(config, photo.parent)
    sidecar = photo.with_name("a.jpg.xmp")
    removed(config, photo, "Rex", "dog")
    put_back(sidecar, "Rex")
    put_back(sidecar, "dog")
    photo.rename(photo.with_name("b.jpg"))
    sidecar = sidecar.rename(photo.with_name("b.jpg.xmp"))
    run(config, photo.parent)
    assert subject(sidecar) == ["Rex", "dog", "grass"]
    said = {"Rex": "file", "dog": "file", "grass": "gemma3:4b"}
    assert sources(config, "b.jpg") == said
