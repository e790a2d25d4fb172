"""Writes: the record that stands before each replacement of a person's file.

An intent is durable before the file is replaced and carries the before-values and the
hash of what will be there. After a kill the hash tells whether the replacement took
place, so our own words are never taken for a person's.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select, update

from tagger.records import Intent, StatKey, WriteMode, Written, utc_now
from tagger.tracking import changes, tagnames
from tagger.tracking.database import Database
from tagger.tracking.files import enqueue
from tagger.tracking.jobs import Job, hold
from tagger.tracking.looks import set_own
from tagger.tracking.schema import files, own_tags, writes


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIntent:
    """A write that was announced and neither done nor dropped."""

    id: int
    file_id: int
    path: bytes
    target: bytes
    mode: WriteMode
    after_hash: str


def intend(
    db: Database, job: Job, result_id: int, intent: Intent, *, run_id: int | None
) -> int:
    """Make an intent durable; returns its id. Raises `LeaseLost`."""
    with db.write() as connection:
        file_id = hold(connection, job)
        write_id = connection.execute(
            writes.insert()
            .values(
                file_id=file_id,
                result_id=result_id,
                run_id=run_id,
                target=intent.target,
                mode=str(intent.mode),
                state="intent",
                expect=asdict(intent.expect) if intent.expect else None,
                before={name: list(v) for name, v in intent.before.items()},
                intended={name: list(v) for name, v in intent.intended.items()},
                added_tags=list(intent.added_tags),
                wrote_description=intent.wrote_description,
                after_hash=intent.after_hash,
                created_at=utc_now(),
            )
            .returning(writes.c.id)
        ).scalar_one()
    return int(write_id)


def done(db: Database, job: Job, result_id: int, written: Written) -> None:
    """The words stand where they should: close the intent, take the new stat key.

    Recorded even if the lease was lost meanwhile: the file was replaced, and that is
    a fact whoever holds the job now must know.
    """
    with db.write() as connection:
        row = connection.execute(
            select(writes)
            .where(
                writes.c.file_id == job.file_id,
                writes.c.state == "intent",
                writes.c.target == written.target,
            )
            .order_by(writes.c.id.desc())
        ).first()
        if row is not None:
            _close(connection, row.id, "done")
        # An attempt on the file itself may have been announced before the sidecar.
        _drop_open(connection, job.file_id)
        _take_over(
            connection,
            job.file_id,
            result_id=result_id,
            mode=written.mode,
            stat=written.stat if written.mode is WriteMode.FILE else None,
            added=written.added_tags,
            description=written.wrote_description,
            present=written.words.tags,
        )


def _take_over(
    connection: Connection,
    file_id: int,
    *,
    result_id: int | None,
    mode: WriteMode,
    stat: StatKey | None,
    added: tuple[str, ...] | list[str],
    description: str | None,
    present: tuple[str, ...] | None,
) -> None:
    """Note on the file what a finished write left in it."""
    before = connection.scalars(
        select(own_tags.c.name).where(own_tags.c.file_id == file_id)
    ).all()
    own = {tagnames.key(name): name for name in (*before, *added)}
    if present is not None:
        there = {tagnames.key(name) for name in present}
        own = {key: name for key, name in own.items() if key in there}
    set_own(connection, file_id, own.values())
    values: dict[str, object] = {
        "written_result_id": result_id,
        "written_mode": str(mode),
        "written_at": utc_now(),
    }
    if stat is not None:
        values |= asdict(stat)
    if description is not None:
        values["own_description"] = description
    connection.execute(update(files).where(files.c.id == file_id).values(**values))
    changes.record(connection, changes.IMAGE, [file_id])


def _close(connection: Connection, write_id: int, state: str) -> None:
    connection.execute(
        update(writes)
        .where(writes.c.id == write_id)
        .values(state=state, closed_at=utc_now())
    )


def _drop_open(connection: Connection, file_id: int) -> None:
    connection.execute(
        update(writes)
        .where(writes.c.file_id == file_id, writes.c.state == "intent")
        .values(state="dropped", closed_at=utc_now())
    )


def open_intents(db: Database) -> list[OpenIntent]:
    """Every intent a killed tagger left open, oldest first."""
    with db.read() as connection:
        rows = connection.execute(
            select(
                writes.c.id,
                writes.c.file_id,
                files.c.path,
                writes.c.target,
                writes.c.mode,
                writes.c.after_hash,
            )
            .join(files)
            .where(writes.c.state == "intent")
            .order_by(writes.c.id)
        )
        return [
            OpenIntent(
                id=row.id,
                file_id=row.file_id,
                path=row.path,
                target=row.target,
                mode=WriteMode(row.mode),
                after_hash=row.after_hash,
            )
            for row in rows
        ]


def settle(
    db: Database,
    intent: OpenIntent,
    *,
    happened: Callable[[], bool],
    stat: StatKey | None,
) -> bool:
    """Close an open intent: done if its write happened, else dropped and queued again.

    `happened` compares the file's hash with the intended one; it is asked inside the
    transaction, so that no other tagger settles the same intent. `stat` is the
    target's stat key, read before `happened` is asked.
    """
    with db.write() as connection:
        row = connection.execute(
            select(writes).where(writes.c.id == intent.id, writes.c.state == "intent")
        ).first()
        if row is None:
            return False
        if not happened():
            _close(connection, intent.id, "dropped")
            enqueue(connection, {intent.file_id: None})
            return False
        _close(connection, intent.id, "done")
        _take_over(
            connection,
            intent.file_id,
            result_id=row.result_id,
            mode=intent.mode,
            stat=stat if intent.mode is WriteMode.FILE else None,
            added=row.added_tags,
            description=row.wrote_description,
            present=None,
        )
        # What stands there now is read at the next look, not guessed.
        connection.execute(
            update(files).where(files.c.id == intent.file_id).values(looked_at=None)
        )
        enqueue(connection, {intent.file_id: None})
        return True
