"""Writes: the record that stands before each replacement of a person's file.

An intent is durable before the file is replaced and carries the before-values and the
hash of what will be there. After a kill the hash tells whether the replacement took
place, so our own words are never taken for a person's.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, select, update

from tagger.records import Intent, StatKey, WriteMode, Written, utc_now
from tagger.tracking import (
    changes,
    keeping,
    ownwords,
    pictures,
    sidecars,
    standing,
    tagnames,
    undoing,
)
from tagger.tracking.database import Database
from tagger.tracking.jobs import Job, hold
from tagger.tracking.queueing import enqueue
from tagger.tracking.schema import file_tags, files, writes


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
    db: Database,
    job: Job,
    result_id: int | None,
    intent: Intent,
    *,
    run_id: int | None,
    before_hash: str | None = None,
) -> int:
    """Make an intent durable; returns its id. Raises `LeaseLost`.

    `before_hash` is that of the target as it stands, None if there is none yet.
    """
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
                kind=_kind(connection, file_id, result_id, intent),
                before_hash=before_hash,
                expect=asdict(intent.expect) if intent.expect else None,
                before={name: list(v) for name, v in intent.before.items()},
                intended={name: list(v) for name, v in intent.intended.items()},
                added_tags=list(intent.added_tags),
                own_tags=_merged(connection, file_id, intent.added_tags),
                copied_tags=[
                    *sidecars.copied_to(connection, file_id, intent.target),
                    *intent.copied_tags,
                ],
                wrote_description=intent.wrote_description,
                after_hash=intent.after_hash,
                created_at=utc_now(),
                **pictures.columns(connection, file_id, intent),
            )
            .returning(writes.c.id)
        ).scalar_one()
    return int(write_id)


def _kind(
    connection: Connection, file_id: int, result_id: int | None, intent: Intent
) -> str:
    """`edit` if the answer is there already, and only a person's word came."""
    row = connection.execute(select(files).where(files.c.id == file_id)).one()
    if result_id not in (None, row.written_result_id):
        return standing.TAG
    brings = bool(intent.added_tags) or intent.wrote_description is not None
    moves = brings and row.written_mode not in (None, str(intent.mode))
    return standing.TAG if moves and result_id is not None else standing.EDIT


def _merged(connection: Connection, file_id: int, added: Sequence[str]) -> list[str]:
    """All tags of ours in a file, with the ones that are being added."""
    names = (*ownwords.names(connection, file_id), *added)
    return list({tagnames.key(name): name for name in names}.values())


def done(
    db: Database,
    job: Job,
    result_id: int | None,
    written: Written,
    *,
    write_id: int | None,
    place: bytes | None = None,
) -> None:
    """The words stand where they should: close the intent, take the new stat key.

    `write_id` is the intent's, None if nothing had to be changed; `place` that of the
    photo's sidecar. Raises `LeaseLost`: the intent is then left open for whoever holds
    the job now, or has closed it, and the file's hash tells what became of it.
    """
    with db.write() as connection:
        hold(connection, job)
        content_hash = None
        in_file = written.mode is WriteMode.FILE
        if write_id is not None:
            content_hash = _close(connection, write_id, "done")
        there = {tagnames.key(name) for name in written.words.tags}
        own = _merged(connection, job.file_id, written.added_tags)
        _take_over(
            connection,
            job.file_id,
            result_id=result_id,
            mode=written.mode,
            stat=written.stat if in_file else None,
            content_hash=content_hash if in_file else None,
            own=[name for name in own if tagnames.key(name) in there],
            description=written.wrote_description,
        )
        _drop_found(connection, job.file_id, there, written)
        keeping.after_write(
            connection,
            job.file_id,
            written,
            write_id=write_id,
            content_hash=content_hash,
            place=place,
        )


