"""Signing in and out: two plain pages of our own, before anything else is shown.

They need no script and no session. A wrong name takes as long as a wrong password and
is told alike; few passwords are compared at a time, because each takes 64 MiB.
"""

import base64
import hashlib
import html
import logging
from functools import cache
from http import HTTPStatus
from importlib import resources
from string import Template
from urllib.parse import parse_qs

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from tagger import acting, passwords
from tagger.acting import Person, Role
from tagger.texts import holdable
from tagger.tracking import audit, signins, users
from tagger.tracking.users import User
from tagger.web import account, origin, runtime
from tagger.web.guard import COOKIE, ELSEWHERE, SIGN_OUT
from tagger.web.refusals import SIGN_IN
from tagger.web.runtime import Runtime
from tagger.web.tries import Tries

LONGEST_FORM = 8 * 1024
WRONG = "That is not a name and its password."

_comparing = anyio.CapacityLimiter(2)
_tries = Tries()
log = logging.getLogger(__name__)


def forget_tries() -> None:
    """Forget who gave wrong passwords, as a restart does."""
    _tries.forget()


def routes() -> list[BaseRoute]:
    """The pages, which stand beside Streamlit's own."""
    return [
        Route(SIGN_IN, show, methods=["GET"]),
        Route(SIGN_IN, sign_in, methods=["POST"]),
        Route(ELSEWHERE, go_elsewhere, methods=["GET"]),
        Route(SIGN_OUT, ask_to_leave, methods=["GET"]),
        Route(SIGN_OUT, sign_out, methods=["POST"]),
    ]


def show(request: Request) -> Response:
    """The form; where nobody has to sign in, straight on."""
    opened = runtime.current()
    wanted = _wanted(request.query_params.get("next"))
    is_needed = opened.people.are_any() or opened.config.auth.mode in ("proxy", "oidc")
    if not is_needed or acting.person() is not None:
        return RedirectResponse(wanted, status_code=HTTPStatus.SEE_OTHER)
    return _page("Sign in", _form(wanted, opened))


async def sign_in(request: Request) -> Response:
    """Let in whoever knows the password of a user."""
    opened = runtime.current()
    form = await _received(request)
    if form is None:
        return _page("Sign in", _form("/", opened), WRONG, status=413)
    # Longer ones, and what no database holds, are nobody's name.
    name = holdable(form.get("name", ""))[: users.LONGEST_NAME]
    wanted = _wanted(form.get("next"))
    address = _address(request, opened)
    if wait_s := _tries.begin(address, users.key_of(name)):
        return _too_many(opened, wanted, wait_s)
    async with _comparing:
        user = await run_in_threadpool(
            account.who, opened.db, name, form.get("password", "")
        )
    if user is None:
        await run_in_threadpool(_note, opened, name, "failed", address)
        form_again = _form(wanted, opened, name)
        return _page("Sign in", form_again, WRONG, status=HTTPStatus.UNAUTHORIZED)
    _tries.forgive(address, users.key_of(name))
    return await run_in_threadpool(_let_in, request, opened, user, wanted)


