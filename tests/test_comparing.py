"""Comparisons are carried out by the real pipeline, and no photo hears of it."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline import workshop
from tagger.pipeline.comparing import Comparing
from tagger.records import ImageState
from tagger.sections import BUILTIN
from tagger.tracking import (
    answers,
    bindings,
    comparisons,
    contests,
    folders,
    snapshots,
)
from tagger.tracking.contested import Outcome, State, Verdict
from tagger.tracking.database import Database
from tests.ollama_double import Fault, OllamaDouble
from tests.support_comparing import (
    compared,
    hashes,
    of,
    outcomes,
    photo_ids,
    terse,
    wishes,
    wordy,
)
from tests.support_pipeline import three_numbered
from tests.support_servers import add_folder, flowing, pool, tagged, tick_until


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return three_numbered(tmp_path / "photos", "Rex")


@pytest.fixture
def small() -> Iterator[OllamaDouble]:
    with OllamaDouble(terse, models=("small", "medium")) as double:
        yield double


@pytest.fixture
def big() -> Iterator[OllamaDouble]:
    with OllamaDouble(wordy, models=("big",)) as double:
        yield double


@pytest.fixture
def config(tmp_path: Path, small: OllamaDouble, big: OllamaDouble) -> Config:
    return pool(
        tmp_path,
        {"name": "small", "url": small.url, "model": "small"},
        {"name": "big", "url": big.url, "model": "big"},
        {"name": "away", "url": "http://127.0.0.1:9", "model": "gone"},
    )


@pytest.fixture
def on_record(config: Config, photos: Path) -> Iterator[Database]:
    """The photos are known, and wait to be tagged."""
    with workshop.opened(config) as shop:
        add_folder(shop, photos)
        yield shop.db


def test_two_models_are_asked_and_no_photo_gets_a_word_of_it(
    config: Config, on_record: Database, photos: Path
) -> None:
    files, before = hashes(photos), snapshots.after(on_record, 0, limit=10)

    whole = compared(config, on_record, wishes(config, "small", "big"))

    assert whole.comparison.state is State.DONE
    assert whole.comparison.answered == 6
    first, second = of(whole, 0)[0], of(whole, 1)[0]
    assert (first.description, first.tags) == (
        "Number 1.",
        ("bar code", "number 1"),
    )
    assert second.tags == ("bar code", "number 1", "stripes", "noise")
    assert (second.tokens_in, second.tokens_out) == (300, 40)
    assert second.seconds is not None
    assert hashes(photos) == files
    assert snapshots.after(on_record, 0, limit=10) == before
    assert not any(answers.of(on_record, id_) for id_ in photo_ids(on_record))


def test_photos_are_sent_just_as_for_tagging(
    config: Config, photos: Path, small: OllamaDouble
) -> None:
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, tagged(shop))
        for_tagging = {asked.image for asked in small.asked}
        small.asked.clear()
        compared(config, shop.db, wishes(config, "small", "big"))
        assert for_tagging <= {asked.image for asked in small.asked}


def test_prompts_of_one_model_are_compared(
    config: Config, on_record: Database, small: OllamaDouble
) -> None:
    plain = {"server": "small"}
    asked = {**plain, "extra_instruction": "Name dogs.", "language": "German"}
    whole = compared(config, on_record, wishes(config, plain, {**asked, "tags_max": 9}))

    texts = {one.body["messages"][0]["content"] for one in small.asked}
    assert len(texts) == 2
    assert (
        sum("Name dogs." in t and "German" in t and "9 tags" in t for t in texts) == 1
    )
    versions = {one.prompt_version for one in whole.answers}
    assert len(versions) == 2
    assert small.most_busy == 1  # contenders at one server take turns


def test_a_model_that_answers_nonsense_is_told_from_a_server_that_is_away(
    config: Config, on_record: Database, big: OllamaDouble
) -> None:
    big.answer = "Of course! Here are your tags: dog, cat."
    whole = compared(config, on_record, wishes(config, "small", "big", "away"))

    assert whole.comparison.state is State.DONE
    assert outcomes(whole, 0) == [Outcome.ANSWERED] * 3
    assert outcomes(whole, 1) == [Outcome.INVALID] * 3
    assert "not valid JSON" in (of(whole, 1)[0].reason or "")
    assert outcomes(whole, 2) == [Outcome.FAILED] * 3
    assert "127.0.0.1:9 does not answer" in (of(whole, 2)[0].reason or "")
    assert (whole.comparison.answered, whole.comparison.failed) == (3, 6)


def test_what_failed_is_asked_again_and_nonsense_is_not(
    config: Config, on_record: Database, small: OllamaDouble, big: OllamaDouble
) -> None:
    big.answer = "nonsense"
    small.script += [Fault(500), Fault(500)]  # as often as `retry.attempts` allows
    made = compared(config, on_record, wishes(config, "small", "big")).comparison.id
    nonsense = big.count

    first = comparisons.whole(on_record, made)
    assert outcomes(first, 0) == [Outcome.FAILED, Outcome.ANSWERED, Outcome.ANSWERED]
    assert comparisons.go_on(on_record, made) == 1
    Comparing(on_record, config, threading.Event()).next()

    again = comparisons.whole(on_record, made)
    assert again.comparison.state is State.DONE
    assert outcomes(again, 0) == [Outcome.ANSWERED] * 3
    assert big.count == nonsense
    assert comparisons.go_on(on_record, made) == 0


def test_the_built_in_model_takes_part(config: Config, on_record: Database) -> None:
    whole = compared(config, on_record, wishes(config, "small", BUILTIN))
    assert outcomes(whole, 1) == [Outcome.ANSWERED] * 3


def test_a_photo_goes_nowhere_its_folder_is_not_bound_to(
    config: Config, on_record: Database, big: OllamaDouble
) -> None:
    bindings.bind(on_record, folders.every(on_record)[0].id, ["small"])
    whole = compared(config, on_record, wishes(config, "small", "big"))

    assert outcomes(whole, 0) == [Outcome.ANSWERED] * 3
    assert outcomes(whole, 1) == [Outcome.WITHHELD] * 3
    assert "bound to small" in (of(whole, 1)[0].reason or "")
    assert big.count == 0


def test_a_photo_that_cannot_be_decoded_is_nobodys_fault_but_its_own(
    config: Config, on_record: Database, photos: Path
) -> None:
    (photos / "2.jpg").write_bytes(b"no picture at all")
    (photos / "3.jpg").unlink()
    whole = compared(config, on_record, wishes(config, "small", "big"))

    failed = [Outcome.ANSWERED, Outcome.FAILED, Outcome.FAILED]
    assert outcomes(whole, 0) == outcomes(whole, 1) == failed
    assert all(one.reason for one in of(whole, 0)[1:])


def test_a_server_taken_out_of_the_settings_is_named(
    config: Config, on_record: Database
) -> None:
    asked = wishes(config, "small", "big")
    less = config.model_copy(update={"servers": config.servers[:1]})
    whole = compared(less, on_record, asked)
    assert outcomes(whole, 1) == [Outcome.FAILED] * 3
    assert "there is no server called big" in (of(whole, 1)[0].reason or "")


def test_cancelling_ends_it_at_once_and_keeps_what_was_answered(
    config: Config, on_record: Database, small: OllamaDouble, big: OllamaDouble
) -> None:
    big.delay_s = 60.0
    made = comparisons.make(
        on_record,
        name="x",
        photos=photo_ids(on_record),
        wishes=wishes(config, "small", "big"),
    )
    worker = threading.Thread(
        target=Comparing(on_record, config, threading.Event()).next
    )
    worker.start()
    while comparisons.read(on_record, made).answered < 3:
        time.sleep(0.02)
    assert comparisons.read(on_record, made).is_worked_on
    comparisons.cancel(on_record, made)
    worker.join(15)

    assert not worker.is_alive()
    found = comparisons.read(on_record, made)
    assert (found.state, found.answered, found.failed) == (State.CANCELLED, 3, 0)
    assert not Comparing(on_record, config, threading.Event()).next()

    big.delay_s = 0.0
    assert comparisons.go_on(on_record, made) == 3
    assert Comparing(on_record, config, threading.Event()).next()
    assert comparisons.read(on_record, made).answered == 6
    assert small.count == 3


def test_a_worker_that_stops_leaves_the_rest_to_the_next(
    config: Config, on_record: Database, small: OllamaDouble, big: OllamaDouble
) -> None:
    big.delay_s = 60.0
    made = comparisons.make(
        on_record,
        name="x",
        photos=photo_ids(on_record),
        wishes=wishes(config, "small", "big"),
    )
    stop = threading.Event()
    worker = threading.Thread(target=Comparing(on_record, config, stop).work)
    worker.start()
    while comparisons.read(on_record, made).answered < 3:
        time.sleep(0.02)
    stop.set()
    worker.join(15)
    assert not worker.is_alive()
    found = comparisons.read(on_record, made)
    assert (found.state, found.is_worked_on) == (State.WAITING, False)

    big.delay_s = 0.0
    assert Comparing(on_record, config, threading.Event()).next()
    assert comparisons.read(on_record, made).state is State.DONE
    assert small.count == 3


def test_one_is_held_by_one_worker_and_by_the_next_after_a_kill(
    config: Config, on_record: Database
) -> None:
    comparisons.make(
        on_record,
        name="x",
        photos=photo_ids(on_record),
        wishes=wishes(config, "small", "big"),
    )
    dead = contests.take(on_record)
    assert dead is not None
    assert contests.take(on_record) is None
    contests.release_all(on_record)
    taken = contests.take(on_record)
    assert taken is not None
    assert not contests.hold(on_record, dead)
    assert contests.hold(on_record, taken)


def test_the_queue_goes_on_while_models_are_compared(
    config: Config, photos: Path, small: OllamaDouble
) -> None:
    with flowing(config, photos) as (shop, flow):
        stop = threading.Event()
        worker = threading.Thread(target=Comparing(shop.db, config, stop).work)
        worker.start()
        made = comparisons.make(
            shop.db,
            name="x",
            photos=photo_ids(shop.db),
            wishes=wishes(config, "small", "big"),
        )
        try:
            tick_until(flow, tagged(shop))
            tick_until(
                flow, lambda: comparisons.read(shop.db, made).state is State.DONE
            )
        finally:
            stop.set()
            worker.join(15)
        assert {i.state for i in snapshots.after(shop.db, 0, limit=9)} == {
            ImageState.TAGGED
        }


def test_choices_are_kept_changed_and_taken_back(
    config: Config, on_record: Database
) -> None:
    whole = compared(config, on_record, wishes(config, "small", "big"))
    made, (one, two, three) = whole.comparison.id, whole.comparison.photos
    small, big = (contender.id for contender in whole.comparison.contenders)
    comparisons.choose(on_record, made, one, contender_id=small, blind=True)
    comparisons.choose(on_record, made, one, contender_id=big, blind=True)
    comparisons.choose(on_record, made, two, verdict=Verdict.TIE)
    comparisons.choose(on_record, made, three, verdict=Verdict.NEITHER)
    comparisons.unchoose(on_record, made, three)

    chosen = {c.file_id: c for c in comparisons.whole(on_record, made).choices}
    assert (chosen[one].contender_id, chosen[one].blind) == (big, True)
    assert chosen[two].verdict is Verdict.TIE
    assert set(chosen) == {one, two}
    with pytest.raises(UsageError, match="is not in comparison"):
        comparisons.choose(on_record, made, 999, contender_id=big)
    with pytest.raises(UsageError, match="is no contender"):
        comparisons.choose(on_record, made, one, contender_id=999)
    with pytest.raises(UsageError, match="is named, or it is a tie"):
        comparisons.choose(on_record, made, one, contender_id=big, verdict=Verdict.TIE)

    comparisons.remove(on_record, made)
    assert comparisons.every(on_record) == []
    with pytest.raises(UsageError, match="there is no comparison"):
        comparisons.whole(on_record, made)


@pytest.mark.parametrize(
    ("photos_asked", "contenders_asked", "says"),
    [
        (0, 2, "1 to 50 photos, not 0"),
        (51, 2, "1 to 50 photos, not 51"),
        (3, 1, "2 to 9 models or prompts, not 1"),
        (1, 10, "2 to 9 models or prompts, not 10"),
    ],
)
def test_too_much_or_too_little_is_refused(
    db: Database, photos_asked: int, contenders_asked: int, says: str
) -> None:
    config = Config()
    asked = [
        wishes(config, {"server": "http://127.0.0.1:11434", "model": f"m{n}"})[0]
        for n in range(contenders_asked)
    ]
    with pytest.raises(UsageError, match=says):
        comparisons.make(db, name="x", photos=range(1, photos_asked + 1), wishes=asked)


def test_what_makes_no_sense_is_refused(config: Config, on_record: Database) -> None:
    with pytest.raises(UsageError, match="no server called nobody"):
        wishes(config, "nobody")
    with pytest.raises(UsageError, match="tags_min"):
        wishes(config, {"server": "small", "tags_min": 30})
    with pytest.raises(UsageError, match="asked the same"):
        compared(config, on_record, wishes(config, "small", "small"))
    with pytest.raises(UsageError, match="there is no photo 4711"):
        compared(config, on_record, wishes(config, "small", "big"), photos=[4711])


def test_what_was_said_of_a_photo_counts_for_the_missing_one_that_it_is(
    config: Config, on_record: Database, photos: Path
) -> None:
    """A photo that was compared before it was looked at turns out to be a known one."""
    with flowing(config) as (shop, flow):
        tick_until(flow, tagged(shop))
    first, *others = photo_ids(on_record)
    shutil.copyfile(photos / "1.jpg", photos / "moved.jpg")
    (photos / "1.jpg").unlink()
    with workshop.opened(config) as shop:
        add_folder(shop, photos)
    new = max(photo_ids(on_record))
    whole = compared(config, on_record, wishes(config, "small", "big"), photos=[new])
    made = whole.comparison.id
    comparisons.choose(on_record, made, new, verdict=Verdict.TIE)

    with flowing(config) as (shop, flow):
        tick_until(flow, tagged(shop))

    assert photo_ids(on_record) == [first, *others]
    now = comparisons.whole(on_record, made)
    assert now.comparison.photos == (first,)
    assert [one.file_id for one in now.answers] == [first, first]
    assert [choice.file_id for choice in now.choices] == [first]
