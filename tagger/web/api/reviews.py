"""API: answers that wait for a person, and what the person decides of them.

A decision is an edit: it holds at once, and the running tagger brings the photo's file
in line with it. `POST /edits/{id}/undo` takes one of a single photo back.
"""

from bisect import bisect_right
from typing import Annotated

from fastapi import APIRouter, Query

from tagger.catalogue import questions
from tagger.catalogue.questions import Wanted
from tagger.errors import shown
from tagger.records import ImageState
from tagger.tracking import reviewing
from tagger.tracking.reviewing import Proposal, Words
from tagger.web import pictures, runtime
from tagger.web.api import edits
from tagger.web.api.edit_models import EditOut, HowQuery
from tagger.web.api.models import SaidTag
from tagger.web.api.review_models import (
    DecisionIn,
    DecisionsIn,
    ReviewOut,
    ReviewPage,
    ReviewQuery,
    WordsOut,
)
from tagger.web.runtime import Runtime

router = APIRouter(prefix="/review", tags=["review"])

How = Annotated[HowQuery, Query()]


@router.get("")
def list_waiting(asked: Annotated[ReviewQuery, Query()]) -> ReviewPage:
    """Photos whose answers wait for a person, with their words now and then, by id."""
    opened = runtime.current()
    ids = waiting(opened, asked.q, asked.folder_id)
    rest = ids[bisect_right(ids, asked.after) :]
    chosen = rest[: asked.limit]
    return ReviewPage(
        total=len(ids),
        photos=[_out(one) for one in reviewing.proposals(opened.db, chosen)],
        next=chosen[-1] if len(rest) > len(chosen) else None,
    )


@router.post("")
def decide(wanted: DecisionIn, how: How) -> EditOut:
    """Accept, correct or reject what is proposed for one photo.

    Refused if another answer came in since, or somebody has decided. For
    `undo_within_s` seconds the file is left alone, so that the edit can be taken back.
    """
    edit = reviewing.decide(
        runtime.current().db,
        wanted.image_id,
        wanted.answer,
        wanted.decision,
        add=wanted.add,
        remove=wanted.remove,
        description=wanted.description,
        grace_s=wanted.undo_within_s,
        dry_run=how.dry_run,
    )
    return edits.out(edit)


@router.post("/many")
def decide_many(wanted: DecisionsIn, how: How) -> EditOut:
    """Accept or reject what is proposed for many photos; others are passed over."""
    opened = runtime.current()
    ids = wanted.image_ids
    if ids is None:
        ids = waiting(opened, wanted.query or "", wanted.folder_id)
    decision = reviewing.Decision(wanted.decision)
    edit = reviewing.decide_all(opened.db, ids, decision, dry_run=how.dry_run)
    return edits.out(edit)


def waiting(opened: Runtime, query: str, folder_id: int | None) -> list[int]:
    """The photos that wait and are meant by a question, by id."""
    wanted = Wanted(query=query, folder_id=folder_id, state=ImageState.REVIEW)
    return sorted(questions.ids(opened.catalogue, wanted))


def _out(one: Proposal) -> ReviewOut:
    return ReviewOut(
        id=one.file_id,
        answer=one.answer_id,
        name=shown(one.path.rsplit(b"/", 1)[-1]),
        path=shown(one.path),
        folder_id=one.folder_id,
        model=one.model,
        answered_at=one.answered_at,
        said=one.said,
        text=one.text,
        width_px=one.width_px,
        height_px=one.height_px,
        thumbnail=pictures.thumbnail_of(one.file_id, one.identity, one.orientation),
        picture=pictures.browser_url(one.file_id),
        now=_words(one.now),
        proposed=_words(one.then),
    )


def _words(words: Words) -> WordsOut:
    return WordsOut(
        description=words.description,
        description_source=words.description_source,
        tags=[
            SaidTag(id=tag.tag_id, name=tag.name, source=tag.source, score=tag.score)
            for tag in words.tags
        ],
    )
