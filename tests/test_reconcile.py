"""What people do to words outside is theirs: taken out stays out, put back is back."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tagger.config import Config
from tagger.pipeline.tagging import Tagging, tag
from tagger.records import WriteMode
from tagger.tracking import jobs
from tagger.tracking.database import Database
from tagger.tracking.schema import bans, conflicts, files, synonyms, tags, writes
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_metadata import field
from tests.support_modes import exiftool
from tests.support_pipeline import (
    in_file,
    known_images,
    numbered,
    put_keywords,
    settings,
)

FIRST = {"description": "A dog.", "tags": ["dog", "grass"], "text": ""}
SECOND = {"description": "A puppy.", "tags": ["puppy", "dog", "grass"], "text": ""}


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
    return sorted(in_file(path)["XMP-dc:Subject"])


def description(path: Path) -> list[str]:
    return in_file(path)["XMP-dc:Description"]


def take_out(path: Path, *names: str) -> None:
    """What a person does with another program."""
    fields = ("XMP-dc:Subject", "IPTC:Keywords", "XMP-digiKam:TagsList")
    exiftool(path, *(f"-{where}-={name}" for where in fields for name in names))


def without_description(path: Path) -> None:
    names = ("XMP-dc:Description", "EXIF:ImageDescription", "IPTC:Caption-Abstract")
    exiftool(path, *(f"-{name}=" for name in names))


def sources(config: Config, name: str = "a.jpg") -> dict[str, str]:
    return {t.name: t.source for t in known_images(config)[name].tags}


def edit_waits(config: Config, text: str) -> None:
    """A person sets the description in the program; a job shall bring it in line."""
    with Database.of(config) as db, db.write() as connection:
        connection.execute(update(files).values(person_description=text))
        jobs.queue(connection, list(connection.scalars(select(files.c.id))))


def test_a_tag_taken_out_does_not_come_back_with_a_run_or_another_answer(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    take_out(photo, "dog")
    run(config, photo.parent)
    # Windows reads a field that the other program did not know.
    assert field(photo, "IFD0:XPKeywords") == ["grass"]
    before = photo.read_bytes()
    run(config, photo.parent)
    assert photo.read_bytes() == before
    assert sources(config) == {"grass": "gemma3:4b"}
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    assert subject(photo) == ["grass", "puppy"]
    assert in_file(photo)["IPTC:Keywords"] == ["grass", "puppy"]
    assert sources(config) == {"puppy": "gemma3:4b", "grass": "gemma3:4b"}


def test_a_tag_put_back_is_the_persons(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    take_out(photo, "dog")
    run(config, photo.parent)
    put_keywords(photo, "grass", "dog")
    run(config, photo.parent)
    assert sources(config)["dog"] == "file"
    ollama.answer = {"description": "A cat.", "tags": ["cat"], "text": ""}
    run(config, photo.parent, retag=True)
    assert subject(photo) == ["cat", "dog"]


def test_a_persons_own_tag_taken_out_is_not_said_by_a_model(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    put_keywords(photo, "Rex", "puppy")
    run(config, photo.parent)
    take_out(photo, "puppy")
    exiftool(photo, "-EXIF:XPKeywords=")  # our copy of the person's words
    run(config, photo.parent)
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    assert subject(photo) == ["Rex", "dog", "grass"]


def test_a_description_taken_out_does_not_come_back(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    without_description(photo)
    run(config, photo.parent)
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    assert description(photo) == []
    assert known_images(config)["a.jpg"].description is None
    assert subject(photo) == ["dog", "grass", "puppy"]


def test_a_description_changed_outside_is_the_persons(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    exiftool(photo, "-XMP-dc:Description=My Rex")
    run(config, photo.parent)
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    assert description(photo) == ["My Rex"]
    image = known_images(config)["a.jpg"]
    assert (image.description, image.description_source) == ("My Rex", "file")


def test_an_original_put_back_gets_its_words_again_unasked(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    original = shutil.copy2(photo, photo.parent.with_name("original.jpg"))
    for _ in range(3):
        shutil.copyfile(original, photo)
        run(config, photo.parent)
        assert subject(photo) == ["dog", "grass"]
        assert description(photo) == ["A dog."]
    assert ollama.count == 1
    assert set(sources(config).values()) == {"gemma3:4b"}


def test_a_backup_made_after_a_person_edited_it_keeps_the_edit(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    take_out(photo, "dog")
    exiftool(photo, "-XMP-dc:Subject+=Rex")
    run(config, photo.parent)
    backup = shutil.copy2(photo, photo.parent.with_name("backup.jpg"))
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    shutil.copyfile(backup, photo)
    run(config, photo.parent)
    assert subject(photo) == ["Rex", "grass", "puppy"]
    assert description(photo) == ["A puppy."]
    assert sources(config)["Rex"] == "file"
    assert sources(config)["grass"] == "gemma3:4b"


def test_a_copy_keeps_what_the_person_took_out(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    take_out(photo, "dog")
    run(config, photo.parent)
    copy = Path(shutil.copy2(photo, photo.with_name("b.jpg")))
    before = copy.read_bytes()
    run(config, photo.parent)
    assert copy.read_bytes() == before
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    assert subject(copy) == ["grass", "puppy"]


def test_the_built_in_words_give_way_to_ollamas_but_not_to_a_persons(
    tmp_path: Path, photo: Path, ollama: OllamaDouble
) -> None:
    put_keywords(photo, "Rex")
    builtin = settings(tmp_path, model={"backend": "builtin"})
    run(builtin, photo.parent)
    first = known_images(builtin)["a.jpg"]
    said = {t.name for t in first.tags if t.source == first.model}
    assert said
    assert set(subject(photo)) == {"Rex", *said}
    run(settings(tmp_path, ollama.url), photo.parent, retag=True)
    assert subject(photo) == ["Rex", "dog", "grass"]
    assert description(photo) == ["A dog."]
    assert field(photo, "XMP-imagetagger:Model") == ["gemma3:4b"]


def test_going_to_sidecars_and_back_keeps_what_was_taken_out(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    run(config, photo.parent)
    take_out(photo, "dog")
    run(config, photo.parent)
    ollama.answer = SECOND
    run(config, photo.parent, retag=True, write_mode=WriteMode.SIDECAR)
    assert subject(Path(f"{photo}.xmp")) == ["grass", "puppy"]
    run(config, photo.parent, retag=True, write_mode=WriteMode.FILE)
    assert subject(photo) == ["grass", "puppy"]


def test_a_lost_sidecar_is_written_again(config: Config, photo: Path) -> None:
    run(config, photo.parent, write_mode=WriteMode.SIDECAR)
    sidecar = Path(f"{photo}.xmp")
    sidecar.unlink()
    os.utime(photo)
    run(config, photo.parent)
    assert subject(sidecar) == ["dog", "grass"]


def test_the_description_a_person_gives_is_written_and_stays(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    exiftool(photo, "-XMP-dc:Description=Old words")
    run(config, photo.parent)
    edit_waits(config, "Rex in the grass")
    run(config, photo.parent)
    assert description(photo) == ["Rex in the grass"]
    assert field(photo, "XMP-imagetagger:Description") == []
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    assert description(photo) == ["Rex in the grass"]
    assert known_images(config)["a.jpg"].description_source == "person"
    exiftool(photo, "-XMP-dc:Description=Newer, from outside")
    run(config, photo.parent)
    assert known_images(config)["a.jpg"].description == "Newer, from outside"


def test_an_edit_that_waits_and_a_change_outside_are_a_conflict(
    config: Config, photo: Path
) -> None:
    run(config, photo.parent)
    edit_waits(config, "From the program")
    exiftool(photo, "-XMP-dc:Description=From outside")
    before = photo.read_bytes()
    run(config, photo.parent)
    assert photo.read_bytes() == before
    assert "conflict" in (known_images(config)["a.jpg"].reason or "")
    with Database.of(config) as db, db.read() as connection:
        [row] = connection.execute(select(conflicts)).all()
    assert (row.ours, row.theirs) == ("From the program", "From outside")
    assert row.resolved_at is None


def test_synonyms_and_bans_hold_for_answers(config: Config, photo: Path) -> None:
    with Database.of(config) as db, db.write() as connection:
        connection.execute(tags.insert().values(name="Hound", key="hound"))
        connection.execute(synonyms.insert().values(key="dog", name="Hound"))
        connection.execute(bans.insert().values(key="grass", name="grass"))
    run(config, photo.parent)
    assert subject(photo) == ["Hound"]
    assert sources(config) == {"Hound": "gemma3:4b"}


def test_each_write_says_what_stood_there_before(config: Config, photo: Path) -> None:
    from tagger.pipeline.metadata.replacing import file_hash

    before = file_hash(os.fsencode(photo))
    run(config, photo.parent)
    with Database.of(config) as db, db.read() as connection:
        [write] = connection.execute(select(writes)).all()
    assert (write.kind, write.before_hash) == ("tag", before)
