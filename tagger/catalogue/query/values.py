"""Values: what stands behind a colon, read into numbers and moments.

Every reader takes the text and raises `Unreadable` with what would be right. A value
such as `2024-05`, `12mp` or `5mb` is a stretch, not a point: all of May, what rounds to
12 megapixels. Two of them with `..` between are a range, and `>`, `>=`, `<`, `<=` are
open on one side.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Generic, TypeVar

from tagger.records import STARS

Bound = TypeVar("Bound", datetime, int)

LARGEST = 2**62

_COMPARED = re.compile(r"(?P<sign>>=|<=|>|<)(?P<value>.+)")
_DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d{1,2})(-(?P<day>\d{1,2}))?)?", re.ASCII
)
_AGO = re.compile(r"(?P<days>\d{1,5})d", re.ASCII)
_NUMBER = re.compile(r"(?P<number>\d{1,18}(\.\d{1,9})?)\s*(?P<unit>[a-z]*)", re.ASCII)
_WHOLE = re.compile(r"\d{1,3}", re.ASCII)
_DEGREES = re.compile(r"[+-]?\d{1,3}(\.\d{1,15})?", re.ASCII)
_DISTANCE = re.compile(r"(?P<number>\d{1,6}(\.\d{1,6})?)\s*(?P<unit>m|km|mi)", re.ASCII)

BYTES = {
    **{"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9},
    **{"kib": 2**10, "mib": 2**20, "gib": 2**30},
}
PIXELS = {"mp": 10**6}
METRES = {"m": 1.0, "km": 1000.0, "mi": 1609.344}

DATE_HELP = (
    "a year, month or day such as 2024, 2024-05 or 2024-05-31, a range such as "
    "2024-05..2024-06, >2024 or <=2024-05, or today, yesterday, 7d"
)
PIXELS_HELP = "megapixels, such as >12mp, 12mp or 8mp..24mp"
BYTES_HELP = "a size such as >5mb, <200kb or 1mb..10mb"
STARS_HELP = "stars, such as 5, >=4 or 1..3, or none, or rejected"
QUALITY_HELP = "0 to 100, such as >60 or 40..80"
NEAR_HELP = "latitude, longitude and a distance in m, km or mi, as in 45.4,12.3,5km"


class Unreadable(ValueError):
    """A value that cannot be read; the text says what would be right."""


@dataclass(frozen=True, slots=True)
class Interval(Generic[Bound]):
    """From `low`, up to but without `high`; None is open."""

    low: Bound | None
    high: Bound | None


@dataclass(frozen=True, slots=True)
class Stretch(Generic[Bound]):
    """What one value covers when it stands alone, and its edges in comparisons."""

    alone: Interval[Bound]
    first: Bound
    after: Bound


def dates(text: str, now: datetime | None = None) -> Interval[datetime]:
    """Days by the calendar, from midnight to midnight, without a zone."""
    today = (now or datetime.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    return _interval(text, lambda part: _day(part, today), DATE_HELP)


def utc_dates(text: str, now: datetime | None = None) -> Interval[datetime]:
    """The same days as this machine counts them, as moments of UTC."""
    days = dates(text, now)
    return Interval(_as_utc(days.low), _as_utc(days.high))


def pixels(text: str) -> Interval[int]:
    return _interval(text, lambda part: _amount(part, PIXELS), PIXELS_HELP)


def sizes(text: str) -> Interval[int]:
    return _interval(text, lambda part: _amount(part, BYTES), BYTES_HELP)


def stars(text: str) -> Interval[int]:
    return _interval(text, lambda part: _whole(part, STARS), STARS_HELP)


def percent(text: str) -> Interval[int]:
    return _interval(text, lambda part: _whole(part, 100), QUALITY_HELP)


def near(text: str) -> tuple[float, float, float]:
    """Degrees north, degrees east, and metres."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not all(_DEGREES.fullmatch(part) for part in parts[:2]):
        raise Unreadable(NEAR_HELP)
    latitude, longitude = float(parts[0]), float(parts[1])
    distance = _DISTANCE.fullmatch(parts[2].lower())
    if distance is None or abs(latitude) > 90 or abs(longitude) > 180:
        raise Unreadable(NEAR_HELP)
    return latitude, longitude, float(distance["number"]) * METRES[distance["unit"]]


def _interval(
    text: str, read: Callable[[str], Stretch[Bound] | None], help: str
) -> Interval[Bound]:
    def known(part: str) -> Stretch[Bound]:
        stretch = read(part.strip().lower())
        if stretch is None:
            raise Unreadable(help)
        return stretch

    if compared := _COMPARED.fullmatch(text.strip()):
        return _compared(compared["sign"], known(compared["value"]))
    first, dots, last = text.partition("..")
    if not dots:
        return known(first).alone
    if not first.strip() and not last.strip():
        raise Unreadable(help)
    low = known(first).first if first.strip() else None
    high = known(last).after if last.strip() else None
    if low is not None and high is not None and low >= high:
        raise Unreadable(f"a range that begins before it ends; {text} does not")
    return Interval(low, high)


def _compared(sign: str, value: Stretch[Bound]) -> Interval[Bound]:
    if sign == ">":
        return Interval(value.after, None)
    if sign == ">=":
        return Interval(value.first, None)
    return Interval(None, value.first if sign == "<" else value.after)


def _whole(text: str, most: int) -> Stretch[int] | None:
    if not _WHOLE.fullmatch(text) or int(text) > most:
        return None
    number = int(text)
    return Stretch(Interval(number, number + 1), number, number + 1)


def _day(text: str, today: datetime) -> Stretch[datetime] | None:
    if text in ("today", "yesterday"):
        return _stretch(today - timedelta(days=text == "yesterday"), 1)
    if ago := _AGO.fullmatch(text):
        days = int(ago["days"])
        return _stretch(today - timedelta(days=days - 1), days) if days else None
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = int(found["year"]), found["month"], found["day"]
    try:
        first = datetime(year, int(month or 1), int(day or 1))
        if day:
            return _stretch(first, 1)
        months = 1 if month else 12
        at = first.year * 12 + first.month - 1 + months
        return _between(first, datetime(at // 12, at % 12 + 1, 1))
    except (ValueError, OverflowError):
        return None  # there is no such day, or none after it


def _stretch(first: datetime, days: int) -> Stretch[datetime]:
    return _between(first, first + timedelta(days=days))


def _between(first: datetime, after: datetime) -> Stretch[datetime]:
    return Stretch(Interval(first, after), first, after)


def _amount(text: str, units: dict[str, int]) -> Stretch[int] | None:
    """A number with a unit. Alone it covers all that rounds to it."""
    found = _NUMBER.fullmatch(text)
    if found is None or found["unit"] not in units:
        return None
    number, unit = Decimal(found["number"]), units[found["unit"]]
    exact = min(round(number * unit), LARGEST)
    half = int(Decimal(unit).scaleb(int(number.as_tuple().exponent)) / 2)
    alone = Interval(exact - half, exact + max(half, 1))
    return Stretch(alone, exact, exact + 1)


def _as_utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC).replace(tzinfo=None)
    except (OverflowError, OSError, ValueError):
        return moment  # years that no clock of this machine reaches
