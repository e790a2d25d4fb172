"""Bulk tags: tags added to and taken from all photos selected, as one edit.

What it would come to is said before: how many photos change, and how many files.
"""

from dataclasses import dataclass

import streamlit as st

from pages.parts import counted, edit_told, told, who
from pages.parts.selection import Selection
from pages.parts.wording import count
from tagger.catalogue import questions
from tagger.tracking import edits
from tagger.tracking.edits import Edit
from tagger.web import runtime
from tagger.web.runtime import Runtime

OFFERED = 300
SUGGESTED = 200
_OPEN = "bulk_tags_open"


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which tags shall come to the photos selected, and go from them."""

    selection: Selection
    add: list[str]
    remove: list[str]

    def change(self, app: Runtime, *, dry_run: bool) -> Edit:
        ids = self.selection.ids(app.catalogue)
        detail = {"ids": ids, "add": self.add, "remove": self.remove}
        with who.trying() if dry_run else who.doing("change tags", **detail):
            return edits.change(
                app.db, ids=ids, add=self.add, remove=self.remove, dry_run=dry_run
            )


def open_it() -> None:
    """Have the dialog shown from the next run on, until it is left."""
    st.session_state[_OPEN] = True


def _close() -> None:
    st.session_state.pop(_OPEN, None)


def show_asked(selection: Selection) -> None:
    """The dialog, if it is open. Where a photo is, that has the only place there is."""
    if not selection.count:
        _close()
    elif _OPEN in st.session_state and "photo" not in st.query_params:
        _show(selection)


@st.dialog("Tags of the selected photos", width="medium", on_dismiss=_close)
def _show(selection: Selection) -> None:
    app = runtime.current()
    with told.refusals():
        asked = _form(app, selection)
        if not asked.add and not asked.remove:
            st.caption("Nothing changes before you have seen what would.")
            return
        foretold = asked.change(app, dry_run=True)
        _preview(foretold)
        if st.button(
            f"Change {count(foretold.photos, 'photo')}",
            type="primary",
            key="bulk_go",
            disabled=not foretold.photos,
        ):
            with st.spinner("Noting the change…"):
                edit_told.made(app, asked.change(app, dry_run=False))
            _close()
            st.rerun()


def _form(app: Runtime, selection: Selection) -> _Asked:
    st.text(f"{count(selection.count, 'photo')} selected")
    # A form belongs to the photos and to the words they have.
    had = questions.tag_counts(app.catalogue, selection.picked, limit=OFFERED)
    having = {tag.name: tag.count for tag in had}
    often = counted.tags(app.catalogue, limit=SUGGESTED)
    add = st.multiselect(
        "Add tags",
        [tag.name for tag in often],
        accept_new_options=True,
        select_all=False,
        placeholder="Type a tag and press Enter",
        key=f"bulk_add_{selection.stamp}",
    )
    remove = st.multiselect(
        "Remove tags",
        list(having),
        format_func=lambda name: f"{name} ({having.get(name, 0):,})",
        select_all=False,
        placeholder=_of_those(having),
        key=f"bulk_remove_{selection.stamp}",
        disabled=not having,
        help="With how many of the selected photos have each. A tag taken out stays "
        "out, whoever says it again.",
    )
    return _Asked(selection, add, remove)


def _of_those(having: dict[str, int]) -> str:
    if not having:
        return "None of these photos has a tag"
    more = " most frequent" if len(having) == OFFERED else ""
    return f"One of their {len(having):,}{more} tags"


def _preview(edit: Edit) -> None:
    if not edit.photos:
        st.info("All of these photos are so already.", icon=":material/check:")
        return
    files = f"{count(edit.files, 'file')} will be written"
    st.info(
        f"{count(edit.photos, 'photo')} would change; {files}."
        if edit.files
        else f"{count(edit.photos, 'photo')} would change, in this catalogue only.",
        icon=":material/visibility:",
    )
