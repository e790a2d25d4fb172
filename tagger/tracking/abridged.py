"""Abridged: what somebody asked for, as far as an entry of the audit log holds it.

Whatever was sent is in there before it is checked, so it may be anything that JSON can
be. What is kept is bounded as a whole, every database holds it, every reader gets it
back, and nothing in it stands in the place of what was named before it.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from tagger.errors import shown
from tagger.texts import holdable

LONGEST = 2_000
MOST_CHARACTERS = 8_000
_LONGEST_NAME, _MOST_NAMES, _MOST_LISTED = 100, 50, 20
_DEEPEST = 6
_LARGEST = 2**63


def abridged(detail: Mapping[str, Any]) -> dict[str, Any]:
    """A copy that an entry holds; what is left out is said."""
    return _Room().table(detail, 0)


class _Room:
    """What is left of an entry."""

    def __init__(self) -> None:
        self._left = MOST_CHARACTERS

    def table(self, values: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, value in islice(values.items(), _MOST_NAMES):
            if self._left <= 0:
                break
            name = self._text(str(key), _LONGEST_NAME)
            while name in kept:
                name += "'"
            kept[name] = self._value(value, depth + 1)
        if len(values) > len(kept):
            kept["..."] = f"and {len(values) - len(kept)} more"
        return kept

    def _value(self, value: object, depth: int) -> Any:
        # A number is some characters, too, and an empty list.
        self._left -= 10
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float) and -_LARGEST <= value < _LARGEST:
            return value  # unlike what is no number, endless, or longer than databases
        if isinstance(value, Mapping):
            return self.table(value, depth) if depth < _DEEPEST else "..."
        if isinstance(value, list | tuple | set | frozenset):
            return self._list(value, depth) if depth < _DEEPEST else "..."
        text = shown(value) if isinstance(value, bytes) else str(value)
        return self._text(text, LONGEST)

    def _list(self, values: Any, depth: int) -> list[Any]:
        kept: list[Any] = []
        for value in islice(values, _MOST_LISTED):
            if self._left <= 0:
                break
            kept.append(self._value(value, depth + 1))
        if len(values) > len(kept):
            kept.append(f"and {len(values) - len(kept)} more")
        return kept

    def _text(self, text: str, longest: int) -> str:
        kept = holdable(text[:longest])[: max(self._left, 0)]
        self._left -= len(kept)
        return kept
