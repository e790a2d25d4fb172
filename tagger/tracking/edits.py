"""Edits: what a person changes of tags and descriptions in the program.

An edit puts down what the person says of each photo and gives those photos a job; the
tagger then brings their files in line, through the same safe writer as all words. It
can be asked beforehand how many photos and files that would be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, exists, literal, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from tagger.errors import UsageError
from tagger.records import WriteMode, utc_now
from tagger.texts import holdable
from tagger.tracking import having, tagnames
from tagger.tracking.changes import IMAGE, record
from tagger.tracking.database import Database
from tagger.tracking.places import at_or_below
from tagger.tracking.queueing import enqueue, set_all
from tagger.tracking.schema import (
    conflicts,
    edits,
    files,
    folders,
    jobs,
    person_tags,
    result_tags,
    tags,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An edit, and what it touches: so many photos, of whose files so many change.

    `id` is None while it was only asked about.
    """

    id: int | None
    kind: str
    photos: int
    files: int
    file_ids: tuple[int, ...] = field(repr=False)


def tag(
    db: Database,
    places: Sequence[bytes],
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    dry_run: bool = False,
) -> Edit:
    """Add tags to the photos at or below `places`, and take others from them."""
    add, remove = _names(add), _names(remove)
    detail = {"add": add, "remove": remove}
    with db.write() as connection:
        where = or_(*(at_or_below(place) for place in places))
        added = {name: having.unsaid(connection, name, where) for name in add}
        removed = {name: having.having(connection, name, where) for name in remove}
        ids = sorted(
            {i for found in [added, removed] for f in found.values() for i in f}
        )
        if dry_run:
            return _asked(connection, "tags", ids)
        for name, found in added.items():
            _say(connection, found, name, kept=True)
        for name, found in removed.items():
            _say(connection, found, name, kept=False)
        return _made(connection, "tags", detail, ids)


def replace(
    db: Database, old: Sequence[str], new: str | None, *, dry_run: bool = False
) -> Edit:
    """Put the tag `new` in the place of others on every photo; None just removes them.

    Raises `UsageError` if none of the old tags is known.
    """
    old, new = _names(old), None if new is None else _names([new])[0]
    kind = "delete" if new is None else "rename" if len(old) == 1 else "merge"
    keys = {tagnames.key(name): name for name in old}
    if new is not None:
        keys.pop(tagnames.key(new), None)
    if not keys:
        raise UsageError(f"{old[0]} and {new} are one tag: case makes no difference")
    with db.write() as connection:
        _check_known(connection, keys)
        everyone = literal(True)
        gone = {
            name: having.having(connection, name, everyone) for name in keys.values()
        }
        ids = sorted({i for found in gone.values() for i in found})
        if dry_run:
            return _asked(connection, kind, ids)
        if new is not None:
            _say(connection, ids, new, kept=True)
        for name, found in gone.items():
            _say(connection, found, name, kept=False, instead=new)
        return _made(connection, kind, {"old": old, "new": new}, ids)


def describe(
    db: Database, places: Sequence[bytes], text: str, *, dry_run: bool = False
) -> Edit:
    """Give the photos at or below `places` a description."""
    text = holdable(text)
    if not text.strip():
        raise UsageError("a description cannot be empty")
    with db.write() as connection:
        where = or_(*(at_or_below(place) for place in places))
        differs = files.c.person_description.is_distinct_from(text)
        ids = list(connection.scalars(having.photos().where(where, differs)))
        if dry_run:
            return _asked(connection, "describe", ids)
        set_all(connection, ids, person_description=text, description_removed=False)
        _resolve(connection, ids)
        return _made(connection, "describe", {"description": text}, ids)


def again(
    db: Database, names: Sequence[str], kind: str, *, dry_run: bool = False
) -> Edit:
    """Bring the photos in line whose answers had one of these tags."""
    with db.write() as connection:
        keys = [tagnames.key(name) for name in names]
        answered = (
            select(result_tags.c.result_id)
            .join(tags, tags.c.id == result_tags.c.tag_id)
            .where(tags.c.key.in_(keys))
        )
        ids = list(
            connection.scalars(having.photos().where(files.c.result_id.in_(answered)))
        )
        if dry_run:
            return _asked(connection, kind, ids)
        return _made(connection, kind, {"tags": list(names)}, ids)


