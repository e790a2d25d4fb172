"""API: one uploaded picture, described and forgotten."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from tagger.web import runtime, tagone

router = APIRouter(tags=["service"])

# Larger than any camera's JPEG or RAW by far.
LARGEST_BYTES = 256 * 2**20
# So many are decoded and asked about at once; others wait for their turn.
AT_ONCE = 2

_turns = anyio.Semaphore(AT_ONCE)


class TagOut(BaseModel):
    """A tag; `score` is 0 to 1 where the model gives one."""

    name: str
    score: float | None


class AnswerOut(BaseModel):
    """What a model said of the picture, and what that took."""

    description: str
    tags: list[TagOut]
    text: str | None
    backend: str
    model: str
    server: str
    seconds: float
    tokens_in: int | None
    tokens_out: int | None


@router.post(
    "/tag",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in ("image/*", "application/octet-stream")
            },
        }
    },
)
async def tag_picture(
    request: Request,
    server: Annotated[str | None, Query(max_length=200)] = None,
) -> AnswerOut:
    """Have the picture in the body described. Neither it nor the answer is kept."""
    async with _turns, _received(request) as file:
        config = runtime.current().config
        said = await run_in_threadpool(tagone.answer, config, file, server=server)
    return AnswerOut.model_validate(asdict(said))


@asynccontextmanager
async def _received(request: Request) -> AsyncIterator[Path]:
    """The body as a file, which goes again."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > LARGEST_BYTES:
        raise _too_large()
    folder = runtime.current().config.data_dir
    handle, name = tempfile.mkstemp(prefix=".upload-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            size = 0
            async for piece in request.stream():
                size += len(piece)
                if size > LARGEST_BYTES:
                    raise _too_large()
                file.write(piece)
        if not size:
            raise HTTPException(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "Send the picture as the body, with Content-Type: image/jpeg or so.",
            )
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _too_large() -> HTTPException:
    return HTTPException(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"A picture may have {LARGEST_BYTES >> 20} MiB; this is more.",
    )
