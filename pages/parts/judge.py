"""Judge: one photo after the other with what each contender said of it, to choose from.

Blind, a contender is a number that means another one at each photo, and nothing that
would give it away goes to the browser: no name, no id, no time, no tokens, and not the
tags the photo has, which may be one contender's.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.parts import compare_address, compare_result, told, who, wording
from pages.parts.component import component
from tagger.catalogue import questions
from tagger.catalogue.questions import Card
from tagger.tracking import comparisons, tagnames
from tagger.tracking.contested import Answered, Choice, Outcome, Verdict, Whole
from tagger.web import pictures, runtime
from tagger.web.runtime import Runtime

_KEY = "compare_judge"
_OUTCOMES = {
    Outcome.INVALID: "No usable answer",
    Outcome.FAILED: "No answer",
    Outcome.WITHHELD: "Not asked",
}

_judge = component(
    "judge",
    """
    <section class="judge" data-testid="judge" aria-label="Answers side by side">
      <div class="bar">
        <button class="before plain" type="button">&#8592; Previous</button>
        <p class="place" role="status" aria-live="polite" data-testid="judge-place"></p>
        <button class="after plain" type="button">Next &#8594;</button>
      </div>
      <div class="all" role="group" aria-label="Photos"></div>
      <div class="table">
        <figure class="photo">
          <span class="frame"></span>
          <figcaption class="name"></figcaption>
          <p class="now"></p>
        </figure>
        <ul class="answers" data-testid="judge-answers"></ul>
      </div>
      <div class="bar verdicts">
        <button class="tie plain" type="button" aria-keyshortcuts="t">Tie (T)</button>
        <button class="neither plain" type="button" aria-keyshortcuts="n"
                >Neither (N)</button>
        <button class="none plain" type="button" aria-keyshortcuts="u"
                >Take back (U)</button>
        <p class="hint">Keys 1 to 9 choose an answer, the arrows go to other photos.</p>
      </div>
    </section>
    """,
)


def show(app: Runtime, whole: Whole, *, blind: bool) -> None:
    """All photos of a comparison; a choice is kept at once."""
    one = whole.comparison
    known = {card.id: card for card in questions.cards(app.catalogue, one.photos)}
    answers: dict[int, dict[int, Answered]] = {}
    for answer in whole.answers:
        answers.setdefault(answer.file_id, {})[answer.contender_id] = answer
    chosen = {choice.file_id: choice for choice in whole.choices}
    names = compare_result.names(whole)
    data = {
        "comparison": one.id,
        "blind": blind,
        "at": compare_address.at(),
        "photos": [
            _photo(
                whole,
                photo,
                known.get(photo),
                answers.get(photo, {}),
                chosen.get(photo),
                names=None if blind else names,
            )
            for photo in one.photos
        ],
    }
    judged = _judge(
        data=data, key=_KEY, on_choice_change=_chosen, on_at_change=_nothing
    )
    if isinstance(judged.at, int):
        compare_address.go_to(judged.at)


def order(comparison_id: int, photo: int, ids: list[int]) -> list[int]:
    """Contenders as they stand at one photo when judged blind, the same each time."""
    mixed = list(ids)
    random.Random(f"{comparison_id}.{photo}").shuffle(mixed)
    return mixed


def _photo(
    whole: Whole,
    photo: int,
    card: Card | None,
    answers: Mapping[int, Answered],
    choice: Choice | None,
    *,
    names: Mapping[int, str] | None,
) -> dict[str, Any]:
    ids = [one.id for one in whole.comparison.contenders]
    if names is None:
        ids = order(whole.comparison.id, photo, ids)
    now = card.tags if card is not None and names is not None else ()
    return {
        "id": photo,
        "name": card.name if card is not None else f"Photo {photo}",
        "src": pictures.thumbnail_url(card) if card is not None else None,
        "now": _now(now) if names is not None else "",
        "choice": _said(choice, ids if names is None else None),
        "answers": [
            _answer(id_, answers.get(id_), now, names, at)
            for at, id_ in enumerate(ids, start=1)
        ],
    }


def _now(tags: Sequence[str]) -> str:
    if not tags:
        return "It has no tags now."
    return f"Tags now, bold on the right: {', '.join(tags)}"


def _said(choice: Choice | None, mixed: list[int] | None) -> int | str | None:
    """What was chosen; where contenders are mixed, by their places."""
    if choice is None:
        return None
    if choice.contender_id is None or mixed is None:
        return choice.contender_id or choice.verdict.value
    return mixed.index(choice.contender_id) + 1


def _answer(
    contender_id: int,
    answer: Answered | None,
    now: tuple[str, ...],
    names: Mapping[int, str] | None,
    at: int,
) -> dict[str, Any]:
    name = f"Answer {at}" if names is None else names[contender_id]
    shown: dict[str, Any] = {
        "id": at if names is None else contender_id,
        "name": name,
        "note": "",
        "tags": [],
    }
    if answer is None:
        return {**shown, "problem": "Not asked yet", "reason": ""}
    if answer.outcome is not Outcome.ANSWERED:
        # Which server it was is told by its reason.
        reason = answer.reason or ""
        return {
            **shown,
            "problem": _OUTCOMES[answer.outcome],
            "reason": reason if names is not None else "",
        }
    known = {tagnames.key(tag) for tag in now}
    return {
        **shown,
        "description": answer.description or "",
        "text": answer.text or "",
        "tags": [[tag, tagnames.key(tag) in known] for tag in answer.tags],
        "note": _note(answer) if names is not None else "",
    }


def _note(answer: Answered) -> str:
    parts = []
    if answer.seconds is not None:
        parts.append(wording.seconds(answer.seconds))
    if answer.tokens_in is not None:
        parts.append(f"{answer.tokens_in:,} tokens in")
    if answer.tokens_out is not None:
        parts.append(f"{answer.tokens_out:,} out")
    return " · ".join(parts)


def keep(app: Runtime, said: Mapping[str, Any]) -> None:
    """Keep what the browser told of choices; of a stranger's shape it is nothing."""
    comparison_id, listed = said.get("comparison"), said.get("choices")
    if type(comparison_id) is not int or not isinstance(listed, list):
        return
    for pair in listed[: comparisons.MOST_PHOTOS]:
        if isinstance(pair, list) and len(pair) == 2 and type(pair[0]) is int:
            _keep(app, comparison_id, *pair, blind=said.get("blind") is True)


