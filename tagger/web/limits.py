"""Limits: one pure-ASGI layer that bounds what a request may send, and for how long.

Bodies are counted as they come, announced or not, and refused with 413; one that stops
coming gets 408. A client that does not read its answer is given up after a while, which
ends whatever makes the answer. Websockets are not touched, and a stream that has
nothing to say (`/api/events`) waits as long as it likes: only sending is timed.

Of heads, uvicorn with h11 refuses more than 64 KiB with 400, and closes a connection
that idles for 5 s after an answer. A head that comes slowly, or never, has no limit
there: it costs a descriptor and 6 kB until the client goes, no thread and no turn. A
thousand of them once took all descriptors there were; see `promptness`.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import anyio
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tagger.web.problems import problem_response

MIB = 2**20
# A million ids of photos, the longest list that may be sent, are a third of this.
JSON_BYTES = 32 * MIB
# A table of a million photos and their tags; the command line takes larger ones.
SHEET_BYTES = 64 * MIB
# Larger than any camera's JPEG or RAW by far.
PICTURE_BYTES = 256 * MIB
_LARGER = {"/api/edits/import": SHEET_BYTES, "/api/tag": PICTURE_BYTES}
_ADVICE = {
    "/api/edits/import": "`python -m tagger tags import` takes larger tables.",
    "/api/tag": "Send the picture at a lower quality, or tag it from its folder.",
}
# Streamlit counts what its own pages upload, by server.maxUploadSize.
_COUNTED_THERE = "/_stcore/upload_file/"

PAUSE_S = 30.0  # between two pieces of a body
BODY_S = 900.0  # for a whole body
SEND_S = 60.0  # until a client takes a piece of its answer
# Whoever is still sending what is refused may miss the answer if hung up on at once.
LINGER_S = 2.0

log = logging.getLogger(__name__)


def most_bytes(path: str) -> int | None:
    """How many bytes a body sent to this path may have; None: not counted here."""
    if path.startswith(_COUNTED_THERE):
        return None
    return _LARGER.get(path, JSON_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long a client may take, in seconds."""

    pause_s: float = PAUSE_S
    body_s: float = BODY_S
    send_s: float = SEND_S


class NotRead(ConnectionAbortedError):
    """The client did not take its answer; there is nobody to send to any more."""


class Limits:
    """Around the whole app, so that nothing reads or sends but by these limits."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        most_bytes: Callable[[str], int | None] = most_bytes,
        times: Times | None = None,
    ) -> None:
        self.app = app
        self._most_bytes = most_bytes
        self._times = times or Times()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self._most_bytes(scope["path"])
        await _Exchange(scope, receive, send, most, self._times).run(self.app)


class _Exchange:
    """One request and its answer."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        most_bytes: int | None,
        times: Times,
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._most, self._times = most_bytes, times
        self._ends_at = time.monotonic() + times.body_s
        self._bytes, self._is_whole = 0, False
        self._started = self._given_up = False
        self._refusal: HTTPException | None = None

    async def run(self, app: ASGIApp) -> None:
        announced = Headers(scope=self._scope).get("content-length", "")
        if self._most and announced.isdecimal() and int(announced) > self._most:
            self._too_large(self._most)
        else:
            try:
                await app(self._scope, self.receive, self.send)
            except Exception:
                # What the app makes of being refused, or left, is no fault of its own.
                if not self._given_up and (self._refusal is None or self._started):
                    raise
        if self._refusal is not None and not self._started:
            await self._answer(self._refusal)

    async def receive(self) -> Message:
        """The next piece of the body. Raises `HTTPException` beyond the limits."""
        if self._refusal is not None:
            raise self._refusal
        if self._is_whole:
            return await self._receive()  # waits for the client to go: no hurry
        message: Message | None = None
        left_s = self._ends_at - time.monotonic()
        with anyio.move_on_after(min(self._times.pause_s, max(left_s, 0))):
            message = await self._receive()
        if message is None:
            raise self._too_slow()
        if message["type"] == "http.request":
            self._is_whole = not message.get("more_body", False)
            self._bytes += len(message.get("body", b""))
            if self._most is not None and self._bytes > self._most:
                raise self._too_large(self._most)
        return message

    async def send(self, message: Message) -> None:
        """Send a piece of the answer. Raises `NotRead` when nobody takes it."""
        if self._given_up:
            raise NotRead
        if self._refusal is not None and not self._started:
            return  # the app's own words for it: `_answer` has ours
        self._started = True
        with anyio.move_on_after(self._times.send_s):
            await self._send(message)
            return
        self._given_up = True
        log.info(
            "%s %s: the client did not read its answer for %g s and is given up",
            *(self._scope["method"], self._scope["path"], self._times.send_s),
        )
        raise NotRead

    def _too_large(self, most: int) -> HTTPException:
        self._refusal = HTTPException(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"{self._scope['path']} takes at most {most / MIB:g} MiB; this is more. "
            + _ADVICE.get(self._scope["path"], "Send it in several parts."),
        )
        return self._refusal

    def _too_slow(self) -> HTTPException:
        self._refusal = HTTPException(
            HTTPStatus.REQUEST_TIMEOUT,
            f"The body stopped coming: the next piece has to follow within "
            f"{self._times.pause_s:g} s, and all of it within {self._times.body_s:g} "
            "s. Send it again.",
        )
        return self._refusal

    async def _answer(self, refusal: HTTPException) -> None:
        headers = {"connection": "close"}
        response = problem_response(refusal.status_code, refusal.detail, headers)
        self._started = True
        start: dict[str, Any] = {"status": response.status_code}
        start["headers"] = response.raw_headers
        await self._send({"type": "http.response.start", **start})
        await self._body(bytes(response.body), more_body=True)
        if refusal.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            await self._let_it_finish()
        await self._body(b"", more_body=False)

    async def _body(self, body: bytes, *, more_body: bool) -> None:
        await self._send(
            {"type": "http.response.body", "body": body, "more_body": more_body}
        )

    async def _let_it_finish(self) -> None:
        with anyio.move_on_after(LINGER_S):
            while (await self._receive()).get("more_body", False):
                pass
