"""API: pairs of tags that are probably one, and those a person said are not."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from tagger.catalogue.facets import TagCount
from tagger.catalogue.tagpairs import Kind
from tagger.catalogue.tagtable import Suggestion
from tagger.tracking import dismissing
from tagger.web import runtime
from tagger.web.api.edit_models import Name
from tagger.web.api.models import TagCountOut
from tagger.web.suggesting import Suggested, suggested

router = APIRouter(tags=["vocabulary"])

Pair = Annotated[list[str], Field(min_length=2, max_length=2)]


class SuggestionsQuery(BaseModel):
    """Which of the suggestions are wanted, and whether the model for texts is asked."""

    model_config = ConfigDict(extra="forbid")

    start: int = Field(0, ge=0, le=10_000_000, description="The first one wanted.")
    limit: int = Field(100, ge=1, le=1_000)
    kind: Kind | None = Field(None, description="Only those of one kind.")
    meaning: bool = Field(
        False, description="Also tags near in meaning, by the model of semantic.model."
    )


class SuggestionOut(BaseModel):
    """Two tags that are probably one: `goes`, the rarer, and `stays`.

    By `writing` they differ in accents, spaces or hyphens, by `plural` one is the
    other's, by `spelling` a letter or two are different.
    """

    kind: Kind
    goes: TagCountOut
    stays: TagCountOut


class SuggestionsPage(BaseModel):
    """Some suggestions, the surest first, of `total`.

    `note` says why none by meaning is among them. `next` is the `start` of the next
    page.
    """

    suggestions: list[SuggestionOut]
    total: int
    note: str | None
    next: int | None


class PairIn(BaseModel):
    """Two tags that are not one."""

    model_config = ConfigDict(extra="forbid")

    one: Name
    other: Name


@router.get("/tags/suggestions")
def list_suggestions(asked: Annotated[SuggestionsQuery, Query()]) -> SuggestionsPage:
    """Pairs of tags that are probably one; nothing is changed.

    `POST /tags/merge` makes them one.
    """
    found = suggested(runtime.current(), meaning=asked.meaning)
    return page_of(found, start=asked.start, limit=asked.limit, kind=asked.kind)


@router.get("/tags/suggestions/dismissed")
def list_dismissed() -> list[Pair]:
    """The pairs that are not suggested any more, the latest first."""
    return [list(pair) for pair in dismissing.every(runtime.current().db)]


@router.post("/tags/suggestions/dismissed", status_code=204)
def dismiss(wanted: PairIn) -> None:
    """Have a pair suggested no more."""
    dismissing.dismiss(runtime.current().db, wanted.one, wanted.other)


@router.delete("/tags/suggestions/dismissed", status_code=204)
def recall(wanted: Annotated[PairIn, Query()]) -> None:
    """Let a pair be suggested again."""
    dismissing.recall(runtime.current().db, wanted.one, wanted.other)


def page_of(
    found: Suggested, *, start: int, limit: int, kind: Kind | None = None
) -> SuggestionsPage:
    """What was found in the API's shape, which is also that of `--json`."""
    pairs = [one for one in found.pairs if kind in (None, one.kind)]
    stop = start + limit
    return SuggestionsPage(
        suggestions=[_out(one) for one in pairs[start:stop]],
        total=len(pairs),
        note=found.note,
        next=stop if stop < len(pairs) else None,
    )


def _out(one: Suggestion) -> SuggestionOut:
    return SuggestionOut(kind=one.kind, goes=_tag(one.goes), stays=_tag(one.stays))


def _tag(tag: TagCount) -> TagCountOut:
    return TagCountOut(id=tag.tag_id, name=tag.name, count=tag.count)
