"""An edit of a tag is taken back whole: on screens, in files, and no word is lost."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline.carrying import carry_out
from tagger.records import WriteMode
from tagger.tracking import edits, folders, unediting, vocabulary
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tests.ollama_double import OllamaDouble
from tests.support_metadata import field, person_writes
from tests.support_pipeline import (
    known_images,
    numbered,
    reads_number,
    settings,
    three_numbered,
)
from tests.test_tagging import fingerprints, run

# Every claim takes real files through the tagger and exiftool, or a browser.
pytestmark = pytest.mark.slow

FIELDS = ("XMP-dc:Subject", "XMP-digiKam:TagsList", "IPTC:Keywords")
LIGHTROOM = "XMP-lr:HierarchicalSubject"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return three_numbered(tmp_path / "photos", "Oma", "dog")


@pytest.fixture
def config(tmp_path: Path, photos: Path) -> Iterator[Config]:
    """Settings with three photos tagged: each is a bar code, and a number."""
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos)
        yield config


def replaced(config: Config, old: list[str], new: str | None) -> Edit:
    with Database.of(config) as db:
        edit = edits.replace(db, old, new)
    assert carry_out(config, edit).failed == []
    return edit


def taken_back(config: Config, edit: Edit) -> Edit:
    assert edit.id is not None
    with Database.of(config) as db:
        undone = unediting.undo(db, edit.id)
    assert carry_out(config, undone).failed == []
    return undone


def words(photos: Path) -> dict[str, list[set[str]]]:
    """What stands in each photo, whatever the order."""
    return {
        path.name: [{*field(os.fsencode(path), name)} for name in FIELDS]
        for path in photos.iterdir()
    }


def said(config: Config) -> dict[str, set[str]]:
    """What screens show."""
    return {n: {t.name for t in i.tags} for n, i in known_images(config).items()}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["bar code"], "stripes"),
        (["Oma"], "Grandma"),
        (["number 1", "number 2", "dog"], "bar code"),
        (["bar code"], "Oma"),
        (["dog", "bar code"], None),
    ],
)
def test_what_was_renamed_merged_or_deleted_is_as_before(
    config: Config, photos: Path, old: list[str], new: str | None
) -> None:
    before, shown = words(photos), said(config)
    edit = replaced(config, old, new)
    assert words(photos) != before

    undone = taken_back(config, edit)

    assert undone.photos == edit.photos
    assert words(photos) == before
    assert said(config) == shown
    after = fingerprints(photos)
    run(config, photos)
    assert fingerprints(photos) == after
    run(config, photos, retag=True)
    assert words(photos) == before


def test_a_person_s_word_comes_back_as_a_person_s(config: Config, photos: Path) -> None:
    taken_back(config, replaced(config, ["Oma", "bar code"], None))

    sources = {t.name: t.source for t in known_images(config)["1.jpg"].tags}
    assert sources["Oma"] == "person"
    assert sources["bar code"] not in ("person", "file")


def test_leaves_of_trees_change_back(config: Config, photos: Path) -> None:
    tree = photos / "4.jpg"
    numbered(tree, 4)
    name = os.fsencode(tree)
    person_writes(name, f"-{LIGHTROOM}=Animals|dog", "-XMP-dc:Subject=dog")
    run(config, photos)
    edit = replaced(config, ["dog"], "hound")
    assert field(name, LIGHTROOM) == ["Animals|hound"]

    taken_back(config, edit)

    assert field(name, LIGHTROOM) == ["Animals|dog"]
    assert {"dog", "number 4", "bar code"} == {*field(name, "XMP-dc:Subject")}


def test_what_a_person_said_of_a_photo_since_stays(
    config: Config, photos: Path
) -> None:
    edit = replaced(config, ["bar code"], "stripes")
    one = [os.fsencode(photos / "2.jpg")]
    with Database.of(config) as db:
        since = edits.tag(db, one, add=["Bar Code"], remove=["stripes"])
        assert carry_out(config, since).failed == []
        assert edit.id is not None
        assert unediting.undo(db, edit.id, dry_run=True).photos == 2
    kept = said(config)["2.jpg"]

    taken_back(config, edit)

    assert said(config)["2.jpg"] == kept
    assert "bar code" in said(config)["3.jpg"]


def test_an_edit_that_no_file_has_yet_is_taken_back_too(
    config: Config, photos: Path
) -> None:
    before, prints = said(config), fingerprints(photos)
    with Database.of(config) as db:
        edit = edits.replace(db, ["bar code"], "stripes")
        assert edit.id is not None
        undone = unediting.undo(db, edit.id)
    assert said(config) == before
    assert carry_out(config, undone).failed == []
    assert fingerprints(photos) == prints


def test_what_is_in_the_catalogue_only_is_taken_back_too(
    config: Config, photos: Path
) -> None:
    with Database.of(config) as db:
        [folder] = folders.every(db)
        folders.set_write_mode(db, folder.id, WriteMode.NONE)
    before, prints = said(config), fingerprints(photos)
    edit = replaced(config, ["bar code"], "stripes")
    assert said(config) != before

    taken_back(config, edit)

    assert (said(config), fingerprints(photos)) == (before, prints)


def test_bans_and_synonyms_are_taken_back(config: Config, photos: Path) -> None:
    before, shown = words(photos), said(config)
    with Database.of(config) as db:
        banned = vocabulary.add_ban(db, "bar code", past=True)
    assert carry_out(config, banned).failed == []
    taken_back(config, banned)
    assert (words(photos), said(config)) == (before, shown)

    with Database.of(config) as db:
        first = vocabulary.add_synonym(db, "bar code", "stripes", past=True)
    assert carry_out(config, first).failed == []
    striped = said(config)
    with Database.of(config) as db:
        second = vocabulary.add_synonym(db, "bar code", "lines", past=True)
    taken_back(config, second)
    assert said(config) == striped
    with Database.of(config) as db:
        assert vocabulary.every_synonym(db) == [("bar code", "stripes")]
        assert vocabulary.every_ban(db) == []
    taken_back(config, first)
    assert (words(photos), said(config)) == (before, shown)


def test_what_cannot_be_taken_back_says_so(config: Config, photos: Path) -> None:
    edit = replaced(config, ["bar code"], "stripes")
    undone = taken_back(config, edit)
    with Database.of(config) as db:
        described = edits.describe(db, [os.fsencode(photos)], "Mine.")
        for edit_id, why in (
            (edit.id, "was taken back already"),
            (undone.id, "cannot be taken back"),
            (described.id, "put its writes back with `python -m tagger undo`"),
            (99, "there is no edit 99"),
        ):
            assert edit_id is not None
            with pytest.raises(UsageError, match=why):
                unediting.undo(db, edit_id)
