"""Snapshots: images as they stand now, whole, for the catalogue to store."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from tagger.records import Facts, ImageSnapshot, ImageState, WriteMode
from tagger.tracking import desired, tagnames
from tagger.tracking.database import Database
from tagger.tracking.schema import files, folders, results, tags


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


def pictures(db: Database, ids: Iterable[int]) -> dict[int, tuple[str, int]]:
    """Identity and orientation of each of these images that was looked at."""
    found: dict[int, tuple[str, int]] = {}
    query = (
        select(files.c.id, files.c.identity, files.c.width_px, files.c.orientation)
        .join(folders)
        .where(folders.c.removed_at.is_(None), files.c.identity.is_not(None))
    )
    with db.read() as connection:
        for chunk in tagnames.chunks(sorted(set(ids))):
            for row in connection.execute(query.where(files.c.id.in_(chunk))):
                turned = 1 if row.width_px is None else row.orientation
                found[row.id] = row.identity, turned
    return found


def stale(db: Database, ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """The tags, by key, that stand in a photo's files by the record, and shall not."""
    found: dict[int, frozenset[str]] = {}
    with db.read() as connection:
        for chunk in tagnames.chunks(sorted(set(ids))):
            rows = connection.execute(_images().where(files.c.id.in_(chunk))).all()
            for row, state in zip(rows, desired.states(connection, rows), strict=True):
                found[row.id] = frozenset(map(tagnames.key, state.retired))
    return found


def withheld(db: Database, ids: Iterable[int]) -> set[int]:
    """The photos whose files lack what their folder does not want written."""
    found: set[int] = set()
    owed = files.c.owed_in == WriteMode.NONE.value
    with db.read() as connection:
        for chunk in tagnames.chunks(sorted(set(ids))):
            query = select(files.c.id).join(folders).where(files.c.id.in_(chunk), owed)
            found.update(
                connection.scalars(query.where(folders.c.write_mode == files.c.owed_in))
            )
    return found


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
    states = desired.states(connection, rows)
    return [_image(row, state) for row, state in zip(rows, states, strict=True)]


def _image(row: Row[Any], state: desired.State) -> ImageSnapshot:
    description, description_source = state.description
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
        quality=row.quality,
        rating=row.rating,
        facts=_facts(row),
        description=description,
        description_source=description_source,
        text=row.text,
        tags=state.tags,
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
