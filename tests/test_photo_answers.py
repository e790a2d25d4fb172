"""Answers of the past: a photo can have any of them, and what a person said stays."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline.carrying import carry_out
from tagger.pipeline.undo import undo
from tagger.pipeline.verify import verify
from tagger.records import ImageState, WriteMode
from tagger.tracking import (
    answers,
    edits,
    folders,
    jobs,
    underway,
    undophoto,
    unediting,
    upgrades,
)
from tagger.tracking.answers import PastAnswer
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.history import Which
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import (
    in_file,
    known_images,
    numbered,
    put_keywords,
    settings,
)
from tests.support_tracking import scan
from tests.test_tagging import fingerprints, run

# Every claim takes real files through the tagger and exiftool, or a browser.
pytestmark = pytest.mark.slow


@dataclass
class Says:
    """A model that says something else each time it is asked to."""

    word: str = "first"
    asked: int = field(default=0)

    def __call__(self, jpeg: bytes, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked += 1
        return {
            "description": f"The {self.word} answer.",
            "tags": [f"{self.word} tag", "common"],
            "text": "",
        }


@dataclass
class Place:
    """One photo that was asked about twice, and the model that answered."""

    config: Config
    photos: Path
    says: Says

    @property
    def photo(self) -> Path:
        return self.photos / "1.jpg"

    @property
    def id(self) -> int:
        return known_images(self.config)["1.jpg"].id

    def do(self, act: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        with Database.of(self.config) as db:
            return act(db, *arguments, **more)

    def answers(self) -> tuple[PastAnswer, ...]:
        found: tuple[PastAnswer, ...] = self.do(answers.of, self.id)
        return found

    def use(self, word: str) -> Edit:
        """Put down that the answer with this word is to be used."""
        [one] = [a for a in self.answers() if f"The {word} answer." == a.description]
        edit: Edit = self.do(answers.use, self.id, one.id)
        return edit

    def carried(self, edit: Edit) -> None:
        outcome = carry_out(self.config, edit)
        assert (outcome.failed, outcome.waiting) == ([], [])
        assert verify(self.config, []).faults == ()

    def last(self) -> int:
        last = self.do(undophoto.last, self.id)
        assert last is not None
        return int(last.id)

    def take_back(self) -> None:
        self.carried(self.do(unediting.undo, self.last()))

    def words(self) -> tuple[list[str], list[str]]:
        found = in_file(self.photo)
        assert sorted(found["IPTC:Keywords"]) == sorted(found["XMP-dc:Subject"])
        return sorted(found["XMP-dc:Subject"]), found["XMP-dc:Description"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    photos = tmp_path / "photos"
    numbered(photos / "1.jpg", 1)
    put_keywords(photos / "1.jpg", "Oma")
    says = Says()
    with OllamaDouble(says) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos)
        says.word = "second"
        run(config, photos, retag=True)
        yield Place(config, photos, says)


FIRST = (["Oma", "common", "first tag"], ["The first answer."])
SECOND = (["Oma", "common", "second tag"], ["The second answer."])


def test_every_answer_is_on_record_the_newest_first(place: Place) -> None:
    second, first = place.answers()
    assert (second.in_use, first.in_use) == (True, False)
    assert [tag.name for tag in first.tags] == ["first tag", "common"]
    assert first.created_at < second.created_at
    assert (first.model, first.backend) == ("gemma3:4b", "ollama")
    assert place.do(answers.of, 4711) == ()


def test_an_older_answer_is_written_to_the_file_and_the_persons_word_stays(
    place: Place,
) -> None:
    before = fingerprints(place.photos)
    edit = place.use("first")
    assert (edit.kind, edit.photos, edit.files) == ("answer", 1, 1)
    assert known_images(place.config)["1.jpg"].description == "The first answer."
    assert fingerprints(place.photos) == before

    place.carried(edit)

    assert place.words() == FIRST
    assert [one.in_use for one in place.answers()] == [False, True]
    asked, after = place.says.asked, fingerprints(place.photos)
    assert run(place.config, place.photos).failed == []
    assert (place.says.asked, fingerprints(place.photos)) == (asked, after)
    assert place.use("first").photos == 0


def test_taking_it_back_puts_the_newer_words_back_and_again_does_it_again(
    place: Place,
) -> None:
    place.carried(place.use("first"))
    place.take_back()
    assert place.words() == SECOND
    assert [one.in_use for one in place.answers()] == [True, False]
    place.take_back()
    assert place.words() == FIRST


def test_the_command_undo_puts_it_back_too_field_by_field(place: Place) -> None:
    before = fingerprints(place.photos)["1.jpg"][0]
    edit = place.use("first")
    carried = carry_out(place.config, edit)
    outcome = undo(place.config, Which(run_id=carried.run_id))
    assert (len(outcome.photos), outcome.refused) == (1, [])
    assert place.words() == SECOND
    assert len(fingerprints(place.photos)["1.jpg"][0]) == len(before)
    assert verify(place.config, []).faults == ()
    assert run(place.config, place.photos).failed == []
    assert place.words() == SECOND


def test_what_a_person_said_stays_whatever_answer_is_used(place: Place) -> None:
    edit = place.do(
        edits.change,
        ids=[place.id],
        add=["garden"],
        remove=["common"],
        description="Mine.",
    )
    place.carried(edit)
    place.carried(place.use("first"))
    assert place.words() == (["Oma", "first tag", "garden"], ["Mine."])
    place.take_back()
    assert place.words() == (["Oma", "garden", "second tag"], ["Mine."])


def test_a_newer_answer_takes_the_place_of_the_one_chosen(place: Place) -> None:
    place.carried(place.use("first"))
    place.says.word = "third"
    run(place.config, place.photos, retag=True)
    assert place.words() == (["Oma", "common", "third tag"], ["The third answer."])
    assert place.do(undophoto.last, place.id) is None
    with pytest.raises(UsageError, match="answer in use of this photo was changed"):
        place.do(unediting.undo, 1)
    place.carried(place.use("second"))
    assert place.words() == SECOND


def test_a_question_that_waits_is_over_one_under_way_is_waited_for(
    place: Place,
) -> None:
    place.do(jobs.retag, [place.id])
    [one] = [a for a in place.answers() if not a.in_use]
    with Database.of(place.config) as db:
        folders.set_active(db, folders.every(db)[0].id, True)
        [job] = jobs.claim(db, limit=1)
        with pytest.raises(UsageError, match="being asked about this photo just now"):
            answers.use(db, place.id, one.id)
        jobs.release_all(db)
        assert job.ask_again
    place.carried(place.use("first"))
    assert place.words() == FIRST
    assert place.says.asked == 2


def test_a_copy_keeps_the_answer_it_has(place: Place) -> None:
    copy = place.photos / "2.jpg"
    copy.write_bytes(place.photo.read_bytes())
    run(place.config, place.photos)
    place.carried(place.use("first"))
    assert place.words() == FIRST
    assert in_file(copy)["XMP-dc:Description"] == ["The second answer."]


def test_a_folder_that_wants_nothing_written_has_it_on_screen_only(
    place: Place,
) -> None:
    with Database.of(place.config) as db:
        folders.set_write_mode(db, folders.every(db)[0].id, WriteMode.NONE)
    before = fingerprints(place.photos)
    edit = place.use("first")
    assert edit.files == 0
    carry_out(place.config, edit)
    assert fingerprints(place.photos) == before
    assert known_images(place.config)["1.jpg"].description == "The first answer."


def test_an_answer_of_another_picture_is_refused(place: Place) -> None:
    numbered(place.photos / "9.jpg", 9)
    run(place.config, place.photos)
    [other] = place.do(answers.of, known_images(place.config)["9.jpg"].id)
    before = known_images(place.config)
    with pytest.raises(UsageError, match="none for the picture of this photo"):
        place.do(answers.use, place.id, other.id)
    assert known_images(place.config) == before


def test_what_a_person_chose_is_not_asked_again_for_a_better_model(
    place: Place,
) -> None:
    with Database.of(place.config) as db:
        folders.set_active(db, folders.every(db)[0].id, True)
    place.carried(place.use("first"))
    assert place.do(upgrades.ask_again, "ollama") == 0
    place.take_back()
    assert place.do(upgrades.ask_again, "ollama") == 1


# -- edits are taken back -------------------------------------------------------------


def test_tags_and_description_of_the_file_come_back(place: Place) -> None:
    put_keywords(place.photo, "Oma", "common", "second tag", description="By hand.")
    run(place.config, place.photos)
    before = place.words()
    assert before[1] == ["By hand."]
    edit = place.do(
        edits.change,
        ids=[place.id],
        add=["garden"],
        remove=["Oma", "second tag"],
        description="Mine.",
    )
    place.carried(edit)
    assert place.words() == (["common", "garden"], ["Mine."])
    place.take_back()
    assert place.words() == before
    place.take_back()
    assert place.words() == (["common", "garden"], ["Mine."])
    place.take_back()
    assert place.words() == before
    run(place.config, place.photos)
    assert place.words() == before


def test_an_edit_that_no_file_has_yet_is_taken_back_before_it_gets_there(
    place: Place,
) -> None:
    before = fingerprints(place.photos)
    place.do(edits.change, ids=[place.id], add=["garden"], description="Mine.")
    place.take_back()
    assert fingerprints(place.photos) == before
    image = known_images(place.config)["1.jpg"]
    assert (image.description, image.state) == ("The second answer.", ImageState.TAGGED)
    assert "garden" not in {tag.name for tag in image.tags}
    assert place.do(underway.listed, limit=9, unfinished=True) == []


def test_only_what_the_edit_changed_comes_back(place: Place) -> None:
    place.do(edits.change, ids=[place.id], add=["garden"])
    first = place.last()
    place.do(edits.change, ids=[place.id], description="Mine.")
    place.carried(place.do(unediting.undo, first))
    assert place.words() == (["Oma", "common", "second tag"], ["Mine."])


def test_what_was_changed_again_since_is_not_taken_back(place: Place) -> None:
    place.do(edits.change, ids=[place.id], add=["garden"])
    first = place.last()
    place.carried(place.do(edits.tag, [os.fsencode(place.photos)], remove=["garden"]))
    with pytest.raises(UsageError, match="garden of this photo was changed again"):
        place.do(unediting.undo, first)
    with pytest.raises(UsageError, match="there is no edit 4711"):
        place.do(unediting.undo, 4711)
    assert place.words() == SECOND


def test_an_edit_of_many_photos_is_no_last_edit_of_one(place: Place) -> None:
    numbered(place.photos / "2.jpg", 2)
    run(place.config, place.photos)
    edit = place.do(edits.tag, [os.fsencode(place.photos)], add=["both"])
    assert place.do(undophoto.last, place.id) is None
    assert place.do(unediting.undo, edit.id).photos == 2


def test_a_photo_that_turns_out_to_be_a_moved_one_keeps_what_was_said_of_both(
    place: Place,
) -> None:
    place.do(edits.change, ids=[place.id], add=["garden"])
    moved = place.photos / "moved.jpg"
    old = place.id
    place.carried(place.do(edits.change, ids=[old], add=["wall"]))
    data = place.photo.read_bytes()
    place.photo.unlink()
    run(place.config, place.photos)
    moved.write_bytes(data)
    with Database.of(place.config) as db:
        folder = folders.every(db)[0]
        scan(db, folder.id)
    new = known_images(place.config)["moved.jpg"].id
    assert new != old
    place.do(edits.change, ids=[new], add=["late"])
    assert run(place.config, place.photos).failed == []
    image = known_images(place.config)["moved.jpg"]
    assert image.id == old
    assert {"garden", "wall", "late"} <= {tag.name for tag in image.tags}


def test_the_first_description_of_a_file_is_left_to_the_undo_of_runs(
    place: Place,
) -> None:
    numbered(place.photos / "7.jpg", 7)
    with Database.of(place.config) as db:
        scan(db, folders.every(db)[0].id)
    new = known_images(place.config)["7.jpg"].id
    edit = place.do(edits.change, ids=[new], add=["x"], description="Mine.")
    carry_out(place.config, edit)
    assert in_file(place.photos / "7.jpg")["XMP-dc:Description"] == ["Mine."]
    assert place.do(undophoto.last, new) is None
    with pytest.raises(UsageError, match="no edit takes one out of a file"):
        place.do(unediting.undo, edit.id)
    undo(place.config, Which(place=os.fsencode(place.photos / "7.jpg")))
    found = in_file(place.photos / "7.jpg")
    assert (found["XMP-dc:Description"], found["XMP-dc:Subject"]) == ([], [])
