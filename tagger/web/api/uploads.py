"""API: one uploaded picture, described and forgotten."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from tagger.web import runtime, tagone, turns

router = APIRouter(tags=["service"])


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
    """Have the picture in the body described. Neither it nor the answer is kept.

    Whoever sends slowly keeps nobody else from being answered: only what is here
    altogether waits for its turn to be described.
    """
    key, config = turns.who(request.scope), runtime.current().config
    async with (
        turns.RECEIVING.turn(key),
        _received(request) as file,
        turns.DESCRIBING.turn(key),
    ):
        ask = partial(tagone.answer, config, file, server=server)
        said = await turns.apart(ask)
    return AnswerOut.model_validate(asdict(said))


@asynccontextmanager
async def _received(request: Request) -> AsyncIterator[Path]:
    """The body as a file, which goes again. `limits` says how large it may be."""
    folder = runtime.current().config.data_dir
    handle, name = tempfile.mkstemp(prefix=".upload-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            async for piece in request.stream():
                file.write(piece)
            size_bytes = file.tell()
        if not size_bytes:
            raise HTTPException(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "Send the picture as the body, with Content-Type: image/jpeg or so.",
            )
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
