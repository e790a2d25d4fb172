"""Edits: what a person changes of tags and descriptions in the program.

An edit puts down what the person says of each photo and gives those photos a job; the
tagger then brings their files in line, through the same safe writer as all words. It
can be asked beforehand how many photos and files that would be.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replaced

from sqlalchemy import Connection, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from tagger.errors import UsageError
from tagger.records import utc_now
from tagger.texts import LONGEST_DESCRIPTION
from tagger.tracking import (
    beforehand,
    choosing,
    tagnames,
    underway,
    undoables,
    undotagging,
)
from tagger.tracking.beforehand import Said
from tagger.tracking.changes import IMAGE, record
from tagger.tracking.database import Database
from tagger.tracking.queueing import NOW, enqueue, set_all
from tagger.tracking.schema import (
    conflicts,
    edits,
    files,
    jobs,
    person_tags,
    tags,
)

LONGEST_TAG = 200


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
    places: Sequence[bytes] = (),
    *,
    ids: Sequence[int] = (),
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    dry_run: bool = False,
) -> Edit:
    """Add tags to photos, and take others from them.

    The photos are those at or below `places`, and those of these `ids`.
    """
    return change(db, places, ids=ids, add=add, remove=remove, dry_run=dry_run)


def describe(
    db: Database,
    places: Sequence[bytes],
    text: str,
    *,
    dry_run: bool = False,
) -> Edit:
    """Give the photos at or below `places` a description."""
    return change(db, places, description=text, dry_run=dry_run)


def change(
    db: Database,
    places: Sequence[bytes] = (),
    *,
    ids: Sequence[int] = (),
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    description: str | None = None,
    dry_run: bool = False,
) -> Edit:
    """Change tags and description of photos at once, as one edit.

    Raises `UsageError` for a word that cannot be one, or a tag to add and to remove.
    """
    add, remove, text = checked(add, remove, description)
    where = or_(choosing.at(places), choosing.among(ids))
    with db.write() as connection:
        added = {name: choosing.unsaid(connection, name, where) for name in add}
        removed = {name: choosing.having(connection, [name], where) for name in remove}
        described: list[int] = []
        if text is not None:
            differs = files.c.person_description.is_distinct_from(text)
            described += connection.scalars(choosing.photos().where(where, differs))
        lists = [*added.values(), *removed.values(), described]
        touched = sorted({i for found in lists for i in found})
        tagging = {"add": list(add), "remove": list(remove)} if add or remove else {}
        detail = tagging | ({} if text is None else {"description": text})
        kind = "tags" if text is None else "change" if tagging else "describe"
        if dry_run:
            return asked(connection, kind, touched)
        was = beforehand.of(connection, touched)
        at = utc_now()
        before = undotagging.before_tagging(
            connection, added=added, removed=removed, at=at
        )
        for name, found in added.items():
            say(connection, found, name, kept=True, at=at)
        for name, found in removed.items():
            say(connection, found, name, kept=False, at=at)
        if text is not None:
            values = {"person_description": text, "description_removed": False}
            set_all(connection, described, **values)
            resolve(connection, described)
        edit = made(connection, kind, detail, touched, was=was)
        if text is None and was is None:
            undoables.keep(connection, edit.id, before)
        return edit


def each(
    db: Database,
    *,
    add: Mapping[str, Sequence[int]],
    remove: Mapping[str, Sequence[int]],
    detail: Mapping[str, object],
    dry_run: bool = False,
) -> Edit:
    """Give tags to photos of their own, and take others from theirs, as one edit."""
    _named([*add])
    ids = sorted({i for found in (*add.values(), *remove.values()) for i in found})
    with db.write() as connection:
        if dry_run:
            return asked(connection, "import", ids)
        for names, kept in ((add, True), (remove, False)):
            for name, found in names.items():
                say(connection, found, name, kept=kept)
        return made(connection, "import", detail, ids)


def replace(
    db: Database, old: Sequence[str], new: str | None, *, dry_run: bool = False
) -> Edit:
    """Put the tag `new` in the place of others on every photo; None just removes them.

    Raises `UsageError` if none of the old tags is known.
    """
    old = _known_as(map(tagnames.tidy, old))
    new = None if new is None else _named([new])[0]
    kind = "delete" if new is None else "rename" if len(old) == 1 else "merge"
    keys = {tagnames.key(name): name for name in old}
    if new is not None:
        keys.pop(tagnames.key(new), None)
    if not keys:
        raise UsageError(f"{old[0]} and {new} are one tag: case makes no difference")
    with db.write() as connection:
        _check_known(connection, keys)
        every = choosing.EVERY
        gone = {n: choosing.having(connection, [n], every) for n in keys.values()}
        ids = sorted({i for found in gone.values() for i in found})
        if dry_run:
            return asked(connection, kind, ids)
        at = utc_now()
        before = undoables.before_replacing(connection, gone, new, ids, at=at)
        if new is not None:
            say(connection, ids, new, kept=True, at=at)
        for name, found in gone.items():
            say(connection, found, name, kept=False, instead=new, at=at)
        edit = made(connection, kind, {"old": list(old), "new": new}, ids)
        undoables.keep(connection, edit.id, before)
        return edit


def again(
    connection: Connection, names: Sequence[str], kind: str, *, dry_run: bool
) -> Edit:
    """Bring the photos in line whose answers had one of these tags."""
    ids = choosing.answered_with(connection, names)
    return of_photos(connection, kind, {"tags": list(names)}, ids, dry_run=dry_run)


def of_photos(
    connection: Connection,
    kind: str,
    detail: Mapping[str, object],
    ids: Sequence[int],
    *,
    dry_run: bool,
) -> Edit:
    """Bring these photos in line with what is said of them by now, as one edit."""
    if dry_run:
        return asked(connection, kind, ids)
    return made(connection, kind, detail, ids)


def bind(db: Database, edit_id: int, run_id: int) -> None:
    """Take the jobs of an edit for one command."""
    with db.write() as connection:
        connection.execute(
            update(jobs)
            .where(jobs.c.edit_id == edit_id)
            .values(run_id=run_id, not_before=None)
        )


def checked(
    add: Sequence[str], remove: Sequence[str], description: str | None
) -> tuple[list[str], list[str], str | None]:
    """The words of an edit as they are stored.

    Raises `UsageError` for a word that cannot be one, or a tag to add and to remove.
    """
    add, remove = _named(add), _known_as(map(tagnames.tidy, remove))
    text = None if description is None else _described(description)
    if both := {*map(tagnames.key, add)} & {*map(tagnames.key, remove)}:
        raise UsageError(f"{min(both)} cannot be added and removed at once")
    return add, remove, text


def _named(names: Sequence[str]) -> list[str]:
    """New tags as they are stored. Raises `UsageError` for what can be none."""
    tidied = _known_as(map(tagnames.tidy, names))
    for name in tidied:
        if len(name) > LONGEST_TAG:
            raise UsageError(
                f"{name[:30]}… is too long: a tag has up to {LONGEST_TAG} characters"
            )
    return tidied


def _known_as(names: Iterable[str]) -> list[str]:
    """Each tag once. Raises `UsageError` if one is empty."""
    names = list(names)
    if any(not tagnames.key(name) for name in names):
        raise UsageError("a tag cannot be empty")
    first = {tagnames.key(name): name for name in reversed(names)}
    return list(first.values())[::-1]


def _described(text: str) -> str:
    tidied = tagnames.tidy_lines(text)
    if not tidied:
        raise UsageError("a description cannot be empty")
    if len(tidied) > LONGEST_DESCRIPTION:
        raise UsageError(
            f"a description has up to {LONGEST_DESCRIPTION:,} characters, not "
            f"{len(tidied):,}"
        )
    return tidied


def _check_known(connection: Connection, keys: dict[str, str]) -> None:
    known = set(connection.scalars(select(tags.c.key).where(tags.c.key.in_([*keys]))))
    if unknown := [name for key, name in keys.items() if key not in known]:
        raise UsageError(f"there is no tag {', '.join(unknown)}")


def say(
    connection: Connection,
    ids: Sequence[int],
    name: str,
    *,
    kept: bool,
    instead: str | None = None,
    at: str | None = None,
) -> None:
    """Put down of many photos that a tag belongs there, or does not."""
    if not ids:
        return
    tag_id = tagnames.ids(connection, [name])[tagnames.key(name)]
    at = at or utc_now()
    values = {"name": name, "kept": kept, "at": at, "instead": instead}
    said = {"tag_id": tag_id, **values}
    rows = select(files.c.id, *(literal(value) for value in said.values()))
    connection.execute(
        insert(person_tags)
        .from_select(["file_id", *said], rows.where(choosing.among(ids)))
        .on_conflict_do_update(index_elements=["file_id", "tag_id"], set_=values)
    )


def resolve(connection: Connection, ids: Sequence[int]) -> None:
    """A new edit settles what was disputed."""
    for chunk in tagnames.chunks(ids):
        connection.execute(
            update(conflicts)
            .where(conflicts.c.file_id.in_(chunk), conflicts.c.resolved_at.is_(None))
            .values(resolved_at=utc_now())
        )


def asked(connection: Connection, kind: str, ids: Sequence[int]) -> Edit:
    """What an edit of these photos would touch."""
    return Edit(
        id=None,
        kind=kind,
        photos=len(ids),
        files=choosing.in_files(connection, ids),
        file_ids=tuple(ids),
    )


def made(
    connection: Connection,
    kind: str,
    detail: Mapping[str, object],
    ids: Sequence[int],
    *,
    was: Said | None = None,
) -> Edit:
    """Put the edit on record and its photos into the queue, ahead of all others.

    `was` is what was said of its only photo before, if it is to be taken back.
    """
    values = {"kind": kind, "detail": detail, "photos": len(ids)}
    kept = beforehand.columns(connection, was) if was is not None else {}
    edit_id = connection.execute(
        edits.insert()
        .values(created_at=utc_now(), **values, **kept)
        .returning(edits.c.id)
    ).scalar_one()
    enqueue(connection, dict.fromkeys(ids))
    connection.execute(
        update(jobs)
        .where(choosing.among(ids, jobs.c.file_id))
        .values(edit_id=edit_id, priority=NOW)
    )
    # One without photos, or whose photos all came over to this one, is finished.
    underway.close_in(connection)
    record(connection, IMAGE, ids)
    return replaced(asked(connection, kind, ids), id=int(edit_id))
