"""Keys: moments and sizes as the numbers the search index compares and sorts by.

A sort key holds the value and, in its low bits, the id: no two photos are equal, and
one range of one column is all that a page needs. Ids that differ by 16.7 million share
those bits; two such photos of the same second or size may swap places, no more.
"""

from datetime import datetime, timedelta

ID_BITS = 24
_ID_MASK = (1 << ID_BITS) - 1
LARGEST_BYTES = (1 << 38) - 1  # 256 GiB; with the id it fits a signed number
# Cameras' clocks are believed from this year on.
_EPOCH = datetime(1800, 1, 1)


def seconds(moment: datetime) -> int:
    """A moment without zone as whole seconds; those before 1800 count as its start."""
    return max(0, int((moment - _EPOCH).total_seconds()))


def seconds_of(text: str | None) -> int | None:
    """The same of `2024-05-01T10:00:00`, or with `.000Z`; None of what is no moment."""
    if not text:
        return None
    try:
        return seconds(datetime.fromisoformat(text).replace(tzinfo=None))
    except ValueError:
        return None


def month(taken_s: int) -> int:
    """The month a second lies in, as a number such as 202405."""
    moment = _EPOCH + timedelta(seconds=taken_s)
    return moment.year * 100 + moment.month


def taken(taken_s: int | None, image_id: int) -> int:
    """The sort key of a date; photos without one come before all others."""
    return _with_id(0 if taken_s is None else taken_s + 1, image_id)


def size(size_bytes: int, image_id: int) -> int:
    return _with_id(min(size_bytes, LARGEST_BYTES), image_id)


def score(value: int, image_id: int) -> int:
    """The sort key of a rating or a quality, which are -1 or more."""
    return _with_id(value + 1, image_id)


def taken_from(taken_s: int) -> int:
    """The lowest sort key of a photo taken at this second or later."""
    return (taken_s + 1) << ID_BITS


def size_from(size_bytes: int) -> int:
    """The lowest sort key of a file that is so large or larger."""
    return min(max(size_bytes, 0), LARGEST_BYTES) << ID_BITS


def score_from(value: int) -> int:
    """The lowest sort key of a photo that is rated so or better."""
    return (value + 1) << ID_BITS


def _with_id(value: int, image_id: int) -> int:
    return value << ID_BITS | image_id & _ID_MASK