def _too_many(opened: Runtime, wanted: str, wait_s: float) -> Response:
    minutes = int(wait_s // 60) + 1
    response = _page(
        "Sign in",
        _form(wanted, opened),
        f"Too many wrong passwords. Try again in {minutes} min.",
        status=HTTPStatus.TOO_MANY_REQUESTS,
    )
    response.headers["retry-after"] = str(int(wait_s) + 1)
    return response


def go_elsewhere(request: Request) -> Response:
    """On to the other provider, by an address that is good for a while only."""
    there = runtime.current().provider_url
    target = SIGN_IN if there is None else there()
    return RedirectResponse(target, status_code=HTTPStatus.SEE_OTHER)


def ask_to_leave(request: Request) -> Response:
    """A page with a button: a mere link could sign out whoever follows it."""
    button = f'<form method="post" action="{SIGN_OUT}"><button>Sign out</button></form>'
    return _page("Sign out?", f'{button}<a class="button" href="/">Stay</a>')


def sign_out(request: Request) -> Response:
    """End the sign-in of this browser; its cookie is worth nothing from now on."""
    opened = runtime.current()
    shown = origin.cookie(request.headers, COOKIE)
    known = opened.people.by_cookie(shown) if shown else None
    if known is not None:
        person = opened.people.person(known, "screen")
        with acting.on_record():
            signins.end(opened.db, known.key)
            if person is not None:
                audit.note(opened.db, person, "signed out")
        opened.people.forget()
    target = opened.provider_end or SIGN_IN
    response = RedirectResponse(target, status_code=HTTPStatus.SEE_OTHER)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    # Nothing that was seen may be looked at by going back.
    response.headers["clear-site-data"] = '"cache"'
    return response


def _let_in(request: Request, opened: Runtime, user: User, wanted: str) -> Response:
    auth = opened.config.auth
    with acting.on_record():
        token = signins.begin(opened.db, user.id, hours=auth.session_hours)
        someone = Person(user.name, user.role, "screen")
        audit.note(opened.db, someone, "signed in", address=_address(request, opened))
    response = RedirectResponse(wanted, status_code=HTTPStatus.SEE_OTHER)
    response.set_cookie(
        COOKIE,
        opened.people.sealed(token),
        max_age=int(auth.session_hours * 3600),
        path="/",
        httponly=True,
        samesite="lax",
        secure=origin.is_https(request.scope, request.headers, auth.trusted_proxies),
    )
    response.headers["cache-control"] = "no-store"
    return response


def _note(opened: Runtime, name: str, outcome: str, address: str) -> None:
    log.warning("a sign-in from %s failed", address)
    someone = Person(name or "?", Role.VIEWER, "screen")
    with acting.on_record():
        audit.note(opened.db, someone, "signed in", outcome, address=address)


def _address(request: Request, opened: Runtime) -> str:
    trusted = opened.config.auth.trusted_proxies
    return origin.client_of(request.scope, request.headers, trusted)


async def _received(request: Request) -> dict[str, str] | None:
    """The form's fields; None if it is more than a form can be."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_FORM:
            return None
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items()}


def _wanted(path: str | None) -> str:
    """Where to go on: a page of this app, and never of another."""
    is_ours = path is not None and path.startswith("/") and path.isprintable()
    if not is_ours or path is None or path[1:2] in ("/", "\\") or "\\" in path:
        return "/"
    return "/" if path.startswith((SIGN_IN, SIGN_OUT)) else path


def _form(wanted: str, opened: Runtime, name: str = "") -> str:
    fields = f"""<form method="post" action="{SIGN_IN}">
<label>Name <input name="name" value="{html.escape(name)}" autocomplete="username"
 required autofocus maxlength="{users.LONGEST_NAME}"></label>
<label>Password <input name="password" type="password" required
 autocomplete="current-password" maxlength="{passwords.LONGEST}"></label>
<input type="hidden" name="next" value="{html.escape(wanted)}">
<button>Sign in</button></form>"""
    if opened.provider_url is None:
        return fields
    return f'{fields}<a class="button" href="{ELSEWHERE}">Sign in elsewhere</a>'


def _page(
    title: str, content: str, message: str = "", *, status: int = 200
) -> Response:
    told = f'<p role="alert">{html.escape(message)}</p>' if message else ""
    page = Template(_asset("signin.html")).substitute(
        title=title, style=_asset("signin.css"), message=told, content=content
    )
    headers = {"content-security-policy": _policy(), "cache-control": "no-store"}
    return HTMLResponse(page, status_code=status, headers=headers)


@cache
def _asset(name: str) -> str:
    return (resources.files("tagger.web") / "assets" / name).read_text("utf-8")


@cache
def _policy() -> str:
    """Nothing but this app's own pictures and font, and the style in the page."""
    digest = hashlib.sha256(_asset("signin.css").encode()).digest()
    style = base64.b64encode(digest).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; img-src 'self'; "
        "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
