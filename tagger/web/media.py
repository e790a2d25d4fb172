"""Media: thumbnails for every screen, and the original files.

A thumbnail's address carries a version made of the picture's identity and orientation.
Only when it is the present one may the browser keep the answer for ever; any other
address gets the present thumbnail too, but not to keep.
"""

import os
from http import HTTPStatus
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tagger.errors import shown
from tagger.imaging.formats import BROWSER_FORMATS
from tagger.records import ImageSnapshot
from tagger.web import pictures, runtime
from tagger.web.pictures import NoPicture
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
    status = cast(HTTPException, error).status_code
    return problem_response(status, f"There is no thumbnail at {request.url.path}.")


def thumbnail(request: Request) -> Response:
    """`/thumbnails/{image_id}.jpg?v=V`"""
    opened = runtime.current()
    image = pictures.find(opened, request.path_params["image_id"])
    if image is None:
        return problem_response(HTTPStatus.NOT_FOUND, "There is no such photo.")
    try:
        jpeg = pictures.thumbnail(opened, image)
    except NoPicture as error:
        return problem_response(HTTPStatus.NOT_FOUND, str(error))
    is_current = request.query_params.get("v") == pictures.version_of(image)
    caching = {"cache-control": FOR_EVER if is_current else NOT_KEPT}
    return Response(jpeg, media_type="image/jpeg", headers=caching)


def original(image: ImageSnapshot) -> Response:
    """The file itself, as a download; answers ranges. Raises `NoPicture`."""
    pictures.regular_file(image.path)
    return RangedFile(
        _text(image.path),
        media_type=_media_type(image),
        filename=_file_name(image),
        headers=_INERT,
    )


def for_browser(opened: Runtime, image: ImageSnapshot) -> Response:
    """The whole picture in a format every browser shows. Raises `NoPicture`."""
    pictures.regular_file(image.path)
    if image.facts is not None and image.facts.format in BROWSER_FORMATS:
        return RangedFile(
            _text(image.path),
            media_type=_media_type(image),
            filename=_file_name(image),
            content_disposition_type="inline",
            headers=_INERT,
        )
    jpeg = pictures.browser_rendering(opened, image)
    return Response(jpeg, media_type="image/jpeg", headers=_INERT)


def _media_type(image: ImageSnapshot) -> str:
    format = image.facts.format if image.facts is not None else ""
    return _MEDIA_TYPES.get(format, "application/octet-stream")


def _file_name(image: ImageSnapshot) -> str:
    """The name as people read it: it goes into a header, so it must be UTF-8."""
    return shown(image.path.rsplit(b"/", 1)[-1])


def _text(path: bytes) -> str:
    """The path as Starlette takes it; bytes that are not UTF-8 come back unharmed."""
    return os.fsdecode(path)
