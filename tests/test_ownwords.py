"""Whose words: a person's are never taken for ours, and ours, where known, never lost.

Each test follows one photo through things people do: copying, restoring, editing.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.pipeline.tagging import Tagging, tag
from tagger.records import WriteMode
from tagger.tracking import folders
from tagger.tracking.database import Database
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import (
    in_file,
    known_images,
    numbered,
    put_keywords,
    settings,
)

FIRST = {"description": "A dog.", "tags": ["dog", "grass"], "text": ""}
SECOND = {"description": "A puppy.", "tags": ["puppy", "grass"], "text": ""}


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(FIRST) as double:
        yield double


@pytest.fixture
def config(tmp_path: Path, ollama: OllamaDouble) -> Config:
    return settings(tmp_path, ollama.url)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return numbered(tmp_path / "photos" / "a.jpg", 1)


def run(config: Config, path: Path, **options: object) -> Tagging:
    outcome = tag(config, [os.fsencode(path)], choose(config), **options)  # type: ignore[arg-type]
    assert outcome.failed == []
    return outcome


def subject(path: Path) -> list[str]:
    """The keywords of a file, doubles included; exiftool may change their order."""
    return sorted(in_file(path)["XMP-dc:Subject"])


def sources(config: Config, name: str) -> dict[str, str]:
    return {t.name: t.source for t in known_images(config)[name].tags}


def test_a_copy_of_an_older_version_gets_the_newer_answer(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    shutil.copy2(photo, photo.parent.with_name("aside.jpg"))
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    shutil.copy2(photo.parent.with_name("aside.jpg"), photo.with_name("b.jpg"))
    run(config, photo.parent)
    assert subject(photo.with_name("b.jpg")) == ["grass", "puppy"]
    assert in_file(photo.with_name("b.jpg"))["XMP-dc:Description"] == ["A puppy."]
    assert ollama.count == 2


def test_words_of_ours_in_a_restored_backup_are_known_for_ours(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    backup = shutil.copy2(photo, photo.parent.with_name("aside.jpg"))
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    shutil.copy2(backup, photo)
    os.utime(photo)
    run(config, photo.parent)
    image = known_images(config)["a.jpg"]
    assert "file" not in {t.source for t in image.tags}
    assert image.description_source != "file"
    run(config, photo.parent, retag=True)
    assert subject(photo) == ["grass", "puppy"]
    assert in_file(photo)["XMP-dc:Description"] == ["A puppy."]


def test_a_copy_of_a_photo_edited_since_is_known_by_its_bytes(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    put_keywords(photo, "dog", "grass", "Rex")
    run(config, photo.parent)
    shutil.copy2(photo, photo.with_name("b.jpg"))
    run(config, photo.parent)
    assert sources(config, "b.jpg")["Rex"] == "file"
    assert sources(config, "b.jpg")["dog"] != "file"
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    for path in (photo, photo.with_name("b.jpg")):
        assert subject(path) == ["Rex", "grass", "puppy"]


def test_a_photo_copied_with_its_sidecar_has_no_words_of_a_person(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent, write_mode=WriteMode.SIDECAR)
    other = photo.with_name("b.jpg")
    shutil.copy2(photo, other)
    shutil.copy2(f"{photo}.xmp", f"{other}.xmp")
    run(config, photo.parent)
    assert "file" not in sources(config, "b.jpg").values()
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    assert subject(Path(f"{other}.xmp")) == ["grass", "puppy"]


def test_another_picture_under_an_old_name_keeps_its_persons_words(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    numbered(photo, 2)
    put_keywords(photo, "dog")
    ollama.answer = SECOND
    run(config, photo.parent)
    assert sources(config, "a.jpg")["dog"] == "file"
    run(config, photo.parent, retag=True)
    assert subject(photo) == ["dog", "grass", "puppy"]


def test_an_edited_picture_that_kept_all_our_words_is_still_ours(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    edited = numbered(photo.parent.with_name("edited.jpg"), 2)
    put_keywords(edited, "dog", "grass", description="A dog.")
    os.replace(edited, photo)
    ollama.answer = SECOND
    run(config, photo.parent)
    assert subject(photo) == ["grass", "puppy"]


def test_an_original_brought_back_elsewhere_is_not_taken_for_the_one_we_wrote(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    original = shutil.copy2(photo, photo.parent.with_name("original.jpg"))
    run(config, photo.parent)
    photo.unlink()
    put_keywords(Path(original), "dog")
    shutil.copy2(original, photo.with_name("b.jpg"))
    run(config, photo.parent)
    assert sources(config, "b.jpg")["dog"] == "file"
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    assert subject(photo.with_name("b.jpg")) == ["dog", "grass", "puppy"]


def test_a_move_to_another_disk_keeps_id_and_words(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    before = known_images(config)["a.jpg"].id
    shutil.copy2(photo, photo.with_name("b.jpg"))
    photo.unlink()
    outcome = run(config, photo.parent)
    assert [image.id for image in outcome.images] == [before]
    assert known_images(config)["b.jpg"].id == before
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    assert subject(photo.with_name("b.jpg")) == ["grass", "puppy"]


def test_going_from_file_to_sidecar_and_back_doubles_nothing(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    put_keywords(photo, "Rex")
    run(config, photo.parent)
    ollama.answer = SECOND
    run(config, photo.parent, retag=True, write_mode=WriteMode.SIDECAR)
    assert subject(photo) == ["Rex", "dog", "grass"]
    ollama.answer = {"description": "A cat.", "tags": ["cat"], "text": ""}
    run(config, photo.parent, retag=True, write_mode=WriteMode.FILE)
    assert subject(photo) == ["Rex", "cat"]
    assert sources(config, "a.jpg") == {"Rex": "file", "cat": "gemma3:4b"}


def test_words_kept_out_of_files_are_written_once_they_may_be(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent, write_mode=WriteMode.NONE)
    assert subject(photo) == []
    outcome = run(config, photo.parent, write_mode=WriteMode.FILE)
    assert len(outcome.images) == 1
    assert subject(photo) == ["dog", "grass"]
    assert ollama.count == 1


def test_a_folder_taken_out_and_added_again_changes_nothing(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    put_keywords(photo, "Rex")
    run(config, photo.parent)
    before = photo.read_bytes()
    with Database.of(config) as db:
        [folder] = folders.every(db)
        folders.remove(db, folder.id)
    assert run(config, photo.parent).images == ()
    assert photo.read_bytes() == before
    assert sources(config, "a.jpg")["Rex"] == "file"
    assert sources(config, "a.jpg")["dog"] != "file"


def test_words_that_could_not_be_read_are_read_once_exiftool_is_there(
    tmp_path: Path, photo: Path, ollama: OllamaDouble
) -> None:
    put_keywords(photo, "Rex", description="My dog")
    without = settings(
        tmp_path, ollama.url, metadata={"exiftool": str(tmp_path / "none")}
    )
    tag(without, [os.fsencode(photo.parent)], choose(without))
    config = settings(tmp_path, ollama.url)
    run(config, photo.parent)
    image = known_images(config)["a.jpg"]
    assert image.description == "My dog"
    assert sources(config, "a.jpg")["Rex"] == "file"
    assert subject(photo) == ["Rex", "dog", "grass"]
