"""Folders whose answers wait for a person: nothing is written that nobody accepted."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline.carrying import carry_out
from tagger.pipeline.undo import undo
from tagger.pipeline.verify import verify
from tagger.records import ImageSnapshot, ImageState, WriteMode
from tagger.tracking import (
    cancelling,
    edits,
    folders,
    jobs,
    results,
    reviewing,
    status,
    undophoto,
    unediting,
    upgrades,
)
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.history import Which
from tagger.tracking.reviewing import Decision, Proposal
from tests.ollama_double import OllamaDouble
from tests.support_metadata import person_writes
from tests.support_pipeline import (
    as_environment,
    in_file,
    known_images,
    numbered,
    put_keywords,
    reads_number,
    settings,
)
from tests.support_tracking import looked, said, scan
from tests.test_kills import STEPS
from tests.test_photo_answers import Says
from tests.test_tagging import run

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Place:
    """A reviewed folder with a photo that has a person's word, and its model."""

    config: Config
    photos: Path
    says: Says = field(default_factory=Says)

    @property
    def photo(self) -> Path:
        return self.photos / "1.jpg"

    def do(self, act: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        with Database.of(self.config) as db:
            return act(db, *arguments, **more)

    def tag(self, word: str = "first", *paths: Path, **options: object) -> None:
        self.says.word = word
        assert run(self.config, *paths or (self.photos,), **options).failed == []

    def image(self, name: str = "1.jpg") -> ImageSnapshot:
        return known_images(self.config)[name]

    def proposal(self, name: str = "1.jpg") -> Proposal:
        [one] = self.do(reviewing.proposals, [self.image(name).id])
        assert isinstance(one, Proposal)
        return one

    def decide(self, decision: Decision, name: str = "1.jpg", **more: Any) -> None:
        one = self.proposal(name)
        self.carried(
            self.do(reviewing.decide, one.file_id, one.answer_id, decision, **more)
        )

    def carried(self, edit: Edit) -> None:
        outcome = carry_out(self.config, edit)
        assert (outcome.failed, outcome.waiting) == ([], [])
        assert verify(self.config, []).faults == ()

    def words(self, name: str = "1.jpg") -> tuple[list[str], list[str]]:
        found = in_file(self.photos / name)
        assert sorted(found["IPTC:Keywords"]) == sorted(found["XMP-dc:Subject"])
        return sorted(found["XMP-dc:Subject"]), found["XMP-dc:Description"]

    def sources(self, name: str = "1.jpg") -> dict[str, str]:
        return {tag.name: tag.source for tag in self.image(name).tags}


def add(config: Config, path: Path, *, review: bool | None) -> int:
    with Database.of(config) as db:
        return folders.add(
            db,
            os.fsencode(path),
            recursive=True,
            write_mode=WriteMode.FILE,
            review=review,
            data_dir=config.data_dir,
        ).id


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    photos = tmp_path / "photos"
    numbered(photos / "1.jpg", 1)
    put_keywords(photos / "1.jpg", "Oma")
    says = Says()
    with OllamaDouble(says) as ollama:
        config = settings(tmp_path, ollama.url)
        add(config, photos, review=True)
        yield Place(config, photos, says)


MINE = ["Oma"]
FIRST = ["Oma", "common", "first tag"]


def test_nothing_is_written_before_a_person_accepts_it(place: Place) -> None:
    before = place.photo.read_bytes()
    place.tag()

    assert place.photo.read_bytes() == before
    image = place.image()
    assert image.state is ImageState.REVIEW
    assert [tag.name for tag in image.tags] == MINE
    assert (image.description, image.model) == (None, None)
    one = place.proposal()
    assert [tag.name for tag in one.now.tags] == MINE
    assert [tag.name for tag in one.then.tags] == ["Oma", "first tag", "common"]
    assert one.then.description == "The first answer."
    assert place.do(status.read).review == 1

    # Nor is it by anything that looks at the photo again.
    os.utime(place.photo)
    place.tag()
    assert in_file(place.photo)["XMP-dc:Description"] == []
    assert place.image().state is ImageState.REVIEW
    assert place.says.asked == 1
    assert verify(place.config, []).faults == ()


def test_what_is_accepted_is_written_and_is_the_models(place: Place) -> None:
    place.tag()
    place.decide(Decision.ACCEPT)

    assert place.words() == (FIRST, ["The first answer."])
    image = place.image()
    assert image.state is ImageState.TAGGED
    assert place.sources() == {
        "Oma": "file",
        "first tag": image.model,
        "common": image.model,
    }
    assert place.do(reviewing.waiting) == []
    place.carried(place.do(edits.tag, [os.fsencode(place.photos)], add=["x"]))
    assert place.image().state is ImageState.TAGGED


@pytest.mark.slow
def test_what_is_rejected_is_not_written_and_not_asked_again(place: Place) -> None:
    before = place.photo.read_bytes()
    place.tag()
    place.decide(Decision.REJECT)
    assert place.image().state is ImageState.TAGGED
    os.utime(place.photo)
    place.tag()
    with Database.of(place.config) as db:
        assert upgrades.ask_again(db, "ollama") == 0

    assert place.photo.read_bytes() == before
    assert place.image().state is ImageState.TAGGED
    assert place.image().description is None
    assert place.says.asked == 1
    place.tag("second", retag=True)
    assert place.image().state is ImageState.REVIEW


def test_what_a_person_corrects_is_theirs_and_what_they_keep_the_models(
    place: Place,
) -> None:
    place.tag()
    place.decide(
        Decision.CORRECT, add=["Rex"], remove=["common"], description="Rex at home."
    )

    assert place.words() == (["Oma", "Rex", "first tag"], ["Rex at home."])
    sources = place.sources()
    assert (sources["Rex"], sources["first tag"]) == ("person", place.image().model)
    assert place.image().description_source == "person"
    # What the person took out stays out, and what they said stays, whoever answers.
    place.tag("second", retag=True)
    place.decide(Decision.ACCEPT)
    assert place.words() == (["Oma", "Rex", "second tag"], ["Rex at home."])


@pytest.mark.slow
def test_accepted_words_stay_while_another_answer_waits(place: Place) -> None:
    place.tag()
    place.decide(Decision.ACCEPT)
    place.tag("second", retag=True)

    assert place.words() == (FIRST, ["The first answer."])
    assert place.image().state is ImageState.REVIEW
    assert place.image().description == "The first answer."
    place.decide(Decision.REJECT)
    assert place.words() == (FIRST, ["The first answer."])
    place.tag("third", retag=True)
    place.decide(Decision.ACCEPT)
    assert place.words() == (["Oma", "common", "third tag"], ["The third answer."])


def test_an_edit_while_an_answer_waits_writes_what_the_person_said_only(
    place: Place,
) -> None:
    place.tag()
    edit = place.do(
        edits.change, [os.fsencode(place.photo)], add=["Rex"], description="Rex."
    )
    place.carried(edit)

    assert place.words() == (["Oma", "Rex"], ["Rex."])
    assert place.image().state is ImageState.REVIEW
    place.decide(Decision.ACCEPT)
    assert place.words() == (["Oma", "Rex", "common", "first tag"], ["Rex."])


@pytest.mark.slow
def test_a_word_taken_out_in_the_file_while_an_answer_waits_stays_out(
    place: Place,
) -> None:
    place.tag()
    subprocess.run(
        ["exiftool", "-q", "-overwrite_original", "-XMP-dc:Subject=Opa", place.photo],
        check=True,
    )
    place.tag()
    assert place.image().state is ImageState.REVIEW
    place.decide(Decision.ACCEPT)
    assert place.words()[0] == ["Opa", "common", "first tag"]


@pytest.mark.slow
def test_one_accepts_the_answer_one_saw_and_no_other(place: Place) -> None:
    place.tag()
    seen = place.proposal()
    place.tag("second", retag=True)
    with pytest.raises(UsageError, match="another answer came in"):
        place.do(reviewing.decide, seen.file_id, seen.answer_id, Decision.ACCEPT)
    assert place.image().state is ImageState.REVIEW
    place.decide(Decision.ACCEPT)
    with pytest.raises(UsageError, match="does not wait for review"):
        place.do(reviewing.decide, seen.file_id, seen.answer_id, Decision.ACCEPT)
    assert place.words()[1] == ["The second answer."]


@pytest.mark.slow
@pytest.mark.parametrize("decision", [Decision.ACCEPT, Decision.REJECT])
def test_a_decision_can_be_taken_back_and_the_photo_waits_again(
    place: Place, decision: Decision
) -> None:
    before = place.photo.read_bytes()
    place.tag()
    one = place.proposal()
    edit = place.do(
        reviewing.decide, one.file_id, one.answer_id, decision, grace_s=600.0
    )
    assert place.do(jobs.claim, limit=1) == []  # the file has time
    place.carried(place.do(unediting.undo, edit.id))

    assert place.photo.read_bytes() == before
    assert place.image().state is ImageState.REVIEW
    assert place.proposal() == one


@pytest.mark.slow
def test_a_description_that_was_written_is_taken_out_by_undo_only(place: Place) -> None:
    place.tag()
    place.decide(Decision.ACCEPT)
    last = place.do(undophoto.last, place.image().id)
    assert last is None
    undo(place.config, Which(place=os.fsencode(place.photo)))

    found = in_file(place.photo)
    assert (found["XMP-dc:Subject"], found["XMP-dc:Description"]) == (MINE, [])
    assert place.image().state is ImageState.TAGGED
    place.tag()
    assert place.image().state is ImageState.TAGGED


@pytest.mark.slow
def test_undoing_earlier_words_leaves_what_waits_waiting(place: Place) -> None:
    place.tag()
    place.decide(Decision.ACCEPT)
    place.tag("second", retag=True)
    undo(place.config, Which(place=os.fsencode(place.photo)))
    place.tag()

    assert in_file(place.photo)["XMP-dc:Subject"] == MINE
    assert place.image().state is ImageState.REVIEW
    place.decide(Decision.ACCEPT)
    assert place.words() == (["Oma", "common", "second tag"], ["The second answer."])


@pytest.mark.slow
def test_what_waits_goes_on_waiting_when_its_folder_is_set_to_write(
    place: Place,
) -> None:
    place.tag()
    before = place.photo.read_bytes()
    [folder] = place.do(folders.every)
    place.do(folders.set_review, folder.id, False)
    os.utime(place.photo)
    numbered(place.photos / "2.jpg", 2)
    place.tag()

    assert place.image().state is ImageState.REVIEW
    assert in_file(place.photo)["XMP-dc:Subject"] == MINE
    assert place.photo.read_bytes() == before
    assert place.words("2.jpg")[1] == ["The first answer."]
    assert place.do(reviewing.count_in, folder.id) == 1


@pytest.mark.slow
def test_a_copy_in_another_folder_has_what_its_own_folder_says(
    place: Place, tmp_path: Path
) -> None:
    place.tag()
    copy = tmp_path / "others" / "1.jpg"
    copy.parent.mkdir()
    copy.write_bytes(place.photo.read_bytes())
    run(place.config, copy.parent)

    assert sorted(in_file(copy)["XMP-dc:Subject"]) == FIRST
    assert in_file(place.photo)["XMP-dc:Subject"] == MINE
    place.tag()
    waiting = place.do(reviewing.waiting)
    assert len(waiting) == 1
    # A copy that is asked about again lets this photo wait with the newer answer.
    place.tag("second", copy.parent, retag=True)
    place.tag("second")
    assert in_file(copy)["XMP-dc:Description"] == ["The second answer."]
    [one] = place.do(reviewing.proposals, waiting)
    assert one.then.description == "The second answer."
    assert in_file(place.photo)["XMP-dc:Subject"] == MINE


@pytest.mark.parametrize("outer", [True, False])
def test_the_innermost_folder_says_whether_answers_wait(
    tmp_path: Path, outer: bool
) -> None:
    photos = tmp_path / "photos"
    numbered(photos / "1.jpg", 1)
    numbered(photos / "inner" / "2.jpg", 2)
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        add(config, photos, review=outer)
        add(config, photos / "inner", review=not outer)
        run(config, photos, photos / "inner")
    wait = {True: ImageState.REVIEW, False: ImageState.TAGGED}
    images = known_images(config)
    assert images["1.jpg"].state is wait[outer]
    assert images["2.jpg"].state is wait[not outer]
    assert bool(in_file(photos / "1.jpg")["XMP-dc:Subject"]) is not outer
    assert bool(in_file(photos / "inner" / "2.jpg")["XMP-dc:Subject"]) is outer


def test_a_folder_made_reviewed_holds_for_what_no_scan_has_met_there(
    tmp_path: Path,
) -> None:
    photos = tmp_path / "photos"
    numbered(photos / "inner" / "2.jpg", 2)
    config = settings(tmp_path)
    outer = add(config, photos, review=False)
    with Database.of(config) as db:
        scan(db, outer)
    add(config, photos / "inner", review=True)
    with Database.of(config) as db:
        [job] = jobs.claim(db, limit=5)
        assert job.folder_id == outer
        looked(db, job)
        assert results.record(db, job, "t1:2.jpg", said("dog")) is None
        jobs.finish(db, job, ImageState.TAGGED)
        assert reviewing.waiting(db) == [job.file_id]
    assert known_images(config)["2.jpg"].state is ImageState.REVIEW


def test_a_folder_inside_a_reviewed_one_is_reviewed_unless_said_otherwise(
    tmp_path: Path,
) -> None:
    config = settings(tmp_path)
    for name in ("a/b", "a/c"):
        (tmp_path / name).mkdir(parents=True)
    add(config, tmp_path / "a", review=True)
    inner = add(config, tmp_path / "a" / "b", review=None)
    other = add(config, tmp_path / "a" / "c", review=False)
    with Database.of(config) as db:
        assert folders.get(db, inner).review
        assert not folders.get(db, other).review
        folders.remove(db, inner)
    assert add(config, tmp_path / "a" / "b", review=None) == inner
    with Database.of(config) as db:
        assert folders.get(db, inner).review


@pytest.mark.slow
def test_a_copy_of_an_accepted_photo_keeps_its_words_and_waits_only_for_newer_ones(
    place: Place,
) -> None:
    place.tag()
    place.decide(Decision.ACCEPT)
    accepted = place.photo.read_bytes()
    (place.photos / "2.jpg").write_bytes(accepted)
    place.tag()
    assert place.image("2.jpg").state is ImageState.TAGGED
    assert (place.photos / "2.jpg").read_bytes() == accepted

    place.tag("second", place.photo, retag=True)
    (place.photos / "3.jpg").write_bytes(accepted)
    place.tag("second")
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        assert place.image(name).state is ImageState.REVIEW
        assert (place.photos / name).read_bytes() == accepted
    assert {tag.name for tag in place.image("3.jpg").tags} == set(FIRST)
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        place.decide(Decision.REJECT, name)
    (place.photos / "4.jpg").write_bytes(accepted)
    place.tag()
    for name in ("1.jpg", "2.jpg", "3.jpg", "4.jpg"):
        assert place.words(name) == (FIRST, ["The first answer."]), name
    assert verify(place.config, []).faults == ()


@pytest.mark.slow
def test_words_that_came_with_another_picture_are_not_lost_before_a_person_decides(
    place: Place,
) -> None:
    place.tag()
    place.decide(Decision.ACCEPT)
    cropped = numbered(place.photos / "2.jpg", 2)
    copied = ("-TagsFromFile", str(place.photo), "-all:all", "-xmp")
    subprocess.run(
        ["exiftool", "-q", "-overwrite_original", *copied, cropped], check=True
    )
    before = place.words("2.jpg")
    assert before == (FIRST, ["The first answer."])
    place.tag("second")

    assert place.image("2.jpg").state is ImageState.REVIEW
    assert place.words("2.jpg") == before
    os.utime(cropped)
    place.tag()
    assert place.words("2.jpg") == before
    place.decide(Decision.ACCEPT, "2.jpg")
    assert set(place.words("2.jpg")[0]) == {*FIRST, "second tag"}


@pytest.mark.slow
def test_a_file_put_back_from_after_its_acceptance_keeps_its_words(
    place: Place,
) -> None:
    place.tag()
    place.decide(Decision.ACCEPT)
    accepted = place.photo.read_bytes()
    undo(place.config, Which(place=os.fsencode(place.photo)))
    place.photo.write_bytes(accepted)
    place.tag()

    assert place.photo.read_bytes() == accepted
    assert place.image().state is ImageState.TAGGED
    assert {tag.name for tag in place.image().tags} == set(FIRST)


@pytest.mark.slow
def test_a_photo_taken_out_of_the_queue_still_waits_for_review(place: Place) -> None:
    place.tag()
    place.do(jobs.retag, [place.image().id])
    assert place.do(cancelling.cancel) == 1
    assert place.image().state is ImageState.REVIEW
    place.decide(Decision.ACCEPT)
    assert place.words() == (FIRST, ["The first answer."])


@pytest.mark.slow
def test_a_lesser_models_proposal_is_asked_again_of_a_better_one(place: Place) -> None:
    place.tag()
    with Database.of(place.config) as db:
        assert upgrades.ask_again(db, "ollama") == 1
    place.tag("second")
    assert place.proposal().then.description == "The second answer."
    assert in_file(place.photo)["XMP-dc:Subject"] == MINE


@pytest.mark.slow
def test_another_picture_does_not_keep_what_waited_for_the_old_one(
    place: Place,
) -> None:
    place.tag()
    numbered(place.photo, 9)
    place.tag("second")
    assert place.proposal().then.description == "The second answer."
    assert in_file(place.photo)["XMP-dc:Subject"] == []


@pytest.mark.slow
def test_an_answer_is_rejected_without_bringing_back_one_that_was_undone(
    place: Place,
) -> None:
    place.tag()
    place.decide(Decision.ACCEPT)
    place.tag("second", retag=True)
    undo(place.config, Which(place=os.fsencode(place.photo)))
    place.decide(Decision.REJECT)
    place.tag()
    assert in_file(place.photo)["XMP-dc:Subject"] == MINE
    assert place.image().description is None


@pytest.mark.slow
def test_many_are_decided_at_once_and_others_passed_over(place: Place) -> None:
    for number in (2, 3):
        numbered(place.photos / f"{number}.jpg", number)
    place.tag()
    place.decide(Decision.REJECT, "3.jpg")
    every = [image.id for image in known_images(place.config).values()]
    edit = place.do(reviewing.decide_all, every, Decision.ACCEPT, dry_run=True)
    assert (edit.photos, edit.files) == (2, 2)
    place.carried(place.do(reviewing.decide_all, every, Decision.ACCEPT))

    assert place.words()[0] == FIRST
    assert place.words("2.jpg")[1] == ["The first answer."]
    assert in_file(place.photos / "3.jpg")["XMP-dc:Subject"] == []
    assert place.do(reviewing.waiting) == []


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("at", [1, 3])
def test_a_kill_at_any_step_writes_nothing_and_loses_no_answer(
    tmp_path: Path, step: str, at: int
) -> None:
    photos = tmp_path / "photos"
    for number in range(1, 5):
        put_keywords(numbered(photos / f"{number}.jpg", number), f"person {number}")
    before = {path.name: path.read_bytes() for path in photos.iterdir()}
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        add(config, photos, review=True)
        killed = subprocess.run(
            [sys.executable, "-m", "tests.kill_child", step, str(at), str(photos)],
            cwd=ROOT,
            env=as_environment(config),
            check=False,
        )
        never = ("intended", "replaced", "noted")
        assert killed.returncode == (0 if step in never else -signal.SIGKILL)
        assert {path.name: path.read_bytes() for path in photos.iterdir()} == before
        run(config, photos)
        assert {path.name: path.read_bytes() for path in photos.iterdir()} == before
        place = Place(config, photos)
        ids = place.do(reviewing.waiting)
        assert len(ids) == 4
        killed = subprocess.run(
            [sys.executable, "-m", "tagger", "review", "accept", str(photos)],
            cwd=ROOT,
            env=as_environment(config),
            check=False,
        )
        assert killed.returncode == 0
    for number in range(1, 5):
        expected = sorted([f"number {number}", "bar code", f"person {number}"])
        assert place.words(f"{number}.jpg")[0] == expected


@pytest.mark.slow
def test_what_was_accepted_together_waits_again_when_that_is_taken_back(
    place: Place,
) -> None:
    person_writes(place.photo, "-XMP-dc:Description=Mine.")
    numbered(place.photos / "2.jpg", 2)
    place.tag()
    ids = [image.id for image in known_images(place.config).values()]

    at_once = place.do(reviewing.decide_all, ids, Decision.ACCEPT)
    back = place.do(unediting.undo, at_once.id)
    assert back.photos == 2
    place.carried(back)
    assert place.do(reviewing.waiting) == ids
    assert in_file(place.photo)["XMP-dc:Subject"] == MINE
    with pytest.raises(UsageError, match="already"):
        place.do(unediting.undo, at_once.id)

    written = place.do(reviewing.decide_all, ids, Decision.ACCEPT)
    place.carried(written)
    assert place.words()[0] == FIRST
    back = place.do(unediting.undo, written.id)
    place.carried(back)
    # The description of the other stands in its file, and had nothing before it.
    assert place.do(reviewing.waiting) == [place.image("1.jpg").id]
    assert in_file(place.photo)["XMP-dc:Subject"] == MINE
    assert place.words("2.jpg")[1] == ["The first answer."]


@pytest.mark.slow
def test_what_was_decided_since_is_not_taken_back(place: Place) -> None:
    numbered(place.photos / "2.jpg", 2)
    place.tag()
    ids = [image.id for image in known_images(place.config).values()]
    edit = place.do(reviewing.decide_all, ids, Decision.REJECT)
    place.carried(edit)
    place.tag("second", retag=True)
    place.decide(Decision.ACCEPT, "2.jpg")

    place.carried(place.do(unediting.undo, edit.id))

    assert place.words("2.jpg")[1] == ["The second answer."]
    assert in_file(place.photo)["XMP-dc:Subject"] == MINE
    assert place.proposal().said == "The second answer."
