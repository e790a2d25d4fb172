"""What a person edits stands in the files afterwards, and stays there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline.carrying import Carried, carry_out
from tagger.pipeline.importing import bring_in
from tagger.pipeline.undo import undo
from tagger.pipeline.verify import verify
from tagger.records import ImageState
from tagger.tracking import bound, edits, history, underway, vocabulary
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.history import Which
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import (
    in_file,
    known_images,
    numbered,
    reads_number,
    settings,
    three_numbered,
)
from tests.test_tagging import fingerprints, run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return three_numbered(tmp_path / "photos", "Oma")


@pytest.fixture
def config(tmp_path: Path, photos: Path) -> Iterator[Config]:
    """Settings with three photos tagged, and a model to ask again."""
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos)
        yield config


def made(config: Config, make: str, *arguments: object, **options: object) -> Edit:
    with Database.of(config) as db:
        edit = getattr(edits, make)(db, *arguments, **options)
    assert isinstance(edit, Edit)
    return edit


def edited(config: Config, make: str, *arguments: object, **more: object) -> Carried:
    carried = carry_out(config, made(config, make, *arguments, **more))
    assert (carried.failed, carried.waiting) == ([], [])
    return carried


def keywords(photos: Path, number: int) -> list[str]:
    return in_file(photos / f"{number}.jpg")["XMP-dc:Subject"]


def test_an_edit_says_beforehand_what_it_touches(config: Config, photos: Path) -> None:
    before = fingerprints(photos)
    asked = made(config, "replace", ["bar code"], "stripes", dry_run=True)
    assert (asked.id, asked.photos, asked.files) == (None, 3, 3)
    place = [os.fsencode(photos / "1.jpg")]
    assert made(config, "tag", place, add=["Oma", "x"], dry_run=True).photos == 1
    assert made(config, "tag", place, add=["OMA"], dry_run=True).photos == 0
    assert made(config, "tag", place, remove=["number 2"], dry_run=True).photos == 0
    assert fingerprints(photos) == before
    assert "stripes" not in str(known_images(config))


def test_tags_are_added_and_removed_and_stay_so(config: Config, photos: Path) -> None:
    place = [os.fsencode(photos / "1.jpg")]
    edited(config, "tag", place, add=["garden", "日本"], remove=["bar code", "Oma"])
    assert sorted(keywords(photos, 1)) == ["garden", "number 1", "日本"]
    assert {*in_file(photos / "1.jpg")["IPTC:Keywords"]} == {*keywords(photos, 1)}
    assert keywords(photos, 2) == ["number 2", "bar code"]
    run(config, photos, retag=True)
    assert sorted(keywords(photos, 1)) == ["garden", "number 1", "日本"]
    sources = {t.name: t.source for t in known_images(config)["1.jpg"].tags}
    assert sources["garden"] == "person"
    assert "Oma" not in sources


def test_a_tag_of_the_model_that_a_person_adds_too_is_the_persons(
    config: Config, photos: Path
) -> None:
    before = fingerprints(photos)
    edited(config, "tag", [os.fsencode(photos)], add=["Bar Code"])
    assert fingerprints(photos) == before
    assert made(config, "tag", [os.fsencode(photos)], add=["bar code"]).photos == 0
    image = known_images(config)["2.jpg"]
    assert ("bar code", "person") in {(t.name.lower(), t.source) for t in image.tags}
    with Database.of(config) as db:
        banned = vocabulary.add_ban(db, "bar code", past=True)
    assert carry_out(config, banned).failed == []
    run(config, photos, retag=True)
    assert sorted(keywords(photos, 2)) == ["bar code", "number 2"]


def test_a_tag_is_renamed_merged_and_deleted_everywhere(
    config: Config, photos: Path
) -> None:
    edited(config, "replace", ["bar code"], "stripes")
    for number in (1, 2, 3):
        assert "stripes" in keywords(photos, number)
        assert "bar code" not in keywords(photos, number)
    edited(config, "replace", ["number 1", "number 2"], "low")
    assert {"low", "stripes", "Oma"} == {*keywords(photos, 1)}
    assert {"low", "stripes"} == {*keywords(photos, 2)}
    edited(config, "replace", ["Stripes"], None)
    assert keywords(photos, 3) == ["number 3"]
    after = fingerprints(photos)
    run(config, photos)
    assert fingerprints(photos) == after
    run(config, photos, retag=True)
    assert {"low", "Oma"} == {*keywords(photos, 1)}


def test_a_description_is_given_and_stays(config: Config, photos: Path) -> None:
    place = [os.fsencode(photos / "2.jpg")]
    edited(config, "describe", place, "Der Garten; 2024")
    assert in_file(photos / "2.jpg")["XMP-dc:Description"] == ["Der Garten; 2024"]
    run(config, photos, retag=True)
    assert in_file(photos / "2.jpg")["XMP-dc:Description"] == ["Der Garten; 2024"]
    image = known_images(config)["2.jpg"]
    assert (image.description, image.description_source) == (
        "Der Garten; 2024",
        "person",
    )


def test_an_edit_can_be_undone_and_done_again(config: Config, photos: Path) -> None:
    before = {path.name: in_file(path) for path in photos.iterdir()}
    done = edited(config, "replace", ["bar code"], "stripes")
    edits_done = {path.name: in_file(path) for path in photos.iterdir()}
    outcome = undo(config, Which(run_id=done.run_id))
    assert (outcome.refused, len(outcome.photos)) == ([], 3)
    assert {path.name: in_file(path) for path in photos.iterdir()} == before
    after = fingerprints(photos)
    run(config, photos)
    assert fingerprints(photos) == after
    assert {t.name for t in known_images(config)["2.jpg"].tags} == {
        "number 2",
        "bar code",
    }
    assert outcome.run_id is not None
    undo(config, Which(run_id=outcome.run_id))
    assert {path.name: in_file(path) for path in photos.iterdir()} == edits_done
    run(config, photos, retag=True)
    assert {*keywords(photos, 2)} == {"number 2", "stripes"}


def test_synonyms_and_bans_hold_for_answers_to_come_and_on_request_for_old_ones(
    config: Config, photos: Path
) -> None:
    with Database.of(config) as db:
        past = {"past": True, "dry_run": True}
        assert vocabulary.add_synonym(db, "Bar Code", "stripes", **past).photos == 3
        assert vocabulary.every_synonym(db) == []
        edit = vocabulary.add_synonym(db, "Bar Code", "stripes", past=True)
        assert vocabulary.add_ban(db, "number 3").photos == 0
        with pytest.raises(UsageError):
            vocabulary.add_synonym(db, "stripes", "bar code", dry_run=True)
        assert vocabulary.every_synonym(db) == [("bar code", "stripes")]
    assert carry_out(config, edit).failed == []
    assert keywords(photos, 2) == ["number 2", "stripes"]
    assert keywords(photos, 3) == ["number 3", "stripes"]
    run(config, photos, retag=True)
    assert keywords(photos, 3) == ["stripes"]
    assert made(config, "replace", ["stripes"], "x", dry_run=True).photos == 3


def test_without_past_a_synonym_and_a_ban_change_no_photo_of_the_past(
    config: Config, photos: Path
) -> None:
    def known(number: int) -> set[str]:
        return {tag.name for tag in known_images(config)[f"{number}.jpg"].tags}

    before = {path.name: path.read_bytes() for path in photos.iterdir()}
    with Database.of(config) as db:
        vocabulary.add_synonym(db, "bar code", "Stripes")
        vocabulary.add_ban(db, "number 2")
    assert known(2) == {"number 2", "bar code"}
    assert made(config, "replace", ["number 2"], "x", dry_run=True).photos == 1
    run(config, photos)
    edited(config, "tag", [os.fsencode(photos / "3.jpg")], add=["mine"])
    assert known(3) == {*keywords(photos, 3)} == {"number 3", "bar code", "mine"}
    assert {p.name: p.read_bytes() for p in photos.glob("[12].jpg")} == {
        name: before[name] for name in ("1.jpg", "2.jpg")
    }
    run(config, photos, retag=True)
    assert known(2) == {*keywords(photos, 2)} == {"Stripes"}
    with Database.of(config) as db:
        vocabulary.remove_synonym(db, "bar code")
        assert known(2) == {"Stripes"}
        allowed = vocabulary.remove_ban(db, "number 2", past=True)
    assert carry_out(config, allowed).failed == []
    assert known(2) == {*keywords(photos, 2)} == {"Stripes", "number 2"}


def test_what_a_word_became_is_edited_as_such_however_it_is_spelt(
    config: Config, photos: Path
) -> None:
    with Database.of(config) as db:
        made_of = [
            vocabulary.add_synonym(db, "bar code", "Stre\u0301ifen", past=True),
            vocabulary.add_synonym(db, "number 2", "Two", past=True),
            vocabulary.add_ban(db, "two", past=True),
        ]
    assert [carry_out(config, edit).failed for edit in made_of] == [[], [], []]
    assert made(config, "replace", ["two"], "x", dry_run=True).photos == 0
    assert made(config, "replace", ["bar code"], "x", dry_run=True).photos == 0
    edited(config, "replace", ["stréifen"], "Stripes")
    assert keywords(photos, 2) == ["Stripes"]


def test_what_a_command_leaves_the_next_tagger_does(
    config: Config, photos: Path
) -> None:
    made(config, "tag", [os.fsencode(photos)], add=["late"])
    run(config, photos)
    assert all("late" in keywords(photos, number) for number in (1, 2, 3))


def test_a_photo_that_waits_for_its_answer_gets_a_persons_words_at_once(
    config: Config, photos: Path
) -> None:
    numbered(photos / "4.jpg", 4)
    assert bring_in(config, [os.fsencode(photos)]).wordless == 1
    place = [os.fsencode(photos / "4.jpg")]
    first = edited(config, "change", place, add=["mine"], description="Mine.")
    assert keywords(photos, 4) == ["mine"]
    assert in_file(photos / "4.jpg")["XMP-dc:Description"] == ["Mine."]
    assert known_images(config)["4.jpg"].state is ImageState.QUEUED
    assert undo(config, Which(run_id=first.run_id)).refused == []
    assert keywords(photos, 4) == []
    second = edited(config, "tag", place, add=["again"])
    with Database.of(config) as db:
        assert all(edit.finished_at for edit in underway.listed(db, limit=9))
        assert bound.count(db, second.run_id) == 0
    run(config, photos)
    assert keywords(photos, 4) == ["again", "number 4", "bar code"]
    image = known_images(config)["4.jpg"]
    assert image.description == "This is picture 4."
    assert {t.source for t in image.tags if t.name == "again"} == {"person"}


def test_words_of_answers_count_as_what_synonyms_and_bans_make_of_them(
    config: Config, photos: Path
) -> None:
    with Database.of(config) as db:
        vocabulary.add_synonym(db, "bar code", "Stripes", past=True)
        vocabulary.add_ban(db, "number 2", past=True)
    place = [os.fsencode(photos / "2.jpg")]
    dry = {"dry_run": True}
    assert made(config, "tag", place, remove=["STRIPES"], **dry).photos == 1
    # What only a model said becomes a person's when they say it, too.
    assert made(config, "tag", place, add=["stripes"], **dry).photos == 1
    assert made(config, "tag", place, add=["bar code", "number 2"], **dry).photos == 1
    edited(config, "tag", place, add=["number 2"], remove=["stripes"])
    assert keywords(photos, 2) == ["number 2"]


def test_what_is_typed_is_stored_as_a_file_can_hold_it(
    config: Config, photos: Path
) -> None:
    place = [os.fsencode(photos / "2.jpg")]
    text = " Zeile\r\nzwei\x00\x1b[31m\ufffe\ud800 \n"
    words = ["  two\n words ", "Two\x07 Words", "\ud83d\x85x"]
    edited(config, "change", place, add=words, description=text)
    assert sorted(keywords(photos, 2)) == ["bar code", "number 2", "two words", "x"]
    found = in_file(photos / "2.jpg")["XMP-dc:Description"]
    assert found == ["Zeile\nzwei[31m"]
    assert known_images(config)["2.jpg"].description == found[0]
    after = fingerprints(photos)
    again = made(config, "change", place, add=words, description=text)
    assert again.photos == 0
    run(config, photos)
    assert fingerprints(photos) == after


def test_a_tag_nobody_knows_or_an_empty_one_is_refused(config: Config) -> None:
    for old, new in ((["nothing"], "x"), (["bar code"], " "), (["a"], "A")):
        with pytest.raises(UsageError):
            made(config, "replace", old, new)


def test_what_no_file_can_hold_is_left_out_of_an_edit(
    config: Config, photos: Path
) -> None:
    place = [os.fsencode(photos / "1.jpg")]
    edited(config, "tag", place, add=["a\x01b", "c\udcffd", "two\r\nlines"])
    edited(config, "describe", place, "one\r\ntwo\x0b \x00three")
    edited(config, "replace", ["bar\x02 code"], "str\x03ipes\ufffe")
    assert in_file(photos / "1.jpg")["XMP-dc:Description"] == ["one\ntwo three"]
    names = {"ab", "cd", "two lines", "stripes", "number 1", "Oma"}
    assert {*keywords(photos, 1)} == names
    assert {t.name for t in known_images(config)["1.jpg"].tags} == names
    assert verify(config, []).faults == ()
    with Database.of(config) as db:
        vocabulary.add_synonym(db, "x\udc80y", "z\x01")
        vocabulary.add_ban(db, "q\udc80")
        assert vocabulary.every_synonym(db) == [("xy", "z")]
        assert vocabulary.every_ban(db) == ["q"]
        vocabulary.remove_ban(db, "q\x02")
    for change, what in (("tag", {"add": ["\x01"]}), ("describe", {"text": "\x02"})):
        with pytest.raises(UsageError, match="empty"):
            made(config, change, place, **what)


def test_runs_are_listed_with_what_they_wrote(config: Config, photos: Path) -> None:
    edited(config, "tag", [os.fsencode(photos / "1.jpg")], add=["x"])
    with Database.of(config) as db:
        assert [(r.kind, r.photos) for r in history.every_run(db)] == [
            ("edit", 1),
            ("tag", 3),
        ]
