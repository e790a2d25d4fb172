"""Compare address: which comparison is open, at which photo, and whether blind.

A link opens the same view; an input is set from the address when that was changed
elsewhere, and only then.
"""

from typing import Any

import streamlit as st

from tagger.tracking.comparisons import MOST_PHOTOS
from tagger.web.pictures import LARGEST_ID

_COMPARISON, _AT, _BLIND, _QUERY, _IDS = "comparison", "at", "blind", "q", "ids"
_LONGEST = 20


def comparison() -> int:
    """The comparison that is open; 0 for none, and for what is no number."""
    return _number(_said(_COMPARISON))


def open_it(comparison_id: int) -> None:
    """Show a comparison from its first photo on."""
    st.query_params.from_dict({_COMPARISON: str(comparison_id)})


def way_back() -> None:
    """To all comparisons, and to a new one."""
    st.button(
        "All comparisons",
        icon=":material/arrow_back:",
        type="tertiary",
        key="compare_back",
        on_click=leave,
    )


def leave() -> None:
    """Show all comparisons."""
    st.query_params.clear()


def at() -> int:
    """The photo that is judged, by its id; 0 for the first one not judged yet."""
    return _number(_said(_AT))


def go_to(photo_id: int) -> None:
    st.query_params[_AT] = str(photo_id)


def blind() -> bool:
    """The switch, and whether names are hidden."""
    is_on = _said(_BLIND) == "1"
    key = _bound(_BLIND, is_on)
    st.toggle(
        "Judge blind",
        key=key,
        on_change=_write_blind,
        help="Hides who said what, mixes the order anew for each photo, and shows the "
        "numbers only once every photo is judged.",
    )
    return is_on


def query() -> str:
    """What a sample is taken of, which may be typed."""
    said = _said(_QUERY)
    st.text_input(
        "Photos that fit",
        key=_bound(_QUERY, said),
        on_change=_write_query,
        placeholder="All photos; or a search, such as dog taken:2024",
        max_chars=1000,
        width=380,
    )
    return said


def ids() -> list[int]:
    """Photos that were chosen elsewhere; what is no id is passed over."""
    parts = _said(_IDS).split(",")[: 10 * MOST_PHOTOS]
    return list(dict.fromkeys(n for part in parts if (n := _number(part))))


def forget_ids() -> None:
    st.query_params.pop(_IDS, None)


def _said(name: str) -> str:
    return str(st.query_params.get(name, ""))


def _number(text: str) -> int:
    good = text.isascii() and text.isdecimal() and len(text) < _LONGEST
    return int(text) if good and int(text) <= LARGEST_ID else 0


def _bound(name: str, value: Any) -> str:
    """The key of an input that holds `value`, unless it was just typed into."""
    key, known = f"compare_{name}", f"compare_{name}_known"
    if key not in st.session_state or st.session_state.get(known) != value:
        st.session_state[key] = st.session_state[known] = value
    return key


def _write_blind() -> None:
    is_on = bool(st.session_state[f"compare_{_BLIND}"])
    st.session_state[f"compare_{_BLIND}_known"] = is_on
    if is_on:
        st.query_params[_BLIND] = "1"
    else:
        st.query_params.pop(_BLIND, None)


def _write_query() -> None:
    typed = str(st.session_state[f"compare_{_QUERY}"]).strip()
    st.session_state[f"compare_{_QUERY}_known"] = typed
    if typed:
        st.query_params[_QUERY] = typed
    else:
        st.query_params.pop(_QUERY, None)
