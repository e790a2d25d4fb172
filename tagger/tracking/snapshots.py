"""Snapshots: images as they stand now, whole, for the catalogue to store."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from tagger.records import Facts, ImageSnapshot, ImageState, ImageTag, WriteMode
from tagger.tracking import tagnames
from tagger.tracking.database import Database
from tagger.tracking.schema import (
    file_tags,
    files,
    folders,
    result_tags,
    results,
    tags,
)

FROM_FILE = "file"


def images(db: Database, ids: Sequence[int]) -> list[ImageSnapshot]:
    """The images of these ids, in order of id; one that is gone is absent."""
    found: list[ImageSnapshot] = []
    with db.read() as connection:
        for chunk in tagnames.chunks(sorted(set(ids))):
            rows = connection.execute(_images().where(files.c.id.in_(chunk))).all()
            found += _whole(connection, rows)
    return found


def after(db: Database, image_id: int, *, limit: int) -> list[ImageSnapshot]:
    """The next images by id; for whoever reads them all, page by page."""
    with db.read() as connection:
        rows = connection.execute(
            _images().where(files.c.id > image_id).limit(limit)
        ).all()
        return _whole(connection, rows)


def tag_names(db: Database, ids: Iterable[int]) -> dict[int, str]:
    """The name of each tag id."""
    names: dict[int, str] = {}
    with db.read() as connection:
        for chunk in tagnames.chunks(sorted(set(ids))):
            rows = connection.execute(
                select(tags.c.id, tags.c.name).where(tags.c.id.in_(chunk))
            )
            names.update({row.id: row.name for row in rows})
    return names


def _images() -> Select[Any]:
    return (
        select(
            files,
            results.c.backend,
            results.c.model,
            results.c.prompt_version,
            results.c.server,
            results.c.description,
            results.c.text,
            results.c.seconds,
            results.c.tokens_in,
            results.c.tokens_out,
            results.c.created_at.label("answered_at"),
        )
        .select_from(
            files.join(folders).outerjoin(results, results.c.id == files.c.result_id)
        )
        .where(folders.c.removed_at.is_(None))
        .order_by(files.c.id)
    )


def _whole(connection: Connection, rows: Sequence[Row[Any]]) -> list[ImageSnapshot]:
    found = _file_tags(connection, [row.id for row in rows])
    answered = _result_tags(
        connection, [row.result_id for row in rows if row.result_id is not None]
    )
    return [_image(row, found[row.id], answered[row.result_id]) for row in rows]


def _file_tags(connection: Connection, ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    by_file: dict[int, list[Row[Any]]] = defaultdict(list)
    for chunk in tagnames.chunks(ids):
        for row in connection.execute(
            select(file_tags)
            .where(file_tags.c.file_id.in_(chunk))
            .order_by(file_tags.c.file_id, file_tags.c.position)
        ):
            by_file[row.file_id].append(row)
    return by_file


def _result_tags(
    connection: Connection, ids: Sequence[int]
) -> dict[int | None, list[Row[Any]]]:
    by_result: dict[int | None, list[Row[Any]]] = defaultdict(list)
    for chunk in tagnames.chunks(ids):
        for row in connection.execute(
            select(result_tags, tags.c.name)
            .join(tags, tags.c.id == result_tags.c.tag_id)
            .where(result_tags.c.result_id.in_(chunk))
            .order_by(result_tags.c.result_id, result_tags.c.position)
        ):
            by_result[row.result_id].append(row)
    return by_result


def _image(
    row: Row[Any], found: Sequence[Row[Any]], answered: Sequence[Row[Any]]
) -> ImageSnapshot:
    from_person = row.found_description is not None
    return ImageSnapshot(
        id=row.id,
        folder_id=row.folder_id,
        path=row.path,
        size_bytes=row.size_bytes,
        added_at=row.added_at,
        state=ImageState.MISSING if row.missing_since else ImageState(row.state),
        reason=row.reason,
        identity=row.identity,
        dhash=row.dhash,
        facts=_facts(row),
        description=row.found_description if from_person else row.description,
        description_source=FROM_FILE if from_person else row.model,
        text=row.text,
        tags=_tags(found, answered, row.model),
        backend=row.backend,
        model=row.model,
        prompt_version=row.prompt_version,
        server=row.server,
        seconds=row.seconds,
        tokens_in=row.tokens_in,
        tokens_out=row.tokens_out,
        answered_at=row.answered_at,
        written_mode=WriteMode(row.written_mode) if row.written_mode else None,
        written_at=row.written_at,
    )


def _tags(
    found: Sequence[Row[Any]], answered: Sequence[Row[Any]], model: str | None
) -> tuple[ImageTag, ...]:
    """Each tag once; where the person said it too, it is the person's."""
    theirs = {row.tag_id: ImageTag(row.tag_id, row.name, FROM_FILE) for row in found}
    models = {
        row.tag_id: ImageTag(row.tag_id, row.name, model or "", row.score)
        for row in answered
        if row.tag_id not in theirs
    }
    return (*theirs.values(), *models.values())


def _facts(row: Row[Any]) -> Facts | None:
    if row.width_px is None:
        return None
    return Facts(
        format=row.format,
        width_px=row.width_px,
        height_px=row.height_px,
        orientation=row.orientation,
        frames=row.frames,
        taken_at=row.taken_at,
        camera=row.camera,
        lens=row.lens,
        gps=None if row.latitude is None else (row.latitude, row.longitude),
    )


def troubled(db: Database, *, limit: int) -> list[ImageSnapshot]:
    """The images that failed or could not be written, latest first."""
    states = (ImageState.FAILED.value, ImageState.NOT_WRITTEN.value)
    with db.read() as connection:
        rows = connection.execute(
            _images()
            .where(files.c.state.in_(states))
            .order_by(None)
            .order_by(files.c.finished_at.desc())
            .limit(limit)
        ).all()
        return _whole(connection, rows)
