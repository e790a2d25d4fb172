"""Reviewing: answers that wait for a person, and what the person decides of them.

To accept an answer makes it the one in use; to correct it does that and puts down what
the person said otherwise, so that kept words are the model's and changed ones the
person's; to reject it leaves the photo as it is. Each decision is an edit: it holds at
once, and the photo's file follows by a job. A decision of one photo names the answer it
is about, so that nobody accepts another one than they saw.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    select,
    update,
)

from tagger.errors import UsageError
from tagger.records import ImageTag
from tagger.tracking import (
    beforehand,
    choosing,
    desired,
    edits,
    tagnames,
    undoables,
    undoreview,
)
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.queueing import set_all
from tagger.tracking.schema import files, folders, jobs, results

KIND = "review"


class Decision(StrEnum):
    """What a person decides of an answer."""

    ACCEPT = "accept"
    CORRECT = "correct"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of a photo, with who said each."""

    tags: tuple[ImageTag, ...]
    description: str | None
    description_source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A photo whose answer waits: its words `now`, and those it has `then`, accepted.

    `said` is the model's description, used or not, and `text` is writing that it saw in
    the picture.
    """

    file_id: int
    answer_id: int
    path: bytes
    folder_id: int
    identity: str | None
    orientation: int | None
    width_px: int | None
    height_px: int | None
    model: str
    answered_at: str
    said: str
    text: str | None
    now: Words
    then: Words


def waits() -> ColumnElement[bool]:
    """Whether an answer for a photo waits, and the photo is there to be looked at."""
    return and_(
        files.c.proposed_result_id.is_not(None),
        files.c.missing_since.is_(None),
        folders.c.removed_at.is_(None),
    )


def waiting(db: Database, places: Sequence[bytes] = ()) -> list[int]:
    """The photos that wait, at or below these places or all, in order of path."""
    query = select(files.c.id).join(folders).where(waits()).order_by(files.c.path)
    if places:
        query = query.where(choosing.at(places))
    with db.read() as connection:
        return list(connection.scalars(query))


def count_in(db: Database, folder_id: int) -> int:
    """How many photos of a folder wait."""
    query = select(files.c.id).join(folders).where(waits())
    with db.read() as connection:
        found = connection.execute(query.where(files.c.folder_id == folder_id))
        return len(found.all())


def proposals(db: Database, ids: Sequence[int]) -> list[Proposal]:
    """What waits for these photos, in this order; those that do not wait are absent."""
    found: dict[int, Proposal] = {}
    with db.read() as connection:
        for chunk in tagnames.chunks(sorted(set(ids))):
            now = _rows(connection, chunk, files.c.result_id)
            then = _rows(connection, chunk, files.c.proposed_result_id)
            for is_, will_be, was, state in zip(
                now,
                then,
                desired.states(connection, now),
                desired.states(connection, then),
                strict=True,
            ):
                found[is_.id] = _proposal(will_be, _words(was), _words(state))
    return [found[i] for i in ids if i in found]


def _rows(
    connection: Connection, ids: Sequence[int], answer: ColumnElement[Any]
) -> Sequence[Row[Any]]:
    """The photos that wait, as they stand with one of their two answers."""
    kept: list[Any] = [column for column in files.c if column.name != "result_id"]
    query: Select[Any] = (
        select(
            *kept,
            answer.label("result_id"),
            results.c.description,
            results.c.model,
            results.c.text,
            results.c.created_at.label("answered_at"),
        )
        .select_from(files.join(folders).outerjoin(results, results.c.id == answer))
        .where(files.c.id.in_(ids), waits())
        .order_by(files.c.id)
    )
    return connection.execute(query).all()


def _words(state: desired.State) -> Words:
    text, source = state.description
    return Words(tags=state.tags, description=text, description_source=source)


def _proposal(row: Row[Any], now: Words, then: Words) -> Proposal:
    return Proposal(
        file_id=row.id,
        answer_id=row.proposed_result_id,
        path=row.path,
        folder_id=row.folder_id,
        identity=row.identity,
        orientation=row.orientation,
        width_px=row.width_px,
        height_px=row.height_px,
        model=row.model,
        answered_at=row.answered_at,
        said=row.description,
        text=row.text,
        now=now,
        then=then,
    )


def decide_all(
    db: Database, ids: Sequence[int], decision: Decision, *, dry_run: bool = False
) -> Edit:
    """Accept or reject what waits for these photos, as one edit.

    Those that do not wait are passed over.
    """
    if decision is Decision.CORRECT:
        raise UsageError("an answer is corrected photo by photo")
    with db.write() as connection:
        query = choosing.photos().where(waits(), choosing.among(ids))
        touched = list(connection.scalars(query))
        if dry_run:
            return edits.asked(connection, KIND, touched)
        was = beforehand.of(connection, touched)
        before = undoreview.before_deciding(connection, touched)
        _settle(connection, touched, decision)
        detail = {"decision": str(decision)}
        edit = edits.made(connection, KIND, detail, touched, was=was)
        if was is None:
            undoables.keep(connection, edit.id, undoreview.left(connection, before))
        return edit


def decide(
    db: Database,
    file_id: int,
    answer_id: int,
    decision: Decision,
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    description: str | None = None,
    grace_s: float = 0.0,
    dry_run: bool = False,
) -> Edit:
    """Decide of the answer that waits for one photo.

    Only a correction has tags to add and to remove, and a description of the person's;
    without one the answer's is taken. The file is left alone for `grace_s` seconds, in
    which the decision can be taken back without a trace. Raises `UsageError` if another
    answer waits by now, or none.
    """
    if decision is not Decision.CORRECT and (add or remove or description is not None):
        raise UsageError("words are changed by `correct` only")
    add, remove, text = edits.checked(add, remove, description)
    with db.write() as connection:
        _check_waits(connection, file_id, answer_id)
        if dry_run:
            return edits.asked(connection, KIND, [file_id])
        was = beforehand.of(connection, [file_id])
        _settle(connection, [file_id], decision)
        _say(connection, file_id, add, remove, text)
        detail = {"decision": str(decision), "answer": answer_id}
        edit = edits.made(connection, KIND, detail, [file_id], was=was)
        if grace_s:
            _wait(connection, file_id, grace_s)
        return edit


def _check_waits(connection: Connection, file_id: int, answer_id: int) -> None:
    query = select(files.c.proposed_result_id).join(folders)
    proposed = connection.scalars(query.where(files.c.id == file_id, waits())).first()
    if proposed is None:
        raise UsageError(
            f"photo {file_id} does not wait for review: somebody has decided, or it is "
            "not there any more"
        )
    if proposed != answer_id:
        raise UsageError(
            f"another answer came in for photo {file_id} since you looked at it: look "
            "at that one"
        )


def _settle(connection: Connection, ids: Sequence[int], decision: Decision) -> None:
    """Take the answers that wait into use, or put them aside."""
    in_use, undone = files.c.result_id, files.c.undone_result_id
    proposed = files.c.proposed_result_id
    if decision is Decision.REJECT:
        # One that was undone must not come back because another one is put aside.
        values = {
            "result_id": case((in_use == undone, None), else_=in_use),
            "undone_result_id": proposed,
        }
    else:
        values = {
            "result_id": proposed,
            "undone_result_id": case((undone == proposed, None), else_=undone),
        }
    connection.execute(
        update(files)
        .where(choosing.among(ids), proposed.is_not(None))
        .values(proposed_result_id=None, **values)
    )


def _say(
    connection: Connection,
    file_id: int,
    add: Sequence[str],
    remove: Sequence[str],
    text: str | None,
) -> None:
    """Put down what the person says otherwise than the answer just accepted."""
    where = files.c.id == file_id
    for name in add:
        unsaid = choosing.unsaid(connection, name, where)
        edits.say(connection, unsaid, name, kept=True)
    for name in remove:
        having = choosing.having(connection, [name], where)
        edits.say(connection, having, name, kept=False)
    if text is not None:
        values = {"person_description": text, "description_removed": False}
        set_all(connection, [file_id], **values)
        edits.resolve(connection, [file_id])


def _wait(connection: Connection, file_id: int, grace_s: float) -> None:
    connection.execute(
        update(jobs)
        .where(jobs.c.file_id == file_id)
        .values(not_before=time.time() + grace_s)
    )
