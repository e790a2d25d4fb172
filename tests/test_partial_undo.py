"""What an undo could not put back stays listed, and can be finished later."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.records import Changed, WriteMode
from tagger.tracking import history
from tagger.tracking.database import Database
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
    refused,
    runs,
    told,
    undone,
    writes_of,
)
from tests.test_tagging import run

# Each takes files through the tagger and exiftool, several times over.
pytestmark = pytest.mark.slow

SUBJECT = "XMP-dc:Subject"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in (1, 2):
        numbered(tmp_path / "photos" / f"{number}.jpg", number)
    return tmp_path / "photos"


@pytest.fixture
def config(tmp_path: Path, photos: Path) -> Iterator[Config]:
    """Two photos are tagged, and somebody has a keyword of his own in the first."""
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos)
        person_writes(photos / "1.jpg", "-XMP-dc:Subject+=holiday")
        yield config


def test_the_fields_that_were_left_stay_listed_and_the_others_are_put_back(
    config: Config, photos: Path
) -> None:
    outcome = undone(config, photos)
    assert refused(outcome) == {"1.jpg": {SUBJECT}}
    assert field(photos / "1.jpg", SUBJECT) == ["number 1", "bar code", "holiday"]
    assert field(photos / "1.jpg", "IPTC:Keywords") == []
    (write,) = [w for w in writes_of(config, photos / "1.jpg") if w.kind == "tag"]
    assert write.left is not None
    assert write.left[SUBJECT] == "it was changed after it was written"
    assert write.is_partly_undone
    (whole,) = [w for w in writes_of(config, photos / "2.jpg") if w.kind == "tag"]
    assert (whole.left, whole.is_partly_undone) == ({}, False)
    tagged = next(one for one in runs(config) if one.kind == "tag")
    assert (tagged.undone, tagged.partly) == (1, 1)
    assert_at_rest(config, photos)


def test_an_undo_is_finished_once_the_field_is_as_it_was_written(
    config: Config, photos: Path
) -> None:
    undone(config, photos)
    assert refused(undone(config, photos)) == {"1.jpg": {SUBJECT}}
    person_writes(photos / "1.jpg", "-XMP-dc:Subject-=holiday")
    outcome = undone(config, photos)
    assert (refused(outcome), outcome.writes) == ({}, 1)
    assert not [name for name in as_told(photos / "1.jpg") if "XMP" in name]
    assert undone(config, photos).chosen == 0
    tagged = next(one for one in runs(config) if one.kind == "tag")
    assert (tagged.undone, tagged.partly) == (2, 0)
    assert_at_rest(config, photos)


def test_undoing_a_partial_undo_brings_back_exactly_what_it_took(
    config: Config, photos: Path
) -> None:
    before = told(photos)
    first = undone(config, photos)
    person_writes(photos / "1.jpg", "-XMP-dc:Subject-=holiday")
    second = undone(config, photos)
    bare = told(photos)

    assert refused(brought_back(config, second)) == {}
    partly = writes_of(config, photos / "1.jpg")[-1]
    assert partly.is_partly_undone
    assert partly.left is not None
    assert SUBJECT in partly.left
    assert field(photos / "1.jpg", SUBJECT) == ["number 1", "bar code"]
    assert field(photos / "1.jpg", "IPTC:Keywords") == []
    assert_at_rest(config, photos)
    assert refused(brought_back(config, first)) == {}
    assert writes_of(config, photos / "1.jpg")[-1].is_whole
    person_writes(photos / "1.jpg", "-XMP-dc:Subject+=holiday")
    assert as_meant(told(photos)) == as_meant(before)
    person_writes(photos / "1.jpg", "-XMP-dc:Subject-=holiday")
    run(config, photos)
    assert_at_rest(config, photos)

    undone(config, photos)
    assert as_meant(told(photos)) == as_meant(bare)


def test_what_somebody_changed_can_be_kept_for_good(
    config: Config, photos: Path
) -> None:
    undone(config, photos)
    outcome = undone(config, photos, Changed.KEEP)
    assert (refused(outcome), outcome.writes) == ({}, 1)
    assert field(photos / "1.jpg", SUBJECT) == ["number 1", "bar code", "holiday"]
    assert undone(config, photos).chosen == 0
    assert_at_rest(config, photos)
    sources = {t.name: t.source for t in known_images(config)["1.jpg"].tags}
    assert sources == dict.fromkeys(["number 1", "bar code", "holiday"], "file")


@pytest.mark.parametrize("at_once", [True, False])
def test_what_somebody_changed_can_be_put_back_all_the_same(
    config: Config, photos: Path, at_once: bool
) -> None:
    put_keywords(photos / "2.jpg", description="Mine")
    if not at_once:
        undone(config, photos)
    before = told(photos)
    outcome = undone(config, photos, Changed.OVERWRITE)
    assert refused(outcome) == {}
    assert field(photos / "1.jpg", SUBJECT) == ["holiday"]
    assert field(photos / "2.jpg", "XMP-dc:Description") == []
    assert_at_rest(config, photos)
    assert refused(brought_back(config, outcome)) == {}
    assert as_meant(told(photos)) == as_meant(before)
    assert_at_rest(config, photos)


def test_a_field_that_was_put_back_by_hand_is_undone(
    config: Config, photos: Path
) -> None:
    person_writes(photos / "2.jpg", "-all=")
    run(config, photos)
    outcome = undone(config, photos / "2.jpg")
    assert (refused(outcome), outcome.writes) == ({}, 1)
    assert undone(config, photos / "2.jpg").chosen == 0
    assert_at_rest(config, photos)
    assert known_images(config)["2.jpg"].tags == ()


def test_a_sidecar_that_somebody_deleted_is_undone(
    tmp_path: Path, photos: Path
) -> None:
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos, write_mode=WriteMode.SIDECAR)
        os.unlink(photos / "1.jpg.xmp")
        outcome = undone(config, photos)
        assert (refused(outcome), outcome.writes) == ({}, 2)
        assert sorted(path.name for path in photos.iterdir()) == ["1.jpg", "2.jpg"]
        assert_at_rest(config, photos)
        assert brought_back(config, outcome).chosen == 1
        assert sorted(path.name for path in photos.glob("*.xmp")) == ["2.jpg.xmp"]
        assert_at_rest(config, photos)


def test_a_database_of_before_gets_room_for_what_still_stands(tmp_path: Path) -> None:
    path = tmp_path / "tracking.db"
    Database.open(path).close()
    connection = sqlite3.connect(path)
    for column in ("standing", "leaves", "words"):
        connection.execute(f"ALTER TABLE writes DROP COLUMN {column}")
    connection.execute("DELETE FROM migrations WHERE name = 'm003_partial_undo'")
    connection.execute(
        "INSERT INTO folders (id, path, recursive, active, write_mode, added_at, "
        "made_by_tag) VALUES (1, X'2f70', 1, 1, 'file', 'now', 0)"
    )
    connection.execute(
        "INSERT INTO files (id, folder_id, path, dev, ino, size_bytes, mtime_ns, "
        "ctime_ns, state, unreachable, added_at, description_removed) VALUES "
        "(3, 1, X'2f702f61', 1, 2, 3, 4, 5, 'tagged', 0, 'now', 0)"
    )
    connection.execute(
        "INSERT INTO writes (id, file_id, target, mode, state, kind, before, intended, "
        "added_tags, own_tags, after_hash, created_at) VALUES (4, 3, X'2f70', 'file', "
        """'done', 'tag', '{"a:b": []}', '{"a:b": ["c"]}', '[]', '[]', 'h', 'n')"""
    )
    connection.commit()
    connection.close()

    with Database.open(path) as db:
        (write,) = history.chosen(db, Which(place=b"/p"))
    assert (write.is_whole, write.intended) == (True, {"a:b": ("c",)})
