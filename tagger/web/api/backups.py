"""API: a backup put back while the app runs; for the command line only."""

from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from tagger.errors import UsageError
from tagger.web import backups, runtime
from tagger.web.api.fields import Flag
from tagger.web.guard import is_trusted

router = APIRouter(tags=["service"])


class RestoreIn(BaseModel):
    """A backup on this machine, by its whole path."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1, max_length=4096)
    with_settings: Flag = False


class RestoredOut(BaseModel):
    """What came back."""

    photos: int
    made_at: str
    with_settings: bool


@router.post("/restore")
def restore(request: Request, wanted: RestoreIn) -> RestoredOut:
    """Put a backup in the place of what is there; the tagger stands still meanwhile.

    Only for clients that show the secret of `data/app.json`.
    """
    if not is_trusted(request.scope):
        raise HTTPException(
            HTTPStatus.FORBIDDEN, "Use `python -m tagger restore FILE` for this."
        )
    if "\0" in wanted.path:
        raise UsageError("a path has no null bytes")
    opened = runtime.current()
    with opened.tagger_held():
        done = backups.restore(
            opened.config,
            opened.db,
            Path(wanted.path),
            with_settings=wanted.with_settings,
        )
        opened.renew()
    return RestoredOut(
        photos=done.photos, made_at=done.made_at, with_settings=done.with_settings
    )
