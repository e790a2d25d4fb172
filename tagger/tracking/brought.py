"""Brought: what the files of photos had to say of their words when they were looked at.

An import reports it. It is asked of the record, not counted on the way, so that it is
the same whoever looked: this import, one that was killed, or a tagger beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, or_, select

from tagger.records import ImageState, WriteMode
from tagger.tracking import tagnames
from tagger.tracking.database import Database
from tagger.tracking.schema import file_tags, files, person_tags, results


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What the file of one photo brought with it.

    `model` gave the answer whose words stand in the file; None if no answer's do.
    `has_words` says that a person's do. `is_read` is False while nobody has read them.
    """

    path: bytes
    state: ImageState
    reason: str | None
    model: str | None
    has_words: bool
    is_read: bool


def has_answer(db: Database, file_id: int) -> bool:
    """Whether the words of an answer stand in a photo's file or sidecar."""
    with db.read() as connection:
        return (
            connection.execute(
                select(files.c.written_result_id).where(files.c.id == file_id)
            ).scalar_one()
            is not None
        )


def by(db: Database, ids: Sequence[int]) -> list[Brought]:
    """What each of these photos brought, by path; one that is gone is left out."""
    found: list[Brought] = []
    with db.read() as connection:
        for chunk in tagnames.chunks(sorted(set(ids))):
            found += [_brought(row) for row in _rows(connection, chunk)]
    return sorted(found, key=lambda one: one.path)


def _rows(connection: Connection, ids: Sequence[int]) -> Sequence[Row[Any]]:
    return connection.execute(_photos().where(files.c.id.in_(ids))).all()


def _photos() -> Select[Any]:
    return (
        select(
            files.c.path,
            files.c.state,
            files.c.reason,
            results.c.model,
            files.c.words_at.is_not(None).label("is_read"),
            _has_words().label("has_words"),
        )
        .outerjoin(results, results.c.id == files.c.written_result_id)
        .where(files.c.missing_since.is_(None))
    )


def _has_words() -> ColumnElement[bool]:
    """Whether a person said a word of it: in the file, or in a program."""
    found = exists(select(file_tags.c.tag_id).where(file_tags.c.file_id == files.c.id))
    said = exists(
        select(person_tags.c.tag_id).where(
            person_tags.c.file_id == files.c.id, person_tags.c.kept
        )
    )
    return or_(
        found,
        said,
        files.c.found_description.is_not(None),
        files.c.person_description.is_not(None),
    )


def _brought(row: Row[Any]) -> Brought:
    return Brought(
        path=row.path,
        state=ImageState(row.state),
        reason=row.reason,
        model=row.model,
        has_words=row.has_words,
        is_read=row.is_read,
    )


def stands_beside(db: Database, folder_id: int) -> bool:
    """Whether answers stand in sidecars only, and in no photo of the folder."""
    with db.read() as connection:
        modes = set(
            connection.scalars(
                select(files.c.written_mode)
                .where(
                    files.c.folder_id == folder_id,
                    files.c.written_result_id.is_not(None),
                )
                .distinct()
            )
        )
    return modes == {WriteMode.SIDECAR.value}
