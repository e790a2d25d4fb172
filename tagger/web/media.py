"""Media: thumbnails for every screen, and the original files.

A thumbnail's address carries a version made of the picture's identity and orientation.
Only when it is the present one may the browser keep the answer for ever; any other
address gets the present thumbnail too, but not to keep.
"""

import os
from functools import partial
from http import HTTPStatus
from typing import BinaryIO, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tagger.errors import shown
from tagger.imaging.formats import BROWSER_FORMATS
from tagger.records import ImageSnapshot
from tagger.web import opening, pictures, runtime, turns
from tagger.web.opening import NoPicture
from tagger.web.problems import problem_response
from tagger.web.ranges import RangedFile
from tagger.web.runtime import Runtime

FOR_EVER = "private, max-age=31536000, immutable"
NOT_KEPT = "no-store"

_MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "HEIC": "image/heic",
    "TIFF": "image/tiff",
}
# Whatever the bytes are, the browser neither guesses their type nor runs anything.
_INERT = {
    "cache-control": "private, no-cache",
    "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'self'",
}


def make() -> Starlette:
    """The thumbnails as an application of their own, mounted at `/thumbnails`."""
    return Starlette(
        routes=[Route("/{image_id:int}.jpg", thumbnail)],
        exception_handlers={HTTPException: _problem},
    )


async def _problem(request: Request, error: Exception) -> Response:
    http = cast(HTTPException, error)
    said = f"There is no thumbnail at {request.url.path}."
    if http.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        said = http.detail
    return problem_response(http.status_code, said, dict(http.headers or {}))


def _stored(
    opened: Runtime, image_id: int
) -> tuple[ImageSnapshot | None, bytes | None]:
    """A photo, and its thumbnail if that is there."""
    image = pictures.find(opened, image_id)
    return image, pictures.stored(opened, image) if image else None


async def thumbnail(request: Request) -> Response:
    """`/thumbnails/{image_id}.jpg?v=V`"""
    opened = runtime.current()
    image, jpeg = await run_in_threadpool(
        _stored, opened, request.path_params["image_id"]
    )
    if image is None:
        return problem_response(HTTPStatus.NOT_FOUND, "There is no such photo.")
    try:
        if jpeg is None:
            async with turns.DECODING.turn(turns.who(request.scope)):
                jpeg = await turns.apart(partial(pictures.thumbnail, opened, image))
    except NoPicture as error:
        return problem_response(HTTPStatus.NOT_FOUND, str(error))
    is_current = request.query_params.get("v") == pictures.version_of(image)
    caching = {"cache-control": FOR_EVER if is_current else NOT_KEPT}
    return Response(jpeg, media_type="image/jpeg", headers=caching)


class OpenFileResponse(RangedFile):
    """What was opened is what is sent, and then it is closed."""

    def __init__(
        self, file: BinaryIO, *, media_type: str, filename: str, disposition: str
    ) -> None:
        self._file = file
        super().__init__(
            opening.path_of(file),
            media_type=media_type,
            filename=filename,
            stat_result=os.fstat(file.fileno()),
            content_disposition_type=disposition,
            headers=_INERT,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)


def original(opened: Runtime, image: ImageSnapshot) -> Response:
    """The file itself, as a download; answers ranges. Raises `NoPicture`."""
    return _file(opened, image, "attachment")


def _file(opened: Runtime, image: ImageSnapshot, disposition: str) -> Response:
    return OpenFileResponse(
        opening.photo(opened, image),
        media_type=_media_type(image),
        filename=_file_name(image),
        disposition=disposition,
    )


async def for_browser(opened: Runtime, image: ImageSnapshot, key: str) -> Response:
    """The whole picture in a format every browser shows. Raises `NoPicture`.

    Who has `key` takes a turn for it, if it has to be made.
    """
    if image.facts is not None and image.facts.format in BROWSER_FORMATS:
        return await run_in_threadpool(_file, opened, image, "inline")
    async with turns.DECODING.turn(key):
        jpeg = await turns.apart(partial(pictures.browser_rendering, opened, image))
    return Response(jpeg, media_type="image/jpeg", headers=_INERT)


def _media_type(image: ImageSnapshot) -> str:
    format = image.facts.format if image.facts is not None else ""
    return _MEDIA_TYPES.get(format, "application/octet-stream")


def _file_name(image: ImageSnapshot) -> str:
    """The name as people read it: it goes into a header, so it must be UTF-8."""
    return shown(image.path.rsplit(b"/", 1)[-1])
