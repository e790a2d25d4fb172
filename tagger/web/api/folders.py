"""API: the folders people added."""

import os
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.exceptions import HTTPException

from tagger.errors import UsageError, shown
from tagger.records import Folder, Watching
from tagger.tracking import bindings, folders, runs, schedules
from tagger.web import runtime
from tagger.web.api import shapes
from tagger.web.api.models import (
    ActiveIn,
    FolderIn,
    FolderOut,
    Message,
    ModeIn,
    ScheduleIn,
    ServersIn,
)
from tagger.web.pictures import LARGEST_ID
from tagger.web.runtime import Runtime

router = APIRouter(prefix="/folders", tags=["folders"])

AnId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


def _known(folder_id: int) -> tuple[Runtime, Folder]:
    """The runtime and the folder, or 404."""
    opened = runtime.current()
    try:
        return opened, folders.get(opened.db, folder_id)
    except UsageError as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from error


@router.get("")
def list_folders() -> list[FolderOut]:
    """Every folder, by path."""
    opened = runtime.current()
    watching = runs.watching(opened.db)
    return [
        _out(opened, folder, watching.get(folder.id))
        for folder in folders.every(opened.db)
    ]


def _out(
    opened: Runtime, folder: Folder, watching: Watching | None = None
) -> FolderOut:
    return shapes.folder(folder, opened.config.mirror_dir, watching)


@router.post("", status_code=HTTPStatus.CREATED)
def add_folder(wanted: FolderIn) -> FolderOut:
    """Add a folder; it is looked through at once."""
    opened = runtime.current()
    folder = folders.add(
        opened.db,
        os.fsencode(wanted.path),
        recursive=wanted.recursive,
        write_mode=wanted.write_mode or opened.config.metadata.write_mode,
        active=wanted.active,
        mirror=os.fsencode(wanted.mirror) if wanted.mirror else None,
        review=wanted.review,
        data_dir=opened.config.data_dir,
        roots=opened.config.library.roots,
    )
    return _out(opened, folder)


@router.post("/scan", status_code=HTTPStatus.ACCEPTED)
def scan_all() -> Message:
    """Have every active folder looked through soon."""
    folders.request_scan(runtime.current().db, None)
    return Message(message="Every active folder will be looked through.")


@router.post("/{folder_id}/scan", status_code=HTTPStatus.ACCEPTED)
def scan(folder_id: AnId) -> Message:
    """Have one folder looked through soon."""
    opened, folder = _known(folder_id)
    folders.request_scan(opened.db, folder_id)
    return Message(message=f"{shown(folder.path)} will be looked through.")


@router.put("/{folder_id}/activate")
def activate(folder_id: AnId, wanted: ActiveIn | None = None) -> FolderOut:
    """Watch the folder and work on its photos, or stop doing so."""
    opened, _ = _known(folder_id)
    active = wanted.active if wanted is not None else True
    folders.set_active(opened.db, folder_id, active)
    return _out(opened, folders.get(opened.db, folder_id))


@router.patch("/{folder_id}")
def change(folder_id: AnId, wanted: ModeIn) -> FolderOut:
    """Have words written elsewhere, or after review, from now on.

    What was written stays where it is, and what waits for review goes on waiting.
    """
    opened, _ = _known(folder_id)
    mirror = None if wanted.mirror is None else os.fsencode(wanted.mirror)
    if wanted.write_mode is not None:
        folders.set_write_mode(opened.db, folder_id, wanted.write_mode, mirror=mirror)
    if wanted.review is not None:
        folders.set_review(opened.db, folder_id, wanted.review)
    return _out(opened, folders.get(opened.db, folder_id))


@router.put("/{folder_id}/servers")
def bind(folder_id: AnId, wanted: ServersIn) -> FolderOut:
    """Let the folder's photos be sent to these model servers only, or to any."""
    opened, _ = _known(folder_id)
    names = wanted.servers
    if names is not None:
        names = opened.config.servers_called(names)
    bindings.bind(opened.db, folder_id, names)
    return _out(opened, folders.get(opened.db, folder_id))


@router.put("/{folder_id}/schedule")
def schedule(folder_id: AnId, wanted: ScheduleIn) -> FolderOut:
    """Give the folder hours and a pace of its own, or those of the settings again."""
    opened, _ = _known(folder_id)
    if "hours" in wanted.model_fields_set:
        schedules.set_hours(opened.db, folder_id, wanted.hours)
    if "scan_interval_min" in wanted.model_fields_set:
        schedules.set_scan_interval(opened.db, folder_id, wanted.scan_interval_min)
    return _out(opened, folders.get(opened.db, folder_id))


@router.delete("/{folder_id}")
def remove(folder_id: AnId) -> Message:
    """Take a folder out of the catalogue; no file is touched."""
    opened, folder = _known(folder_id)
    folders.remove(opened.db, folder_id)
    return Message(message=f"{shown(folder.path)} is no longer in the catalogue.")
