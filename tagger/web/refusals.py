"""Refusals: what whoever is not let in is told, and what helps them."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import Receive, Scope, Send

from tagger.web.problems import problem_response

SIGN_IN = "/signin"
ADD_ADMIN = "python -m tagger users add NAME --role admin"
# Below these nobody looks at pages.
_OTHER_FOLDERS = ("/api/", "/thumbnails/", "/_stcore/", "/media/", "/component/")

# Words, and no password, whatever the name looks like.
SECRET_IS_ANOTHER = (  # nosec B105
    "This is no token that is known, or it is over. A token is made with "
    "`python -m tagger users token NAME`; the secret of app.json changes with every "
    "start of the app."
)
SIGN_IN_FIRST = (
    "Sign in at /signin first, or show a token with `Authorization: Bearer TOKEN`."
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not let in."""

    status: HTTPStatus
    detail: str


def unknown_host(is_shared: bool) -> Refusal:
    """Why a Host that is none of this app's is refused."""
    named = "name it in auth.hosts of config.toml"
    if not is_shared:
        named = f"add an admin with `{ADD_ADMIN}` and {named}"
    return Refusal(
        HTTPStatus.FORBIDDEN,
        "This app does not answer to that host name. Use http://127.0.0.1 with its "
        f"port at this machine; to have it called by another name, {named}.",
    )


async def refuse(
    refusal: Refusal, scope: Scope, headers: Headers, receive: Receive, send: Send
) -> None:
    """Answer whoever is not let in; who opened a page is sent to sign in."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    unknown = refusal.status is HTTPStatus.UNAUTHORIZED
    if unknown and _is_page(scope, headers):
        query = scope["query_string"].decode("latin-1")
        wanted = quote(scope["path"] + (f"?{query}" if query else ""), safe="")
        redirect = RedirectResponse(f"{SIGN_IN}?next={wanted}", status_code=303)
        await redirect(scope, receive, send)
        return
    more = {"www-authenticate": 'Bearer realm="Image Tagger"'} if unknown else None
    response = problem_response(refusal.status, refusal.detail, more)
    await response(scope, receive, send)


def _is_page(scope: Scope, headers: Headers) -> bool:
    """Whether somebody opened a page, whom a sign-in page helps more than a refusal."""
    return (
        scope["method"] == "GET"
        and "text/html" in headers.get("accept", "")
        and not scope["path"].startswith(_OTHER_FOLDERS)
    )
