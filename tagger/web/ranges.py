"""Ranges: a file as it is, whole or a part of it; a part there is not is a problem.

Starlette answers those in plain text, which no client of ours expects.
"""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from tagger.web.problems import problem_response

_REFUSED = {
    HTTPStatus.BAD_REQUEST: "The Range header cannot be read; one is bytes=0-499.",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: (
        "The file has no such part; Content-Range says how many bytes it has."
    ),
}


class RangedFile(FileResponse):
    """A file of which parts can be asked for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused: list[Message] = []

        async def unless_refused(message: Message) -> None:
            if message.get("status") in _REFUSED:
                refused.append(message)
            if not refused:
                await send(message)

        await super().__call__(scope, receive, unless_refused)
        for start in refused:
            there = Headers(raw=start["headers"]).get("content-range")
            headers = {} if there is None else {"content-range": there}
            status = HTTPStatus(start["status"])
            answer = problem_response(status, _REFUSED[status], headers)
            await answer(scope, receive, send)
