"""Looks: what a look at a photo found, kept with its file."""

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from tagger.records import (
    Facts,
    FileWords,
    ImageState,
    StatKey,
    WriteMode,
    utc_now,
)
from tagger.tracking import changes, imports, ownwords, reconcile, tagnames
from tagger.tracking.database import Database
from tagger.tracking.jobs import Job, hold
from tagger.tracking.schema import file_tags, files, jobs


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
    sidecar_hash: str | None = None,
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
        other_file = is_moved and before.content_hash != content_hash
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
                note=note,
                **_fact_columns(facts),
            )
        )
        _keep_words(
            connection,
            file_id,
            words,
            content=content_hash,
            beside=sidecar_hash,
            other_picture=other_picture,
            doubtful=other_picture or other_file,
        )
        changes.record(connection, changes.IMAGE, [file_id])
    return file_id


def record_words(
    db: Database, job: Job, words: FileWords, *, sidecar_hash: str | None
) -> None:
    """Keep the words of a photo looked at when they could not be read."""
    with db.write() as connection:
        file_id = hold(connection, job)
        _keep_words(
            connection,
            file_id,
            words,
            content=_row(connection, file_id).content_hash,
            beside=sidecar_hash,
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
        .returning(jobs.c.ask_again, jobs.c.created_at)
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
            result_id=None, written_result_id=None, written_mode=None, written_at=None
        )
    )


def _keep_words(
    connection: Connection,
    file_id: int,
    words: FileWords | None,
    *,
    content: str | None,
    beside: str | None,
    other_picture: bool = False,
    doubtful: bool = False,
) -> None:
    if words is None:
        _note(connection, file_id, words_at=None)
        if doubtful:  # whose words those are cannot be told any more later
            _replace(connection, file_id, FileWords(), ownwords.Own())
        return
    row = _row(connection, file_id)
    was = reconcile.before(connection, row)
    own = ownwords.found(
        connection, row, words, content=content, beside=beside, doubtful=doubtful
    )
    brought = None if own.exact else imports.take(connection, row, words)
    if other_picture and not own.tags and not own.descriptions:
        reconcile.forget(connection, file_id)
    if brought is not None:
        own = _with_imported(connection, row, own, brought, beside=beside)
    elif own.exact:
        _as_written(connection, row, words, own)
    elif not doubtful and row.words_at is not None:
        reconcile.edited(connection, row, was, words)
    _replace(connection, file_id, words, own)
    _note(connection, file_id, words_at=utc_now())
    if words.description is not None:
        _note(connection, file_id, description_removed=False)


def _as_written(
    connection: Connection, row: Row[Any], words: FileWords, own: ownwords.Own
) -> None:
    """The file is as a write of ours left or found it: here, or where it was copied."""
    if row.written_at is None and own.of not in (None, row.id):
        reconcile.inherit(connection, row.id, words, original=own.of)
    _note(
        connection,
        row.id,
        written_result_id=own.result_id,
        written_mode=own.mode,
        written_at=own.written_at,
    )


def _with_imported(
    connection: Connection,
    row: Row[Any],
    own: ownwords.Own,
    brought: imports.Imported,
    *,
    beside: str | None,
) -> ownwords.Own:
    """What is ours with what another database's tagger left in the file."""
    if brought.result_id is not None:
        _note(
            connection,
            row.id,
            result_id=brought.result_id,
            written_result_id=brought.result_id,
            written_mode=str(WriteMode.SIDECAR if beside else WriteMode.FILE),
            written_at=brought.at,
        )
    return replace(
        own,
        tags=own.tags | brought.tags,
        descriptions=own.descriptions | brought.descriptions,
    )


def _replace(
    connection: Connection, file_id: int, words: FileWords, own: ownwords.Own
) -> None:
    """Put down which words stand in a file, the person's apart from ours."""
    ids = tagnames.ids(connection, words.tags)
    present = {tagnames.key(name): name for name in words.tags}
    found = [(ids[k], name) for k, name in present.items() if k and k not in own.tags]
    connection.execute(delete(file_tags).where(file_tags.c.file_id == file_id))
    if found:
        connection.execute(
            file_tags.insert(),
            [
                {"file_id": file_id, "tag_id": tag_id, "position": n, "name": name}
                for n, (tag_id, name) in enumerate(found)
            ],
        )
    # What somebody took out of some fields only is no word of anybody's there.
    ownwords.replace(connection, file_id, [*own.tags.values(), *words.leftovers])
    is_own = words.description in own.descriptions
    _note(
        connection,
        file_id,
        found_description=None if is_own else words.description,
        own_description=words.description if is_own else words.leftover_description,
    )


def _note(connection: Connection, file_id: int, **values: object) -> None:
    connection.execute(update(files).where(files.c.id == file_id).values(**values))
