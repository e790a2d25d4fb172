"""API: server-sent events: what happens, as it happens.

`results` names photos whose rows in the catalogue changed, so that whoever hears of
one finds it; its id is the number of the change, and a client that was cut off goes on
from there. `progress` is the status, whenever it is another one. A client costs no
thread: it is looked after between two pauses.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Header, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from tagger.tracking import changes
from tagger.web import runtime
from tagger.web.guard import known_as
from tagger.web.people import Known
from tagger.web.runtime import Runtime

router = APIRouter(tags=["service"])

PAUSE_S = 1.0
# A comment this often keeps proxies from closing a connection that has no news.
QUIET_PAUSES = 15
MOST_IDS = 500


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def events(
    request: Request,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> StreamingResponse:
    """New results and the tagger's progress, until the client goes.

    It ends as well when whoever asked is let in no more.
    """
    number = int(last_event_id) if last_event_id and last_event_id.isdecimal() else None
    return StreamingResponse(
        _told(number, known_as(request.scope)),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _told(number: int | None, known: Known | None) -> AsyncIterator[str]:
    status: dict[str, Any] | None = None
    quiet = 0
    while await run_in_threadpool(_is_let_in, known):
        now, reached, ids = await run_in_threadpool(_look, number)
        if ids:
            yield _event("results", {"image_ids": ids}, reached)
        if now != status:
            yield _event("progress", now, reached)
        quiet = 0 if ids or now != status else quiet + 1
        if quiet == QUIET_PAUSES:
            quiet = 0
            yield ": nothing new\n\n"
        status, number = now, reached
        if len(ids) < MOST_IDS:
            await anyio.sleep(PAUSE_S)


def _is_let_in(known: Known | None) -> bool:
    people = runtime.current().people
    return known is None or people.person(known, "api") is not None


def _look(number: int | None) -> tuple[dict[str, Any], int, list[int]]:
    """The status, how far the catalogue is told of, and the photos that are new."""
    opened = runtime.current()
    seen = opened.catalogue.seen() or 0
    known = seen if number is None else min(number, seen)
    told = _news(opened, known, seen)
    status = asdict(opened.status())
    # It grows with each sign of life, and would be news every second.
    del status["seen_at"]
    return status, told[0], told[1]


def _news(opened: Runtime, known: int, seen: int) -> tuple[int, list[int]]:
    if known == seen:
        return known, []
    some = [
        change
        for change in changes.after(opened.db, known, limit=MOST_IDS)
        if change.number <= seen
    ]
    until = some[-1].number if some else seen
    images = {change.subject_id for change in some if change.kind == changes.IMAGE}
    return until, sorted(images)


def _event(name: str, data: object, number: int) -> str:
    return f"event: {name}\nid: {number}\ndata: {json.dumps(data)}\n\n"
