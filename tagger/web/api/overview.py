"""API: photos at a glance: how many there are, tags as a cloud, the photos of a tag."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from tagger.catalogue import finding, questions
from tagger.catalogue.facets import Counts
from tagger.catalogue.questions import Sort, Wanted
from tagger.tracking import snapshots
from tagger.web import runtime
from tagger.web.api import shapes
from tagger.web.api.models import ImagePage
from tagger.web.api.queries import Filters, PageQuery, SearchQuery, TagsQuery
from tagger.web.pictures import LARGEST_ID

router = APIRouter(tags=["images"])


class CloudTag(BaseModel):
    """A tag, and how many photos have it."""

    name: str
    count: int


# Before the routes with a number in the same place, which would take `search` for one.
@router.get("/images/search")
def search_images(asked: Annotated[SearchQuery, Query()]) -> ImagePage:
    """The same as `/search`, under the name that older clients know."""
    return _page(asked.wanted(Sort.RELEVANCE), asked)


@router.get("/images/stats")
def image_stats(asked: Annotated[Filters, Query()]) -> Counts:
    """How many photos there are, or how many a question finds, by how they stand."""
    return questions.counts(runtime.current().catalogue, asked.wanted())


@router.get("/tags/cloud")
def tag_cloud(asked: Annotated[TagsQuery, Query()]) -> list[CloudTag]:
    """The most frequent tags, by name."""
    found = questions.tag_counts(
        runtime.current().catalogue, asked.wanted(), limit=asked.limit
    )
    return [
        CloudTag(name=tag.name, count=tag.count)
        for tag in sorted(found, key=lambda tag: tag.name.casefold())
    ]


@router.get("/tags/{tag_id}/images")
def images_of_tag(
    tag_id: Annotated[int, Path(ge=1, le=LARGEST_ID)],
    asked: Annotated[PageQuery, Query()],
) -> ImagePage:
    """The photos that have a tag, page by page, newest first."""
    name = snapshots.tag_names(runtime.current().db, [tag_id]).get(tag_id)
    if name is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no tag {tag_id}.")
    return _page(Wanted(tags=(name,)), asked)


def _page(wanted: Wanted, asked: PageQuery) -> ImagePage:
    found = finding.find(
        runtime.current().catalogue, wanted, after=asked.after, limit=asked.limit
    )
    return shapes.image_page(found)
