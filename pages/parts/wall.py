"""Wall: a long list of photographs, page by page, to be opened and to be selected.

Where one is in the list and which photo is open stand in the address, so that a link
opens the same view.
"""

import streamlit as st

from pages.parts import grid, photo, selection, selection_bar
from tagger.catalogue import questions
from tagger.catalogue.questions import Page, Wanted
from tagger.catalogue.store import Catalogue
from tagger.web import runtime

PHOTOS_A_PAGE = 200


def page(catalogue: Catalogue, wanted: Wanted, *, key: str) -> Page:
    """The photos wanted, from where the address says."""
    after = place(wanted, key=key)
    return questions.page(catalogue, wanted, after=after, limit=PHOTOS_A_PAGE)


def place(wanted: Wanted, *, key: str) -> str | None:
    """Where in the list the address says one is; a new list begins at its top."""
    remembered = f"{key}_wanted"
    if st.session_state.get(remembered, wanted) != wanted:
        st.query_params.pop("after", None)
    st.session_state[remembered] = wanted
    return st.query_params.get("after")


def go_to(mark: str, wanted: Wanted, *, key: str) -> None:
    """Turn to the page at a mark of this list."""
    st.session_state[f"{key}_wanted"] = wanted
    st.query_params["after"] = mark


def show(
    page: Page, wanted: Wanted, *, label: str, key: str, row_px: int = grid.ROW_PX
) -> None:
    """The photos of a page, the ways to the next and previous, and the one open.

    What can be done with those selected stands at the bottom of the window.
    """
    place = st.query_params.get("after", "")
    picked = selection.of(wanted, page.total, key=key)
    opened = grid.show(
        page.images,
        label=label,
        key=f"{key}_grid",
        page=place,
        row_px=row_px,
        left=photo.left(),
        selection=picked,
    )
    selection_bar.show(picked)
    if opened is not None:
        st.query_params["photo"] = str(opened)
    if page.previous or page.next:
        with st.container(horizontal=True, horizontal_alignment="center"):
            _turn("Previous", page.previous, f"{key}_previous", ":material/arrow_back:")
            _turn("Next", page.next, f"{key}_next", ":material/arrow_forward:")
    photo.show_asked([card.id for card in page.images], _beyond(page, wanted))


def _beyond(page: Page, wanted: Wanted) -> photo.Beyond:
    """The pages beside this one, so that the photo view does not end with it."""

    def nearest(mark: str) -> int | None:
        catalogue = runtime.current().catalogue
        found = questions.page(catalogue, wanted, after=mark, limit=1).images
        return found[0].id if found else None

    return photo.Beyond(previous=page.previous, next=page.next, nearest=nearest)


def _turn(label: str, after: str | None, key: str, icon: str) -> None:
    st.button(
        label,
        key=key,
        icon=icon,
        disabled=after is None,
        on_click=_go,
        args=(after,),
    )


def _go(after: str) -> None:
    st.query_params["after"] = after
