"""Gate: whether the queue may take new photos now, as people want it.

It is shut while somebody paused the queue, outside the hours of `schedule.window`, and
once `schedule.photos_a_day` photos were asked about since the window opened, or since
midnight. A folder with hours of its own goes by them instead of the window, and by all
else as others do. Photos a person wants now go through in any case, and count.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tagger.errors import shown
from tagger.hours import Hours
from tagger.sections import Schedule
from tagger.tracking import controls, results, schedules
from tagger.tracking.bindings import ALL, Among
from tagger.tracking.database import Database
from tagger.tracking.schedules import Own

__all__ = ["Gate", "Hours", "Pass", "Shut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shut:
    """A folder whose own hours it is not, and what is to be said of that."""

    folder_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What may be taken: up to `room` photos (None: any number), or none, for `why`.

    Only those of the folders `among`; `apart` are folders that hours of their own keep
    out. `by_person` says that a pause holds, `takes_back` that also those taken already
    and not asked about yet go back, wherever they are.
    """

    room: int | None = None
    why: str | None = None
    by_person: bool = False
    takes_back: bool = False
    among: Among = ALL
    apart: tuple[Shut, ...] = ()

    @property
    def opened(self) -> frozenset[int]:
        """The folders that may be worked on by hours of their own, and others not."""
        return (self.room != 0 and self.among.only) or frozenset()

    def lets(self, folder_id: int) -> bool:
        """Whether photos of the folder may still be asked about."""
        return not self.takes_back and self.among.has(folder_id)


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
        self._next: dict[str, datetime] = {}

    @property
    def newest_first(self) -> bool:
        return self._schedule.order == "newest"

    def look(self) -> Pass:
        """What may be taken now."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        if pause := controls.read(self._db).pause:
            return Pass(room=0, why=pause, by_person=True, takes_back=True)
        opened, apart = self._own(now)
        among, why = Among(but=frozenset(one.folder_id for one in apart)), None
        if not self._hours.are_open(now):
            why = (
                f"it is outside the hours {self._hours.said}; "
                f"goes on {self._said(self._hours, now)}"
            )
            if not opened:
                return Pass(room=0, why=why, takes_back=True)
            among = Among(only=opened)
        if not self._schedule.photos_a_day:
            return Pass(among=among, apart=apart, why=why)
        found = self._left_of_the_day(now)
        return replace(found, among=among, apart=apart, why=found.why or why)

    def _own(self, now: datetime) -> tuple[frozenset[int], tuple[Shut, ...]]:
        """The folders with hours of their own: those whose hours it is, and others."""
        opened, apart = set[int](), []
        for own in schedules.with_hours(self._db):
            hours = Hours.of(own.hours, timezone=self._schedule.timezone)
            if hours.are_open(now):
                opened.add(own.folder_id)
            else:
                apart.append(self._shut(own, hours, now))
        return frozenset(opened), tuple(apart)

    def _shut(self, own: Own, hours: Hours, now: datetime) -> Shut:
        return Shut(
            folder_id=own.folder_id,
            why=f"{shown(own.path)} has the hours {hours.said}; "
            f"goes on {self._said(hours, now)}",
        )

    def _left_of_the_day(self, now: datetime) -> Pass:
        most = self._schedule.photos_a_day
        done = results.count_since(self._db, self._beginning(now).timestamp())
        if done < most:
            return Pass(room=most - done)
        again = self._said(self._hours, now)
        return Pass(
            room=0,
            why=f"{done:,} photos were asked about, and schedule.photos_a_day is "
            f"{most:,}; goes on {again}",
        )

    def _beginning(self, now: datetime) -> datetime:
        minute = now.replace(second=0, microsecond=0)
        if self._began is None or self._began[0] != minute:
            self._began = minute, self._hours.began(minute)
        return self._began[1]

    def _said(self, hours: Hours, now: datetime) -> str:
        """When these hours begin; that is looked for once, minute by minute."""
        known = self._next.get(hours.said)
        if known is None or now >= known:
            known = self._next[hours.said] = hours.next_opening(now)
        return f"at {hours.clock(known, now)}"
