"""API: photos, searching them, their tags, and taking them out as a file."""

from collections.abc import Generator, Iterator
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response, StreamingResponse

from tagger.catalogue import completing, export, finding, questions
from tagger.catalogue.questions import Sort, Wanted
from tagger.records import ImageSnapshot, utc_now
from tagger.tracking import costs
from tagger.web import media, pictures, runtime, turns
from tagger.web.api import shapes
from tagger.web.api.models import CompletionOut, ImageDetail, ImagePage, TagCountOut
from tagger.web.api.queries import (
    FILE_TYPES,
    CompleteQuery,
    ExportQuery,
    ImagesQuery,
    SearchQuery,
    TagsQuery,
    told_of,
)
from tagger.web.opening import NoPicture
from tagger.web.pictures import LARGEST_ID
from tagger.web.runtime import Runtime

router = APIRouter(tags=["images"])

ImageId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.get("/images")
def list_images(asked: Annotated[ImagesQuery, Query()]) -> ImagePage:
    """Photos page by page; `next` and `previous` lead on."""
    return _page(asked, asked.sort)


@router.get("/search")
def search(asked: Annotated[SearchQuery, Query()]) -> ImagePage:
    """The photos that match, best first; docs/QUERY.md describes the language."""
    return _page(asked, Sort.RELEVANCE)


def _page(asked: SearchQuery, sort: Sort) -> ImagePage:
    catalogue = runtime.current().catalogue
    found = finding.find(
        catalogue, asked.wanted(sort), after=asked.after, limit=asked.limit
    )
    return shapes.image_page(found)


@router.get("/complete")
def complete(asked: Annotated[CompleteQuery, Query()]) -> CompletionOut:
    """What may stand at the caret of a search box: fields, values, tags and words."""
    completion = completing.complete(runtime.current().catalogue, asked.q, asked.at)
    return CompletionOut.model_validate(asdict(completion))


@router.get("/complete/tags")
def complete_tag(q: Annotated[str, Query(max_length=1000)] = "") -> list[str]:
    """Tags with a word that begins with `q`, those of most photos first."""
    return completing.tags(runtime.current().catalogue, q.strip())


@router.get("/images/{image_id}")
def read_image(image_id: ImageId) -> ImageDetail:
    """Everything known of one photo."""
    opened = runtime.current()
    known = _known(opened, image_id)
    return shapes.image_detail(known, costs.of(opened.db, image_id))


@router.get(
    "/images/{image_id}/original",
    response_class=FileResponse,
    responses={
        status: {"content": {"image/*": {}, "application/octet-stream": {}}}
        for status in (200, 206)
    },
)
async def read_original(
    image_id: ImageId,
    request: Request,
    view: Literal["file", "browser"] = "file",
) -> Response:
    """The file itself as a download, or with `view=browser` a picture to show."""
    opened = runtime.current()
    image = await run_in_threadpool(_known, opened, image_id)
    try:
        if view == "browser":
            return await media.for_browser(opened, image, turns.who(request.scope))
        return await run_in_threadpool(media.original, opened, image)
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


@router.get("/export", response_class=StreamingResponse, responses=told_of(*FILE_TYPES))
async def read_export(
    asked: Annotated[ExportQuery, Query()], request: Request
) -> StreamingResponse:
    """The photos as a table, CSV, Parquet or JSON lines; or XMP files in a ZIP."""
    key = turns.who(request.scope)
    await turns.EXPORTS.take(key)
    try:
        pieces = await turns.apart(partial(_begun, asked))
    except BaseException:
        turns.EXPORTS.give(key)
        raise
    name = f"image-tagger-{utc_now()[:10]}.{asked.format}"
    return turns.Pieces(
        pieces,
        done=partial(turns.EXPORTS.give, key),
        media_type=FILE_TYPES[asked.format],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _begun(asked: ExportQuery) -> Generator[bytes]:
    """The pieces, the first of them made: a bad query is refused with a sentence."""
    opened = runtime.current()
    pieces = export.stream(
        opened.catalogue,
        _picked(opened, asked.selection) if asked.selection else asked.wanted(),
        asked.format,
        formula_safe=asked.formula_safe,
        says_who=opened.config.metadata.provenance,
    )
    return _from_first(next(pieces, b""), pieces)


def _from_first(first: bytes, pieces: Iterator[bytes]) -> Generator[bytes]:
    yield first
    yield from pieces


def _picked(opened: Runtime, token: str) -> Wanted:
    """The photos somebody picked on a screen, or 404."""
    picked = opened.selections.text(token)
    if picked is None:
        raise HTTPException(
            HTTPStatus.NOT_FOUND,
            "This selection is not known any more; select the photos again.",
        )
    return picked


def _known(opened: Runtime, image_id: int) -> ImageSnapshot:
    image = pictures.find(opened, image_id)
    if image is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no photo {image_id}.")
    return image
