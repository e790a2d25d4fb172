"""History: what models answered about one photo, each held against the one in use."""

from collections.abc import Iterator
from difflib import SequenceMatcher

import streamlit as st

from pages.parts import who, wording, words
from pages.parts.component import component
from tagger.acting import Role
from tagger.catalogue.questions import Image
from tagger.tracking import answers
from tagger.tracking.answers import PastAnswer
from tagger.web.runtime import Runtime

SHOWN = 10
# Longer texts are shown without marks: comparing takes the product of the lengths.
MOST_WORDS = 600

_answer = component(
    "answer",
    """
    <div class="answer" data-testid="answer">
      <p class="head"><strong class="model"></strong> <span class="when"></span>
        <span class="mark" hidden>In use</span></p>
      <p class="description"></p>
      <ul class="tags" aria-label="Tags of this answer"></ul>
      <p class="facts"></p>
    </div>
    """,
)

# A piece of text, and whether it is only in this answer (`new`), only in the one in use
# (`gone`), or in both.
Piece = tuple[str, str]


def show(app: Runtime, image: Image) -> None:
    """All answers, folded away; each but the one in use can be used instead."""
    found = answers.of(app.db, image.id)
    if not found:
        return
    label = f"Answers of models ({len(found):,})"
    with st.expander(label, icon=":material/history:", key="photo_answers"):
        in_use = next((one for one in found if one.in_use), None)
        if len(found) > 1 and in_use is not None:
            st.caption(
                "Set against the answer in use: what only the other one says is "
                "marked, what it lacks is struck out. Your own words stay in any case."
            )
        for one in _some(found, image.id):
            _show_one(app, image.id, one, in_use)


def _some(found: tuple[PastAnswer, ...], image_id: int) -> tuple[PastAnswer, ...]:
    if len(found) <= SHOWN:
        return found
    key = f"photo_answers_all_{image_id}"
    older = wording.count(len(found) - SHOWN, "older answer")
    return found if st.toggle(f"Show {older}", key=key) else found[:SHOWN]


def _show_one(
    app: Runtime, image_id: int, one: PastAnswer, in_use: PastAnswer | None
) -> None:
    data = {
        "model": "Built-in model" if one.model == wording.BUILTIN else one.model,
        "when": wording.ago(one.created_at),
        "in_use": one.in_use,
        "description": list(_marked(one, in_use)),
        "tags": list(_marked_tags(one, in_use)),
        "facts": " · ".join(_facts(one)),
    }
    with st.container(border=True):
        _answer(data=data, key=f"photo_answer_{one.id}")
        if not one.in_use and who.may(Role.EDITOR):
            st.button(
                "Use this one",
                key=f"photo_use_{one.id}",
                help="Its words take the place of those in use, here and in the file.",
                on_click=words.use,
                args=(app, image_id, one.id),
            )


def _facts(one: PastAnswer) -> Iterator[str]:
    yield f"at {one.created_at[:16].replace('T', ' ')} UTC"
    if one.server:
        yield f"by {one.server}"
    yield f"in {wording.seconds(one.seconds)}"
    if one.tokens_in is not None and one.tokens_out is not None:
        yield f"{one.tokens_in:,} + {one.tokens_out:,} tokens"
    if one.prompt_version:
        yield f"prompt {one.prompt_version}"


def _marked(one: PastAnswer, in_use: PastAnswer | None) -> Iterator[Piece]:
    """The description, word by word against the one in use."""
    mine = one.description.split(" ")
    other = mine if in_use is None else in_use.description.split(" ")
    if one.in_use or max(len(mine), len(other)) > MOST_WORDS:
        yield one.description, ""
        return
    compared = SequenceMatcher(None, other, mine, autojunk=False)
    for kind, a, b, c, d in compared.get_opcodes():
        if kind == "equal":
            yield " ".join(mine[c:d]), ""
            continue
        if a < b:
            yield " ".join(other[a:b]), "gone"
        if c < d:
            yield " ".join(mine[c:d]), "new"


def _marked_tags(one: PastAnswer, in_use: PastAnswer | None) -> Iterator[Piece]:
    mine = {tag.tag_id for tag in one.tags}
    other = {tag.tag_id for tag in in_use.tags} if in_use is not None else mine
    for tag in one.tags:
        yield tag.name, "" if tag.tag_id in other else "new"
    if in_use is not None:
        for tag in in_use.tags:
            if tag.tag_id not in mine:
                yield tag.name, "gone"
