"""Sheet plan: what a tag sheet changes, photo by photo, before anything is changed.

Rows whose photo is not known, or not for certain, are left out and listed with their
line. Where a row names all the tags a photo shall have, tags it has already stay as
they are, whoever said them; an empty cell is no order to take all away.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from tagger.errors import UsageError, shown
from tagger.records import ImageSnapshot
from tagger.tracking import edits, snapshots, tagnames, tagsheet
from tagger.tracking.database import Database
from tagger.tracking.desired import FROM_FILE, FROM_PERSON
from tagger.tracking.edits import LONGEST_TAG, Edit
from tagger.tracking.schema import files
from tagger.tracking.tagsheet import Row


@dataclass(frozen=True, slots=True)
class Passed:
    """A row that is passed over: its line, the photo as it stands there, and why."""

    line: int
    photo: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPlan:
    """By tag, the photos that get it and those that lose it; and what is passed over.

    `unchanged` rows ask for what is so already.
    """

    add: Mapping[str, Sequence[int]]
    remove: Mapping[str, Sequence[int]]
    rows: int
    unchanged: int
    passed: tuple[Passed, ...]

    @property
    def added(self) -> int:
        """How many tags photos get, counted photo by photo."""
        return sum(map(len, self.add.values()))

    @property
    def removed(self) -> int:
        return sum(map(len, self.remove.values()))


def plan(db: Database, rows: Sequence[Row]) -> SheetPlan:
    """What these rows change. Raises `UsageError` naming the line of a bad one."""
    by_row, passed = _photos(db, rows)
    add: dict[str, list[int]] = defaultdict(list)
    remove: dict[str, list[int]] = defaultdict(list)
    names: dict[str, str] = {}  # one spelling each, the first
    unchanged = 0
    for chunk in tagnames.chunks(rows):
        ids = [by_row[row.line] for row in chunk if row.line in by_row]
        known = {image.id: image for image in snapshots.images(db, ids)}
        for row in chunk:
            if row.line not in by_row:
                continue
            image = known.get(by_row[row.line])
            if image is None:
                photo = row.path or str(row.id)
                passed.append(Passed(row.line, photo, "its folder was taken out"))
                continue
            gets, loses = _change(row, image)
            _check_lengths(row, gets)
            unchanged += not (gets or loses)
            for name in gets:
                add[names.setdefault(tagnames.key(name), name)].append(image.id)
            for name in loses:
                remove[names.setdefault(tagnames.key(name), name)].append(image.id)
    return SheetPlan(
        add=add,
        remove=remove,
        rows=len(rows),
        unchanged=unchanged,
        passed=tuple(sorted(passed, key=lambda one: one.line)),
    )


def edit(
    db: Database, planned: SheetPlan, *, file: str | None = None, dry_run: bool = False
) -> Edit:
    """Make what is planned one edit; `file` is the sheet's name, for people."""
    named = {} if file is None else {"file": file}
    return edits.each(
        db,
        add=planned.add,
        remove=planned.remove,
        detail={**named, "rows": planned.rows},
        dry_run=dry_run,
    )


def _change(row: Row, image: ImageSnapshot) -> tuple[list[str], list[str]]:
    """The tags a photo gets by a row, and those it loses."""
    has = {tagnames.key(tag.name): tag.name for tag in image.tags}
    known = list(has.values())
    if row.tags is not None:
        wanted = _named(tagsheet.words(row.tags, known))
        if not wanted:
            return [], []
        gets = [name for key, name in wanted.items() if key not in has]
        return gets, [name for key, name in has.items() if key not in wanted]
    gives = _named(tagsheet.words(row.add))
    takes = _named(tagsheet.words(row.remove, known))
    if both := gives.keys() & takes.keys():
        raise UsageError(
            f"Line {row.line}: {gives[min(both)]} cannot be added and removed at once"
        )
    said = {
        tagnames.key(tag.name)
        for tag in image.tags
        if tag.source in (FROM_FILE, FROM_PERSON)
    }
    gets = [name for key, name in gives.items() if key not in said]
    return gets, [name for key, name in takes.items() if key in has]


def _check_lengths(row: Row, names: Sequence[str]) -> None:
    for name in names:
        if len(name) > LONGEST_TAG:
            raise UsageError(
                f"Line {row.line}: {name[:30]}… is too long: a tag has up to "
                f"{LONGEST_TAG} characters; between tags stands ;"
            )


def _named(names: Sequence[str]) -> dict[str, str]:
    tidied = [tagnames.tidy(name) for name in names]
    first = {tagnames.key(name): name for name in reversed(tidied)}
    first.pop("", None)
    return dict(reversed(first.items()))


def _photos(db: Database, rows: Sequence[Row]) -> tuple[dict[int, int], list[Passed]]:
    """By line, the photo that a row means; and the rows that mean none for certain."""
    paths = _paths(db, [row.id for row in rows if row.id is not None])
    ids = _ids(db, [row.path for row in rows if row.id is None and row.path])
    found: dict[int, int] = {}
    passed: list[Passed] = []
    lines: dict[int, int] = {}
    for row in rows:
        image_id = row.id if row.id is not None else ids.get(row.path or "")
        reason = _doubt(row, image_id, paths)
        if not reason and image_id in lines:
            reason = f"it is the photo of line {lines[image_id]} again"
        if reason or image_id is None:
            passed.append(Passed(row.line, row.path or str(row.id), reason or ""))
            continue
        lines[image_id] = row.line
        found[row.line] = image_id
    return found, passed


def _doubt(row: Row, image_id: int | None, paths: Mapping[int, str]) -> str | None:
    """Why it is not certain which photo a row means."""
    if row.id is None:
        return None if image_id is not None else "no photo is known at this path"
    if row.id not in paths:
        return f"there is no photo with the id {row.id}"
    if row.path is not None and row.path != paths[row.id]:
        return f"the photo with the id {row.id} is {paths[row.id]}"
    return None


def _paths(db: Database, ids: Sequence[int]) -> dict[int, str]:
    with db.read() as connection:
        return {
            row.id: shown(row.path)
            for chunk in tagnames.chunks(ids)
            for row in connection.execute(
                select(files.c.id, files.c.path).where(files.c.id.in_(chunk))
            )
        }


def _ids(db: Database, paths: Sequence[str]) -> dict[str, int]:
    wanted = {path.encode("utf-8", "surrogateescape"): path for path in paths}
    with db.read() as connection:
        return {
            wanted[row.path]: row.id
            for chunk in tagnames.chunks(list(wanted))
            for row in connection.execute(
                select(files.c.id, files.c.path).where(files.c.path.in_(chunk))
            )
        }
