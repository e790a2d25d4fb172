"""Several writes stand on one another; any of them can be undone, in any order."""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.records import WriteMode
from tagger.tracking import edits, vocabulary
from tagger.tracking.database import Database
from tagger.tracking.history import Which
from tests.ollama_double import OllamaDouble
from tests.support_metadata import field, person_writes
from tests.support_pipeline import (
    in_file,
    known_images,
    numbered,
    put_keywords,
    settings,
)
from tests.support_undo import (
    as_meant,
    assert_at_rest,
    brought_back,
    carried_out,
    edited,
    faults,
    keywords,
    refused,
    runs,
    told,
    undone,
    writes_of,
)
from tests.test_tagging import run

pytestmark = pytest.mark.slow

FIRST = {"description": "A dog.", "tags": ["dog", "grass"], "text": ""}
SECOND = {"description": "A puppy.", "tags": ["puppy", "grass"], "text": ""}
DESCRIPTION = "XMP-dc:Description"


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(FIRST) as double:
        yield double


@pytest.fixture
def config(tmp_path: Path, ollama: OllamaDouble) -> Config:
    return settings(tmp_path, ollama.url)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = numbered(tmp_path / "photos" / "a.jpg", 1)
    put_keywords(path, "Oma")
    return path


def tagged(config: Config, photo: Path, **options: object) -> int:
    """Tag the photo; the run."""
    assert run(config, photo.parent, **options).failed == []
    return runs(config)[0].id


def described(photo: Path) -> list[str]:
    return in_file(photo)[DESCRIPTION]


def place(photo: Path) -> list[bytes]:
    return [os.fsencode(photo)]


EDITS: Mapping[str, Callable[[Config, Path], int]] = {
    "add": lambda c, p: edited(c, "tag", place(p), add=["garden", "日本"]),
    "remove ours": lambda c, p: edited(c, "tag", place(p), remove=["grass"]),
    "remove theirs": lambda c, p: edited(c, "tag", place(p), remove=["Oma"]),
    "rename": lambda c, _: edited(c, "replace", ["dog"], "hound"),
    "rename to one there": lambda c, _: edited(c, "replace", ["dog"], "grass"),
    "merge": lambda c, _: edited(c, "replace", ["dog", "grass"], "lawn"),
    "merge theirs": lambda c, _: edited(c, "replace", ["dog", "Oma"], "family"),
    "delete": lambda c, _: edited(c, "replace", ["dog"], None),
    "describe": lambda c, p: edited(c, "describe", place(p), "Mein Hund; 2024"),
    "synonym": lambda c, _: with_words(c, "dog", synonym="hound"),
    "ban": lambda c, _: with_words(c, "dog"),
}


def with_words(config: Config, word: str, *, synonym: str | None = None) -> int:
    """A synonym or a ban, applied to what is tagged so far."""
    with Database.of(config) as db:
        if synonym is not None:
            edit = vocabulary.add_synonym(db, word, synonym, past=True)
        else:
            edit = vocabulary.add_ban(db, word, past=True)
    return carried_out(config, edit)


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_is_undone_and_done_again(
    config: Config, photo: Path, kind: str
) -> None:
    tagged(config, photo)
    before = told(photo.parent)
    edit = EDITS[kind](config, photo)
    after = told(photo.parent)
    assert after != before
    outcome = undone(config, edit)
    assert refused(outcome) == {}
    assert told(photo.parent) == before
    assert_at_rest(config, photo.parent)
    again = brought_back(config, outcome)
    assert refused(again) == {}
    assert as_meant(told(photo.parent)) == as_meant(after)
    assert_at_rest(config, photo.parent)
    assert refused(brought_back(config, again)) == {}
    assert as_meant(told(photo.parent)) == as_meant(before)
    assert_at_rest(config, photo.parent)


