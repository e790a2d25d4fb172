"""Untagging: one tag is taken out again where we brought it, and stays out.

It is put down as what a person says, like an edit, before the file is changed: should
that be interrupted, the tagger finishes it. It can be undone like any write.
"""

from dataclasses import asdict

from sqlalchemy import select, update

from tagger.records import Intent, Written, utc_now
from tagger.tracking import (
    agreeing,
    changes,
    keeping,
    ownwords,
    pictures,
    saying,
    sidecars,
    tagnames,
)
from tagger.tracking.database import Database
from tagger.tracking.jobs import Job, hold
from tagger.tracking.schema import files, writes
from tagger.tracking.standing import EDIT


def intend(
    db: Database,
    job: Job,
    tag: str,
    intent: Intent,
    *,
    run_id: int,
    before_hash: str | None,
) -> int:
    """Make it durable that a tag goes, and that a person wants that; the write's id."""
    assert intent.words is not None
    with db.write() as connection:
        file_id = hold(connection, job)
        file = connection.execute(select(files).where(files.c.id == file_id)).one()
        saying.say(connection, file_id, [tag], kept=False)
        statement = writes.insert().values(
            file_id=file_id,
            result_id=file.written_result_id,
            run_id=run_id,
            target=intent.target,
            mode=str(intent.mode),
            state="intent",
            kind=EDIT,
            expect=asdict(intent.expect) if intent.expect else None,
            before={name: list(v) for name, v in intent.before.items()},
            intended={name: list(v) for name, v in intent.intended.items()},
            added_tags=[],
            copied_tags=list(sidecars.copied_to(connection, file_id, intent.target)),
            own_tags=ownwords.names(connection, file_id),
            wrote_description=file.own_description,
            words={
                "tags": list(intent.words.tags),
                "description": intent.words.description,
            },
            before_hash=before_hash,
            after_hash=intent.after_hash,
            created_at=utc_now(),
            **pictures.columns(connection, file_id, intent),
        )
        written = connection.execute(statement.returning(writes.c.id))
        return int(written.scalar_one())


def done(db: Database, write_id: int, written: Written) -> None:
    """The tag was taken out of the file."""
    with db.write() as connection:
        connection.execute(
            update(writes)
            .where(writes.c.id == write_id)
            .values(state="done", closed_at=utc_now())
        )
        row = connection.execute(select(writes).where(writes.c.id == write_id)).one()
        there = {tagnames.key(name) for name in row.words["tags"]}
        own = ownwords.names(connection, row.file_id)
        ownwords.replace(
            connection, row.file_id, [n for n in own if tagnames.key(n) in there]
        )
        if row.mode == "file":
            connection.execute(
                update(files)
                .where(files.c.id == row.file_id)
                .values(content_hash=row.after_hash)
            )
        keeping.restored(connection, row, written)
        changes.record(connection, changes.IMAGE, [row.file_id])


def forget(db: Database, write_id: int, tag: str) -> None:
    """The file was not changed after all: then nobody said anything of the tag."""
    with db.write() as connection:
        row = connection.execute(select(writes).where(writes.c.id == write_id)).one()
        if row.state == "dropped":
            agreeing.restate(connection, row.file_id, [tag])
