"""Review setting: whether a folder's answers wait for a person, and what still does."""

import streamlit as st

from pages.parts import places, told, who, wording
from tagger.acting import Role
from tagger.catalogue.questions import FolderCount
from tagger.records import Folder
from tagger.tracking import folders
from tagger.tracking.database import Database

_CHOICES = (False, True)


def ask() -> bool | None:
    """The question while a folder is added; None leaves it as in the folder around."""
    said: str = st.radio(
        "When should it be written?",
        ("as around", *wording.WHEN.values()),
        format_func={
            "as around": "As in the folder around it, or at once",
            wording.WRITE_AT_ONCE: wording.WRITE_AT_ONCE,
            wording.WRITE_AFTER_REVIEW: wording.WRITE_AFTER_REVIEW,
        }.__getitem__,
        help=wording.WHEN_HELP,
        key="folders_review",
        horizontal=True,
    )
    return {text: review for review, text in wording.WHEN.items()}.get(said)


def show(db: Database, folder: Folder) -> None:
    """The setting of a folder; a change is carried out at once."""
    key = f"folder_{folder.id}_review"
    st.session_state[key] = folder.review
    st.selectbox(
        "Answers are written",
        _CHOICES,
        format_func=wording.WHEN.__getitem__,
        key=key,
        width=160,
        help=wording.WHEN_HELP,
        disabled=not who.may(Role.ADMIN),
        on_change=lambda: _set(db, folder.id, bool(st.session_state[key])),
    )


def _set(db: Database, folder_id: int, review: bool) -> None:
    detail = {"folder_id": folder_id, "review": review}
    with told.refusals(), who.doing("change folder", needs=Role.ADMIN, **detail):
        folders.set_review(db, folder_id, review)
        st.toast(
            "New answers wait for you on the Review page from now on."
            if review
            else "New answers are written at once from now on. What waits for review "
            "goes on waiting."
        )


def show_left(folder: Folder, counts: FolderCount | None) -> None:
    """What waits in this folder, and the way to it."""
    if counts is None or not counts.review or not who.may(Role.EDITOR):
        return
    photos = wording.count(counts.review, "photo")
    if st.button(
        f"Review {photos}",
        key=f"folder_{folder.id}_to_review",
        icon=":material/rate_review:",
    ):
        places.review(folder=str(folder.id))
