"""API: photos that are there more than once, or look the same, in groups."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from tagger.catalogue.alike.duplicates import Copy, Group, Listed
from tagger.catalogue.alike.grouping import USUAL_DISTANCE, Alike
from tagger.catalogue.alike.hamming import LARGEST_DISTANCE
from tagger.web import runtime
from tagger.web.api import shapes
from tagger.web.api.models import ImageOut

router = APIRouter(tags=["images"])

MOST_GROUPS = 10_000_000


class DuplicatesQuery(BaseModel):
    """Which photos are compared, and how alike they have to be."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field("", max_length=1000, description="A search, as in docs/QUERY.md.")
    near: bool = Field(False, description="Also what only looks the same.")
    distance: int = Field(
        USUAL_DISTANCE, ge=0, le=LARGEST_DISTANCE, description="Bits of 63."
    )
    start: int = Field(0, ge=0, le=MOST_GROUPS, description="The first group wanted.")
    limit: int = Field(20, ge=1, le=200)


class CopyOut(ImageOut):
    """One photo of a group; `bits` of its hash differ from the first one's."""

    folder: str
    size_bytes: int
    format: str | None
    bits: int


class GroupOut(BaseModel):
    """Photos that are alike, the best first, and what is not the same in them.

    `exact`: all are one picture. `total` may be more photos than are given.
    """

    exact: bool
    total: int
    differs: list[str]
    photos: list[CopyOut]


class DuplicatesPage(BaseModel):
    """Some groups, and what all of them come to.

    `spare_bytes` is what all photos but the best of each group take; `plain` counts
    pictures too plain to be compared. `next` is the `start` of the next page.
    """

    groups: list[GroupOut]
    total: int
    photos: int
    spare_bytes: int
    plain: int
    next: int | None


@router.get("/duplicates")
def list_duplicates(asked: Annotated[DuplicatesQuery, Query()]) -> DuplicatesPage:
    """Groups of photos that are alike; nothing is ever deleted."""
    listed = runtime.current().duplicates.listed(
        asked.q,
        Alike(near=asked.near, distance=asked.distance),
        start=asked.start,
        limit=asked.limit,
    )
    return page_of(listed)


def page_of(listed: Listed) -> DuplicatesPage:
    """What was found in the API's shape, which is also that of `--json`."""
    stop = listed.start + len(listed.groups)
    return DuplicatesPage(
        groups=[_group(group) for group in listed.groups],
        total=listed.total,
        photos=listed.photos,
        spare_bytes=listed.spare_bytes,
        plain=listed.plain,
        next=stop if stop < listed.total else None,
    )


def _group(group: Group) -> GroupOut:
    return GroupOut(
        exact=group.is_exact,
        total=group.total,
        differs=list(group.differs),
        photos=[_copy(copy) for copy in group.photos],
    )


def _copy(copy: Copy) -> CopyOut:
    return CopyOut(
        **shapes.card(copy.card).model_dump(),
        folder=copy.folder,
        size_bytes=copy.size_bytes,
        format=copy.format,
        bits=copy.bits,
    )
