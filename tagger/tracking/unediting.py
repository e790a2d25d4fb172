"""Unediting: an edit is taken back, whatever it was, as an edit of its own.

What somebody said of a photo since is left as it is: only where the edit's own word
stands yet is the one from before put in its place. Files follow as with any edit, also
those that were not written so far.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from tagger.errors import UsageError
from tagger.tracking import (
    choosing,
    edits,
    undoables,
    undophoto,
    undoreview,
    undotagging,
    vocabulary,
)
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.schema import edits as edit_table
from tagger.tracking.schema import person_tags

KIND = "undo"


def undo(db: Database, edit_id: int, *, dry_run: bool = False) -> Edit:
    """Take an edit back, or say what that would touch.

    Raises `UsageError` for one that cannot be, or was taken back already.
    """
    with db.write() as connection:
        edit = connection.execute(select(edit_table).filter_by(id=edit_id)).first()
        if edit is None:
            raise UsageError(f"there is no edit {edit_id}")
        if edit.file_id is not None:
            return undophoto.undo(connection, edit, dry_run=dry_run)
        before = _before(connection, edit_id)
        if undotagging.is_of_tagging(before):
            return _tagged(connection, edit_id, before, dry_run=dry_run)
        if undoreview.is_of_review(before):
            return _reviewed(connection, edit_id, before, dry_run=dry_run)
        if "at" in before:
            return _replaced(connection, edit_id, before, dry_run=dry_run)
    return _vocabulary(db, edit_id, before, dry_run=dry_run)


def can_undo(db: Database, edit_id: int) -> bool:
    """Whether an edit kept what was there before, and was not taken back so far."""
    with db.read() as connection:
        of = edit_table.c.id == edit_id
        if connection.scalar(select(edit_table.c.file_id).where(of)) is not None:
            return True
        known = undoables.read(connection, edit_id)
    return known is not None and known.undone_by is None


def _before(connection: Connection, edit_id: int) -> Mapping[str, Any]:
    """What was there before an edit that can be taken back now."""
    known = undoables.read(connection, edit_id)
    if known is None:
        raise UsageError(
            f"edit {edit_id} cannot be taken back: put its writes back with "
            "`python -m tagger undo`"
        )
    if known.undone_by is not None:
        raise UsageError(f"edit {edit_id} was taken back already")
    return known.before


def _tagged(
    connection: Connection, edit_id: int, before: Mapping[str, Any], *, dry_run: bool
) -> Edit:
    """Let tags that were added and taken away be said as they were."""
    ids = undotagging.restore(connection, before, dry_run=dry_run)
    detail = {"old": undotagging.names(before), "new": None}
    return _undone(connection, edit_id, ids, detail, dry_run=dry_run)


def _reviewed(
    connection: Connection, edit_id: int, before: Mapping[str, Any], *, dry_run: bool
) -> Edit:
    """Let answers wait again that were decided of together."""
    ids = undoreview.restore(connection, before, dry_run=dry_run)
    return _undone(connection, edit_id, ids, {}, dry_run=dry_run)


def _undone(
    connection: Connection,
    edit_id: int,
    ids: Sequence[int],
    detail: Mapping[str, object],
    *,
    dry_run: bool,
) -> Edit:
    """The edit that takes the other one back."""
    whole = {"undoes": edit_id, **detail}
    undone = edits.of_photos(connection, KIND, whole, ids, dry_run=dry_run)
    if not dry_run:
        undoables.close(connection, edit_id, undone.id)
    return undone


def _replaced(
    connection: Connection, edit_id: int, before: Mapping[str, Any], *, dry_run: bool
) -> Edit:
    """Let the old tags take the place of the new one again, where it stands yet."""
    new, at = before["new"], before["at"]
    old = {
        name: {
            whose: undoables.as_left(connection, name, ids, kept=False, at=at)
            for whose, ids in found.items()
        }
        for name, found in before["old"].items()
    }
    had = before["there"]
    left: set[int] = set()
    if new is not None:
        every = {i for found in before["old"].values() for i in _all(found)}
        left = {*undoables.as_left(connection, new, every, kept=True, at=at)}
    ids = sorted({i for found in old.values() for i in _all(found)} | left)
    if not dry_run:
        _take_out(connection, new, left - {*_all(had)}, old)
        _forget(connection, new, left & {*had["model"]})
        for name, found in old.items():
            edits.say(connection, found["person"], name, kept=True)
            _forget(connection, name, found["model"])
    detail = {"old": list(old), "new": new}
    return _undone(connection, edit_id, ids, detail, dry_run=dry_run)


def _take_out(
    connection: Connection,
    new: str | None,
    ids: set[int],
    old: Mapping[str, Mapping[str, list[int]]],
) -> None:
    """Take the new tag from photos that did not have it, in favour of the old one.

    So the leaves of trees that changed with it change back.
    """
    if new is None:
        return
    for name, found in old.items():
        its = ids & {*_all(found)}
        edits.say(connection, sorted(its), new, kept=False, instead=name)
        ids = ids - its
    edits.say(connection, sorted(ids), new, kept=False)


def _forget(connection: Connection, name: str | None, ids: Iterable[int]) -> None:
    """Nobody said anything of a tag on these photos: then the answer says it."""
    if name is not None:
        connection.execute(
            delete(person_tags).where(
                person_tags.c.tag_id == choosing.tag_id(name),
                choosing.among(ids, person_tags.c.file_id),
            )
        )


def _all(found: Mapping[str, list[int]]) -> list[int]:
    return [*found["person"], *found["model"]]


def _vocabulary(
    db: Database, edit_id: int, before: Mapping[str, Any], *, dry_run: bool
) -> Edit:
    """Put a word list back as it was, and have the photos follow."""
    was = before["was"]
    if "ban" in before:
        change = vocabulary.remove_ban if was is None else vocabulary.add_ban
        edit = change(db, before["ban"], past=True, dry_run=dry_run)
    elif was is None:
        edit = vocabulary.remove_synonym(
            db, before["synonym"], past=True, dry_run=dry_run
        )
    else:
        edit = vocabulary.add_synonym(
            db, before["synonym"], was, past=True, dry_run=dry_run
        )
    if not dry_run:
        with db.write() as connection:
            undoables.close(connection, edit_id, edit.id)
    return edit
