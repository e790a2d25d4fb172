"""Empty: what a screen says, and offers, while it has nothing to show."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import places, who
from tagger.acting import Role
from tagger.records import Folder


def no_photos(folders: Sequence[Folder]) -> None:
    """There is no photo yet: none was found so far, or no folder was added."""
    if folders:
        with _card(
            "Looking for photos",
            "The folders you added are being looked through. Photos appear here as "
            "they are found; nothing turns up in a folder that holds none.",
        ):
            if st.button("Look at the folders", icon=":material/folder_open:"):
                places.folders()
        return
    if not who.may(Role.ADMIN):
        _card("No photos yet", "Once an admin adds a folder, its photos appear here.")
        return
    with _card(
        "No photos yet",
        "Add a folder of photographs. Each one is looked at by a vision model, "
        "described and tagged, and can then be found here by what it shows.",
    ):
        if st.button(
            "Add a folder", type="primary", icon=":material/create_new_folder:"
        ):
            places.folders()


def nothing_fits() -> None:
    """There are photos, but none as the filters want them."""
    with _card("No photo fits", "No photo has all of what is chosen above."):
        if st.button("Clear the filters"):
            places.gallery()


def no_match() -> None:
    """A search found nothing."""
    _card(
        "Nothing found",
        "Every word must occur in the description, the tags or the file name. Try "
        "fewer words, or only the beginning of one with a star: `moun*`",
    )


def no_tags() -> None:
    """There are photos, but none with a tag."""
    _card(
        "No tags yet",
        "Photos get tags as they are described; the dashboard shows how far that is.",
    )


def no_duplicates(*, near: bool) -> None:
    """No two photos are alike."""
    _card(
        "No duplicates",
        "No two photos look the same."
        if near
        else "No picture is there more than once. *Looks the same* also finds those "
        "that were made smaller, saved again or darkened.",
    )


def nothing_to_review(is_any_reviewed: bool) -> None:
    """No answer waits for a person."""
    if is_any_reviewed:
        _card(
            "All reviewed",
            "No photo waits for you. New answers in folders that are written after "
            "review appear here.",
        )
        return
    with _card(
        "Nothing waits for review",
        "Every folder has its words written at once. Set one to *After review*, and "
        "what models say of its photos waits here until you accept it.",
    ):
        if st.button("Look at the folders", icon=":material/folder_open:"):
            places.folders()


def nothing_waits_there() -> None:
    """Photos wait, but none as the filters want them."""
    with _card("No photo fits", "Photos wait for review, but none of those above."):
        if st.button("Show all that wait"):
            places.review()


def _card(title: str, text: str) -> DeltaGenerator:
    card = st.container(border=True, key="empty")
    card.subheader(title, anchor=False)
    card.write(text)
    return card
