"""API: health, the tagger's status, failed jobs, rebuild."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from http import HTTPStatus
from queue import SimpleQueue

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

import tagger
from tagger.tracking import reasons
from tagger.web import appfile, rebuild, runtime
from tagger.web.api.models import Count, Health, RetryIn, StatusOut
from tagger.web.guard import is_trusted
from tagger.web.runtime import Runtime

router = APIRouter(tags=["service"])
log = logging.getLogger(__name__)


@router.get("/health")
def health(nonce: str | None = Query(None, max_length=100)) -> Health:
    """The app answers; with a nonce it proves which app it is."""
    secret = runtime.secret()
    known = nonce is not None and secret is not None
    return Health(
        version=tagger.__version__,
        proof=appfile.proof(secret or "", nonce or "") if known else None,
    )


@router.get("/status")
def read_status() -> StatusOut:
    """Where the tagger and its queue stand."""
    opened = runtime.current()
    return StatusOut.model_validate(
        {**asdict(opened.status()), "notices": list(opened.notices)}
    )


@router.post("/jobs/retry")
def retry(wanted: RetryIn | None = None) -> Count:
    """Queue failed photos again: those named, or all."""
    ids = wanted.image_ids if wanted is not None else None
    return Count(count=reasons.retry(runtime.current().db, ids=ids))


@router.post(
    "/rebuild",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {}}}},
)
def start_rebuild(request: Request) -> StreamingResponse:
    """Make catalogue, index and thumbnails anew; answers lines of JSON as it goes.

    Only for clients that show the secret of `data/app.json`.
    """
    if not is_trusted(request.scope):
        raise HTTPException(
            HTTPStatus.FORBIDDEN, "Use `python -m tagger rebuild` for this."
        )
    lines = _rebuild_lines(runtime.current())
    return StreamingResponse(lines, media_type="application/x-ndjson")


def _rebuild_lines(opened: Runtime) -> Iterator[str]:
    said: SimpleQueue[str | None] = SimpleQueue()

    def report(done: int, total: int) -> None:
        said.put(json.dumps({"done": done, "total": total}) + "\n")

    with ThreadPoolExecutor(1, thread_name_prefix="rebuild") as pool:
        work = pool.submit(rebuild.everything, opened, report)
        work.add_done_callback(lambda _: said.put(None))
        while (line := said.get()) is not None:
            yield line
        if error := work.exception():
            log.error("rebuild failed", exc_info=error)
            yield json.dumps({"problem": str(error)}) + "\n"
        else:
            yield json.dumps({"message": "rebuilt"}) + "\n"
