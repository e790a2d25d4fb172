"""Results: what models answered, kept by picture so that copies share one answer."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from tagger import __version__
from tagger.records import (
    Answer,
    Provenance,
    WantedWords,
    WriteMode,
    iso,
    utc_now,
)
from tagger.tracking import changes, conflicts, desired, meaning, proposing, tagnames
from tagger.tracking.database import Database
from tagger.tracking.jobs import Job, hold
from tagger.tracking.queueing import enqueue
from tagger.tracking.schema import files, folders, result_tags, results

# The backend of answers that another database's tagger wrote into a file.
IMPORTED = "imported"


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
            .order_by(results.c.created_at.desc(), results.c.id.desc())
            .limit(1)
        ).first()
    return Known(result_id=row.id, created_at=row.created_at) if row else None


def newest(connection: Connection, identity: str | None) -> int | None:
    """The id of the newest answer for a picture, inside a transaction."""
    return connection.scalars(
        select(results.c.id)
        .where(results.c.identity == identity)
        .order_by(results.c.created_at.desc(), results.c.id.desc())
        .limit(1)
    ).first()


def count_since(db: Database, since_s: float) -> int:
    """How many answers came in since a time, in seconds since the epoch."""
    with db.read() as connection:
        found = connection.execute(
            select(func.count()).where(results.c.created_at >= iso(since_s))
        ).scalar_one()
    return int(found)


def record(db: Database, job: Job, identity: str, answer: Answer) -> int | None:
    """Keep an answer the moment it arrives. Raises `LeaseLost`.

    Returns the answer the photo has then: this one, unless it waits for a person. Other
    photos of the same picture get it too, and a job to have it written.
    """
    with db.write() as connection:
        file_id = hold(connection, job)
        result_id = insert(connection, identity, answer, created_at=utc_now())
        in_use = proposing.take(connection, file_id, result_id)
        _share(connection, file_id, identity)
    return in_use


def insert(
    connection: Connection, identity: str, answer: Answer, *, created_at: str
) -> int:
    """Put an answer on record, in the caller's transaction; its id."""
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
            created_at=created_at,
        )
        .returning(results.c.id)
    ).scalar_one()
    _keep_tags(connection, result_id, answer)
    return int(result_id)


def use(db: Database, job: Job, result_id: int) -> int | None:
    """Let the job's photo have an answer that is already on record; which it has then.

    That is another one if this waits for a person; and one whose words were undone is
    not taken again unasked.
    """
    with db.write() as connection:
        return proposing.take(connection, hold(connection, job), result_id)


def _keep_tags(connection: Connection, result_id: int, answer: Answer) -> None:
    ids = tagnames.ids(connection, [tag.name for tag in answer.tags])
    # What another database's tagger wrote is an answer of the past.
    meant = {} if answer.backend == IMPORTED else meaning.of(connection, ids)
    rows = [
        {
            "result_id": result_id,
            "position": position,
            "tag_id": ids[key],
            "score": tag.score,
            **asdict(meant.get(key, meaning.Meaning())),
        }
        for position, tag in enumerate(answer.tags)
        if (key := tagnames.key(tag.name))
    ]
    if rows:
        connection.execute(result_tags.insert(), rows)


def _share(connection: Connection, file_id: int, identity: str) -> None:
    """Copies that were done under an older answer are to be written anew."""
    copies = connection.scalars(
        select(files.c.id)
        .join(folders)
        .where(
            files.c.identity == identity,
            files.c.id != file_id,
            files.c.state.in_(proposing.THROUGH),
            folders.c.active,
        )
    ).all()
    enqueue(connection, dict.fromkeys(copies))
    changes.record(connection, changes.IMAGE, copies)


def wanted(
    db: Database, file_id: int, *, mode: WriteMode | None = None
) -> WantedWords | None:
    """What should stand in a file; None if it does, or must be left alone.

    An answer that was not written yet is always wanted, even if the file has all of
    its words: it may not say yet whose they are. `mode` is where the folder wants them:
    what went beside a file that could not be written is wanted in it, should it be
    writable by now.
    """
    with db.read() as connection:
        row = _with_answer(connection, file_id)
        if conflicts.reason(connection, file_id) is not None:
            return None
        [state] = desired.states(connection, [row])
    answer_id = None if row.result_id == row.undone_result_id else row.result_id
    second_best = (
        answer_id is not None
        and mode is WriteMode.FILE
        and row.written_mode == WriteMode.SIDECAR.value
    )
    done = answer_id in (None, row.written_result_id) and state.is_met
    if done and not second_best:
        return None
    text, source = state.description
    by_person = source == desired.FROM_PERSON
    # The person's own, as found in the file, is left to the writer, which sees it too.
    said = text if source != desired.FROM_FILE else state.answer
    return WantedWords(
        description=said or "",
        tags=tuple(tag.name for tag in state.tags if tag.tag_id not in state.found),
        retired=state.retired,
        refused=state.refused,
        renamed=state.renamed,
        own_description=row.own_description,
        by_person=by_person,
        provenance=_provenance(row, state),
        result_id=row.result_id,
    )


def note_owed(db: Database, file_id: int, *, mode: WriteMode) -> None:
    """Put down whether a photo's files hold all they should, as far as `mode` lets us.

    What is owed is made good once the folder gets another mode.
    """
    with db.read() as connection:
        row = _with_answer(connection, file_id)
        [state] = desired.states(connection, [row])
    owed = None if state.is_met else str(mode)
    if row.owed_in != owed:
        with db.write() as connection:
            connection.execute(
                update(files).where(files.c.id == file_id).values(owed_in=owed)
            )


def _with_answer(connection: Connection, file_id: int) -> Row[Any]:
    return connection.execute(
        select(
            files,
            results.c.description,
            results.c.model,
            results.c.prompt_version,
            results.c.created_at,
        )
        .select_from(files.outerjoin(results, results.c.id == files.c.result_id))
        .where(files.c.id == file_id)
    ).one()


def _provenance(row: Row[Any], state: desired.State) -> Provenance | None:
    edited = tuple(tag.name for tag in state.tags if tag.source == desired.FROM_PERSON)
    if row.result_id is None and not (
        edited or state.refused or state.person_description
    ):
        return None
    return Provenance(
        program=f"Image Tagger {__version__}",
        model=row.model or "",
        prompt_version=row.prompt_version or "",
        tagged_at=row.created_at or "",
        tags=tuple(tag.name for tag in state.by_model),
        edited_tags=edited,
        removed_tags=state.refused,
    )
