"""The flow of photos: none stranded, none asked about twice, and a stop that stops."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.errors import DataFull
from tagger.pipeline import room
from tagger.pipeline.flow import Flow
from tagger.pipeline.stages import Item
from tagger.pipeline.tagging import Tagging, tag
from tagger.pipeline.workshop import Workshop, opened
from tagger.records import ImageState, WriteMode
from tagger.tracking import bound, folders, jobs, runs, snapshots
from tagger.vision.choose import choose
from tests.ollama_double import Fault, OllamaDouble
from tests.support_pipeline import (
    in_file,
    known_images,
    numbered,
    put_keywords,
    reads_number,
    settings,
)


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number) as double:
        yield double


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(1, 5):
        numbered(tmp_path / "photos" / f"{number}.jpg", number)
    return tmp_path / "photos"


def run(config: Config, *paths: Path, **options: object) -> Tagging:
    return tag(config, [os.fsencode(p) for p in paths], choose(config), **options)  # type: ignore[arg-type]


@contextmanager
def flowing(config: Config, folder: Path) -> Iterator[tuple[Workshop, Flow]]:
    """A flow that works on an active folder, to be ticked by the test."""
    with opened(config) as shop:
        added = folders.add(
            shop.db,
            os.fsencode(folder),
            recursive=True,
            write_mode=WriteMode.FILE,
            data_dir=config.data_dir,
        )
        shop.scanner.scan(added)
        run_id = runs.begin(shop.db, "run")
        flow = shop.flow(choose(config).members, run_id=run_id, patient=True)
        try:
            yield shop, flow
        finally:
            flow.close()


def tick_until(flow: Flow, true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        flow.tick()
        time.sleep(0.02)


def all_are(shop: Workshop, state: ImageState) -> Callable[[], bool]:
    def check() -> bool:
        found = snapshots.after(shop.db, 0, limit=100)
        return {image.state for image in found} == {state}

    return check


def test_copies_go_on_when_the_question_they_waited_for_fails(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    for copy in range(3):
        shutil.copyfile(photos / "1.jpg", photos / f"copy{copy}.jpg")
    ollama.script.append(Fault(400))
    ollama.delay_s = 0.1
    outcome = run(settings(tmp_path, ollama.url), photos)
    assert len(outcome.failed) == 1
    assert len(outcome.images) == 7
    assert {i.state for i in outcome.images} == {ImageState.TAGGED, ImageState.FAILED}


def test_a_stop_does_not_wait_for_a_server_and_loses_no_photo(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    ollama.delay_s = 25.0
    config = settings(tmp_path, ollama.url)
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, lambda: sum(s.busy for s in flow.servers) == 4)
        began = time.monotonic()
        flow.close()
        assert time.monotonic() - began < 10
        assert flow.held == 0
        assert len(jobs.claim(shop.db, limit=9)) == 4


def test_a_full_data_folder_pauses_and_nothing_is_asked_twice(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    refused = threading.Event()

    def full_once(step: str, _job: jobs.Job) -> None:
        if step == "answered" and not refused.is_set():
            refused.set()
            raise DataFull("the disk is full; free some space there")

    config = settings(tmp_path, ollama.url)
    outcome = run(config, photos, observer=full_once)
    assert refused.is_set()
    assert outcome.failed == []
    assert ollama.count == 4
    assert {image.state for image in outcome.images} == {ImageState.TAGGED}


def test_after_a_full_disk_work_goes_on_once_there_is_room(tmp_path: Path) -> None:
    place = room.Room(tmp_path)
    place.is_out(DataFull("no room"))
    assert place.problem == "no room"
    assert not place.is_back()  # not asked of the disk at every turn
    place._checked -= room.CHECK_S
    assert place.is_back()
    assert place.problem is None


def test_a_disk_that_is_full_when_a_photo_goes_back_does_not_hold_up_for_ever(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    """The thread that else notices the room there is may be the one that waits."""
    tries = []

    def full_at_first(item: Item) -> None:
        tries.append(item)
        if len(tries) == 1:
            raise DataFull("the disk is full; free some space there")

    with flowing(settings(tmp_path, ollama.url), photos) as (shop, flow):
        [job] = jobs.claim(shop.db, limit=1)
        flow._guard(Item(job), full_at_first)
        assert len(tries) == 2
        assert flow.room.problem is None


def test_a_photo_given_back_and_taken_again_is_held_once(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    """Failures put photos back at once; each must still be done, and none lost."""
    # One more than there are photos: none can fail three times, which would be its end.
    ollama.script += [Fault(500), Fault(close=True)] * 2 + [Fault(500)]
    config = settings(tmp_path, ollama.url, retry={"attempts": 9, "wait_base_s": 0.01})
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, all_are(shop, ImageState.TAGGED))
        tick_until(flow, lambda: flow.held == 0)
        assert not +flow._held.unasked


def test_photos_wait_for_no_server_that_is_away_when_another_tagger_has_one(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    ollama.models.clear()
    config = settings(tmp_path, ollama.url)
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, lambda: flow.problem is not None and flow.held == 0)
        assert len(jobs.claim(shop.db, limit=9)) == 4


def test_a_wish_for_another_answer_made_meanwhile_is_not_lost(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    wished = threading.Event()
    with flowing(config, photos) as (shop, flow):

        def wish(step: str, job: jobs.Job) -> None:
            if step == "noted" and not wished.is_set():
                wished.set()
                jobs.retag(shop.db, [job.file_id])

        flow._stages.observer = wish
        tick_until(flow, lambda: ollama.count == 5)
        tick_until(flow, all_are(shop, ImageState.TAGGED))


def test_a_photo_that_vanishes_is_missing_and_not_failed(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    with flowing(config, photos) as (shop, flow):
        aside = shutil.move(photos / "1.jpg", tmp_path / "1.jpg")
        tick_until(flow, lambda: ollama.count == 3 and flow.held == 0)
        by_name = {i.shown_path[-5:]: i for i in snapshots.after(shop.db, 0, limit=9)}
        assert by_name["1.jpg"].state is ImageState.MISSING
        shutil.move(aside, photos / "1.jpg")
        [folder] = folders.every(shop.db)
        shop.scanner.scan(folder)
        tick_until(flow, all_are(shop, ImageState.TAGGED))


def test_a_disk_that_goes_away_during_the_work_fails_no_photo(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    with flowing(config, photos) as (shop, flow):
        os.rename(photos, tmp_path / "unplugged")
        photos.mkdir()  # as an empty mount point is left
        tick_until(flow, lambda: bound.next_due(shop.db) is None and flow.held == 0)
        assert all_are(shop, ImageState.QUEUED)()
        [folder] = folders.every(shop.db)
        assert folder.offline is not None
        photos.rmdir()
        os.rename(tmp_path / "unplugged", photos)
        shop.scanner.scan(folder)
        tick_until(flow, all_are(shop, ImageState.TAGGED))


def test_a_file_that_another_program_holds_open_is_left_until_it_is_done(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    """A slow copy: the first half stood still for long, and even decodes."""
    source = numbered(tmp_path / "source.jpg", 7)
    put_keywords(source, "Rex")
    (tmp_path / "photos").mkdir()
    target = tmp_path / "photos" / "7.jpg"
    with target.open("wb") as copy:
        copy.write(source.read_bytes())
        copy.flush()
        config = settings(tmp_path, ollama.url)
        with flowing(config, target.parent) as (shop, flow):
            for _ in range(20):
                flow.tick()
                time.sleep(0.05)
            assert ollama.count == 0
            copy.write(b"the rest of the file, such as a film")
            copy.close()
            tick_until(flow, all_are(shop, ImageState.TAGGED))
    assert target.read_bytes().endswith(b"the rest of the file, such as a film")
    assert sorted(in_file(target)["XMP-dc:Subject"]) == ["Rex", "bar code", "number 7"]
    assert ollama.count == 1


@pytest.mark.slow
def test_a_file_that_never_comes_to_rest_ends_the_command_with_a_reason(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    with (photos / "1.jpg").open("ab"):
        outcome = run(config, photos)
    [failed] = outcome.failed
    assert failed.reason == "another program is still writing it"


def test_a_single_photo_first_and_its_whole_folder_later(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    numbered(photos / "deep" / "9.jpg", 9)
    config = settings(tmp_path, ollama.url)
    assert len(run(config, photos / "1.jpg").images) == 1
    assert len(run(config, photos).images) == 4
    assert known_images(config)["9.jpg"].state is ImageState.TAGGED


def test_a_folder_that_only_a_command_made_gives_way_to_a_persons(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    numbered(photos / "deep" / "9.jpg", 9)
    config = settings(tmp_path, ollama.url)
    run(config, photos / "deep")
    with flowing(config, photos) as (shop, flow):
        [folder] = folders.every(shop.db)
        numbered(photos / "deep" / "10.jpg", 10)
        shop.scanner.scan(folder)
        tick_until(flow, lambda: ollama.count == 6)
        tick_until(flow, all_are(shop, ImageState.TAGGED))
