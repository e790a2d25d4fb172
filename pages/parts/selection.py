"""Selection: the photos of a list that somebody picked, kept over its pages.

Either some are picked, or all the list holds but some; what is done with them asks the
catalogue, so that all of a million are as few words as three. A selection belongs to
one list: with other filters it begins anew. What the grid tells bears the stamp of what
was shown to it; what it told before somebody cleared the selection counts no more.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from tagger.catalogue import questions
from tagger.catalogue.questions import Wanted
from tagger.catalogue.store import Catalogue
from tagger.records import ImageState
from tagger.web.pictures import LARGEST_ID

MOST_PICKED = 100_000  # by hand; all of a list has no such limit


@dataclass
class Selection:
    """What is picked of the list `wanted`, which holds `total` photos."""

    key: str
    wanted: Wanted
    total: int
    number: int = 0
    everything: bool = False
    named: tuple[int, ...] = ()

    @property
    def stamp(self) -> str:
        asked = repr(replace(self.wanted, sort=""))
        digest = hashlib.blake2b(asked.encode("utf-8", "replace"), digest_size=8)
        return f"{digest.hexdigest()}.{self.number}"

    @property
    def count(self) -> int:
        """How many photos are picked."""
        if self.everything:
            return max(0, self.total - len(self.named))
        return len(self.named)

    @property
    def picked(self) -> Wanted:
        """The photos picked, as a question; of photos that are gone it finds none."""
        if self.everything:
            return replace(self.wanted, but=self.named)
        # Missing photos are meant only where a list says so.
        is_missing = self.wanted.state == ImageState.MISSING
        state = ImageState.MISSING if is_missing else None
        return Wanted(ids=self.named, state=state)

    def ids(self, catalogue: Catalogue) -> list[int]:
        return questions.ids(catalogue, self.picked)

    def to_show(self) -> dict[str, Any]:
        """What the grid has to know."""
        return {
            "stamp": self.stamp,
            "everything": self.everything,
            "ids": list(self.named),
            "total": self.total,
        }

    def hear(self, said: Any) -> None:
        """Take over what was picked in the grid, unless it is of another time."""
        if not isinstance(said, dict) or said.get("stamp") != self.stamp:
            return
        named = said.get("ids")
        if not isinstance(named, list) or len(named) > MOST_PICKED:
            return
        if all(type(one) is int and 0 < one <= LARGEST_ID for one in named):
            self.everything = bool(said.get("everything"))
            self.named = tuple(named)

    def clear(self) -> None:
        """Pick none."""
        self._say(everything=False)

    def take_all(self) -> None:
        """Pick everything the list holds."""
        self._say(everything=True)

    def _say(self, *, everything: bool) -> None:
        self.number += 1
        self.everything, self.named = everything, ()


def of(wanted: Wanted, total: int, *, key: str) -> Selection:
    """The selection of this list in this visit; a new one if the list is another."""
    name = f"{key}_selection"
    known = st.session_state.get(name)
    if not isinstance(known, Selection) or _differs(known.wanted, wanted):
        number = known.number + 1 if isinstance(known, Selection) else 0
        known = Selection(key, wanted, total, number)
    known.wanted, known.total = wanted, total
    st.session_state[name] = known
    return known


def _differs(one: Wanted, other: Wanted) -> bool:
    return replace(one, sort="") != replace(other, sort="")
