"""API: photos, searching them, their tags, and taking them out as a file."""

import itertools
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response, StreamingResponse

from tagger.catalogue import export, questions
from tagger.catalogue.questions import Sort
from tagger.records import ImageSnapshot, utc_now
from tagger.tracking import costs, snapshots
from tagger.web import media, pictures, runtime
from tagger.web.api import shapes
from tagger.web.api.models import ImageDetail, ImagePage, TagCountOut
from tagger.web.api.queries import (
    ExportQuery,
    ImagesQuery,
    SearchQuery,
    TagsQuery,
)
from tagger.web.pictures import LARGEST_ID, NoPicture
from tagger.web.runtime import Runtime

router = APIRouter(tags=["images"])

ImageId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.get("/images")
def list_images(asked: Annotated[ImagesQuery, Query()]) -> ImagePage:
    """Photos page by page; `next` and `previous` lead on."""
    return _page(asked, asked.sort)


@router.get("/search")
def search(asked: Annotated[SearchQuery, Query()]) -> ImagePage:
    """The photos that match, best first."""
    return _page(asked, Sort.RELEVANCE)


def _page(asked: SearchQuery, sort: Sort) -> ImagePage:
    opened = runtime.current()
    page = questions.page(
        opened.catalogue, asked.wanted(sort), after=asked.after, limit=asked.limit
    )
    known = snapshots.images(opened.db, [card.id for card in page.images])
    return shapes.image_page(page, {image.id: image.tags for image in known})


@router.get("/images/{image_id}")
def read_image(image_id: ImageId) -> ImageDetail:
    """Everything known of one photo."""
    opened = runtime.current()
    known = _known(opened, image_id)
    return shapes.image_detail(known, costs.of(opened.db, image_id))


@router.get(
    "/images/{image_id}/original",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def read_original(
    image_id: ImageId, view: Literal["file", "browser"] = "file"
) -> Response:
    """The file itself as a download, or with `view=browser` a picture to show."""
    opened = runtime.current()
    image = _known(opened, image_id)
    try:
        if view == "browser":
            return media.for_browser(opened, image)
        return media.original(image)
    except NoPicture as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from error


@router.get("/tags")
def list_tags(asked: Annotated[TagsQuery, Query()]) -> list[TagCountOut]:
    """The tags of these photos, most frequent first."""
    catalogue = runtime.current().catalogue
    return [
        TagCountOut(id=tag.tag_id, name=tag.name, count=tag.count)
        for tag in questions.tag_counts(catalogue, asked.wanted(), limit=asked.limit)
    ]


_EXPORT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "jsonl": "application/x-ndjson",
}


@router.get("/export", response_class=StreamingResponse)
def read_export(asked: Annotated[ExportQuery, Query()]) -> StreamingResponse:
    """The photos as a table: CSV, Parquet or one JSON object a line."""
    catalogue = runtime.current().catalogue
    pieces = export.stream(catalogue, asked.wanted(), asked.format)
    # The first piece is made here, so that a bad query is refused with a sentence.
    first = next(pieces, b"")
    name = f"image-tagger-{utc_now()[:10]}.{asked.format}"
    return StreamingResponse(
        itertools.chain([first], pieces),
        media_type=_EXPORT_TYPES[asked.format],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _known(opened: Runtime, image_id: int) -> ImageSnapshot:
    image = pictures.find(opened, image_id)
    if image is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no photo {image_id}.")
    return image
