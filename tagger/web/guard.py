"""The guard: one pure-ASGI layer before pages, websocket, API, thumbnails, downloads.

It asks where a request comes from (`origin`), and who asks (`people`). Without users
only whoever sits at this machine is let in: the app listens on a loopback address, is
called by a loopback name, and nothing stands in between, so that a proxy in front never
makes everyone an admin. Once there is a user, whoever is let in has signed in, shows a
token, or is named by a proxy or provider that is trusted; or knows the secret of
`app.json`, as the command line does. What each role may do is asked further in, where
it is known what is to be done: `api/roles.py`, and `acts` for the screens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tagger import acting
from tagger.acting import Person, Role
from tagger.sections import Auth
from tagger.web import origin, people
from tagger.web.people import EVERYONE, HERE, Known, People
from tagger.web.refusals import (
    ADD_ADMIN,
    SECRET_IS_ANOTHER,
    SIGN_IN,
    SIGN_IN_FIRST,
    Refusal,
    refuse,
    unknown_host,
)

_T = TypeVar("_T")

SIGN_OUT = "/signout"
ELSEWHERE = "/signin/provider"
COOKIE = "image_tagger"
# What a screen's websocket brings along, so that a page can ask who has it open.
VISIT = "x-tagger-visit"
_TRUSTED = "tagger.trusted"
_KNOWN = "tagger.known"
# What anybody may see: that the app is there, and what the sign-in page is made of.
_PUBLIC = frozenset({SIGN_IN, SIGN_OUT, ELSEWHERE, "/api/health", "/_stcore/health"})
_PUBLIC_FILES = "/app/static/"
# Where Streamlit takes files that are uploaded on a screen.
_UPLOADS = "/_stcore/upload_file"
_FIGURES = "/_stcore/metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where this app is: on which address it listens, and what it is called."""

    host: str
    names: frozenset[str]


class Signing(Protocol):
    """Another provider that signs people in (auth.mode "oidc")."""

    @property
    def paths(self) -> tuple[str, ...]: ...
    @property
    def named(self) -> Callable[[Mapping[str, str], float], str | None]: ...


def is_trusted(scope: Scope) -> bool:
    """Whether the request showed the secret of `app.json`."""
    return bool(scope.get(_TRUSTED, False))


def known_as(scope: Scope) -> Known | None:
    """How whoever asks is known; None for what anybody may ask."""
    found: Known | None = scope.get(_KNOWN)
    return found


