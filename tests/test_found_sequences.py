"""Sequences that once lost or doubled a word, each as short as it gets."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tests.ollama_double import OllamaDouble
from tests.support_metadata import field, person_writes
from tests.support_pipeline import known_images, numbered, settings
from tests.support_undo import assert_at_rest, edited, keywords, runs, undone
from tests.test_tagging import run

pytestmark = pytest.mark.slow

ANSWER = {"description": "A dog.", "tags": ["dog", "grass"], "text": ""}


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(ANSWER) as double:
        yield double


@pytest.fixture
def config(tmp_path: Path, ollama: OllamaDouble) -> Config:
    return settings(tmp_path, ollama.url)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return numbered(tmp_path / "photos" / "a.jpg", 1)


def test_what_comes_back_is_not_doubled_where_it_stands_in_another_spelling(
    config: Config, photo: Path
) -> None:
    run(config, photo.parent)
    outcome = undone(config, photo)
    edited(config, "tag", [os.fsencode(photo)], add=["Dog"])
    assert outcome.run_id is not None
    undone(config, outcome.run_id)
    assert sorted(keywords(photo)) == ["Dog", "grass"]


def test_a_copy_from_before_an_undo_keeps_its_words_and_so_does_a_restored_one(
    config: Config, photo: Path
) -> None:
    run(config, photo.parent)
    copy = Path(shutil.copy2(photo, photo.with_name("copy.jpg")))
    tagged = photo.read_bytes()
    undone(config, runs(config)[0].id)
    assert keywords(photo) == []
    run(config, photo.parent)
    assert (copy.read_bytes(), keywords(photo)) == (tagged, [])
    photo.write_bytes(tagged)
    run(config, photo.parent)
    assert photo.read_bytes() == tagged
    known = known_images(config)
    for name in ("a.jpg", "copy.jpg"):
        assert {tag.name for tag in known[name].tags} == {"dog", "grass"}
        assert known[name].description == "A dog."
    assert_at_rest(config, photo.parent)


def test_a_word_of_a_model_that_a_person_puts_into_a_tree_is_the_persons(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    person_writes(photo, "-XMP-digiKam:TagsList+=Animals/Dog")
    run(config, photo.parent)
    ollama.answer = {"description": "A cat.", "tags": ["cat"], "text": ""}
    run(config, photo.parent, retag=True)
    assert {t.name for t in known_images(config)["a.jpg"].tags} == {"dog", "cat"}
    assert sorted(field(photo, "XMP-dc:Subject")) == ["cat", "dog"]
    assert "Animals/Dog" in field(photo, "XMP-digiKam:TagsList")
    assert_at_rest(config, photo.parent)
