"""Folders: what people added, how each is to be treated, and whether it is there."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from tagger.errors import UsageError, shown
from tagger.records import Folder, WriteMode, utc_now
from tagger.tracking import changes, proposing, queueing, sidecars
from tagger.tracking.database import Database
from tagger.tracking.places import is_within
from tagger.tracking.schema import files, folders
from tagger.tracking.usable import checked, checked_mirror


def add(
    db: Database,
    path: bytes,
    *,
    recursive: bool,
    write_mode: WriteMode,
    active: bool = True,
    made_by_tag: bool = False,
    mirror: bytes | None = None,
    servers: Sequence[str] | None = None,
    review: bool | None = None,
    data_dir: Path,
    roots: Sequence[str] = (),
) -> Folder:
    """Add a folder, or bring a removed one back with these settings.

    One that only a `tag` command made (`made_by_tag`) gives way to a person's: here,
    or to a recursive one around it. `mirror` is a place of its own for its sidecars.
    `review` says whether answers wait for a person; left open, that is as in the folder
    around it, and in one that comes back as it was.
    Raises `UsageError` if the path is missing, no folder, unreadable, already added,
    outside the `roots` of the settings, or inside the program's own data folder, or if
    the mirror cannot be where it is wanted.
    """
    real = checked(path, data_dir=data_dir, roots=roots)
    place = checked_mirror(mirror, real, write_mode, every(db)) if mirror else None
    values: dict[str, object] = {
        "recursive": recursive,
        "active": active,
        "write_mode": str(write_mode),
        "removed_at": None,
        "offline": None,
        "root_dev": os.stat(real).st_dev,
        "scan_requested_at": utc_now(),
        "made_by_tag": made_by_tag,
        "mirror": place,
    }
    if servers is not None:  # a folder that comes back is bound as it was
        values["servers"] = list(servers)
    with db.write() as connection:
        known = connection.execute(
            select(folders).where(folders.c.path == real)
        ).first()
        if review is not None:
            values["review"] = review
        elif known is None:
            values["review"] = proposing.is_within_reviewed(connection, real)
        if known is None:
            statement = folders.insert().values(path=real, added_at=utc_now(), **values)
            folder_id = connection.execute(
                statement.returning(folders.c.id)
            ).scalar_one()
        elif known.removed_at is None and not known.made_by_tag:
            raise UsageError(f"{shown(real)} is already among the folders")
        else:
            folder_id = known.id
            _update(connection, folder_id, **values)
            _enqueue_unwritten(connection, folder_id)
        if recursive and not made_by_tag:
            _take_in(connection, real)
        _announce(connection, folder_id, with_images=known is not None)
        return _folder(connection.execute(_by_id(folder_id)).one())


def _take_in(connection: Connection, path: bytes) -> None:
    """Remove what `tag` commands made below a person's folder, which has it now."""
    rows = connection.execute(
        select(folders.c.id, folders.c.path).where(
            folders.c.removed_at.is_(None), folders.c.made_by_tag
        )
    ).all()
    for row in rows:
        if row.path != path and is_within(row.path, path):
            _update(connection, row.id, removed_at=utc_now(), active=False)
            _announce(connection, row.id, with_images=True)


def _update(connection: Connection, folder_id: int, **values: object) -> None:
    connection.execute(
        update(folders).where(folders.c.id == folder_id).values(**values)
    )


def _enqueue_unwritten(connection: Connection, folder_id: int) -> None:
    """Have words written that the folder's earlier settings kept out of the files."""
    ids = queueing.unwritten(connection, files.c.folder_id == folder_id)
    queueing.enqueue(connection, dict.fromkeys(ids))
    changes.record(connection, changes.IMAGE, ids)


def every(db: Database) -> list[Folder]:
    """All folders that were not removed, by path."""
    with db.read() as connection:
        rows = connection.execute(
            select(folders)
            .where(folders.c.removed_at.is_(None))
            .order_by(folders.c.path)
        )
        return [_folder(row) for row in rows]


def get(db: Database, folder_id: int) -> Folder:
    """One folder; raises `UsageError` if there is none of that id."""
    with db.read() as connection:
        row = connection.execute(_by_id(folder_id)).first()
    if row is None:
        raise UsageError(f"there is no folder with id {folder_id}")
    return _folder(row)


def of_file(db: Database, file_id: int) -> Folder:
    """The folder that a file is in, even one that was taken out."""
    with db.read() as connection:
        row = connection.execute(
            select(folders).join(files).where(files.c.id == file_id)
        ).one()
    return _folder(row)


def find(db: Database, path: bytes) -> Folder | None:
    """The folder added under exactly this path, if any."""
    real = os.path.realpath(os.path.abspath(path))
    return next((folder for folder in every(db) if folder.path == real), None)


def remove(db: Database, folder_id: int) -> None:
    """Take a folder and its photos out of the catalogue; no file is touched.

    Folders around it are looked through anew: its photos are theirs from now on.
    """
    path = get(db, folder_id).path
    with db.write() as connection:
        _update(connection, folder_id, removed_at=utc_now(), active=False)
        for row in connection.execute(select(folders).where(folders.c.active)).all():
            if is_within(path, row.path):
                _update(connection, row.id, scan_requested_at=utc_now())
        _announce(connection, folder_id, with_images=True)


def set_active(db: Database, folder_id: int, active: bool) -> None:
    """Whether the tagger watches the folder and works on its photos."""
    get(db, folder_id)
    with db.write() as connection:
        requested_at = utc_now() if active else None
        # Whoever switches it has made it theirs.
        _update(
            connection,
            folder_id,
            active=active,
            scan_requested_at=requested_at,
            made_by_tag=False,
        )
        if active:
            _enqueue_unwritten(connection, folder_id)
        changes.record(connection, changes.FOLDER, [folder_id])


