"""When the queue is worked: hours by the clock on the wall, a limit, and a pause."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tagger.pipeline.gate import Gate, Hours
from tagger.records import iso
from tagger.sections import Schedule
from tagger.tracking import controls, results
from tagger.tracking.database import Database
from tests.support_tracking import said

ROME = ZoneInfo("Europe/Rome")


def rome(text: str, *, fold: int = 0) -> datetime:
    at = datetime.fromisoformat(text).replace(tzinfo=ROME, fold=fold)
    return at.astimezone(UTC)


def hours(window: str) -> Hours:
    return Hours(Schedule(window=window, timezone="Europe/Rome"))


def answer_at(db: Database, at: datetime, count: int = 1) -> None:
    with db.write() as connection:
        for number in range(count):
            results.insert(
                connection, f"p{number}", said("dog"), created_at=iso(at.timestamp())
            )


@pytest.mark.parametrize(
    ("window", "clock", "is_open"),
    [
        ("22:00-07:00", "2026-01-10T21:59", False),
        ("22:00-07:00", "2026-01-10T22:00", True),
        ("22:00-07:00", "2026-01-11T00:00", True),
        ("22:00-07:00", "2026-01-11T06:59:59", True),
        ("22:00-07:00", "2026-01-11T07:00", False),
        ("09:00-17:30", "2026-01-10T08:59", False),
        ("09:00-17:30", "2026-01-10T17:29", True),
        ("09:00-17:30", "2026-01-10T17:30", False),
        ("", "2026-01-10T12:00", True),
    ],
)
def test_hours_are_read_off_the_clock(window: str, clock: str, is_open: bool) -> None:
    assert hours(window).are_open(rome(clock)) is is_open


def test_summer_time_moves_no_window() -> None:
    night = hours("22:00-07:00")
    # Rome is at UTC+1 in winter and at UTC+2 in summer.
    assert night.next_opening(rome("2026-03-28T12:00")) == datetime(
        2026, 3, 28, 21, tzinfo=UTC
    )
    assert night.next_opening(rome("2026-03-29T12:00")) == datetime(
        2026, 3, 29, 20, tzinfo=UTC
    )
    # The night the clocks go forward has eight hours, the one they go back has ten.
    for opened, shut, length in (
        ("2026-03-28T22:00", "2026-03-29T07:00", 8),
        ("2026-10-24T22:00", "2026-10-25T07:00", 10),
    ):
        began, ended = rome(opened), rome(shut)
        assert (ended - began).total_seconds() == length * 3600
        assert night.began(ended.replace(minute=0)) != ended
        assert night.began(rome(shut.replace("07:00", "06:59"))) == began


def test_hours_that_begin_in_the_hour_that_is_left_out_begin_right_after_it() -> None:
    early = hours("02:30-05:00")
    at = early.next_opening(rome("2026-03-29T00:00"))
    assert at == datetime(2026, 3, 29, 1, tzinfo=UTC)  # 02:00 is 03:00 then
    assert early.are_open(at)


def test_a_day_without_hours_begins_at_midnight_there() -> None:
    always = hours("")
    assert always.began(rome("2026-03-29T15:00")) == rome("2026-03-29T00:00")
    assert always.next_opening(rome("2026-03-29T15:00")) == rome("2026-03-30T00:00")


@pytest.fixture
def gate(db: Database) -> Callable[..., Gate]:
    def make(clock: str, **schedule: object) -> Gate:
        wanted = Schedule(timezone="Europe/Rome", **schedule)  # type: ignore[arg-type]
        return Gate(db, wanted, clock=lambda: rome(clock).timestamp())

    return make


def test_outside_the_hours_nothing_is_taken_and_it_says_until_when(
    gate: Callable[..., Gate],
) -> None:
    found = gate("2026-01-10T12:00", window="22:00-07:00").look()
    assert (found.room, found.takes_back, found.by_person) == (0, True, False)
    assert found.why == (
        "it is outside the hours 22:00-07:00 Europe/Rome; goes on at 22:00"
    )
    assert gate("2026-01-10T23:00", window="22:00-07:00").look().why is None
    later = gate("2026-01-10T23:00", window="07:00-09:00").look()
    assert later.why is not None
    assert later.why.endswith("goes on at 07:00 tomorrow")


def test_a_pause_goes_before_the_hours(db: Database, gate: Callable[..., Gate]) -> None:
    controls.pause(db)
    found = gate("2026-01-10T12:00", window="22:00-07:00").look()
    assert found.by_person
    assert "paused by you" in (found.why or "")


def test_the_limit_counts_from_the_opening_of_the_window(
    db: Database, gate: Callable[..., Gate]
) -> None:
    answer_at(db, rome("2026-01-10T21:59"), 5)
    answer_at(db, rome("2026-01-10T22:00"), 2)
    night = {"window": "22:00-07:00", "photos_a_day": 3}
    assert gate("2026-01-11T01:00", **night).look().room == 1
    answer_at(db, rome("2026-01-11T00:30"))
    shut = gate("2026-01-11T01:00", **night).look()
    assert (shut.room, shut.takes_back) == (0, False)
    assert shut.why == (
        "3 photos were asked about, and schedule.photos_a_day is 3; goes on at 22:00"
    )
    assert gate("2026-01-11T22:00", **night).look().room == 3


def test_the_limit_counts_from_midnight_where_there_is_no_window(
    db: Database, gate: Callable[..., Gate]
) -> None:
    answer_at(db, rome("2026-01-10T23:59"), 5)
    answer_at(db, rome("2026-01-11T00:00"))
    assert gate("2026-01-11T01:00", photos_a_day=3).look().room == 2
    assert gate("2026-01-11T01:00").look().room is None


def test_without_a_time_zone_the_clock_of_this_machine_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noon = Hours(Schedule(window="12:00-13:00"))
    at = datetime(2026, 1, 1, 3, 30, tzinfo=UTC)
    for zone, is_open in (("Asia/Tokyo", True), ("Europe/Rome", False)):
        with monkeypatch.context() as patched:
            patched.setenv("TZ", zone)
            time.tzset()
            assert noon.are_open(at) is is_open
    time.tzset()
