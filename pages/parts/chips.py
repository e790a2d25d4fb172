"""Chips: tags as a row of buttons; a click names the tag."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import streamlit as st

from pages.parts.component import component

_chips = component("chips", '<ul class="chips" data-testid="chips"></ul>')


@dataclass(frozen=True, slots=True)
class Chip:
    """One tag on `count` photos; `note` is a hint."""

    name: str
    count: int | None = None
    note: str = ""
    chosen: bool = False


def show(
    chips: Iterable[Chip],
    *,
    label: str,
    key: str,
    on_pick: Callable[[str], None] | None = None,
) -> str | None:
    """Show the chips; answers the tag just clicked, if any.

    `label` is for people who listen. `on_pick` is called before the page runs again.
    """

    def picked() -> None:
        if on_pick is not None:
            on_pick(st.session_state[key].picked)

    data = {
        "label": label,
        "chips": [
            {
                "name": chip.name,
                "count": chip.count,
                "note": chip.note,
                "chosen": chip.chosen,
            }
            for chip in chips
        ],
    }
    clicked: str | None = _chips(data=data, key=key, on_picked_change=picked).picked
    return clicked