def _keep(
    app: Runtime, comparison_id: int, photo: int, choice: Any, *, blind: bool
) -> None:
    what = {"comparison_id": comparison_id, "image_id": photo}
    if choice is None:
        with who.doing("unchoose", **what):
            comparisons.unchoose(app.db, comparison_id, photo)
    elif choice in (Verdict.TIE, Verdict.NEITHER):
        with who.doing("choose", verdict=choice, **what):
            comparisons.choose(
                app.db, comparison_id, photo, verdict=Verdict(choice), blind=blind
            )
    elif type(choice) is int:
        id_ = _meant(app, comparison_id, photo, choice) if blind else choice
        with who.doing("choose", contender_id=id_, blind=blind, **what):
            comparisons.choose(
                app.db, comparison_id, photo, contender_id=id_, blind=blind
            )


def _meant(app: Runtime, comparison_id: int, photo: int, place: int) -> int:
    """The contender that stood in a place, blind; 0 if that is none."""
    found = comparisons.read(app.db, comparison_id).contenders
    mixed = order(comparison_id, photo, [one.id for one in found])
    return mixed[place - 1] if 1 <= place <= len(mixed) else 0


def _chosen() -> None:
    said = st.session_state[_KEY].choice
    if isinstance(said, Mapping):
        with told.refusals():
            keep(runtime.current(), said)


def _nothing() -> None:
    """A component's event exists only if something listens."""
