"""Gate: whether the queue may take new photos now, as people want it.

It is shut while somebody paused the queue, outside the hours of `schedule.window`, and
once `schedule.photos_a_day` photos were asked about since the window opened, or since
midnight. Photos a person wants now go through in any case, and count. Hours are read
off the clock of the time zone, so that a change to summer time moves nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tagger.sections import Schedule
from tagger.tracking import controls, results
from tagger.tracking.database import Database

_MINUTE = timedelta(minutes=1)
# Two days: a window that opens once a day opens within that, whatever clocks do.
_FAR = 2 * 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What may be taken: up to `room` photos (None: any number), or none, for `why`.

    `by_person` says that a pause holds, `takes_back` that also those taken already and
    not asked about yet go back.
    """

    room: int | None = None
    why: str | None = None
    by_person: bool = False
    takes_back: bool = False


class Hours:
    """The hours of the day in which the queue is worked."""

    def __init__(self, schedule: Schedule) -> None:
        self._zone = ZoneInfo(schedule.timezone) if schedule.timezone else None
        self.said = schedule.window
        if schedule.window:
            self._opens, self._shuts = schedule.window.split("-")
            self.said += f" {schedule.timezone}" if schedule.timezone else ""

    def are_open(self, at: datetime) -> bool:
        if not self.said:
            return True
        clock = f"{at.astimezone(self._zone):%H:%M}"
        if self._opens < self._shuts:
            return self._opens <= clock < self._shuts
        return clock >= self._opens or clock < self._shuts

    def next_opening(self, at: datetime) -> datetime:
        """The first minute after `at` in which it opens."""
        minute = at.replace(second=0, microsecond=0)
        for _ in range(_FAR):
            was_open, minute = self.are_open(minute), minute + _MINUTE
            if self._is_start(minute, was_open=was_open):
                return minute
        return minute

    def began(self, at: datetime) -> datetime:
        """When the day that `at` lies in began: the last opening, or midnight."""
        minute = at.replace(second=0, microsecond=0)
        for _ in range(_FAR):
            if self._is_start(minute, was_open=self.are_open(minute - _MINUTE)):
                return minute
            minute -= _MINUTE
        return minute

    def _is_start(self, minute: datetime, *, was_open: bool) -> bool:
        if self.said:
            return self.are_open(minute) and not was_open
        day, before = self.local(minute).date(), self.local(minute - _MINUTE).date()
        return day != before

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self._zone)


class Gate:
    """Answers for one tagger; `clock` gives seconds since the epoch."""

    def __init__(
        self,
        db: Database,
        schedule: Schedule,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._db = db
        self._schedule = schedule
        self._clock = clock
        self._hours = Hours(schedule)
        self._began: tuple[datetime, datetime] | None = None
        self._next = datetime.min.replace(tzinfo=UTC)

    @property
    def newest_first(self) -> bool:
        return self._schedule.order == "newest"

    def look(self) -> Pass:
        """What may be taken now."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        if pause := controls.read(self._db).pause:
            return Pass(room=0, why=pause, by_person=True, takes_back=True)
        if not self._hours.are_open(now):
            opening = self._said(self._next_opening(now), now)
            why = f"it is outside the hours {self._hours.said}; goes on {opening}"
            return Pass(room=0, why=why, takes_back=True)
        if not self._schedule.photos_a_day:
            return Pass()
        return self._left_of_the_day(now)

    def _left_of_the_day(self, now: datetime) -> Pass:
        most = self._schedule.photos_a_day
        done = results.count_since(self._db, self._beginning(now).timestamp())
        if done < most:
            return Pass(room=most - done)
        again = self._said(self._next_opening(now), now)
        return Pass(
            room=0,
            why=f"{done:,} photos were asked about, and schedule.photos_a_day is "
            f"{most:,}; goes on {again}",
        )

    def _next_opening(self, now: datetime) -> datetime:
        if now >= self._next:
            self._next = self._hours.next_opening(now)
        return self._next

    def _beginning(self, now: datetime) -> datetime:
        minute = now.replace(second=0, microsecond=0)
        if self._began is None or self._began[0] != minute:
            self._began = minute, self._hours.began(minute)
        return self._began[1]

    def _said(self, at: datetime, now: datetime) -> str:
        local, today = self._hours.local(at), self._hours.local(now).date()
        day = "" if local.date() == today else " tomorrow"
        if (local.date() - today).days > 1:
            day = f" on {local.day} {local:%B}"
        return f"at {local:%H:%M}{day}"
