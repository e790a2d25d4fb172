"""Undo photo: an edit of one photo is undone by one that says what was said before.

Only what the edit changed is put back, and only if nothing was said of it since. A word
of the person's that the edit took out of the file is said by the person then, so that
it is written there again. What is taken back is an edit, too, and can be taken back.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from tagger.errors import UsageError
from tagger.records import utc_now
from tagger.tracking import beforehand, desired, edits, saying, tagnames
from tagger.tracking import conflicts as disputes
from tagger.tracking.beforehand import Said
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.schema import edits as edit_table
from tagger.tracking.schema import files, person_tags

KIND = "take back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The last edit of one photo alone."""

    id: int
    kind: str
    created_at: str

    @property
    def brings_back(self) -> bool:
        """Whether it took an edit back, so that taking it back does that one again."""
        return self.kind == KIND


def last(db: Database, file_id: int) -> Last | None:
    """The last edit of this photo that can be taken back, if there was any."""
    with db.read() as connection:
        row = connection.execute(
            select(edit_table)
            .where(edit_table.c.file_id == file_id)
            .order_by(edit_table.c.id.desc())
            .limit(1)
        ).first()
        if row is None or not _changed(row.was, row.left):
            return None
        if _why_not(connection, beforehand.read(row.was), beforehand.read(row.left)):
            return None
    return Last(id=row.id, kind=row.kind, created_at=row.created_at)


def _changed(was: dict[str, object], left: dict[str, object]) -> bool:
    return beforehand.read(was) != beforehand.read(left)


def undo(connection: Connection, edit: Row[Any], *, dry_run: bool) -> Edit:
    """Undo an edit of one photo. Raises `UsageError` if that cannot be, saying why."""
    was, left = beforehand.read(edit.was), beforehand.read(edit.left)
    if why := _why_not(connection, was, left):
        raise UsageError(why)
    if dry_run:
        return edits.asked(connection, KIND, [edit.file_id])
    now = beforehand.now(connection, edit.file_id)
    _put_back(connection, was, left)
    return edits.made(connection, KIND, {"edit": edit.id}, [edit.file_id], was=now)


def _why_not(connection: Connection, was: Said, left: Said) -> str | None:
    """Why an edit cannot be taken back, if so."""
    if what := _spoken_since(was, left, beforehand.now(connection, was.file_id)):
        return f"{what} of this photo was changed again since; undo that first"
    query = select(files.c.own_description).where(files.c.id == was.file_id)
    written = connection.execute(query).scalar_one()
    is_about_it = was.wish != left.wish or was.answer != left.answer
    if is_about_it and was.description is None and written is not None:
        return (
            "there was no description before, and no edit takes one out of a file; "
            "`python -m tagger undo` with the photo's path does"
        )
    return None


def _spoken_since(was: Said, left: Said, now: Said) -> str | None:
    """What of that which an edit changed was changed once more, if anything."""
    for key in _keys(was, left):
        if now.tags.get(key) != left.tags.get(key):
            return f"the tag {(now.tags.get(key) or left.tags[key])[0]}"
    if was.wish != left.wish and now.wish != left.wish:
        return "the description"
    if was.answers != left.answers and now.answers != left.answers:
        return "the answer in use"
    return None


def _keys(was: Said, left: Said) -> list[str]:
    """The tags of which an edit said something new."""
    every = sorted({*was.tags, *left.tags})
    return [key for key in every if was.tags.get(key) != left.tags.get(key)]


def _put_back(connection: Connection, was: Said, left: Said) -> None:
    file_id = was.file_id
    if was.answers != left.answers:
        result_id, undone_id = was.answer
        _note(
            connection,
            file_id,
            result_id=result_id,
            undone_result_id=undone_id,
            proposed_result_id=was.proposed,
        )
    for key in _keys(was, left):
        _say_again(connection, was, left, key)
    if was.wish != left.wish:
        _wish_again(connection, was)
        disputes.resolve(connection, file_id)


def _say_again(connection: Connection, was: Said, left: Said, key: str) -> None:
    name = (was.tags.get(key) or left.tags[key])[0]
    tag_id = tagnames.ids(connection, [name])[key]
    mine = person_tags.c.file_id == was.file_id, person_tags.c.tag_id == tag_id
    if key not in was.tags:
        connection.execute(delete(person_tags).where(*mine))
        # It may have stood in the file, and be out of it by now.
        if (
            key in was.stood
            and key not in beforehand.now(connection, was.file_id).stood
        ):
            saying.say(connection, was.file_id, [was.stood[key]], kept=True)
        return
    _, kept, instead = was.tags[key]
    values = {"name": name, "kept": kept, "at": utc_now(), "instead": instead}
    connection.execute(
        insert(person_tags)
        .values(file_id=was.file_id, tag_id=tag_id, **values)
        .on_conflict_do_update(index_elements=["file_id", "tag_id"], set_=values)
    )


def _wish_again(connection: Connection, was: Said) -> None:
    _note(
        connection,
        was.file_id,
        person_description=was.person_description,
        description_removed=was.description_removed,
    )
    now = beforehand.now(connection, was.file_id)
    if was.by == desired.FROM_FILE and not desired.same(
        now.description, was.description
    ):
        _note(connection, was.file_id, person_description=was.description)


def _note(connection: Connection, file_id: int, **values: object) -> None:
    connection.execute(update(files).where(files.c.id == file_id).values(**values))
