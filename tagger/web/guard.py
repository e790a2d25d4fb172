"""The guard: one pure-ASGI layer before pages, websocket, API, thumbnails, downloads.

A page on the internet can make a browser talk to 127.0.0.1. It is kept out by three
checks: the Host must be a name of this app (DNS rebinding), whatever changes state or
opens the websocket must come from the app's own pages (Origin, Sec-Fetch-Site), and
API bodies must be JSON, which no foreign form can send. The command line shows the
secret of `app.json` instead of an Origin. Who is signed in will be asked here, too.
"""

import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tagger.web.problems import problem_response

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_WILDCARDS = frozenset({"", "0.0.0.0", "[::]"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:/@\[\]]+?)\.?(:[0-9]{1,5})?")
_TRUSTED = "tagger.trusted"
# Where pictures are sent to; no form can send one as that, nor as bytes.
_UPLOAD = "/api/tag"
_BYTES = "application/octet-stream"

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "content-security-policy": "frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not let in."""

    status: HTTPStatus
    detail: str


def host_names(*addresses: str | None) -> frozenset[str]:
    """The Host names of an app at these addresses, besides the loopback ones."""
    written = {f"[{name}]" if ":" in name else name for name in addresses if name}
    return LOOPBACK_NAMES | {name.lower() for name in written} - _WILDCARDS


def is_trusted(scope: Scope) -> bool:
    """Whether the request showed the secret of `app.json`."""
    return bool(scope.get(_TRUSTED, False))


class Guard:
    """Let in what comes from the app's own pages or knows the secret."""

    def __init__(
        self, app: ASGIApp, *, hosts: Iterable[str], secret: Callable[[], str | None]
    ) -> None:
        self.app = app
        self._hosts = frozenset(hosts)
        self._secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope[_TRUSTED] = self._knows_secret(headers)
        refusal = self._refusal(scope, headers)
        if scope["type"] == "http":
            send = _with_security_headers(send)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            response = problem_response(refusal.status, refusal.detail)
            await response(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    def _knows_secret(self, headers: Headers) -> bool:
        secret = self._secret()
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        return (
            secret is not None
            and scheme.lower() == "bearer"
            and hmac.compare_digest(shown.strip().encode(), secret.encode())
        )

    def _refusal(self, scope: Scope, headers: Headers) -> Refusal | None:
        if host_problem := self._host_problem(headers):
            return Refusal(HTTPStatus.FORBIDDEN, host_problem)
        if is_trusted(scope):
            return None
        if headers.get("authorization", "").lower().startswith("bearer "):
            return Refusal(
                HTTPStatus.UNAUTHORIZED,
                "The secret is not the one of this app; it changes with every start.",
            )
        if scope["type"] == "http" and scope["method"] in _READING:
            return None
        if origin_problem := _origin_problem(headers):
            return Refusal(HTTPStatus.FORBIDDEN, origin_problem)
        if scope["type"] == "http" and _sends_other_than_json(scope, headers):
            return Refusal(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "Send the body as JSON, with Content-Type: application/json.",
            )
        return None

    def _host_problem(self, headers: Headers) -> str | None:
        hosts = headers.getlist("host")
        match = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
        if match and match.group(1) in self._hosts:
            return None
        return (
            "This app does not answer to that host name. Use http://127.0.0.1 with "
            "its port, or set app.host to the name."
        )


def _origin_problem(headers: Headers) -> str | None:
    """Why a request that changes something does not come from the app's own pages."""
    origin = headers.get("origin")
    if origin is not None and not _same_origin(origin, headers["host"]):
        return "The request comes from a page of another origin."
    if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return "The request comes from a page of another site."
    return None


def _same_origin(origin: str, host: str) -> bool:
    scheme, separator, place = origin.lower().partition("://")
    default = {"http": ":80", "https": ":443"}.get(scheme)
    if not separator or default is None:
        return False
    return place.removesuffix(default) == host.lower().removesuffix(default)


def _sends_other_than_json(scope: Scope, headers: Headers) -> bool:
    """Whether an API request has a body that a foreign form could have made."""
    has_body = headers.get("content-length", "0") != "0" or (
        "transfer-encoding" in headers
    )
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_api = scope["path"].startswith("/api/")
    is_picture = media_type.startswith("image/") or media_type == _BYTES
    if scope["path"] == _UPLOAD and is_picture:
        return False
    return is_api and has_body and media_type != "application/json"


def _with_security_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
