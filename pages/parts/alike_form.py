"""Alike form: what the Duplicates page compares. The address holds it.

The address is the truth: before each input is shown it is set from there, and a change
of it is written back there, which also leads back to the first group.
"""

from dataclasses import dataclass

import streamlit as st

from pages.parts.wording import count
from tagger.catalogue.alike.grouping import USUAL_DISTANCE, Alike
from tagger.catalogue.alike.hamming import LARGEST_DISTANCE

KINDS = {"exact": "The same picture", "near": "Looks the same"}
_QUERY, _KIND, _DISTANCE, _START = "q", "kind", "distance", "start"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared, how, and from which group on it is shown."""

    query: str
    alike: Alike
    start: int


def show() -> Asked:
    """The inputs in a row; answers what they hold."""
    asked = _asked()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.radio(
            "Find what is",
            list(KINDS),
            format_func=lambda kind: KINDS[kind],
            key=_set(_KIND, "near" if asked.alike.near else "exact"),
            on_change=_write,
            args=(_KIND,),
            horizontal=True,
        )
        st.text_input(
            "Among photos with",
            placeholder="All photos",
            key=_set(_QUERY, asked.query),
            on_change=_write,
            args=(_QUERY,),
            max_chars=1000,
            width=270,
        )
        if asked.alike.near:
            st.slider(
                "Bits that may differ",
                0,
                LARGEST_DISTANCE,
                key=_set(_DISTANCE, asked.alike.distance),
                on_change=_write,
                args=(_DISTANCE,),
                width=220,
                help="Of the 63 bits of a photo's look: none finds the most alike, "
                f"{LARGEST_DISTANCE} also finds different photos of one scene.",
            )
    return asked


def turn(start: int, shown: int, total: int, *, page: int) -> None:
    """The ways to the groups before and after."""
    if not start and shown == total:
        return
    with st.container(
        horizontal=True, horizontal_alignment="center", vertical_alignment="center"
    ):
        _turn("Previous", max(0, start - page), ":material/arrow_back:", start == 0)
        st.text(f"{start + 1:,} to {start + shown:,} of {count(total, 'group')}")
        _turn("Next", start + shown, ":material/arrow_forward:", start + shown >= total)


def _turn(label: str, start: int, icon: str, disabled: bool) -> None:
    st.button(
        label,
        key=f"duplicates_{label}",
        icon=icon,
        disabled=disabled,
        on_click=_go,
        args=(start,),
    )


def _go(start: int) -> None:
    st.query_params[_START] = str(start)


def _asked() -> Asked:
    distance = _number(_DISTANCE, USUAL_DISTANCE)
    alike = Alike(
        near=st.query_params.get(_KIND) == "near",
        distance=min(distance, LARGEST_DISTANCE),
    )
    return Asked(str(st.query_params.get(_QUERY, "")), alike, _number(_START, 0))


def _number(name: str, usual: int) -> int:
    """What the address says, which anybody may have typed."""
    text = str(st.query_params.get(name, ""))
    return int(text) if text.isdecimal() and len(text) < 10 else usual


def _set(name: str, value: str | int) -> str:
    key = f"duplicates_{name}"
    st.session_state[key] = value
    return key


def _write(name: str) -> None:
    st.query_params.pop(_START, None)
    value = st.session_state[f"duplicates_{name}"]
    if value in ("", None):
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = str(value).strip()