@pytest.mark.parametrize("kind", [kind for kind in EDITS if kind != "remove ours"])
def test_the_tagging_below_an_edit_is_undone_and_the_edit_stays(
    config: Config, photo: Path, kind: str
) -> None:
    bare = told(photo.parent)
    tagging = tagged(config, photo)
    edit = EDITS[kind](config, photo)
    outcome = undone(config, tagging)
    assert refused(outcome) == {}
    kept = {
        "add": {"Oma", "garden", "日本"},
        "remove theirs": set(),
        "rename": {"Oma", "hound"},
        "rename to one there": {"Oma", "grass"},
        "merge": {"Oma", "lawn"},
        "merge theirs": {"family"},
    }.get(kind, {"Oma"})
    assert {*keywords_there(photo)} - {"hound"} == kept - {"hound"}
    described_by_person = ["Mein Hund; 2024"] if kind == "describe" else []
    assert described(photo) == described_by_person
    assert_at_rest(config, photo.parent)
    assert refused(undone(config, edit)) == {}
    assert as_meant(told(photo.parent)) == as_meant(bare)
    assert_at_rest(config, photo.parent)
    assert undone(config, photo).chosen == 0


def keywords_there(photo: Path) -> list[str]:
    return field(photo, "XMP-dc:Subject")


@pytest.mark.parametrize("kind", ["add", "remove theirs", "rename", "describe"])
def test_only_the_edit_between_two_answers_is_undone(
    config: Config, photo: Path, ollama: OllamaDouble, kind: str
) -> None:
    tagged(config, photo)
    ollama.answer = SECOND
    edit = EDITS[kind](config, photo)
    tagged(config, photo, retag=True)
    outcome = undone(config, edit)
    assert refused(outcome) == {}
    assert {*keywords(photo)} == {"Oma", "puppy", "grass"}
    assert described(photo) == ["A puppy."]
    assert_at_rest(config, photo.parent)
    assert {t.name: t.source for t in known_images(config)["a.jpg"].tags} == {
        **{"Oma": "file", "puppy": "gemma3:4b", "grass": "gemma3:4b"}
    }
    assert known_images(config)["a.jpg"].description_source == "gemma3:4b"


