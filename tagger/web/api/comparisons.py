"""API: models and prompts compared on some photos, which get no word of it."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tagger.errors import UsageError
from tagger.tracking import comparisons
from tagger.tracking.agreement import Pair, Result, Score
from tagger.tracking.contested import (
    Answered,
    Comparison,
    Contender,
    Verdict,
    Whole,
)
from tagger.web import comparing, runtime
from tagger.web.api.comparison_models import (
    AnswerOut,
    ChoiceIn,
    ChoiceOut,
    ComparisonIn,
    ComparisonOut,
    ContenderOut,
    PairOut,
    ResultOut,
    ScoreOut,
    SettingIn,
    WholeOut,
)
from tagger.web.api.models import Message
from tagger.web.pictures import LARGEST_ID
from tagger.web.runtime import Runtime

router = APIRouter(prefix="/comparisons", tags=["comparisons"])

AnId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.get("")
def list_comparisons() -> list[ComparisonOut]:
    """All comparisons, the newest first."""
    return [_out(one) for one in comparisons.every(runtime.current().db)]


@router.post("", status_code=HTTPStatus.CREATED)
def compare(wanted: ComparisonIn) -> ComparisonOut:
    """Put a comparison down; the running tagger carries it out, beside the queue."""
    opened = runtime.current()
    wishes = [
        comparing.wish(opened.config, **one.model_dump()) for one in wanted.contenders
    ]
    made = comparing.make(
        opened, wishes, query=wanted.query, ids=wanted.image_ids, count=wanted.count
    )
    return _out(comparisons.read(opened.db, made))


@router.get("/{comparison_id}")
def read_comparison(comparison_id: AnId) -> WholeOut:
    """A comparison with its answers, choices and numbers."""
    return whole_of(runtime.current(), comparison_id)


@router.post("/{comparison_id}/cancel")
def cancel(comparison_id: AnId) -> ComparisonOut:
    """End it where it is; what was answered stays."""
    opened = _opened_with(comparison_id)
    comparisons.cancel(opened.db, comparison_id)
    return _out(comparisons.read(opened.db, comparison_id))


@router.post("/{comparison_id}/continue")
def go_on(comparison_id: AnId) -> ComparisonOut:
    """Ask what was not asked or failed; answers that could not be used stay."""
    opened = _opened_with(comparison_id)
    comparisons.go_on(opened.db, comparison_id)
    return _out(comparisons.read(opened.db, comparison_id))


@router.put("/{comparison_id}/choices/{image_id}")
def choose(comparison_id: AnId, image_id: AnId, wanted: ChoiceIn) -> ChoiceOut:
    """Say which answer is the better one for a photo."""
    opened = _opened_with(comparison_id)
    named = isinstance(wanted.choice, int)
    comparisons.choose(
        opened.db,
        comparison_id,
        image_id,
        contender_id=wanted.choice if isinstance(wanted.choice, int) else None,
        verdict=Verdict.BEST if named else Verdict(str(wanted.choice)),
        blind=wanted.blind,
    )
    return ChoiceOut(image_id=image_id, choice=wanted.choice, blind=wanted.blind)


@router.delete("/{comparison_id}/choices/{image_id}", status_code=HTTPStatus.NO_CONTENT)
def unchoose(comparison_id: AnId, image_id: AnId) -> Response:
    """Forget what was chosen for a photo."""
    comparisons.unchoose(_opened_with(comparison_id).db, comparison_id, image_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/{comparison_id}/setting")
def prefer(comparison_id: AnId, wanted: SettingIn) -> Message:
    """Make a contender the setting: its server, model and prompt, in config.toml."""
    opened = _opened_with(comparison_id)
    found = comparisons.read(opened.db, comparison_id).contenders
    for one in found:
        if one.id == wanted.contender:
            saved = comparing.prefer(opened, one)
            said = ", ".join(saved.changed)
            return Message(
                message=f"Saved: {said}." if said else "It is the setting already."
            )
    raise UsageError(
        f"{wanted.contender} is no contender of comparison {comparison_id}"
    )


@router.delete("/{comparison_id}", status_code=HTTPStatus.NO_CONTENT)
def remove(comparison_id: AnId) -> Response:
    """Delete a comparison with its answers and choices; no photo changes by it."""
    comparisons.remove(_opened_with(comparison_id).db, comparison_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def whole_of(opened: Runtime, comparison_id: int) -> WholeOut:
    """All of a comparison in the API's shape, which is also that of `--json`."""
    whole = _whole(opened, comparison_id)
    return WholeOut(
        **_out(whole.comparison).model_dump(),
        answers=[_answer(one) for one in whole.answers],
        choices=[
            ChoiceOut(
                image_id=one.file_id,
                choice=one.contender_id or _verdict(one.verdict),
                blind=one.blind,
            )
            for one in whole.choices
        ],
        result=_result(comparing.result(opened, whole)),
    )


def _opened_with(comparison_id: int) -> Runtime:
    opened = runtime.current()
    _whole(opened, comparison_id)
    return opened


def _whole(opened: Runtime, comparison_id: int) -> Whole:
    try:
        return comparisons.whole(opened.db, comparison_id)
    except UsageError as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"{error}.".capitalize()) from error


def _verdict(verdict: Verdict) -> Literal["tie", "neither"]:
    return "tie" if verdict is Verdict.TIE else "neither"


def _out(one: Comparison) -> ComparisonOut:
    return ComparisonOut(
        id=one.id,
        name=one.name,
        state=one.state,
        running=one.is_worked_on,
        image_ids=list(one.photos),
        contenders=[_contender(each) for each in one.contenders],
        questions=one.questions,
        answered=one.answered,
        failed=one.failed,
        chosen=one.chosen,
        created_at=one.created_at,
        ended_at=one.ended_at,
    )


def _contender(one: Contender) -> ContenderOut:
    return ContenderOut(
        **{name: getattr(one, name) for name in ContenderOut.model_fields}
    )


def _answer(one: Answered) -> AnswerOut:
    return AnswerOut(
        contender=one.contender_id,
        image_id=one.file_id,
        outcome=one.outcome,
        reason=one.reason,
        description=one.description,
        text=one.text,
        tags=list(one.tags),
        seconds=one.seconds,
        tokens_in=one.tokens_in,
        tokens_out=one.tokens_out,
    )


def _result(found: Result) -> ResultOut:
    return ResultOut(
        scores=[_score(one) for one in found.scores],
        pairs=[_pair(one) for one in found.pairs],
        decided=found.decided,
        ties=found.ties,
        neither=found.neither,
        winner=found.winner,
    )


def _score(one: Score) -> ScoreOut:
    values = {name: getattr(one, name) for name in Score.__slots__}
    return ScoreOut(contender=values.pop("contender_id"), **values)


def _pair(one: Pair) -> PairOut:
    return PairOut(
        contenders=(one.one, one.other), agreement=one.agreement, photos=one.photos
    )
