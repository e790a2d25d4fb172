"""Looks: what a look at a photo found, kept with its file."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from tagger.records import (
    Facts,
    FileWords,
    ImageState,
    StatKey,
    utc_now,
)
from tagger.tracking import beforehand, changes, contests, readwords, saying, sidecars
from tagger.tracking.database import Database
from tagger.tracking.jobs import Job, hold
from tagger.tracking.readwords import Found
from tagger.tracking.schema import files, jobs
from tagger.tracking.sidecars import Beside

ALONE = Beside()


def record(
    db: Database,
    job: Job,
    *,
    stat: StatKey,
    identity: str,
    content_hash: str,
    dhash: int,
    facts: Facts,
    words: FileWords | None,
    note: str | None,
    beside: Beside = ALONE,
    quality: int | None = None,
) -> int:
    """Keep what a look found; returns the id the photo goes by from now on.

    That id differs from the job's when the photo is one that had been missing: it was
    moved, so it takes its old id, with everything known of it. `words` is None when
    they could not be read (no exiftool); they are read once they can be. Raises
    `LeaseLost`.
    """
    with db.write() as connection:
        file_id = hold(connection, job)
        before, is_moved = _row(connection, file_id), False
        if before.identity is None:
            moved_from = _missing_twin(connection, file_id, identity)
            if moved_from is not None:
                _become(connection, before, moved_from)
                file_id, is_moved = moved_from, True
                before = _row(connection, file_id)
        other_picture = before.identity not in (None, identity)
        if other_picture:
            _forget_answer(connection, file_id)
        connection.execute(
            update(files)
            .where(files.c.id == file_id)
            .values(
                **asdict(stat),
                looked_at=utc_now(),
                identity=identity,
                content_hash=content_hash,
                dhash=dhash,
                quality=quality,
                note=note,
                **_fact_columns(facts),
            )
        )
        readwords.keep(
            connection,
            file_id,
            words,
            Found(
                content=content_hash,
                beside=beside,
                photo_changed=before.content_hash not in (None, content_hash),
                is_moved=is_moved,
                other_picture=other_picture,
                other_file=is_moved and before.content_hash != content_hash,
            ),
        )
        changes.record(connection, changes.IMAGE, [file_id])
    return file_id


def record_words(
    db: Database, job: Job, words: FileWords, *, beside: Beside = ALONE
) -> None:
    """Keep the words of a photo that was looked at before, and is as it was then."""
    with db.write() as connection:
        file_id = hold(connection, job)
        content = _row(connection, file_id).content_hash
        readwords.keep(
            connection, file_id, words, Found(content=content, beside=beside)
        )
        changes.record(connection, changes.IMAGE, [file_id])


def _fact_columns(facts: Facts) -> dict[str, object]:
    latitude, longitude = facts.gps or (None, None)
    return {
        "format": facts.format,
        "width_px": facts.width_px,
        "height_px": facts.height_px,
        "orientation": facts.orientation,
        "frames": facts.frames,
        "taken_at": facts.taken_at,
        "camera": facts.camera,
        "lens": facts.lens,
        "latitude": latitude,
        "longitude": longitude,
    }


def _row(connection: Connection, file_id: int) -> Row[Any]:
    return connection.execute(select(files).where(files.c.id == file_id)).one()


def _missing_twin(connection: Connection, file_id: int, identity: str) -> int | None:
    """A missing file of the same picture."""
    return connection.scalars(
        select(files.c.id)
        .where(
            files.c.identity == identity,
            files.c.missing_since.is_not(None),
            files.c.id != file_id,
        )
        .order_by(files.c.missing_since.desc())
        .limit(1)
    ).first()


def _become(connection: Connection, new: Row[Any], old_id: int) -> None:
    """Give the missing file the path and job of the one just found, which goes."""
    asked = connection.execute(
        delete(jobs)
        .where(jobs.c.file_id == old_id)
        .returning(jobs.c.ask_again, jobs.c.created_at, jobs.c.edit_id, jobs.c.priority)
    ).first()
    connection.execute(
        update(jobs).where(jobs.c.file_id == new.id).values(file_id=old_id)
    )
    if asked is not None and asked.ask_again:
        connection.execute(
            update(jobs)
            .where(jobs.c.file_id == old_id)
            .values(ask_again=True, created_at=asked.created_at)
        )
    sidecars.forget(connection, new.id)
    if asked is not None and asked.edit_id is not None:
        connection.execute(
            update(jobs)
            .where(jobs.c.file_id == old_id)
            .values(edit_id=asked.edit_id, priority=asked.priority)
        )
    saying.hand_over(connection, new, old_id)
    beforehand.forget(connection, new.id)
    contests.hand_over(connection, new.id, old_id)
    connection.execute(delete(files).where(files.c.id == new.id))
    connection.execute(
        update(files)
        .where(files.c.id == old_id)
        .values(
            path=new.path,
            folder_id=new.folder_id,
            missing_since=None,
            unreachable=False,
            state=ImageState.QUEUED.value,
            reason=None,
        )
    )
    changes.record(connection, changes.IMAGE, [new.id])


def _forget_answer(connection: Connection, file_id: int) -> None:
    """Another picture stands there now: it waits for an answer and a write of its own.

    What an earlier write left in the file is judged by its words, not by this.
    """
    connection.execute(
        update(files)
        .where(files.c.id == file_id)
        .values(
            result_id=None,
            proposed_result_id=None,
            written_result_id=None,
            written_mode=None,
            written_at=None,
        )
    )
