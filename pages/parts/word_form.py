"""Word form: a person changes one photo's description and tags, and sees it happen.

What is saved holds at once on every screen; the photo's file follows when the tagger
comes to it, which is said until then.
"""

from collections.abc import Sequence

import streamlit as st

from pages.parts import wording
from tagger.catalogue import questions
from tagger.catalogue.questions import Image, Wanted
from tagger.errors import UsageError
from tagger.records import ImageState
from tagger.texts import LONGEST_DESCRIPTION
from tagger.tracking import edits, underway
from tagger.web import runtime
from tagger.web.runtime import Runtime

SUGGESTED = 200
LOOK_EVERY_S = 2.0

# What the last saving of this visitor came to: the photo that was saved, or the photo
# and why it was refused.
_SAVED, _TOLD = "photo_words_saved", "photo_words_told"


def show(app: Runtime, image: Image) -> None:
    """The form, folded away, and above it whether an edit has still to be written."""
    is_saved = st.session_state.get(_SAVED) == image.id
    if is_saved or underway.on(app.db, image.id) is not None:
        _waiting(image.id)
    told_id, refusal = st.session_state.pop(_TOLD, (None, None))
    told = refusal if told_id == image.id else None
    with st.expander(
        "Change description and tags", icon=":material/edit:", expanded=told is not None
    ):
        if told is not None:
            st.error(wording.plain(told), icon=":material/error:")
        _form(app, image)


def _form(app: Runtime, image: Image) -> None:
    shown = [tag.name for tag in image.tags]
    # A form belongs to the words it shows: when they change, so does the form, and
    # what is taken out of it is only what the person saw there.
    key = f"photo_words_{image.id}_{hash((image.description, *shown))}"
    with st.form(f"{key}_form", border=False, enter_to_submit=False):
        st.text_area(
            "Description",
            image.description or "",
            key=f"{key}_text",
            max_chars=LONGEST_DESCRIPTION,
        )
        st.multiselect(
            "Tags",
            _options(app, shown),
            default=shown,
            key=f"{key}_tags",
            accept_new_options=True,
            select_all=False,
            placeholder="Type a tag and press Enter",
            help="Take one out with its cross; it stays out, whoever says it again.",
        )
        st.form_submit_button(
            "Save",
            type="primary",
            key=f"{key}_save",
            on_click=_save,
            args=(app, image.id, key, image.description or "", shown),
        )


def _options(app: Runtime, shown: Sequence[str]) -> list[str]:
    """The photo's tags, then the most frequent of all."""
    counted = questions.tag_counts(app.catalogue, Wanted(), limit=SUGGESTED)
    return list(dict.fromkeys([*shown, *(tag.name for tag in counted)]))


def _save(
    app: Runtime, image_id: int, key: str, description: str, shown: Sequence[str]
) -> None:
    """Put down what differs from what the form showed."""
    text, tags = st.session_state[f"{key}_text"], st.session_state[f"{key}_tags"]
    add = [name for name in tags if name not in shown]
    remove = [name for name in shown if name not in tags]
    changed = text if text != description else None
    if not add and not remove and changed is None:
        return
    try:
        edits.change(
            app.db, ids=[image_id], add=add, remove=remove, description=changed
        )
    except UsageError as error:
        st.session_state[_TOLD] = image_id, str(error)
        return
    st.session_state[_SAVED] = image_id
    app.take()  # so that the screen shows it at once


@st.fragment(run_every=LOOK_EVERY_S)
def _waiting(image_id: int) -> None:
    """What the photo's file waits for; when it has the words, the page is made anew."""
    app = runtime.current()
    if underway.on(app.db, image_id) is None:
        st.session_state.pop(_SAVED, None)
        app.take()
        st.rerun()
    with st.container(key="photo_waiting"):
        st.caption(f":material/hourglass_top: {wording.plain(_why(app, image_id))}")


def _why(app: Runtime, image_id: int) -> str:
    now = questions.image(app.catalogue, image_id)
    if now.state is ImageState.NOT_WRITTEN:
        return "Your change could not be written yet and is tried again."
    if now.state is ImageState.MISSING:
        return "Your change is kept; the file is missing, and gets it once it is back."
    if app.status().state == "stopped":
        return "Your change is kept; it is written once the tagger runs."
    return "Your change is kept and waits for the tagger…"
