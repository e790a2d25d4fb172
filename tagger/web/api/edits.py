"""API: a person's edits of descriptions and tags, and how far they are.

An edit is put down here and holds at once on every screen. The running tagger brings
the photos' files in line with it; `GET /edits/{id}` tells how far it is.
"""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException

from tagger.catalogue import questions
from tagger.tracking import edits, snapshots, underway, unediting
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.underway import Underway
from tagger.web import pictures, runtime
from tagger.web.api.edit_models import (
    EditOut,
    EditProgress,
    EditsQuery,
    HowQuery,
    ImageChange,
    Merge,
    TagName,
    TagsChange,
)
from tagger.web.pictures import LARGEST_ID
from tagger.web.runtime import Runtime

router = APIRouter(tags=["edits"])

AnId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
How = Annotated[HowQuery, Query()]


@router.patch("/images/{image_id}")
def change_image(image_id: AnId, wanted: ImageChange, how: How) -> EditOut:
    """Give one photo a description and tags, and take others from it."""
    opened = runtime.current()
    if pictures.find(opened, image_id) is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no photo {image_id}.")
    edit = edits.change(
        opened.db,
        ids=[image_id],
        add=wanted.add_tags,
        remove=wanted.remove_tags,
        description=wanted.description,
        dry_run=how.dry_run,
    )
    return out(edit)


@router.post("/edits/tags")
def change_tags(wanted: TagsChange, how: How) -> EditOut:
    """Add tags to many photos, and take others from them.

    Ids of photos that are not there any more are passed over.
    """
    opened = runtime.current()
    ids = wanted.image_ids
    if ids is None:
        ids = questions.found(opened.catalogue, wanted.query or "")
    edit = edits.change(
        opened.db, ids=ids, add=wanted.add, remove=wanted.remove, dry_run=how.dry_run
    )
    return out(edit)


@router.get("/edits")
def list_edits(asked: Annotated[EditsQuery, Query()]) -> list[EditProgress]:
    """The edits, the latest first."""
    listed = underway.listed(
        runtime.current().db,
        limit=asked.limit,
        before=asked.before,
        unfinished=asked.unfinished,
    )
    return [_progress(edit) for edit in listed]


@router.get("/edits/{edit_id}")
def read_edit(edit_id: AnId) -> EditProgress:
    """How far one edit is."""
    edit = underway.of(runtime.current().db, edit_id)
    if edit is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no edit {edit_id}.")
    return _progress(edit)


@router.post("/edits/{edit_id}/undo")
def undo_edit(edit_id: AnId, how: How) -> EditOut:
    """Take back an edit of tags, a ban, a synonym, or the last edit of one photo.

    What was said of a photo since then stays.
    """
    return out(unediting.undo(_db_of(edit_id), edit_id, dry_run=how.dry_run))


def _db_of(edit_id: int) -> Database:
    """The tracking database, if it has this edit."""
    db = runtime.current().db
    if underway.of(db, edit_id) is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no edit {edit_id}.")
    return db


@router.patch("/tags/{tag_id}")
def rename_tag(tag_id: AnId, wanted: TagName, how: How) -> EditOut:
    """Give a tag another name on every photo; that of another tag merges the two."""
    opened = runtime.current()
    [old] = _names(opened, [tag_id])
    return out(edits.replace(opened.db, [old], wanted.name, dry_run=how.dry_run))


@router.delete("/tags/{tag_id}")
def delete_tag(tag_id: AnId, how: How) -> EditOut:
    """Take a tag from every photo."""
    opened = runtime.current()
    names = _names(opened, [tag_id])
    return out(edits.replace(opened.db, names, None, dry_run=how.dry_run))


@router.post("/tags/merge")
def merge_tags(wanted: Merge, how: How) -> EditOut:
    """Make several tags one on every photo."""
    opened = runtime.current()
    into = wanted.into
    name = into if isinstance(into, str) else _names(opened, [into])[0]
    names = _names(opened, wanted.tags)
    return out(edits.replace(opened.db, names, name, dry_run=how.dry_run))


def out(edit: Edit) -> EditOut:
    """What an edit touches, as clients are told."""
    return EditOut(edit_id=edit.id, photos=edit.photos, files=edit.files)


def _progress(edit: Underway) -> EditProgress:
    return EditProgress.model_validate({**asdict(edit), "done": edit.done})


def _names(opened: Runtime, tag_ids: list[int]) -> list[str]:
    """The names of these tags, or 404."""
    known = snapshots.tag_names(opened.db, tag_ids)
    for tag_id in tag_ids:
        if tag_id not in known:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no tag {tag_id}.")
    return [known[tag_id] for tag_id in tag_ids]
