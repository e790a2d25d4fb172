"""An undo finds photos that were moved since, and copies that have our words."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.pipeline.undo import rehearse
from tagger.records import WriteMode
from tagger.tracking.history import Which
from tests.ollama_double import OllamaDouble
from tests.support_metadata import as_told, field, person_writes
from tests.support_pipeline import (
    known_images,
    numbered,
    put_keywords,
    reads_number,
    settings,
)
from tests.support_undo import (
    as_meant,
    assert_at_rest,
    brought_back,
    edited,
    refused,
    runs,
    told,
    undone,
    writes_of,
)
from tests.test_tagging import fingerprints, run

pytestmark = pytest.mark.slow

SUBJECT = "XMP-dc:Subject"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in (1, 2):
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


def bare(photo: Path) -> dict[str, object]:
    """All that is told of a photo, but for its name and place."""
    return {
        name: value
        for name, value in as_told(photo).items()
        if name not in ("SourceFile", "System:FileName", "System:Directory")
    }


@pytest.mark.parametrize("told_of", ["run", "new path", "folder"])
@pytest.mark.parametrize("mode", [WriteMode.FILE, WriteMode.SIDECAR])
def test_a_photo_that_was_moved_since_is_found_sidecar_and_all(
    config: Config, photos: Path, mode: WriteMode, told_of: str
) -> None:
    before = bare(photos / "1.jpg")
    run(config, photos, write_mode=mode)
    there = photos / "sub" / "renamed.jpg"
    there.parent.mkdir()
    os.rename(photos / "1.jpg", there)
    if mode is WriteMode.SIDECAR:
        os.rename(photos / "1.jpg.xmp", f"{there}.xmp")
    which = {
        "run": Which(run_id=runs(config)[0].id),
        "new path": Which(place=os.fsencode(there)),
        "folder": Which(place=os.fsencode(photos)),
    }[told_of]
    outcome = undone(config, which)
    assert refused(outcome) == {}
    assert bare(there) == before
    assert not Path(f"{there}.xmp").exists()
    run(config, photos)
    assert_at_rest(config, photos)


def test_a_photo_that_is_gone_is_named(config: Config, photos: Path) -> None:
    run(config, photos)
    os.unlink(photos / "1.jpg")
    foretold = rehearse(config, Which(run_id=1))
    assert refused(foretold) == {"1.jpg": {"(all of it)"}}
    outcome = undone(config, photos)
    assert refused(outcome) == {"1.jpg": {"(all of it)"}}
    assert field(photos / "2.jpg", SUBJECT) == []


def test_a_name_that_leads_to_another_photo_now_is_not_followed(
    config: Config, photos: Path
) -> None:
    run(config, photos)
    shutil.copy2(photos / "1.jpg", photos.parent / "elsewhere.jpg")
    os.unlink(photos / "1.jpg")
    os.symlink(photos.parent / "elsewhere.jpg", photos / "1.jpg")
    before = (photos.parent / "elsewhere.jpg").read_bytes()
    outcome = undone(config, Which(run_id=1))
    assert refused(outcome) == {"1.jpg": {"(all of it)"}}
    assert (photos.parent / "elsewhere.jpg").read_bytes() == before


@pytest.mark.parametrize("looked_at", [True, False])
def test_a_copy_of_a_tagged_photo_is_as_the_original_was(
    config: Config, photos: Path, looked_at: bool
) -> None:
    before = bare(photos / "1.jpg")
    run(config, photos)
    edited(config, "replace", ["bar code"], "stripes")
    copy = photos / "copy.jpg"
    shutil.copy2(photos / "1.jpg", copy)
    if looked_at:
        run(config, photos)
    original = fingerprints(photos)["1.jpg"]
    outcome = undone(config, copy)
    assert (refused(outcome), outcome.writes) == ({}, 2)
    assert bare(copy) == before
    assert fingerprints(photos)["1.jpg"] == original
    assert field(copy, SUBJECT) == ["Oma"]
    assert_at_rest(config, photos)
    assert known_images(config)["copy.jpg"].written_mode is None
    assert refused(brought_back(config, outcome)) == {}
    assert field(copy, SUBJECT) == field(photos / "1.jpg", SUBJECT)
    assert_at_rest(config, photos)


def test_a_copy_outside_every_folder_is_known_by_its_bytes(
    config: Config, photos: Path, tmp_path: Path
) -> None:
    before = bare(photos / "1.jpg")
    run(config, photos)
    copy = tmp_path / "elsewhere" / "copy.jpg"
    copy.parent.mkdir()
    shutil.copyfile(photos / "1.jpg", copy)
    copied_at = copy.stat().st_mtime_ns
    stranger = numbered(tmp_path / "strange" / "stranger.jpg", 9)
    outcome = undone(config, copy)
    assert (refused(outcome), outcome.writes) == ({}, 1)
    kept = {name: v for name, v in bare(copy).items() if "FileModify" not in name}
    assert kept == {name: v for name, v in before.items() if "FileModify" not in name}
    assert copy.stat().st_mtime_ns == copied_at
    assert undone(config, stranger).chosen == 0
    assert "stranger.jpg" not in known_images(config)


def test_a_copy_of_a_photo_edited_since_keeps_the_persons_word(
    config: Config, photos: Path
) -> None:
    run(config, photos)
    person_writes(photos / "1.jpg", "-XMP-dc:Subject+=Rex")
    run(config, photos)
    shutil.copy2(photos / "1.jpg", photos / "copy.jpg")
    outcome = undone(config, photos / "copy.jpg")
    assert refused(outcome) == {"copy.jpg": {SUBJECT}}
    assert "Rex" in field(photos / "copy.jpg", SUBJECT)
    assert field(photos / "copy.jpg", "XMP-dc:Description") == []
    run(config, photos)
    assert_at_rest(config, photos)


def test_what_was_written_into_a_copy_later_is_undone_without_what_was_copied(
    config: Config, photos: Path, ollama: OllamaDouble
) -> None:
    before = told(photos)
    run(config, photos)
    shutil.copy2(photos / "1.jpg", photos / "copy.jpg")
    run(config, photos)
    copied = bare(photos / "copy.jpg")
    ollama.answer = {"description": "A cat.", "tags": ["cat"], "text": ""}
    run(config, photos, retag=True)
    latest = runs(config)[0].id
    assert refused(undone(config, latest)) == {}
    assert bare(photos / "copy.jpg") == copied
    assert_at_rest(config, photos)
    tags = {t.name: t.source for t in known_images(config)["copy.jpg"].tags}
    assert tags["bar code"] == "gemma3:4b"
    assert refused(undone(config, photos)) == {}
    os.unlink(photos / "copy.jpg")
    assert as_meant(told(photos)) == as_meant(before)


def test_a_photo_copied_with_its_sidecar_loses_the_copys_only(
    config: Config, photos: Path
) -> None:
    run(config, photos, write_mode=WriteMode.SIDECAR)
    for ending in ("", ".xmp"):
        shutil.copy2(photos / f"1.jpg{ending}", photos / f"copy.jpg{ending}")
    run(config, photos)
    outcome = undone(config, photos / "copy.jpg")
    assert (refused(outcome), outcome.writes) == ({}, 1)
    assert not (photos / "copy.jpg.xmp").exists()
    assert (photos / "1.jpg.xmp").exists()
    assert_at_rest(config, photos)
    assert writes_of(config, photos / "1.jpg")[0].is_whole
