"""Words: a person changes one photo's description and tags where they stand.

What is changed holds at once on every screen; the photo's file follows when the tagger
comes to it, which is said until then. The last change can be taken back right there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from pages.parts import places, who, wording
from pages.parts.component import component
from tagger.acting import Role
from tagger.catalogue import questions
from tagger.catalogue.query.writing import quoted
from tagger.catalogue.questions import Image
from tagger.errors import TaggerError
from tagger.records import ImageState, ImageTag
from tagger.texts import LONGEST_DESCRIPTION
from tagger.tracking import answers, edits, underway, undophoto, unediting
from tagger.tracking.edits import LONGEST_TAG, Edit
from tagger.web import runtime
from tagger.web.runtime import Runtime

COMPLETE_URL = "/api/complete/tags"
LOOK_EVERY_S = 2.0
_KEY = "photo_words"

# What the last change of this visitor came to: the photo that was changed, or the photo
# and why it was refused.
_SAVED, _TOLD = "photo_words_saved", "photo_words_told"

_words = component(
    "words",
    """
    <div class="words" data-testid="words">
      <div class="said">
        <div class="description" data-testid="description"></div>
        <button class="pen" type="button" aria-label="Change the description"
                title="Change the description" data-testid="change-description"
                >&#9998;</button>
      </div>
      <div class="editor" hidden>
        <textarea rows="3" aria-label="Description"></textarea>
        <div class="row">
          <button class="save plain" type="button">Save</button>
          <button class="leave plain" type="button">Cancel</button>
          <p class="hint">Enter saves, Shift+Enter makes a line</p>
        </div>
      </div>
      <p class="by"></p>
      <ul class="tags" aria-label="Tags of this photo" data-testid="chips"></ul>
      <p class="sources"></p>
      <div class="add">
        <input type="text" role="combobox" autocomplete="off" spellcheck="false"
               aria-label="Add a tag" placeholder="Add a tag" aria-autocomplete="list"
               aria-expanded="false" aria-controls="options" data-testid="add-tag">
        <ul class="options" id="options" role="listbox" hidden></ul>
      </div>
      <p class="news" role="alert" hidden></p>
    </div>
    """,
    "options",
)


def show(app: Runtime, image: Image) -> None:
    """The words with their sources, and what becomes of the last change to them.

    What comes and goes has places of its own, so that nothing below is made anew, and
    the keyboard stays where somebody types.
    """
    with st.container(key="photo_standing"):
        _refusal(image)
        _standing(image.id, image.answered_at)
    data = {
        "id": image.id,
        "description": image.description or "",
        "by": _said_by(image) if image.description else "",
        "longest": LONGEST_DESCRIPTION,
        "longest_tag": LONGEST_TAG,
        "tags": [_chip(tag) for tag in image.tags],
        "sources": _sources(image.tags),
        "url": COMPLETE_URL,
        "may_edit": who.may(Role.EDITOR),
    }
    shown = _words(
        data=data, key=_KEY, on_change_change=_changed, on_picked_change=_nothing
    )
    if shown.picked:
        places.gallery(tag=shown.picked)
    with st.container(key="photo_last"):
        _take_back_button(app, image.id)


def _refusal(image: Image) -> None:
    told_id, refusal = st.session_state.pop(_TOLD, (None, None))
    if told_id == image.id:
        st.error(wording.plain(refusal), icon=":material/error:")


def change(app: Runtime, image_id: int, wanted: Mapping[str, Any]) -> None:
    """Put down one change: a description, or a tag to add or to take out."""
    text, add, remove = (wanted.get(name) for name in ("description", "add", "remove"))
    act(
        app,
        image_id,
        lambda: edits.change(
            app.db,
            ids=[image_id],
            add=[str(add)] if add else [],
            remove=[str(remove)] if remove else [],
            description=None if text is None else str(text),
        ),
        "change image",
        description=text,
        add=add,
        remove=remove,
    )


def use(app: Runtime, image_id: int, answer_id: int) -> None:
    """Let the photo have another one of its answers."""
    act(
        app,
        image_id,
        lambda: answers.use(app.db, image_id, answer_id),
        "use answer",
        answer_id=answer_id,
    )


def act(
    app: Runtime, image_id: int, make: Callable[[], Edit], what: str, **detail: object
) -> None:
    """Make an edit, which the screen shows at once; a refusal is kept to be told."""
    try:
        with who.doing(what, image_id=image_id, **detail):
            make()
    except TaggerError as error:
        st.session_state[_TOLD] = image_id, str(error)
        return
    st.session_state[_SAVED] = image_id
    app.take()


def _changed() -> None:
    wanted = st.session_state[_KEY].change
    if isinstance(wanted, Mapping) and isinstance(wanted.get("id"), int):
        change(runtime.current(), wanted["id"], wanted)


def _nothing() -> None:
    """A component's event exists only if something listens."""