def test_an_older_answer_goes_with_the_one_that_took_its_place(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    bare = told(photo.parent)
    first = tagged(config, photo)
    ollama.answer = SECOND
    second = tagged(config, photo, retag=True)
    both = told(photo.parent)
    outcome = undone(config, first)
    assert (refused(outcome), outcome.waiting) == ({}, 1)
    assert told(photo.parent) == both
    assert_at_rest(config, photo.parent)
    older = writes_of(config, photo)[-1]
    assert not older.is_partly_undone
    outcome = undone(config, second)
    assert refused(outcome) == {}
    assert told(photo.parent) == bare
    assert_at_rest(config, photo.parent)
    assert refused(brought_back(config, outcome)) == {}
    assert as_meant(told(photo.parent)) == as_meant(both)
    assert_at_rest(config, photo.parent)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_in_whatever_order_writes_are_undone_nothing_of_them_is_left(
    config: Config, photo: Path, ollama: OllamaDouble, order: tuple[int, ...]
) -> None:
    bare = told(photo.parent)
    done = [tagged(config, photo)]
    done.append(edited(config, "replace", ["dog"], "hound"))
    ollama.answer = SECOND
    done.append(tagged(config, photo, retag=True))
    for n in order:
        assert refused(undone(config, done[n])) == {}
        assert_at_rest(config, photo.parent)
    assert as_meant(told(photo.parent)) == as_meant(bare)
    assert undone(config, photo).chosen == 0


def test_a_word_of_a_person_between_two_writes_is_refused_and_kept(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    tagged(config, photo)
    person_writes(photo, "-XMP-dc:Subject+=Rex")
    ollama.answer = SECOND
    tagged(config, photo, retag=True)
    outcome = undone(config, photo)
    assert refused(outcome) == {"a.jpg": {"XMP-dc:Subject"}}
    assert {*keywords_there(photo)} == {"Oma", "dog", "grass", "Rex"}
    assert_at_rest(config, photo.parent)
    tag = next(one for one in writes_of(config, photo) if one.kind == "tag")
    assert (tag.left, tag.is_partly_undone) == ({}, False)


@pytest.mark.slow
def test_an_answer_in_the_file_and_a_later_one_beside_it(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    bare = told(photo.parent)
    first = tagged(config, photo)
    ollama.answer = SECOND
    second = tagged(config, photo, retag=True, write_mode=WriteMode.SIDECAR)
    beside = photo.with_name("a.jpg.xmp")
    outcome = undone(config, first)
    assert refused(outcome) == {}
    assert described(photo) == []
    assert {"puppy", "grass", "Oma"} <= {*keywords_there(beside)}
    assert faults(config) == []
    assert refused(brought_back(config, outcome)) == {}
    assert refused(undone(config, second)) == {}
    assert not beside.exists()
    assert described(photo) == ["A dog."]
    assert_at_rest(config, photo.parent)
    assert refused(undone(config, photo)) == {}
    assert as_meant(told(photo.parent)) == as_meant(bare)
    assert_at_rest(config, photo.parent)


def test_a_write_that_also_cleaned_an_older_sidecar_is_undone_in_both(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    tagged(config, photo, write_mode=WriteMode.SIDECAR)
    before = told(photo.parent)
    ollama.answer = SECOND
    second = tagged(config, photo, retag=True, write_mode=WriteMode.FILE)
    assert told(photo.parent)["a.jpg.xmp"] != before["a.jpg.xmp"]
    assert len([w for w in writes_of(config, photo) if w.run_id == second]) == 2
    outcome = undone(config, second)
    assert refused(outcome) == {}
    assert told(photo.parent) == before
    assert_at_rest(config, photo.parent)
    assert known_images(config)["a.jpg"].written_mode is WriteMode.SIDECAR
    assert refused(brought_back(config, outcome)) == {}
    assert_at_rest(config, photo.parent)
    assert refused(undone(config, photo)) == {}
    assert [path.name for path in photo.parent.iterdir()] == ["a.jpg"]
    assert {*keywords_there(photo)} == {"Oma"}
    assert_at_rest(config, photo.parent)


def test_one_tag_is_taken_out_where_it_is_ours_and_nothing_else_of_its_writes(
    config: Config, photo: Path
) -> None:
    other = numbered(photo.with_name("b.jpg"), 2)
    put_keywords(other, "dog")
    bare = told(photo.parent)
    tagging = tagged(config, photo)
    before = told(photo.parent)
    outcome = undone(config, Which(tag="Dog"))
    assert (refused(outcome), outcome.writes, outcome.chosen) == ({}, 1, 1)
    assert {*keywords(photo)} == {"Oma", "grass"}
    assert described(photo) == ["A dog."]
    assert "dog" in keywords_there(other)
    assert_at_rest(config, photo.parent)
    tagged(config, photo, retag=True)
    assert {*keywords(photo)} == {"Oma", "grass"}
    assert undone(config, Which(tag="dog")).chosen == 0
    assert refused(undone(config, runs(config)[1].id)) == {}
    assert refused(brought_back(config, outcome)) == {}
    assert {*keywords(photo)} == {"Oma", "grass", "dog"}
    assert_at_rest(config, photo.parent)
    assert refused(undone(config, tagging)) == {}
    assert refused(undone(config, photo.parent)) == {}
    assert as_meant(told(photo.parent)) == as_meant(bare)
    assert before != bare


@pytest.mark.slow
def test_all_goes_back_after_one_tag_was_taken_out(config: Config, photo: Path) -> None:
    bare = told(photo.parent)
    tagging = tagged(config, photo)
    undone(config, Which(tag="dog"))
    assert refused(undone(config, tagging)) == {}
    assert_at_rest(config, photo.parent)
    assert {*keywords_there(photo)} == {"Oma"}
    assert refused(undone(config, photo.parent)) == {}
    assert told(photo.parent) == bare
    assert_at_rest(config, photo.parent)


def test_an_edit_that_waits_is_not_lost_by_an_undo(config: Config, photo: Path) -> None:
    tagging = tagged(config, photo)
    with Database.of(config) as db:
        edits.tag(db, place(photo), add=["garden"], remove=["Oma"])
        edits.describe(db, place(photo), "Mein Hund")
    assert refused(undone(config, tagging)) == {}
    assert run(config, photo.parent).failed == []
    assert keywords_there(photo) == ["garden"]
    assert described(photo) == ["Mein Hund"]
    assert_at_rest(config, photo.parent)
