"""Copies: where a photo is, and the other files that hold the very same picture."""

import streamlit as st

from pages.parts import wording
from pages.parts.component import component
from tagger.catalogue import questions
from tagger.catalogue.questions import Image
from tagger.records import ImageState
from tagger.web.runtime import Runtime

SHOWN = 20

_copies = component(
    "copies", '<ul class="copies" aria-label="Copies" data-testid="copies"></ul>'
)


def show(app: Runtime, image: Image) -> None:
    """The path, to be copied; below it the copies, a click on which opens them."""
    st.code(image.shown_path, language=None, wrap_lines=True)
    found = questions.copies(app.catalogue, image, limit=SHOWN + 1)
    if not found:
        return
    more = " or more" if len(found) > SHOWN else ""
    st.caption(f"The same picture is there {len(found[:SHOWN]) + 1} times{more}:")
    data = {
        "copies": [
            {
                "id": card.id,
                "path": card.shown_path,
                "note": ""
                if card.state is ImageState.TAGGED
                else wording.STATES[card.state],
            }
            for card in found[:SHOWN]
        ]
    }
    opened = _copies(data=data, key="photo_copies", on_opened_change=_nothing).opened
    if opened is not None:
        st.query_params["photo"] = str(opened)
        st.rerun(scope="fragment")


def _nothing() -> None:
    """A component's event exists only if something listens."""
