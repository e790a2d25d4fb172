"""A folder tagged elsewhere, or before the database was lost, tells its own story."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.pipeline import metadata
from tagger.pipeline.carrying import carry_out
from tagger.pipeline.tagging import tag
from tagger.pipeline.undo import undo
from tagger.records import ImageSnapshot, WriteMode
from tagger.tracking import edits
from tagger.tracking.database import Database
from tagger.tracking.history import Which
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_metadata import field
from tests.support_pipeline import (
    in_file,
    known_images,
    numbered,
    put_keywords,
    reads_number,
    settings,
)

MODES = [WriteMode.FILE, WriteMode.SIDECAR]


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number) as double:
        yield double


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number in range(1, 4):
        numbered(folder / f"{number}.jpg", number)
    put_keywords(folder / "1.jpg", "Oma", description="Bei Oma")
    put_keywords(folder / "2.jpg", "bar code")
    return folder


def run(config: Config, folder: Path, **options: object) -> None:
    outcome = tag(config, [os.fsencode(folder)], choose(config), **options)  # type: ignore[arg-type]
    assert outcome.failed == []


def lose(config: Config) -> None:
    shutil.rmtree(config.data_dir)


def said(image: ImageSnapshot) -> object:
    words = sorted((tag.name, tag.source) for tag in image.tags)
    model = image.model, image.prompt_version, image.answered_at
    return image.description, image.description_source, words, model


@pytest.mark.parametrize("mode", MODES)
def test_the_same_words_and_sources_are_there_without_asking(
    tmp_path: Path, photos: Path, ollama: OllamaDouble, mode: WriteMode
) -> None:
    config = settings(tmp_path, ollama.url)
    run(config, photos, write_mode=mode)
    before = {name: said(image) for name, image in known_images(config).items()}
    bytes_before = {path: path.read_bytes() for path in photos.iterdir()}
    lose(config)
    run(config, photos, write_mode=mode)
    assert ollama.count == 3
    assert {n: said(image) for n, image in known_images(config).items()} == before
    assert {path: path.read_bytes() for path in photos.iterdir()} == bytes_before


@pytest.mark.parametrize("mode", MODES)
def test_what_a_person_said_in_the_program_is_the_persons_again(
    tmp_path: Path, photos: Path, ollama: OllamaDouble, mode: WriteMode
) -> None:
    config = settings(tmp_path, ollama.url)
    run(config, photos, write_mode=mode)
    one, two = ([os.fsencode(photos / name)] for name in ("1.jpg", "2.jpg"))
    with Database.of(config) as db:
        for edit in (
            edits.tag(db, one, add=["garden", "日本"], remove=["number 1", "Oma"]),
            edits.describe(db, two, "Von Hand"),
            edits.replace(db, ["bar code"], "stripes"),
        ):
            carry_out(config, edit)
    before = {name: said(image) for name, image in known_images(config).items()}
    assert ("garden", "person") in before["1.jpg"][2]  # type: ignore[index]
    lose(config)
    run(config, photos, write_mode=mode)
    assert ollama.count == 3
    assert {n: said(image) for n, image in known_images(config).items()} == before
    run(config, photos, retag=True)
    for name, image in known_images(config).items():
        words = {tag.name for tag in image.tags}
        assert words >= {"stripes"}
        assert "bar code" not in words
        assert not (name == "1.jpg" and words & {"Oma", "number 1"})
    assert known_images(config)["2.jpg"].description == "Von Hand"


def test_edits_of_a_photo_no_model_has_seen_are_the_persons_again(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    run(config, photos)
    one = photos / "1.jpg"
    undo(config, Which(place=os.fsencode(one)))
    with Database.of(config) as db:
        carry_out(config, edits.tag(db, [os.fsencode(one)], add=["garden"]))
    assert field(one, "XMP-imagetagger:Model") == []
    assert field(one, "XMP-imagetagger:EditedTags") == ["garden"]
    lose(config)
    run(config, photos)
    tags = {tag.name: tag.source for tag in known_images(config)["1.jpg"].tags}
    assert tags["garden"] == "person"
    assert tags["Oma"] == "file"
    assert ollama.count == 4


def test_answers_given_in_one_moment_are_told_apart(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    run(config, photos)
    ours = os.path.join(os.path.dirname(metadata.__file__), "exiftool.config")
    moment = "-XMP-imagetagger:TaggedAt=2026-11-22T10:00:00.000Z"
    command = ["exiftool", "-config", ours, "-q", "-overwrite_original", moment]
    subprocess.run([*command, *map(str, photos.iterdir())], check=True)
    before = {path: path.read_bytes() for path in photos.iterdir()}
    lose(config)
    run(config, photos)
    assert ollama.count == 3
    assert {path: path.read_bytes() for path in photos.iterdir()} == before
    for number in (1, 2, 3):
        image = known_images(config)[f"{number}.jpg"]
        assert f"number {number}" in {tag.name for tag in image.tags}
        assert image.model == "gemma3:4b"


def test_imported_words_give_way_to_a_new_answer_and_a_persons_do_not(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    run(config, photos)
    lose(config)
    ollama.answer = {"description": "New.", "tags": ["new"], "text": ""}
    run(config, photos, retag=True)
    assert ollama.count == 6
    assert sorted(in_file(photos / "1.jpg")["XMP-dc:Subject"]) == ["Oma", "new"]
    assert in_file(photos / "1.jpg")["XMP-dc:Description"] == ["Bei Oma"]
    assert sorted(in_file(photos / "2.jpg")["XMP-dc:Subject"]) == ["bar code", "new"]
    assert in_file(photos / "3.jpg")["XMP-dc:Subject"] == ["new"]
    assert in_file(photos / "3.jpg")["XMP-dc:Description"] == ["New."]


def test_what_was_taken_out_before_the_database_was_lost_stays_out(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    run(config, photos)
    photo = photos / "3.jpg"
    names = ("XMP-dc:Subject", "IPTC:Keywords", "XMP-digiKam:TagsList")
    command = ["exiftool", "-q", "-m", "-overwrite_original"]
    removals = [f"-{name}-=bar code" for name in names]
    subprocess.run([*command, *removals, str(photo)], check=True)
    lose(config)
    run(config, photos)
    # Windows reads a field that the other program did not know.
    assert field(photo, "IFD0:XPKeywords") == ["number 3"]
    before = photo.read_bytes()
    run(config, photos)
    assert photo.read_bytes() == before
    run(config, photos, retag=True)
    assert in_file(photo)["XMP-dc:Subject"] == ["number 3"]


def test_what_another_machine_wrote_since_is_its_models_not_a_persons(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    here = settings(tmp_path / "here", ollama.url)
    there = settings(tmp_path / "there", ollama.url)
    run(here, photos)
    ollama.answer = {"description": "New.", "tags": ["new"], "text": ""}
    run(there, photos, retag=True)
    asked = ollama.count
    run(here, photos)
    assert ollama.count == asked
    image = known_images(here)["3.jpg"]
    assert {t.name: t.source for t in image.tags} == {"new": "gemma3:4b"}
    assert image.description == "New."


def test_switching_provenance_on_rewrites_nothing(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    off = settings(tmp_path, ollama.url, metadata={"provenance": False})
    run(off, photos)
    before = {path: path.read_bytes() for path in photos.iterdir()}
    run(settings(tmp_path, ollama.url), photos)
    assert {path: path.read_bytes() for path in photos.iterdir()} == before
    assert ollama.count == 3
