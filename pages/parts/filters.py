"""Filters: what the gallery shows, and how. The address holds it, so that a link shows
the same.

The address is the truth: before each input is shown it is set from there, and a change
of it is written back there.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import streamlit as st

from pages.parts import counted, foldertree, grid, wording
from tagger.catalogue.questions import Wanted
from tagger.catalogue.store import Catalogue
from tagger.errors import shown
from tagger.records import Folder

TAGS_OFFERED = 500
SMALLEST_PX, LARGEST_PX, STEP_PX = 96, 396, 20
_ALL = ""  # None would leave the input empty
SORTS = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "taken": "By date taken",
    "name": "By name",
    "size": "Largest first",
    "rating": "Most stars first",
    "quality": "Sharpest first",
}


def show(catalogue: Catalogue, folders: Sequence[Folder]) -> Wanted:
    """The filter row; answers what is wanted."""
    _name_the_place(folders)
    taken = {
        m: wording.month(m) for m, _ in reversed(counted.months(catalogue, Wanted()))
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tags = _tags(catalogue)
        month = _one_of("Taken", "month", taken, "Any time", 140)
        state = _one_of("State", "state", wording.STATES, "Any state", 140)
        sort = order(SORTS)
        size()
        _place()
    return Wanted(
        query=foldertree.clause(foldertree.asked()),
        tags=tuple(tags),
        state=state,
        month=month,
        sort=sort,
    )


def row_px() -> int:
    """How high the address wants a row of photos."""
    try:
        asked = int(st.query_params.get("size", grid.ROW_PX))
    except ValueError:
        return grid.ROW_PX
    return min(max(asked, SMALLEST_PX), LARGEST_PX)


def order(names: Mapping[str, str]) -> str:
    """The order of the photos, of those there are names for; the first is usual."""
    return str(_one_of("Sort", "sort", names, None, 150))


def size() -> None:
    """How large the thumbnails are."""
    st.slider(
        "Thumbnails",
        SMALLEST_PX,
        LARGEST_PX,
        step=STEP_PX,
        format=" ",
        key=_set("size", row_px()),
        width=150,
        on_change=_write("size"),
    )


def _name_the_place(folders: Sequence[Folder]) -> None:
    """A link may name an added folder by its number; from there on it is a path."""
    number = st.query_params.get("folder")
    if number is None:
        return
    st.query_params.pop("folder")
    for folder in folders:
        if str(folder.id) == number:
            foldertree.choose(shown(folder.path).rstrip("/") + "/")


def _place() -> None:
    """The folder chosen, and the way out of it."""
    path = foldertree.asked()
    if path:
        st.button(
            wording.plain(path.rstrip("/").rpartition("/")[2] or path),
            icon=":material/folder:",
            key="gallery_place",
            help=f"Only photos in {wording.plain(path)}; a click shows all again.",
            on_click=foldertree.choose,
            args=("",),
        )


def _tags(catalogue: Catalogue) -> list[str]:
    asked = st.query_params.get_all("tag")
    offered = [tag.name for tag in counted.tags(catalogue, limit=TAGS_OFFERED)]
    key = _set("tag", asked)
    return st.multiselect(
        "Tags",
        list(dict.fromkeys([*asked, *offered])),
        placeholder="Any tag",
        key=key,
        width=270,
        on_change=_write("tag"),
    )


def _one_of(
    label: str,
    name: str,
    names: Mapping[Any, str],
    all_of_them: str | None,
    width: int,
) -> Any:
    """One of `names`; None for all of them, where there is a word for that."""
    options = list(names) if all_of_them is None else [_ALL, *names]
    asked = st.query_params.get(name)
    chosen = next((option for option in options if str(option) == asked), options[0])
    value = st.selectbox(
        label,
        options,
        format_func=lambda option: names.get(option, all_of_them or ""),
        key=_set(name, chosen),
        width=width,
        on_change=_write(name),
    )
    return None if value == _ALL else value


def _set(name: str, value: Hashable | list[str]) -> str:
    key = f"gallery_{name}"
    st.session_state[key] = value
    return key


def _write(name: str) -> Callable[[], None]:
    """What puts a changed input into the address."""

    def write() -> None:
        value = st.session_state[f"gallery_{name}"]
        if value:
            st.query_params[name] = value if isinstance(value, list) else str(value)
        else:
            st.query_params.pop(name, None)

    return write
