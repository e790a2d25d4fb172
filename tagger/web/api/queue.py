"""API: the queue, steered. Everything here holds until it is taken back."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http import HTTPStatus

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from tagger.errors import UsageError, shown
from tagger.tracking import (
    cancelling,
    controls,
    costs,
    folders,
    reasons,
    status,
    waiting,
)
from tagger.tracking.database import Database
from tagger.web import runtime, servers
from tagger.web.api.models import Count
from tagger.web.api.steering import (
    NextOut,
    NowIn,
    PlaceIn,
    PlaceOut,
    QueueOut,
    ReasonOut,
    RetryKindIn,
    SomeIn,
    SpentOut,
)

router = APIRouter(prefix="/queue", tags=["queue"])

_NEXT = 20


@router.get("")
def read_queue(next: int = Query(_NEXT, ge=0, le=500)) -> QueueOut:
    """The queue's state, what people want of it, and the photos that come next."""
    opened = runtime.current()
    db, schedule = opened.db, opened.config.schedule
    now, wanted = status.read(db), controls.read(db)
    newest_first = schedule.order == "newest"
    return QueueOut(
        state=now.state,
        message=now.message,
        paused_at=wanted.paused_at,
        first=shown(wanted.first) if wanted.first is not None else None,
        **schedule.model_dump(),
        waiting=now.queued,
        working=now.working,
        new=now.new,
        photos_a_minute=now.photos_a_minute,
        eta_s=now.eta_s,
        eta_basis=now.eta_basis,
        folders=[
            PlaceOut.model_validate({**asdict(place), "path": shown(place.path)})
            for place in waiting.by_folder(db)
        ],
        next=[
            NextOut.model_validate({**asdict(one), "path": shown(one.path)})
            for one in waiting.upcoming(db, limit=next, newest_first=newest_first)
        ],
    )


@router.post("/pause")
def pause() -> QueueOut:
    """Take nothing new; what is at the servers is finished."""
    with _changing() as db:
        controls.pause(db)
    return read_queue(_NEXT)


@router.post("/resume")
def resume() -> QueueOut:
    """Go on."""
    with _changing() as db:
        controls.resume(db)
    return read_queue(_NEXT)


@router.post("/cancel")
def cancel(which: SomeIn) -> Count:
    """Take waiting photos out of the queue; they stand as they were."""
    with _changing() as db:
        return Count(count=cancelling.cancel(db, _place(which)))


@router.post("/add")
def add(which: SomeIn) -> Count:
    """Put photos that are in no queue back into it."""
    with _changing() as db:
        return Count(count=cancelling.put_back(db, _place(which)))


@router.put("/first")
def put_first(where: PlaceIn) -> Count:
    """Let the photos of one place go first, now and later."""
    with _changing() as db:
        return Count(count=controls.put_first(db, _place(where)))


@router.delete("/first")
def put_none_first() -> Count:
    """Let no place go first any more."""
    with _changing() as db:
        return Count(count=controls.put_first(db, None))


@router.post("/now")
def want_now(which: NowIn) -> Count:
    """Let photos go ahead of everything, a pause included."""
    with _changing() as db:
        count = controls.want_now(
            db,
            which.image_ids,
            ask_again=which.ask_again,
            asked_with=servers.chosen(which.server) if which.server else None,
        )
        return Count(count=count)


@router.get("/reasons")
def list_reasons() -> list[ReasonOut]:
    """Why photos are not finished: one row a kind of reason, most photos first."""
    return [
        ReasonOut.model_validate({**asdict(group), "example": shown(group.example)})
        for group in reasons.groups(runtime.current().db)
    ]


@router.post("/retry")
def retry(wanted: RetryKindIn | None = None) -> Count:
    """Try again: the failed photos named, all of one kind of reason, or all failed."""
    wanted = wanted or RetryKindIn()
    with _changing() as db:
        return Count(count=reasons.retry(db, ids=wanted.image_ids, kind=wanted.kind))


@router.get("/costs")
def read_costs(hours: float = Query(24.0, gt=0, le=87_600)) -> list[SpentOut]:
    """The seconds and tokens that photos took lately, by server."""
    since_s = time.time() - hours * 3600
    return [
        SpentOut.model_validate(asdict(one))
        for one in costs.spent(runtime.current().db, since_s=since_s)
    ]


@contextmanager
def _changing() -> Iterator[Database]:
    """The tracking database, for a change that the next status shall tell of."""
    opened = runtime.current()
    yield opened.db
    opened.forget_status()


def _place(where: SomeIn | PlaceIn) -> bytes | None:
    """The path that is meant; None means everything. 404 for an unknown folder."""
    if where.folder_id is not None:
        try:
            return folders.get(runtime.current().db, where.folder_id).path
        except UsageError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from error
    if where.path is None:
        return None
    if not os.path.isabs(where.path):
        raise UsageError(f"{where.path} is not a whole path; it starts with /")
    return os.path.realpath(os.fsencode(where.path))
