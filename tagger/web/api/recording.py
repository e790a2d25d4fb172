"""API: roles are asked, and what is changed is put down, at one place for all routes.

A dependency of every route knows which route was found; a layer around the application
knows what came of it. A route that is none of ours has no dependency, and so can write
nothing: what a person does off the record is refused by the database.
"""

import json
from dataclasses import dataclass
from typing import Any, cast

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tagger import acting
from tagger.acting import Person
from tagger.errors import UsageError
from tagger.web import acts, masking, runtime
from tagger.web.api import roles

_ENTRY = "tagger.entry"
TOO_DEEP = "the body has lists or objects in each other, more than can be read"

# What a change is called where its function's name alone says too little; as screens
# call it, too. All others are called as their functions.
_CALLED = {
    ("PATCH", "/folders/{folder_id}"): "change folder",
    ("DELETE", "/folders/{folder_id}"): "remove folder",
    ("POST", "/folders/{folder_id}/scan"): "scan folder",
    ("PUT", "/folders/{folder_id}/activate"): "activate folder",
    ("PUT", "/folders/{folder_id}/servers"): "bind folder",
    ("PUT", "/folders/{folder_id}/schedule"): "schedule folder",
    ("POST", "/queue/cancel"): "take out of queue",
    ("POST", "/queue/add"): "add to queue",
    ("POST", "/comparisons/{comparison_id}/cancel"): "cancel comparison",
    ("POST", "/comparisons/{comparison_id}/continue"): "continue comparison",
    ("DELETE", "/comparisons/{comparison_id}"): "remove comparison",
    ("PUT", "/searches"): "save search",
    ("POST", "/searches/rename"): "rename search",
    ("DELETE", "/searches"): "remove search",
    ("PUT", "/sql/saved"): "save question",
    ("DELETE", "/sql/saved"): "remove question",
}


@dataclass(slots=True)
class _Entry:
    """A change that is under way: its mark in the log, and what came of it."""

    mark: str | None = None
    outcome: str = acts.DONE
    status: int = 500


async def check(request: Request) -> None:
    """Let only those go on who have the role that the route takes."""
    route = cast(APIRoute, request.scope["route"])
    method = request.method
    acting.demand(roles.needed(method, route.path))
    if method in roles.READING or (method, route.path) in roles.QUESTIONS:
        return
    someone = acting.person()
    entry: _Entry | None = request.scope.get(_ENTRY)
    if someone is not None and entry is not None:
        detail = await _detail(request)
        what = _CALLED.get((method, route.path), route.name.replace("_", " "))
        entry.mark = await run_in_threadpool(_begin, someone, what, detail)
    acting.put_on_record()


def refused(request: Request, error: Exception) -> None:
    """Have the log say why nothing came of it."""
    entry: _Entry | None = request.scope.get(_ENTRY)
    if entry is not None:
        entry.outcome = f"{acts.REFUSED}: {error}"


class Recording:
    """ASGI layer around the API: closes the entry of a change when it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in roles.READING:
            await self.app(scope, receive, send)
            return
        entry = scope[_ENTRY] = _Entry()

        async def listening(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        try:
            with acting.off_record():
                await self.app(scope, receive, listening)
        finally:
            if entry.mark is not None:
                await run_in_threadpool(_close, entry.mark, _outcome(entry))


def _outcome(entry: _Entry) -> str:
    if entry.status < 400 or entry.outcome != acts.DONE:
        return entry.outcome
    return f"failed: status {entry.status}"


def _begin(someone: Person, what: str, detail: dict[str, Any]) -> str:
    return acts.begin(runtime.current().db, someone, what, detail)


def _close(mark: str, outcome: str) -> None:
    acts.close(runtime.current().db, mark, outcome)


async def _detail(request: Request) -> dict[str, Any]:
    """What was asked for: of the path, of the body, if one is taken, and of the query.

    Nothing that was only sent along goes before what the route goes by.
    """
    route = cast(APIRoute, request.scope["route"])
    detail: dict[str, Any] = dict(request.path_params)
    asked = [("query", dict(request.query_params))]
    if route.body_field is not None:
        asked.insert(0, ("body", await _body(request)))
    for part, values in asked:
        for key, value in values.items():
            detail[f"{key} ({part})" if key in detail else key] = value
    return detail


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = masking.masked(json.loads(await request.body() or b"null"))
    except ValueError:
        return {}
    except RecursionError as error:
        raise UsageError(TOO_DEEP) from error
    return body if isinstance(body, dict) else {}
