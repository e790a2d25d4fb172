"""Undoing: what becomes of a photo's record when a write of it is put back.

After an undo a photo stands as the last of its writes that is not undone left it. The
answer whose words were undone is remembered, so that no run writes it again by itself.
All of that is known before the file is replaced, and so holds after a kill, too.
"""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, select, update

from tagger.records import FileWords, Intent, Written, utc_now
from tagger.tracking import (
    agreeing,
    changes,
    keeping,
    ownwords,
    pictures,
    sidecars,
    standing,
)
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite
from tagger.tracking.jobs import Job, hold
from tagger.tracking.schema import files, results, writes
from tagger.tracking.standing import UNDO, Standing


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
        return _insert(
            connection,
            file_id,
            intent,
            _after(connection, file_id, past),
            state="intent",
            kind=UNDO,
            undoes=past.id,
            run_id=run_id,
            before_hash=before_hash,
        )


def done(db: Database, write_id: int, written: Written) -> None:
    """An announced undo took place: close it, and let the photo's record follow."""
    with db.write() as connection:
        row = _close(connection, write_id)
        follow(connection, row)
        keeping.restored(connection, row, written)


def nothing_left(
    db: Database, job: Job, past: PastWrite, intent: Intent, *, run_id: int
) -> int:
    """Of a write nothing stands any more that would have to be put back: note that."""
    with db.write() as connection:
        file_id = hold(connection, job)
        write_id = _insert(
            connection,
            file_id,
            intent,
            _after(connection, file_id, past),
            state="done",
            kind=UNDO,
            undoes=past.id,
            run_id=run_id,
            before_hash=intent.after_hash or None,
            closed_at=utc_now(),
        )
        follow(connection, _row(connection, write_id))
    return write_id


def _after(connection: Connection, file_id: int, past: PastWrite) -> Standing:
    """What will be ours: the write that began it stands then, or does not."""
    root_id, again = standing.root(connection, past.id)
    return standing.of(
        connection,
        file_id,
        without={root_id},
        besides=root_id if again else None,
    )


def _insert(
    connection: Connection,
    file_id: int,
    intent: Intent,
    after: Standing,
    *,
    undoes: int,
    **more: object,
) -> int:
    words = intent.words or FileWords()
    statement = writes.insert().values(
        file_id=file_id,
        result_id=after.result_id,
        target=intent.target,
        mode=str(intent.mode),
        expect=asdict(intent.expect) if intent.expect else None,
        before={name: list(v) for name, v in intent.before.items()},
        intended={name: list(v) for name, v in intent.intended.items()},
        added_tags=[],
        copied_tags=_copied(connection, file_id, intent, undoes=undoes),
        undoes=undoes,
        own_tags=list(after.own_tags),
        wrote_description=after.description,
        leaves=dict(intent.left),
        words={"tags": list(words.tags), "description": words.description},
        after_hash=intent.after_hash,
        created_at=utc_now(),
        **pictures.columns(connection, file_id, intent),
        **more,
    )
    written = connection.execute(statement.returning(writes.c.id))
    return int(written.scalar_one())


def _copied(
    connection: Connection, file_id: int, intent: Intent, *, undoes: int
) -> list[str]:
    """What of a sidecar may be copied there: now, or by the write that comes back."""
    root_id, _ = standing.root(connection, undoes)
    copied = sidecars.copied_to(connection, file_id, intent.target)
    return [*copied, *(_row(connection, root_id).copied_tags or ())]


def _row(connection: Connection, write_id: int) -> Row[Any]:
    return connection.execute(select(writes).where(writes.c.id == write_id)).one()


def _close(connection: Connection, write_id: int) -> Row[Any]:
    connection.execute(
        update(writes)
        .where(writes.c.id == write_id)
        .values(state="done", closed_at=utc_now())
    )
    return _row(connection, write_id)


def follow(connection: Connection, undo: Row[Any]) -> None:
    """Let the photo's record follow an undo that was closed as done."""
    root_id, _ = standing.root(connection, undo.undoes)
    standing.note(connection, undo)
    file = connection.execute(select(files).where(files.c.id == undo.file_id)).one()
    after = standing.of(connection, file.id)
    values: dict[str, object] = {"written_mode": after.mode, "written_at": after.at}
    if _row(connection, root_id).kind == standing.TAG:
        values |= {
            "result_id": after.result_id,
            "written_result_id": after.result_id,
            "undone_result_id": _undone(connection, file, after),
        }
        if file.proposed_result_id == after.result_id:
            values["proposed_result_id"] = None
    if undo.mode == "file" and undo.after_hash:
        values["content_hash"] = undo.after_hash
    _note(connection, file.id, values)
    agreeing.agree(connection, file, words_of(undo), after)
    _sign(connection, undo)
    changes.record(connection, changes.IMAGE, [file.id])


def words_of(write: Row[Any]) -> FileWords:
    """The words an undo was to leave in photo and sidecar."""
    words = write.words or {"tags": (), "description": None}
    return FileWords(tags=tuple(words["tags"]), description=words["description"])


def _undone(connection: Connection, file: Row[Any], after: Standing) -> int | None:
    """The newest answer for this picture, unless it is the one that stands."""
    newest = connection.scalars(
        select(results.c.id)
        .where(results.c.identity == file.identity)
        .order_by(results.c.created_at.desc(), results.c.id.desc())
        .limit(1)
    ).first()
    return None if newest == after.result_id else newest


def _sign(connection: Connection, undo: Row[Any]) -> None:
    """Let the undo know what is ours in what it left, for whoever meets those bytes."""
    described = select(files.c.own_description).where(files.c.id == undo.file_id)
    connection.execute(
        update(writes)
        .where(writes.c.id == undo.id)
        .values(
            own_tags=ownwords.names(connection, undo.file_id),
            wrote_description=connection.execute(described).scalar_one(),
        )
    )


def _note(connection: Connection, file_id: int, values: dict[str, object]) -> None:
    connection.execute(update(files).where(files.c.id == file_id).values(**values))
