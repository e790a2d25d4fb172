"""Undoing: what becomes of a photo's record when a write of it is put back.

After an undo a photo stands as the last of its writes that is not undone left it. The
answer whose words were undone is remembered, so that no run writes it again by itself.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, or_, select, update

from tagger.records import FileWords, Intent, StatKey, utc_now
from tagger.tracking import changes, ownwords, pictures, saying, tagnames
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite
from tagger.tracking.jobs import Job, hold
from tagger.tracking.schema import file_tags, files, tags, writes

UNDO = "undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An undo that took place: what stands in the photo now.

    `words` is None if that is to be read. `stat` is the photo's new stat key, if its
    old one was the one on record. Words of ours that could not be put back, because
    somebody changed the field they are in, count as that person's from now on.
    """

    words: FileWords | None
    stat: StatKey | None = None


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a photo holds of ours by the writes that are not undone."""

    result_id: int | None = None
    own_tags: tuple[str, ...] = ()
    description: str | None = None
    mode: str | None = None
    at: str | None = None


def intend(
    db: Database,
    job: Job,
    past: PastWrite,
    intent: Intent,
    *,
    run_id: int,
    before_hash: str | None,
) -> int:
    """Make the intent to put a write back durable; returns its id."""
    with db.write() as connection:
        file_id = hold(connection, job)
        root, again = _root(connection, past.id)
        after = _standing(connection, file_id, root=root, stands=again)
        write_id = connection.execute(
            writes.insert()
            .values(
                file_id=file_id,
                result_id=after.result_id,
                run_id=run_id,
                target=intent.target,
                mode=str(intent.mode),
                state="intent",
                kind=UNDO,
                undoes=past.id,
                expect=asdict(intent.expect) if intent.expect else None,
                before={name: list(v) for name, v in intent.before.items()},
                intended={name: list(v) for name, v in intent.intended.items()},
                added_tags=[],
                own_tags=list(after.own_tags),
                wrote_description=after.description,
                before_hash=before_hash,
                after_hash=intent.after_hash,
                created_at=utc_now(),
                **pictures.columns(connection, file_id, intent),
            )
            .returning(writes.c.id)
        ).scalar_one()
    return int(write_id)


def done(db: Database, write_id: int, what: Done) -> None:
    """An announced undo took place: close it, and let the photo's record follow."""
    with db.write() as connection:
        connection.execute(
            update(writes)
            .where(writes.c.id == write_id)
            .values(state="done", closed_at=utc_now())
        )
        row = connection.execute(select(writes).where(writes.c.id == write_id)).one()
        follow(connection, row, what)


def follow(connection: Connection, undo: Row[Any], what: Done) -> None:
    """Let the photo's record follow an undo that was closed as done."""
    root, again = _root(connection, undo.undoes)
    _mark(connection, undo.undoes, by=undo.id)
    if root != undo.undoes:
        _mark(connection, root, by=None if again else undo.id)
    file = connection.execute(select(files).where(files.c.id == undo.file_id)).one()
    after = _standing(connection, file.id)
    values: dict[str, object] = {
        "result_id": after.result_id,
        "written_result_id": after.result_id,
        "written_mode": after.mode,
        "written_at": after.at,
        "undone_result_id": _undone(connection, file.id, after),
    }
    if what.words is None:
        values["looked_at"] = None
        ownwords.replace(connection, file.id, after.own_tags)
    else:
        values |= _words(connection, file, after, what)
    if undo.mode == "file":
        values["content_hash"] = undo.after_hash
        if what.stat is not None:
            values |= asdict(what.stat)
    connection.execute(update(files).where(files.c.id == file.id).values(**values))
    first = connection.execute(select(writes).where(writes.c.id == root)).one()
    if first.kind == "edit" and what.words is not None:
        saying.unsay(connection, file, first, what.words, again=again)
    changes.record(connection, changes.IMAGE, [file.id])


def _root(connection: Connection, write_id: int) -> tuple[int, bool]:
    """The write a chain of undos began with; whether undoing this one does it again."""
    again = False
    while True:
        undoes = connection.execute(
            select(writes.c.undoes).where(writes.c.id == write_id)
        ).scalar_one()
        if undoes is None:
            return write_id, again
        write_id, again = int(undoes), not again


def _mark(connection: Connection, write_id: int, *, by: int | None) -> None:
    connection.execute(
        update(writes).where(writes.c.id == write_id).values(undone_by=by)
    )


def _standing(
    connection: Connection,
    file_id: int,
    *,
    root: int | None = None,
    stands: bool = False,
) -> _Standing:
    """What is ours by the writes that stand, `root` among them or not."""
    is_undone: ColumnElement[bool] = writes.c.undone_by.is_not(None)
    if root is not None:
        is_undone = is_undone if stands else or_(is_undone, writes.c.id == root)
        if stands:
            is_undone = is_undone & (writes.c.id != root)
    rows = connection.execute(
        select(writes)
        .where(
            writes.c.file_id == file_id,
            writes.c.state == "done",
            writes.c.kind != UNDO,
            ~is_undone,
        )
        .order_by(writes.c.id.desc())
        .limit(2)
    ).all()
    if not rows:
        return _Standing()
    last = rows[0]
    # Old words taken out of a sidecar are a write beside the one of the photo.
    if len(rows) > 1 and last.mode == "sidecar" and rows[1].mode == "file":
        same = (last.result_id, last.run_id) == (rows[1].result_id, rows[1].run_id)
        last = rows[1] if same else last
    return _Standing(
        result_id=last.result_id,
        own_tags=tuple(last.own_tags),
        description=last.wrote_description,
        mode=last.mode,
        at=last.closed_at or last.created_at,
    )


def _undone(connection: Connection, file_id: int, after: _Standing) -> int | None:
    """The newest answer that was undone, if none that stands is newer."""
    ids = [
        int(found)
        for found in connection.scalars(
            select(writes.c.result_id).where(
                writes.c.file_id == file_id,
                writes.c.kind == "tag",
                writes.c.undone_by.is_not(None),
                writes.c.result_id.is_not(None),
            )
        )
    ]
    newest = max(ids, default=None)
    if newest is None or (after.result_id or 0) > newest:
        return None
    return newest


def _words(
    connection: Connection, file: Row[Any], after: _Standing, what: Done
) -> dict[str, object]:
    """Put down which of the words there are ours; the columns that say it too."""
    assert what.words is not None
    present = {tagnames.key(name): name for name in what.words.tags}
    ours = {tagnames.key(name): name for name in after.own_tags}
    theirs = set(
        connection.scalars(
            select(tags.c.key)
            .join(file_tags, file_tags.c.tag_id == tags.c.id)
            .where(file_tags.c.file_id == file.id)
        )
    )
    own = {k: name for k, name in ours.items() if k in present and k not in theirs}
    ownwords.replace(connection, file.id, own.values())
    _found(connection, file.id, [present[k] for k in present if k not in own])
    said = what.words.description
    is_own = said is not None and said == after.description
    return {
        "own_description": said if is_own else None,
        "found_description": None if is_own else said,
    }


def _found(connection: Connection, file_id: int, names: Sequence[str]) -> None:
    connection.execute(delete(file_tags).where(file_tags.c.file_id == file_id))
    ids = tagnames.ids(connection, names)
    rows = [
        {"file_id": file_id, "tag_id": ids[key], "position": position, "name": name}
        for position, name in enumerate(names)
        if (key := tagnames.key(name))
    ]
    if rows:
        connection.execute(file_tags.insert(), rows)
