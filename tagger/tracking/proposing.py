"""Proposing: a photo gets an answer at once, or is to wait for a person with it.

An answer that waits is not the photo's: its words come from `files.result_id` alone, so
nothing that reads, writes, checks or undoes words can meet one that nobody accepted.
Which folder's setting holds goes by path, innermost first, so that a new one holds
before the next scan; and an answer that waits goes on waiting, wherever the photo is
moved and whatever its folder is set to, until a person decides, or a newer one comes.
"""

import os
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, select, update

from tagger.records import ImageState
from tagger.tracking import changes, saying
from tagger.tracking.places import is_within
from tagger.tracking.schema import files, folders, own_tags, person_tags

# What a photo stands as once nothing is left to be done for it.
STANDS_AS: ColumnElement[str] = case(
    (files.c.proposed_result_id.is_not(None), ImageState.REVIEW.value),
    else_=ImageState.TAGGED.value,
)
# Photos for which nothing is to be done, but for a person's decision perhaps.
THROUGH = (ImageState.TAGGED.value, ImageState.REVIEW.value)


def take(connection: Connection, file_id: int, result_id: int) -> int | None:
    """Let a photo have an answer, or wait with it; the one it has then.

    One whose words were undone, or that was rejected, is not taken unasked.
    """
    file = connection.execute(select(files).where(files.c.id == file_id)).one()
    if result_id in (file.undone_result_id, file.proposed_result_id):
        return _id(file.result_id)
    if result_id != file.result_id and is_reviewed(connection, file):
        if file.result_id is None and file.written_at is None:
            _keep_what_came(connection, file_id)
        _note(connection, file_id, proposed_result_id=result_id)
        return _id(file.result_id)
    _note(connection, file_id, result_id=result_id, proposed_result_id=None)
    return result_id


def _keep_what_came(connection: Connection, file_id: int) -> None:
    """Words of ours that a file brought along, of another picture, become a person's.

    An answer would take their place; while it waits nothing would, and they would be
    taken out unseen. Rather the person's than lost.
    """
    refused = select(person_tags.c.tag_id).where(
        person_tags.c.file_id == file_id, person_tags.c.kept.is_(False)
    )
    came = select(own_tags.c.name).where(
        own_tags.c.file_id == file_id, own_tags.c.tag_id.not_in(refused)
    )
    saying.say(connection, file_id, connection.scalars(came).all(), kept=True)


def _id(result_id: Any) -> int | None:
    return None if result_id is None else int(result_id)


def _note(connection: Connection, file_id: int, **values: object) -> None:
    connection.execute(update(files).where(files.c.id == file_id).values(**values))
    changes.record(connection, changes.IMAGE, [file_id])


def is_reviewed(connection: Connection, file: Row[Any]) -> bool:
    """Whether answers for this photo wait for a person."""
    known = _folders(connection)
    if not any(folder.review for folder in known):
        return False
    around = innermost(known, file.path)
    if around is not None:
        return bool(around.review)
    # A link in its folder leads elsewhere.
    return any(folder.review for folder in known if folder.id == file.folder_id)


def is_within_reviewed(connection: Connection, path: bytes) -> bool:
    """Whether a new folder at this path lies in one whose answers wait."""
    around = innermost(_folders(connection), path)
    return around is not None and bool(around.review)


def innermost(known: Sequence[Row[Any]], path: bytes) -> Row[Any] | None:
    """The innermost folder around a path; one without subfolders has its files only."""
    around = [
        folder
        for folder in known
        if folder.path != path
        and is_within(path, folder.path)
        and (folder.recursive or os.path.dirname(path) == folder.path)
    ]
    return max(around, key=lambda folder: len(folder.path), default=None)


def _folders(connection: Connection) -> Sequence[Row[Any]]:
    query: Select[Any] = select(
        folders.c.id, folders.c.path, folders.c.recursive, folders.c.review
    ).where(folders.c.removed_at.is_(None))
    return connection.execute(query).all()
