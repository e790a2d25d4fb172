"""Hours: a part of the day, such as `22:00-07:00`, read off the clock on the wall.

By the clock of a time zone, so that a change to summer time moves nothing.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tagger.sections import Schedule

_MINUTE = timedelta(minutes=1)
# Two days: a window that opens once a day opens within that, whatever clocks do.
_FAR = 2 * 24 * 60


class Hours:
    """The hours of the day in which a queue is worked; without a window, all."""

    def __init__(self, schedule: Schedule) -> None:
        self._zone = ZoneInfo(schedule.timezone) if schedule.timezone else None
        self.said = schedule.window
        if schedule.window:
            self._opens, self._shuts = schedule.window.split("-")
            self.said += f" {schedule.timezone}" if schedule.timezone else ""

    @classmethod
    def of(cls, window: str, *, timezone: str) -> "Hours":
        """A folder's own hours, by the clock that all hours go by."""
        return cls(Schedule(window=window, timezone=timezone))

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

    def clock(self, at: datetime, now: datetime) -> str:
        """`22:00`, with the day if that is another than today."""
        local, today = self.local(at), self.local(now).date()
        day = "" if local.date() == today else " tomorrow"
        if (local.date() - today).days > 1:
            day = f" on {local.day} {local:%B}"
        return f"{local:%H:%M}{day}"

    def waits(self, now: datetime) -> str | None:
        """`waits for 22:00`; None while it is open."""
        if self.are_open(now):
            return None
        return f"waits for {self.clock(self.next_opening(now), now)}"

    def _is_start(self, minute: datetime, *, was_open: bool) -> bool:
        if self.said:
            return self.are_open(minute) and not was_open
        day, before = self.local(minute).date(), self.local(minute - _MINUTE).date()
        return day != before

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self._zone)
