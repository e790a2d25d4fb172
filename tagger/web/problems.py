"""Errors as RFC 9457 problem details: a plain sentence with the right status."""

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

from tagger.errors import (
    ConfigError,
    DataError,
    ExiftoolUnavailable,
    Forbidden,
    ImageError,
    ModelUnavailable,
    TaggerError,
    UsageError,
)

MEDIA_TYPE = "application/problem+json"

_STATUS_OF: tuple[tuple[type[TaggerError], HTTPStatus], ...] = (
    (Forbidden, HTTPStatus.FORBIDDEN),
    (UsageError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ConfigError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ImageError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ModelUnavailable, HTTPStatus.BAD_GATEWAY),
    (DataError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ExiftoolUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)


class ProblemResponse(JSONResponse):
    """A JSON answer with the media type of problem details.

    What was asked for may stand in it, halves of characters among it: as JSON has them.
    """

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def problem_response(
    status: int,
    detail: str,
    headers: dict[str, str] | None = None,
    **more: str | int,
) -> ProblemResponse:
    """The answer to a request that cannot be served, saying why in one sentence.

    `more` are members besides those of RFC 9457.
    """
    status = HTTPStatus(status)
    body = {"title": status.phrase, "status": int(status), "detail": detail, **more}
    headers = {"cache-control": "no-store", **(headers or {})}
    return ProblemResponse(body, status_code=status, headers=headers)


def status_of(error: TaggerError) -> HTTPStatus:
    """The HTTP status that says who has to react to this error."""
    for kind, status in _STATUS_OF:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR
