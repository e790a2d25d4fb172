"""API: what models ever said of one photo, and which of their answers is in use.

Using another answer is an edit like any other: it is put down here, holds at once on
every screen, and the running tagger brings the file in line with it.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from tagger.tracking import answers
from tagger.tracking.answers import PastAnswer
from tagger.web import pictures, runtime
from tagger.web.api import edits
from tagger.web.api.edit_models import EditOut, HowQuery
from tagger.web.api.models import SaidTag
from tagger.web.pictures import LARGEST_ID
from tagger.web.runtime import Runtime

router = APIRouter(tags=["answers"])

AnId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


class AnswerOut(BaseModel):
    """What a model said of a photo's picture; `in_use` are its words at this photo."""

    id: int
    model: str
    backend: str
    prompt_version: str
    server: str
    answered_at: str
    seconds: float
    tokens_in: int | None
    tokens_out: int | None
    description: str
    text: str | None
    tags: list[SaidTag]
    in_use: bool


@router.get("/images/{image_id}/answers")
def list_answers(image_id: AnId) -> list[AnswerOut]:
    """Every answer there ever was for this photo's picture, the newest first."""
    return [_out(one) for one in _known(runtime.current(), image_id)]


@router.post("/images/{image_id}/answers/{answer_id}/use")
def use_answer(
    image_id: AnId, answer_id: AnId, how: Annotated[HowQuery, Query()]
) -> EditOut:
    """Let the photo have this answer; what a person said of it stays."""
    opened = runtime.current()
    if answer_id not in {one.id for one in _known(opened, image_id)}:
        raise HTTPException(
            HTTPStatus.NOT_FOUND, f"Photo {image_id} has no answer {answer_id}."
        )
    return edits.out(answers.use(opened.db, image_id, answer_id, dry_run=how.dry_run))


def _known(opened: Runtime, image_id: int) -> tuple[PastAnswer, ...]:
    if pictures.find(opened, image_id) is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no photo {image_id}.")
    return answers.of(opened.db, image_id)


def _out(one: PastAnswer) -> AnswerOut:
    return AnswerOut(
        id=one.id,
        model=one.model,
        backend=one.backend,
        prompt_version=one.prompt_version,
        server=one.server,
        answered_at=one.created_at,
        seconds=one.seconds,
        tokens_in=one.tokens_in,
        tokens_out=one.tokens_out,
        description=one.description,
        text=one.text,
        tags=[
            SaidTag(id=tag.tag_id, name=tag.name, source=tag.source, score=tag.score)
            for tag in one.tags
        ],
        in_use=one.in_use,
    )