def _take_back_button(app: Runtime, image_id: int) -> None:
    last = undophoto.last(app.db, image_id)
    if last is None or not who.may(Role.EDITOR):
        return
    label = "Do the last change again" if last.brings_back else "Undo the last change"
    st.button(
        label,
        key="photo_take_back",
        icon=":material/redo:" if last.brings_back else ":material/undo:",
        help=f"Made {wording.ago(last.created_at)}. The photo's file follows.",
        on_click=act,
        args=(app, image_id, lambda: unediting.undo(app.db, last.id), "undo edit"),
        kwargs={"edit_id": last.id},
    )


def _said_by(image: Image) -> str:
    if image.description_source == "person":
        return "Described by a person."
    if image.description_source in (None, "file"):
        return "The description was in the file."
    if image.description_source == wording.BUILTIN:
        return "Described by the built-in model."
    return f"Described by {image.description_source}."


def _sources(tags: Sequence[ImageTag]) -> str:
    """Who said which tags, as a sentence or two."""
    by: dict[str, list[str]] = {}
    for tag in tags:
        by.setdefault(tag.source, []).append(tag.name)
    said = [
        f"{wording.upper(wording.source(source))}: {', '.join(by.pop(source))}."
        for source in ("person", "file")
        if source in by
    ]
    rest = " and ".join(wording.source(source) for source in by)
    others = "The others were" if said else "The tags were"
    return " ".join([*said, *([f"{others} {rest}."] if rest else [])])


def _is_own(tag: ImageTag) -> bool:
    return tag.source in ("file", "person")


def _chip(tag: ImageTag) -> dict[str, object]:
    sure = f", {tag.score:.0%} sure" if tag.score is not None else ""
    return {
        "name": tag.name,
        "note": f"{wording.source(tag.source)}{sure}",
        "tone": "own" if _is_own(tag) else "",
        "mine": tag.source == "person",
    }


@st.fragment(run_every=LOOK_EVERY_S)
def _standing(image_id: int, answered_at: str | None) -> None:
    """How the photo stands, and what its file waits for after a change.

    A new answer that was waited for has the page made anew.
    """
    app = runtime.current()
    waits = underway.on(app.db, image_id) is not None
    if not waits and st.session_state.get(_SAVED) == image_id:
        st.session_state.pop(_SAVED)
        app.take()
    now = questions.image(app.catalogue, image_id)
    if now.answered_at != answered_at:
        st.rerun()
    if now.state is not ImageState.TAGGED:
        st.badge(wording.STATES[now.state], color="orange")
        if now.reason:
            st.text(now.reason)
    can_review = now.state is ImageState.REVIEW and who.may(Role.EDITOR)
    if can_review and st.button(
        "Review what is proposed", key="photo_review", icon=":material/rate_review:"
    ):
        places.review(q=quoted(now.name))
    if waits:
        with st.container(key="photo_waiting"):
            st.caption(f":material/hourglass_top: {wording.plain(_why(app, now))}")


def _why(app: Runtime, now: Image) -> str:
    if now.state is ImageState.NOT_WRITTEN:
        return "Your change could not be written yet and is tried again."
    if now.state is ImageState.MISSING:
        return "Your change is kept; the file is missing, and gets it once it is back."
    if app.status().state == "stopped":
        return "Your change is kept; it is written once the tagger runs."
    return "Your change is kept and waits for the tagger…"