class Guard:
    """Let in who may come in, and have it known who they are."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        place: Place,
        auth: Callable[[], Auth],
        people: Callable[[], People | None],
        secret: Callable[[], str | None],
        provider: Signing | None = None,
    ) -> None:
        self.app = app
        self._place = place
        self._auth = auth
        self._people = people
        self._secret = secret
        self._provider = provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        _strip(scope)
        headers = Headers(scope=scope)
        found = await self._let_in(scope, headers)
        if isinstance(found, Refusal):
            await refuse(found, scope, headers, receive, send)
        elif scope["type"] == "http":
            with acting.as_person(found):
                await self.app(scope, receive, send)
        else:
            await self._screen(scope, receive, send)

    async def _screen(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page's websocket, for as long as whoever opened it is let in."""
        people, known = self._people(), known_as(scope)
        if people is None or known is None:
            await self.app(scope, receive, send)
            return
        visit = people.arrive(known)
        scope["headers"] = [*scope["headers"], (VISIT.encode(), visit.encode())]

        async def receive_while_let_in() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and (
                await _asked(people, people.person, known, "screen") is None
            ):
                await send({"type": "websocket.close", "code": 1008})
                return {"type": "websocket.disconnect", "code": 1008}
            return message

        try:
            await self.app(scope, receive_while_let_in, send)
        finally:
            people.leave(visit)

    async def _let_in(self, scope: Scope, headers: Headers) -> Person | Refusal | None:
        """Who asks; None for what anybody may ask; or why they are not let in."""
        host = origin.host_of(headers)
        people = self._people()
        is_shared = people is not None and await _asked(people, people.are_any)
        if host is None or not (host in self._names() or origin.is_address(host)):
            return unknown_host(is_shared)
        if self._knows_secret(headers):
            scope[_TRUSTED] = True
            return Person("command line", Role.ADMIN, "command line", is_here=True)
        if isinstance(known := self._known(scope, headers, is_shared), Refusal):
            return known
        person = await self._person(known, scope)
        if person is None and _bearer(headers) is not None:
            return Refusal(HTTPStatus.UNAUTHORIZED, SECRET_IS_ANOTHER)
        if (problem := _foreign(scope, headers, known)) is not None:
            return problem
        if person is None and not self._is_public(scope):
            return Refusal(HTTPStatus.UNAUTHORIZED, SIGN_IN_FIRST)
        scope[_KNOWN] = known if person is not None else None
        return person if person is None else _as_streamlit_may(scope, person)

    def _names(self) -> frozenset[str]:
        return self._place.names | frozenset(self._auth().hosts)

    def _known(
        self, scope: Scope, headers: Headers, is_shared: bool
    ) -> Known | Refusal | None:
        auth, people_ = self._auth(), self._people()
        if (token := _bearer(headers)) is not None:
            return people.by_token(token)
        if auth.mode == "proxy" and origin.is_from(scope, auth.trusted_proxies):
            names = origin.names_of(headers, auth.proxy_header)
            return Known("named", names[0]) if len(names) == 1 and names[0] else None
        if provider := self._signing(auth):
            cookies = HTTPConnection(scope).cookies
            if name := provider.named(cookies, auth.session_hours):
                return Known("named", name)
        if is_shared or auth.mode in ("proxy", "oidc"):
            shown = origin.cookie(headers, COOKIE)
            return people_.by_cookie(shown) if people_ and shown else None
        if auth.mode == "open":
            return EVERYONE
        return self._here(scope, headers)

    def _here(self, scope: Scope, headers: Headers) -> Known | Refusal:
        """Whoever sits at this machine, if nothing speaks against it."""
        if (
            origin.is_loopback(self._place.host)
            and origin.is_loopback(origin.host_of(headers) or "")
            and not origin.is_forwarded(headers)
            and origin.is_loopback(origin.peer_of(scope))
            # As some proxies ask that say nothing of themselves; no browser does.
            and scope.get("http_version") != "1.0"
        ):
            return HERE
        return Refusal(
            HTTPStatus.FORBIDDEN,
            "Only who sits at this machine is let in, by http://127.0.0.1 with the "
            f"port, as long as there are no users. To share it, run `{ADD_ADMIN}` "
            "there, and sign in.",
        )

    async def _person(self, known: Known | None, scope: Scope) -> Person | None:
        people = self._people()
        way = "screen" if scope["type"] == "websocket" else "api"
        if known is None:
            return None
        if people is None:  # no data folder is open: nobody can have been added
            return Person("this machine", Role.ADMIN, way, is_here=known == HERE)
        return await _asked(people, people.person, known, way)

    def _signing(self, auth: Auth) -> Signing | None:
        return self._provider if auth.mode == "oidc" else None

    def _is_public(self, scope: Scope) -> bool:
        path, provider = scope["path"], self._signing(self._auth())
        return scope["type"] == "http" and (
            path in _PUBLIC
            or (provider is not None and path in provider.paths)
            or (path.startswith(_PUBLIC_FILES) and scope["method"] in origin.READING)
        )

    def _knows_secret(self, headers: Headers) -> bool:
        secret, shown = self._secret(), _bearer(headers)
        return secret is not None and shown is not None and people.same(secret, shown)


async def _asked(people: People, ask: Callable[..., _T], *args: Any) -> _T:
    """What the database says; others are not held up while it is looked up."""
    if people.remembers(*args[:1]):
        return ask(*args)
    return await run_in_threadpool(ask, *args)


def _strip(scope: Scope) -> None:
    """Take out what only the guard itself may say."""
    scope["headers"] = [
        (name, value)
        for name, value in scope["headers"]
        if not name.lower().startswith(b"x-tagger-")
    ]


def _bearer(headers: Headers) -> str | None:
    scheme, _, shown = headers.get("authorization", "").partition(" ")
    return shown.strip() if scheme.lower() == "bearer" else None


def _foreign(scope: Scope, headers: Headers, known: Known | None) -> Refusal | None:
    """Why a request that a browser was made to send is not let in."""
    if scope["type"] == "http" and scope["method"] in origin.READING:
        return None
    if known is not None and known.kind == "token":
        return None  # no foreign page knows one
    if problem := origin.foreign(headers):
        return Refusal(HTTPStatus.FORBIDDEN, problem)
    if scope["type"] == "http" and origin.sends_other_than_json(scope, headers):
        return Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Send the body as JSON, with Content-Type: application/json.",
        )
    return None


def _as_streamlit_may(scope: Scope, person: Person) -> Person | Refusal:
    """Whoever asks Streamlit's own routes: uploads on screens change something, no
    others do, and its figures are for admins, as ours are."""
    path = scope["path"]
    if path != _FIGURES and (
        scope["type"] == "websocket" or scope["method"] in origin.READING
    ):
        return person
    if path.startswith("/api/") or path in _PUBLIC:
        return person
    needs = Role.EDITOR if path.startswith(_UPLOADS) else Role.ADMIN
    if person.role.includes(needs):
        return person
    return Refusal(HTTPStatus.FORBIDDEN, f"This needs the role {needs}.")
