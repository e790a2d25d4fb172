"""A folder's own hours, and its own pace of being looked through."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tagger.errors import UsageError
from tagger.pipeline.gate import Gate
from tagger.pipeline.run import _shut_out
from tagger.pipeline.watch import Watcher
from tagger.records import ImageState, WriteMode, iso
from tagger.sections import Schedule
from tagger.tracking import controls, folders, jobs, places, schedules, waiting
from tagger.tracking.bindings import Among
from tagger.tracking.database import Database
from tagger.tracking.migrations import m017_folder_schedule
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import known_images, numbered, reads_number, settings
from tests.support_shapes import SHAPES, made
from tests.test_migrations import ROWS
from tests.test_steering import flowing, tick_until

NOON, NIGHT = 12 * 3600.0, 23 * 3600.0


def add(db: Database, path: Path, data_dir: Path) -> int:
    path.mkdir(parents=True, exist_ok=True)
    return folders.add(
        db,
        os.fsencode(path),
        recursive=True,
        write_mode=WriteMode.NONE,
        data_dir=data_dir,
    ).id


@pytest.fixture
def two(db: Database, tmp_path: Path) -> tuple[int, int]:
    return (
        add(db, tmp_path / "mine", tmp_path / "data"),
        add(db, tmp_path / "nas", tmp_path / "data"),
    )


def at(db: Database, clock: float, **schedule: object) -> Gate:
    wanted = Schedule(timezone="UTC", **schedule)  # type: ignore[arg-type]
    return Gate(db, wanted, clock=lambda: clock)


def test_a_folder_outside_its_hours_is_held_back_and_the_others_go_on(
    db: Database, two: tuple[int, int]
) -> None:
    mine, nas = two
    schedules.set_hours(db, nas, "22:00-07:00")
    noon = at(db, NOON).look()
    assert (noon.lets(mine), noon.lets(nas), noon.why) == (True, False, None)
    [apart] = noon.apart
    assert apart.folder_id == nas
    assert apart.why.endswith("nas has the hours 22:00-07:00 UTC; goes on at 22:00")
    night = at(db, NIGHT).look()
    assert night.lets(mine)
    assert night.lets(nas)
    assert not night.apart


def test_a_folder_with_its_own_hours_is_worked_on_outside_the_common_ones(
    db: Database, two: tuple[int, int]
) -> None:
    mine, nas = two
    schedules.set_hours(db, nas, "10:00-14:00")
    noon = at(db, NOON, window="22:00-07:00").look()
    assert (noon.lets(mine), noon.lets(nas)) == (False, True)
    assert "it is outside the hours 22:00-07:00 UTC; goes on at 22:00" in str(noon.why)
    night = at(db, NIGHT, window="22:00-07:00").look()
    assert (night.lets(mine), night.lets(nas)) == (True, False)
    schedules.set_hours(db, nas, "")
    shut = at(db, NOON, window="22:00-07:00").look()
    assert (shut.takes_back, shut.lets(nas)) == (True, False)


def test_a_pause_and_the_limit_hold_for_folders_with_hours_of_their_own(
    db: Database, two: tuple[int, int]
) -> None:
    schedules.set_hours(db, two[1], "10:00-14:00")
    assert at(db, NOON, photos_a_day=3).look().room == 3
    controls.pause(db)
    assert not at(db, NOON).look().lets(two[1])


@pytest.mark.parametrize("hours", ["22:00", "7-22", "25:00-07:00", "07:00-07:00"])
def test_what_are_no_hours_is_refused_and_changes_nothing(
    db: Database, two: tuple[int, int], hours: str
) -> None:
    schedules.set_hours(db, two[0], "22:00-07:00")
    with pytest.raises(UsageError, match="two times of day"):
        schedules.set_hours(db, two[0], hours)
    assert folders.get(db, two[0]).hours == "22:00-07:00"
    with pytest.raises(UsageError, match="no folder"):
        schedules.set_hours(db, 999, "22:00-07:00")


def test_a_slow_folder_is_looked_through_at_its_own_pace(
    db: Database, two: tuple[int, int]
) -> None:
    mine, nas = two
    schedules.set_scan_interval(db, nas, 24 * 60)
    for folder_id in two:
        folders.scan_begins(db, folder_id)
    _seen_ago(db, mine, hours=1)
    _seen_ago(db, nas, hours=1)
    assert [one.id for one in folders.due(db, interval_s=900)] == [mine]
    _seen_ago(db, nas, hours=25)
    assert [one.id for one in folders.due(db, interval_s=900)] == [mine, nas]
    folders.scan_begins(db, nas)
    folders.request_scan(db, nas)  # a person's wish waits for nothing
    assert nas in [one.id for one in folders.due(db, interval_s=900)]
    for wrong in (0.5, 10_081.0, float("nan")):
        with pytest.raises(UsageError, match="1 to 10080 minutes"):
            schedules.set_scan_interval(db, nas, wrong)


def _seen_ago(db: Database, folder_id: int, *, hours: int) -> None:
    seen_at = iso(time.time() - hours * 3600)
    with db.write() as connection:
        folders._update(connection, folder_id, last_scan_at=seen_at)


def test_what_gives_no_sign_is_said_to_be_looked_through_at_its_own_pace(
    db: Database, two: tuple[int, int]
) -> None:
    schedules.set_scan_interval(db, two[1], 1440)
    watcher = Watcher(interval_min=15.0, share_of=lambda _: "nfs")
    watcher.follow(folders.every(db))
    notes = {one: said.note or "" for one, said in watcher.watching().items()}
    assert "every 15 min" in notes[two[0]]
    assert "every 1440 min" in notes[two[1]]


def test_a_folder_says_until_when_it_waits(db: Database, two: tuple[int, int]) -> None:
    schedules.set_hours(db, two[1], "22:00-07:00")
    mine, nas = (folders.get(db, one) for one in two)
    common = Schedule(timezone="UTC")
    assert waiting.until(mine, common, at_s=NOON) is None
    assert waiting.until(nas, common, at_s=NOON) == "waits for 22:00"
    assert waiting.until(nas, common, at_s=NIGHT) is None
    late = Schedule(window="01:00-02:00", timezone="UTC")
    assert waiting.until(mine, late, at_s=NOON) == "waits for 01:00 tomorrow"
    folders.set_active(db, mine.id, False)
    assert waiting.until(folders.get(db, mine.id), late, at_s=NOON) is None


def test_folders_of_before_go_by_the_settings(tmp_path: Path) -> None:
    step = m017_folder_schedule.__name__
    [before] = [one for one in SHAPES if one.stem == "0013"]
    assert step not in before.read_text()
    made(tmp_path / "old.db", before, *ROWS)
    with Database.open(tmp_path / "old.db") as db:
        [folder] = folders.every(db)
        assert (folder.hours, folder.scan_interval_min) == (None, None)


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number) as double:
        yield double


def states(config: object, names: Callable[[str], bool]) -> set[ImageState]:
    found = known_images(config)  # type: ignore[arg-type]
    return {image.state for name, image in found.items() if names(name)}


def test_photos_wait_for_the_hours_of_their_folder_unless_named(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    for number in range(1, 5):
        numbered(tmp_path / "mine" / f"m{number}.jpg", number)
        numbered(tmp_path / "nas" / f"n{number}.jpg", number + 10)
    now = [NOON]
    config = settings(tmp_path, ollama.url, schedule={"timezone": "UTC"})
    with flowing(config, tmp_path / "mine", clock=lambda: now[0]) as (shop, flow):
        nas = add(shop.db, tmp_path / "nas", config.data_dir)
        schedules.set_hours(shop.db, nas, "22:00-07:00")
        shop.scanner.scan(folders.get(shop.db, nas))
        in_mine, in_nas = (lambda name, c=c: name.startswith(c) for c in "mn")
        tick_until(flow, lambda: states(config, in_mine) == {ImageState.TAGGED})
        tick_until(flow, lambda: flow.held == 0)
        assert states(config, in_nas) == {ImageState.QUEUED}
        assert ollama.count == 4
        said = _shut_out(shop.db, flow.gate_says) or ""
        assert said.endswith("nas has the hours 22:00-07:00 UTC; goes on at 22:00")
        [named] = places.ids(shop.db, [os.fsencode(tmp_path / "nas" / "n3.jpg")])
        controls.want_now(shop.db, [named])
        tick_until(flow, lambda: ollama.count == 5 and flow.held == 0)
        assert known_images(config)["n3.jpg"].state is ImageState.TAGGED
        now[0] = NIGHT
        tick_until(flow, lambda: states(config, in_nas) == {ImageState.TAGGED})
        assert ollama.count == 8
        assert _shut_out(shop.db, flow.gate_says) is None


def test_when_a_folders_hours_end_its_photos_go_back_and_others_stay(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    ollama.delay_s = 2.0
    for number in range(1, 7):
        numbered(tmp_path / "nas" / f"n{number}.jpg", number)
    config = settings(tmp_path, ollama.url, schedule={"timezone": "UTC"})
    now = [NIGHT]
    with flowing(config, tmp_path / "nas", clock=lambda: now[0]) as (shop, flow):
        [folder] = folders.every(shop.db)
        schedules.set_hours(shop.db, folder.id, "22:00-07:00")
        tick_until(flow, lambda: ollama.busy > 0)
        now[0] = NOON
        tick_until(flow, lambda: flow.held == 0)
        assert ollama.count <= 4  # what was at the server, and nothing more
        assert jobs.are_waiting(shop.db, Among(only=frozenset({folder.id})))


def test_the_clock_of_the_settings_counts_for_a_folders_hours() -> None:
    from tagger.hours import Hours

    night = Hours.of("22:00-07:00", timezone="Asia/Tokyo")
    assert night.are_open(datetime(2026, 1, 1, 13, tzinfo=UTC))
    assert not night.are_open(datetime(2026, 1, 1, 12, 59, tzinfo=UTC))
