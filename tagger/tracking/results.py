"""Results: what models answered, kept by picture so that copies share one answer."""

from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, select, update

from tagger.records import Answer, ImageState, WantedWords, utc_now
from tagger.tracking import changes, tagnames
from tagger.tracking.database import Database
from tagger.tracking.jobs import Job, hold
from tagger.tracking.queueing import enqueue
from tagger.tracking.schema import (
    file_tags,
    files,
    folders,
    own_tags,
    result_tags,
    results,
    tags,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An answer that is on record."""

    result_id: int
    created_at: str


def known(db: Database, identity: str) -> Known | None:
    """The newest answer for a picture, whoever gave it."""
    with db.read() as connection:
        row = connection.execute(
            select(results.c.id, results.c.created_at)
            .where(results.c.identity == identity)
            .order_by(results.c.id.desc())
            .limit(1)
        ).first()
    return Known(result_id=row.id, created_at=row.created_at) if row else None


def record(db: Database, job: Job, identity: str, answer: Answer) -> int:
    """Keep an answer the moment it arrives; returns its id. Raises `LeaseLost`.

    Other photos of the same picture get it too, and a job to have it written.
    """
    with db.write() as connection:
        file_id = hold(connection, job)
        result_id = connection.execute(
            results.insert()
            .values(
                identity=identity,
                backend=answer.backend,
                model=answer.model,
                prompt_version=answer.prompt_version,
                server=answer.server,
                description=answer.description,
                text=answer.text,
                seconds=answer.seconds,
                tokens_in=answer.tokens_in,
                tokens_out=answer.tokens_out,
                created_at=utc_now(),
            )
            .returning(results.c.id)
        ).scalar_one()
        _keep_tags(connection, result_id, answer)
        _use(connection, file_id, result_id)
        _share(connection, file_id, identity)
    return int(result_id)


def use(db: Database, job: Job, result_id: int) -> None:
    """Let the job's photo have an answer that is already on record."""
    with db.write() as connection:
        _use(connection, hold(connection, job), result_id)


def _keep_tags(connection: Connection, result_id: int, answer: Answer) -> None:
    ids = tagnames.ids(connection, [tag.name for tag in answer.tags])
    rows = [
        {
            "result_id": result_id,
            "position": position,
            "tag_id": ids[tagnames.key(tag.name)],
            "score": tag.score,
        }
        for position, tag in enumerate(answer.tags)
        if tagnames.key(tag.name)
    ]
    if rows:
        connection.execute(result_tags.insert(), rows)


def _use(connection: Connection, file_id: int, result_id: int) -> None:
    connection.execute(
        update(files).where(files.c.id == file_id).values(result_id=result_id)
    )
    changes.record(connection, changes.IMAGE, [file_id])


def _share(connection: Connection, file_id: int, identity: str) -> None:
    """Copies that were done under an older answer are to be written anew."""
    copies = connection.scalars(
        select(files.c.id)
        .join(folders)
        .where(
            files.c.identity == identity,
            files.c.id != file_id,
            files.c.state == ImageState.TAGGED.value,
            folders.c.active,
        )
    ).all()
    enqueue(connection, dict.fromkeys(copies))
    changes.record(connection, changes.IMAGE, copies)


def wanted(db: Database, file_id: int) -> WantedWords | None:
    """What should stand in a file by its present answer; None if it already does.

    A file whose present answer was written once is left alone, even if words are gone
    from it: somebody took them out.
    """
    with db.read() as connection:
        row = connection.execute(select(files).where(files.c.id == file_id)).one()
        if row.result_id is None or row.result_id == row.written_result_id:
            return None
        answer = connection.execute(
            select(results).where(results.c.id == row.result_id)
        ).one()
        names = _answer_tags(connection, row.result_id)
        own = _names(connection, own_tags.c.name, own_tags.c.file_id == file_id)
        person = _names(connection, file_tags.c.name, file_tags.c.file_id == file_id)
    keep = {tagnames.key(name) for name in (*names, *person)}
    return WantedWords(
        description=answer.description,
        tags=tuple(names),
        retired=tuple(name for name in own if tagnames.key(name) not in keep),
        own_description=row.own_description,
    )


def _answer_tags(connection: Connection, result_id: int) -> list[str]:
    return list(
        connection.scalars(
            select(tags.c.name)
            .join(result_tags, result_tags.c.tag_id == tags.c.id)
            .where(result_tags.c.result_id == result_id)
            .order_by(result_tags.c.position)
        )
    )


def _names(
    connection: Connection, column: Column[str], where: ColumnElement[bool]
) -> list[str]:
    return list(connection.scalars(select(column).where(where)))
