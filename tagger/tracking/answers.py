"""Answers: all that models ever said of a photo's picture, and which one is in use.

To use another one is an edit: screens show its words at once, and the photo's file gets
them through the same writer as all words. A person's own words stay as they are. It
holds until a newer answer comes; those that there are already do not take its place, as
if they had been undone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from tagger.errors import UsageError
from tagger.records import ImageTag
from tagger.tracking import beforehand, choosing, desired, edits, results
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.schema import files, jobs
from tagger.tracking.schema import results as result_table

KIND = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAnswer:
    """One answer; its tags are what they count as now."""

    id: int
    backend: str
    model: str
    prompt_version: str
    server: str
    created_at: str
    seconds: float
    tokens_in: int | None
    tokens_out: int | None
    description: str
    text: str | None
    tags: tuple[ImageTag, ...]
    in_use: bool


def of(db: Database, file_id: int) -> tuple[PastAnswer, ...]:
    """The answers for a photo's picture, the newest first."""
    with db.read() as connection:
        file = _file(connection, file_id)
        rows = [] if file is None else _of_picture(connection, file)
        said = desired.answers(connection, [row.id for row in rows])
    in_use = _in_use(file) if file is not None else None
    return tuple(
        PastAnswer(
            tags=tuple(said[row.id].values()),
            in_use=row.id == in_use,
            **{name: getattr(row, name) for name in _COLUMNS},
        )
        for row in rows
    )


_COLUMNS = (
    *("id", "backend", "model", "prompt_version", "server", "created_at", "seconds"),
    *("tokens_in", "tokens_out", "description", "text"),
)


def use(db: Database, file_id: int, answer_id: int, *, dry_run: bool = False) -> Edit:
    """Let a photo have one of its answers; the one in use touches nothing.

    Raises `UsageError` if it is no answer for this picture, or if the photo is being
    asked about at this moment.
    """
    with db.write() as connection:
        file = _file(connection, file_id)
        if file is None or not any(
            row.id == answer_id for row in _of_picture(connection, file)
        ):
            raise UsageError(
                f"answer {answer_id} is none for the picture of this photo"
            )
        is_new = _in_use(file) != answer_id
        touched = list(
            connection.scalars(choosing.photos().where(files.c.id == file_id))
        )
        touched = touched if is_new else []
        if dry_run:
            return edits.asked(connection, KIND, touched)
        was = beforehand.of(connection, touched)
        if touched:
            _end_question(connection, file_id)
            _take(connection, file, answer_id)
        return edits.made(connection, KIND, {"answer": answer_id}, touched, was=was)


def _file(connection: Connection, file_id: int) -> Row[Any] | None:
    return connection.execute(select(files).where(files.c.id == file_id)).first()


def _in_use(file: Row[Any]) -> int | None:
    """The answer whose words the photo has; one that was undone is in no use."""
    return None if file.result_id == file.undone_result_id else file.result_id


def _of_picture(connection: Connection, file: Row[Any]) -> Sequence[Row[Any]]:
    mine = result_table.c.identity == file.identity
    if file.identity is None:
        mine = result_table.c.id == file.result_id
    return connection.execute(
        select(result_table)
        .where(or_(mine, result_table.c.id == file.result_id))
        .order_by(result_table.c.created_at.desc(), result_table.c.id.desc())
    ).all()


def _end_question(connection: Connection, file_id: int) -> None:
    """A newer answer that is still to come would take the place of the one chosen."""
    asked = jobs.c.file_id == file_id, jobs.c.ask_again
    held = select(jobs.c.id).where(*asked, jobs.c.token.is_not(None))
    if connection.execute(held).first() is not None:
        raise UsageError(
            "a model is being asked about this photo just now; choose once it has "
            "answered"
        )
    connection.execute(
        update(jobs).where(*asked).values(ask_again=False, asked_with=None)
    )


def _take(connection: Connection, file: Row[Any], answer_id: int) -> None:
    newest = results.newest(connection, file.identity)
    connection.execute(
        update(files)
        .where(files.c.id == file.id)
        .values(
            result_id=answer_id,
            proposed_result_id=None,  # whoever chooses has decided
            undone_result_id=None if newest == answer_id else newest,
        )
    )