def set_write_mode(
    db: Database, folder_id: int, mode: WriteMode, *, mirror: bytes | None = None
) -> None:
    """Where words go from now on; what was written stays, what was not is written.

    `mirror` is a new place for the folder's sidecars; None leaves the one it has, an
    empty path goes back to the common one. To set the mirror once more takes stock of
    it anew: what was in it and is gone is written again. Raises `UsageError` if the
    mirror cannot be where it is wanted.
    """
    folder = get(db, folder_id)
    place = folder.mirror if mirror is None else None
    if mirror:
        place = checked_mirror(mirror, folder.path, mode, every(db))
    with db.write() as connection:
        _update(connection, folder_id, write_mode=str(mode), mirror=place)
        if mode is WriteMode.MIRROR:
            sidecars.forget_mirrored(connection, folder_id)
            _update(connection, folder_id, scan_requested_at=utc_now())
        if folder.active:
            _enqueue_unwritten(connection, folder_id)
        changes.record(connection, changes.FOLDER, [folder_id])


def set_review(db: Database, folder_id: int, review: bool) -> None:
    """Whether answers for the folder's photos wait for a person from now on.

    Those that wait already go on waiting either way: they were given while nothing was
    to be used unseen. Raises `UsageError` if there is no such folder.
    """
    get(db, folder_id)
    with db.write() as connection:
        # Whoever sets it has made it theirs.
        _update(connection, folder_id, review=review, made_by_tag=False)
        changes.record(connection, changes.FOLDER, [folder_id])


def set_recursive(db: Database, folder_id: int) -> None:
    """Let a folder that a `tag` command made for one file cover its subfolders too."""
    with db.write() as connection:
        _update(connection, folder_id, recursive=True)
        changes.record(connection, changes.FOLDER, [folder_id])


def is_made_by_tag(db: Database, folder_id: int) -> bool:
    """Whether only a `tag` command made this folder, and no person."""
    with db.read() as connection:
        return bool(
            connection.execute(
                select(folders.c.made_by_tag).where(folders.c.id == folder_id)
            ).scalar_one_or_none()
        )


def set_offline(db: Database, folder_id: int, reason: str | None) -> bool:
    """Note that the folder cannot be reached (its photos wait), or can again.

    Returns whether that is news. A folder removed meanwhile is left as it is.
    """
    with db.write() as connection:
        changed = connection.execute(
            update(folders)
            .where(
                folders.c.id == folder_id,
                folders.c.removed_at.is_(None),
                folders.c.offline.is_distinct_from(reason),
            )
            .values(offline=reason)
        ).rowcount
        if changed:
            changes.record(connection, changes.FOLDER, [folder_id])
    return bool(changed)


def root_device(db: Database, folder_id: int) -> int | None:
    """The device the folder's root was on when last seen."""
    with db.read() as connection:
        return connection.execute(
            select(folders.c.root_dev).where(folders.c.id == folder_id)
        ).scalar_one_or_none()


def set_root_device(db: Database, folder_id: int, device: int) -> None:
    """Accept that the folder's root is on another device now."""
    with db.write() as connection:
        _update(connection, folder_id, root_dev=device)


def request_scan(db: Database, folder_id: int | None) -> None:
    """Ask the running tagger to look through one folder, or all, soon."""
    if folder_id is not None:
        get(db, folder_id)
    with db.write() as connection:
        statement = update(folders).where(folders.c.removed_at.is_(None))
        if folder_id is not None:
            statement = statement.where(folders.c.id == folder_id)
        connection.execute(statement.values(scan_requested_at=utc_now()))


def due(db: Database, *, interval_s: float) -> list[Folder]:
    """Active folders to be looked through now: asked for, or last seen too long ago.

    A folder's own interval goes before `interval_s`.
    """
    now = time.time()
    with db.read() as connection:
        rows = connection.execute(
            select(folders).where(folders.c.removed_at.is_(None), folders.c.active)
        )
        return [
            _folder(row)
            for row in rows
            if row.scan_requested_at is not None
            or row.last_scan_at is None
            or row.last_scan_at < _ago(now, row.scan_interval_min, interval_s)
        ]


def _ago(now: float, own_min: float | None, interval_s: float) -> str:
    seconds = interval_s if own_min is None else own_min * 60
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now - seconds))


def scan_begins(db: Database, folder_id: int) -> None:
    """Take the request off before the scan, so that one made meanwhile is not lost."""
    with db.write() as connection:
        _update(connection, folder_id, scan_requested_at=None, last_scan_at=utc_now())
        changes.record(connection, changes.FOLDER, [folder_id])


def _announce(connection: Connection, folder_id: int, *, with_images: bool) -> None:
    changes.record(connection, changes.FOLDER, [folder_id])
    if with_images:
        ids: Sequence[int] = connection.scalars(
            select(files.c.id).where(files.c.folder_id == folder_id)
        ).all()
        changes.record(connection, changes.IMAGE, ids)


def _by_id(folder_id: int) -> Select[Any]:
    return select(folders).where(
        folders.c.id == folder_id, folders.c.removed_at.is_(None)
    )


def _folder(row: Row[Any]) -> Folder:
    return Folder(
        id=row.id,
        path=row.path,
        recursive=row.recursive,
        active=row.active,
        write_mode=WriteMode(row.write_mode),
        added_at=row.added_at,
        last_scan_at=row.last_scan_at,
        offline=row.offline,
        mirror=row.mirror,
        servers=tuple(row.servers) if row.servers is not None else None,
        hours=row.hours,
        scan_interval_min=row.scan_interval_min,
        review=row.review,
    )
