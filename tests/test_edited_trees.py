"""A word that a person renames or takes out changes at the end of its tree, too."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.pipeline.carrying import carry_out
from tagger.pipeline.undo import undo
from tagger.pipeline.verify import verify
from tagger.tracking import edits
from tagger.tracking.database import Database
from tagger.tracking.history import Which
from tests.ollama_double import OllamaDouble
from tests.support_metadata import field, person_writes
from tests.support_pipeline import known_images, numbered, settings
from tests.test_tagging import run

ANSWER = {"description": "A dog.", "tags": ["dog", "grass"], "text": ""}
LIGHTROOM, DIGIKAM = "XMP-lr:HierarchicalSubject", "XMP-digiKam:TagsList"
FLAT = "XMP-dc:Subject"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = numbered(tmp_path / "photos" / "a.jpg", 1)
    person_writes(
        path,
        *(f"-{FLAT}={word}" for word in ("dog", "Rex", "b/w")),
        *(f"-{LIGHTROOM}={tree}" for tree in ("Animals|dog", "Animals|dog|Rex")),
        *(f"-{DIGIKAM}={tree}" for tree in ("Animals/dog", "Animals/dog/Rex", "b/w")),
    )
    return path


@pytest.fixture
def config(tmp_path: Path, photo: Path) -> Iterator[Config]:
    with OllamaDouble(ANSWER) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photo)
        yield config


def replaced(config: Config, old: list[str], new: str | None) -> int:
    with Database.of(config) as db:
        edit = edits.replace(db, old, new)
    carried = carry_out(config, edit)
    assert carried.failed == []
    return carried.run_id


def trees(photo: Path) -> tuple[list[str], list[str], list[str]]:
    return tuple(sorted(field(photo, name)) for name in (LIGHTROOM, DIGIKAM, FLAT))  # type: ignore[return-value]


def test_a_renamed_word_keeps_its_place_in_the_tree(
    config: Config, photo: Path
) -> None:
    before = trees(photo)
    run_id = replaced(config, ["dog"], "hound")
    renamed = (
        ["Animals|dog|Rex", "Animals|hound"],
        ["Animals/dog/Rex", "Animals/hound", "b/w", "grass"],
        ["Rex", "b/w", "grass", "hound"],
    )
    assert trees(photo) == renamed
    run(config, photo, retag=True)
    assert trees(photo) == renamed
    assert verify(config, []).faults == ()
    assert undo(config, Which(run_id=run_id)).refused == []
    assert trees(photo) == before
    run(config, photo)
    assert trees(photo) == before


def test_a_word_renamed_twice_before_it_is_written_ends_with_the_last_name(
    config: Config, photo: Path
) -> None:
    with Database.of(config) as db:
        edits.replace(db, ["dog"], "hound")
        last = edits.replace(db, ["hound"], "wolf")
    carry_out(config, last)
    assert trees(photo)[0] == ["Animals|dog|Rex", "Animals|wolf"]
    assert {tag.name for tag in known_images(config)["a.jpg"].tags} == {
        *("wolf", "Rex", "b/w", "grass")
    }


def test_a_deleted_word_leaves_the_trees_and_no_other_goes_with_it(
    config: Config, photo: Path
) -> None:
    person_writes(photo, f"-{FLAT}+=w")
    run(config, photo)
    replaced(config, ["dog"], None)
    replaced(config, ["w"], None)
    assert trees(photo) == (
        ["Animals|dog|Rex"],
        ["Animals/dog/Rex", "b/w", "grass"],
        ["Rex", "b/w", "grass"],
    )
    run(config, photo, retag=True)
    assert "dog" not in {tag.name for tag in known_images(config)["a.jpg"].tags}


def test_a_word_that_stands_in_a_tree_only_can_be_taken_out(
    config: Config, photo: Path
) -> None:
    person_writes(photo, f"-{LIGHTROOM}+=Places|Rome", f"-{DIGIKAM}+=Things/Vespa")
    run(config, photo)
    assert {tag.name for tag in known_images(config)["a.jpg"].tags} >= {"Rome", "Vespa"}
    replaced(config, ["Rome"], None)
    replaced(config, ["Vespa"], "scooter")
    assert "Places|Rome" not in field(photo, LIGHTROOM)
    assert "Things/scooter" in field(photo, DIGIKAM)
    run(config, photo, retag=True)
    names = {tag.name for tag in known_images(config)["a.jpg"].tags}
    assert names >= {"scooter"}
    assert not names & {"Rome", "Vespa"}


def test_trees_in_any_spelling_are_found(config: Config, photo: Path) -> None:
    person_writes(photo, f"-{LIGHTROOM}+=Animals|DOG|")
    run(config, photo)
    with Database.of(config) as db:
        edit = edits.tag(db, [os.fsencode(photo)], remove=["Dog"])
    carry_out(config, edit)
    assert trees(photo)[0] == ["Animals|dog|Rex"]