def bind(db: Database, edit_id: int, run_id: int) -> None:
    """Take the jobs of an edit for one command."""
    with db.write() as connection:
        connection.execute(
            update(jobs)
            .where(jobs.c.edit_id == edit_id)
            .values(run_id=run_id, not_before=None)
        )


def close(db: Database) -> None:
    """Note of each edit whose jobs are all done that it is."""
    left = exists(select(jobs.c.id).where(jobs.c.edit_id == edits.c.id))
    with db.write() as connection:
        connection.execute(
            update(edits)
            .where(edits.c.finished_at.is_(None), ~left)
            .values(finished_at=utc_now())
        )


def _names(names: Sequence[str]) -> list[str]:
    """The tags as files can hold them. Raises `UsageError` if one is empty then."""
    held = [holdable(name) for name in names]
    if any(not tagnames.key(name) for name in held):
        raise UsageError("a tag cannot be empty")
    return held


def _check_known(connection: Connection, keys: dict[str, str]) -> None:
    known = set(connection.scalars(select(tags.c.key).where(tags.c.key.in_([*keys]))))
    if unknown := [name for key, name in keys.items() if key not in known]:
        raise UsageError(f"there is no tag {', '.join(unknown)}")


def _say(
    connection: Connection,
    ids: Sequence[int],
    name: str,
    *,
    kept: bool,
    instead: str | None = None,
) -> None:
    """Put down of many photos that a tag belongs there, or does not."""
    if not ids:
        return
    tag_id = tagnames.ids(connection, [name])[tagnames.key(name)]
    values = {"name": name, "kept": kept, "at": utc_now(), "instead": instead}
    connection.execute(
        insert(person_tags).on_conflict_do_update(
            index_elements=["file_id", "tag_id"], set_=values
        ),
        [{"file_id": i, "tag_id": tag_id, **values} for i in ids],
    )


def _resolve(connection: Connection, ids: Sequence[int]) -> None:
    """A new edit settles what was disputed."""
    for chunk in tagnames.chunks(ids):
        connection.execute(
            update(conflicts)
            .where(conflicts.c.file_id.in_(chunk), conflicts.c.resolved_at.is_(None))
            .values(resolved_at=utc_now())
        )


def _asked(connection: Connection, kind: str, ids: Sequence[int]) -> Edit:
    return Edit(
        id=None,
        kind=kind,
        photos=len(ids),
        files=_writable(connection, ids),
        file_ids=tuple(ids),
    )


def _writable(connection: Connection, ids: Sequence[int]) -> int:
    """How many of these photos have their words in a file."""
    query = (
        select(files.c.id)
        .join(folders)
        .where(
            folders.c.write_mode != WriteMode.NONE.value,
            files.c.missing_since.is_(None),
        )
    )
    return sum(
        len(connection.scalars(query.where(files.c.id.in_(chunk))).all())
        for chunk in tagnames.chunks(ids)
    )


def _made(
    connection: Connection, kind: str, detail: Mapping[str, object], ids: Sequence[int]
) -> Edit:
    """Put the edit on record and its photos into the queue."""
    edit_id = connection.execute(
        edits.insert()
        .values(kind=kind, detail=detail, photos=len(ids), created_at=utc_now())
        .returning(edits.c.id)
    ).scalar_one()
    enqueue(connection, dict.fromkeys(ids))
    for chunk in tagnames.chunks(ids):
        connection.execute(
            update(jobs).where(jobs.c.file_id.in_(chunk)).values(edit_id=edit_id)
        )
    record(connection, IMAGE, ids)
    asked = _asked(connection, kind, ids)
    return Edit(
        id=int(edit_id),
        kind=kind,
        photos=asked.photos,
        files=asked.files,
        file_ids=asked.file_ids,
    )
