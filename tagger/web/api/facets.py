"""API: any photos counted by what they have, and by where they lie."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from tagger.catalogue import breakdown, foldertree
from tagger.catalogue.breakdown import KINDS, Asked
from tagger.web import runtime
from tagger.web.api.queries import Filters

router = APIRouter(tags=["images"])


class FacetsQuery(Filters):
    """What the photos are counted by; without it, all that needs no choice."""

    by: list[str] = Field([], max_length=len(KINDS))
    limit: int = Field(20, ge=1, le=10_000)
    model: list[str] = Field([], max_length=2, description="For `drift`: two models.")


class BreakdownOut(BaseModel):
    """Photos counted by something, as a table."""

    by: str
    columns: list[str]
    rows: list[list[Any]]
    note: str


@router.get("/facets")
def read_facets(asked: Annotated[FacetsQuery, Query()]) -> list[BreakdownOut]:
    """How many of the photos have what: tags, folders, years, cameras and more."""
    opened = runtime.current()
    question = Asked(
        wanted=asked.wanted(), limit=asked.limit, models=tuple(asked.model)
    )
    found = breakdown.break_downs(
        opened.catalogue, opened.db, asked.by or breakdown.OVERVIEW, question
    )
    return [BreakdownOut.model_validate(asdict(one)) for one in found]


class TreeQuery(Filters):
    """Which directories are looked into; an empty one stands for the added folders."""

    below: list[str] = Field([foldertree.ROOTS], max_length=200)


class BranchOut(BaseModel):
    """A directory, with its photos and those of all below it."""

    path: str
    name: str
    photos: int
    has_more: bool


class TreeOut(BaseModel):
    """The directories in each that was looked into."""

    branches: dict[str, list[BranchOut]]


@router.get("/tree")
def read_tree(asked: Annotated[TreeQuery, Query()]) -> TreeOut:
    """Where the photos lie: directories level by level, with how many each holds."""
    found = foldertree.branches(
        runtime.current().catalogue, asked.wanted(), asked.below
    )
    return TreeOut(
        branches={
            place: [BranchOut.model_validate(asdict(one)) for one in listed]
            for place, listed in found.items()
        }
    )