def _drop_found(
    connection: Connection, file_id: int, there: set[str], written: Written
) -> None:
    """Forget words of the person's that a write took out at the person's wish."""
    gone = [
        row.tag_id
        for row in connection.execute(
            select(file_tags).where(file_tags.c.file_id == file_id)
        )
        if tagnames.key(row.name) not in there
    ]
    for chunk in tagnames.chunks(gone):
        connection.execute(
            delete(file_tags).where(
                file_tags.c.file_id == file_id, file_tags.c.tag_id.in_(chunk)
            )
        )
    values: dict[str, object] = {}
    if written.wrote_description is not None:
        values["found_description"] = None
    if written.words.description is None:
        values["own_description"] = None
    if values:
        connection.execute(update(files).where(files.c.id == file_id).values(**values))


def _take_over(
    connection: Connection,
    file_id: int,
    *,
    result_id: int | None,
    mode: WriteMode,
    stat: StatKey | None,
    content_hash: str | None,
    own: Sequence[str],
    description: str | None,
) -> None:
    """Note on the file what a finished write left in it, or in its sidecar.

    `stat` and `content_hash` are the photo's, None if it was not touched.
    """
    ownwords.replace(connection, file_id, own)
    values: dict[str, object] = {
        "written_result_id": result_id,
        "written_mode": str(mode),
        "written_at": utc_now(),
    }
    if stat is not None:
        values |= asdict(stat)
    if content_hash is not None:
        values["content_hash"] = content_hash
    if description is not None:
        values["own_description"] = description
    connection.execute(update(files).where(files.c.id == file_id).values(**values))
    changes.record(connection, changes.IMAGE, [file_id])


def _close(connection: Connection, write_id: int, state: str) -> str:
    """Close an intent; returns the hash of what it was to leave."""
    closed = (
        update(writes)
        .where(writes.c.id == write_id)
        .values(state=state, closed_at=utc_now())
        .returning(writes.c.after_hash)
    )
    return str(connection.execute(closed).scalar_one())


def open_intents(db: Database, file_id: int | None = None) -> list[OpenIntent]:
    """The intents that were left open, of one file or of all, oldest first."""
    statement = (
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
    if file_id is not None:
        statement = statement.where(writes.c.file_id == file_id)
    with db.read() as connection:
        return [
            OpenIntent(
                id=row.id,
                file_id=row.file_id,
                path=row.path,
                target=row.target,
                mode=WriteMode(row.mode),
                after_hash=row.after_hash,
            )
            for row in connection.execute(statement)
        ]


def settle(
    db: Database,
    intent: OpenIntent,
    *,
    happened: Callable[[], bool],
    stat: StatKey | None,
) -> bool:
    """Close an open intent: done if its write happened, else dropped; queue the photo.

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
        enqueue(connection, {intent.file_id: None})
        if row.kind == standing.UNDO:
            undoing.follow(connection, row)
            _look_again(connection, intent.file_id)
            return True
        in_file = intent.mode is WriteMode.FILE
        _take_over(
            connection,
            intent.file_id,
            result_id=row.result_id,
            mode=_place(connection, intent, row.result_id),
            stat=stat if in_file else None,
            content_hash=row.after_hash if in_file else None,
            own=_merged(connection, intent.file_id, row.own_tags),
            description=row.wrote_description,
        )
        _look_again(connection, intent.file_id)
        return True


def _look_again(connection: Connection, file_id: int) -> None:
    """What stands there now is read at the next look, not guessed."""
    connection.execute(
        update(files).where(files.c.id == file_id).values(looked_at=None)
    )


def _place(
    connection: Connection, intent: OpenIntent, result_id: int | None
) -> WriteMode:
    """Where the answer stands: a sidecar written besides the file counts less."""
    in_file = connection.execute(
        select(files.c.id).where(
            files.c.id == intent.file_id,
            files.c.written_mode == WriteMode.FILE.value,
            files.c.written_result_id == result_id,
        )
    ).first()
    return WriteMode.FILE if in_file else intent.mode
