"""Folders: what people added, how each is to be treated, and whether it is there."""

import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from tagger.errors import UsageError, shown
from tagger.records import Folder, WriteMode, utc_now
from tagger.tracking import changes
from tagger.tracking.database import Database
from tagger.tracking.schema import files, folders

# Folders below the data folder that hold photos all the same.
PHOTOS_IN_DATA = ("samples", "demo")


def add(
    db: Database,
    path: bytes,
    *,
    recursive: bool,
    write_mode: WriteMode,
    active: bool = True,
    data_dir: Path,
) -> Folder:
    """Add a folder, or bring a removed one back with these settings.

    Raises `UsageError` if the path is missing, no folder, unreadable, already added,
    or inside the program's own data folder.
    """
    real = checked(path, data_dir=data_dir)
    values = {
        "recursive": recursive,
        "active": active,
        "write_mode": str(write_mode),
        "removed_at": None,
        "offline": None,
        "root_dev": os.stat(real).st_dev,
        "scan_requested_at": utc_now(),
    }
    with db.write() as connection:
        known = connection.execute(
            select(folders).where(folders.c.path == real)
        ).first()
        if known is not None and known.removed_at is None:
            raise UsageError(f"{shown(real)} is already among the folders")
        if known is None:
            statement = folders.insert().values(path=real, added_at=utc_now(), **values)
            folder_id = connection.execute(
                statement.returning(folders.c.id)
            ).scalar_one()
        else:
            folder_id = known.id
            connection.execute(
                update(folders).where(folders.c.id == folder_id).values(**values)
            )
        _announce(connection, folder_id, with_images=known is not None)
        return _folder(connection.execute(_by_id(folder_id)).one())


def checked(path: bytes, *, data_dir: Path) -> bytes:
    """The real path of a folder that may be added; raises `UsageError` otherwise."""
    if b"\n" in path or b"\r" in path:
        raise UsageError(f"{shown(path)!r}: a path with a line break cannot be used")
    real = os.path.realpath(os.path.abspath(path))
    try:
        if not stat.S_ISDIR(os.stat(real).st_mode):
            raise UsageError(f"{shown(path)} is a file, not a folder")
        os.scandir(real).close()
    except FileNotFoundError:
        raise UsageError(f"{shown(path)}: there is no such folder") from None
    except PermissionError:
        raise UsageError(
            f"{shown(path)} cannot be read; give this user the right to read it"
        ) from None
    except OSError as error:
        raise UsageError(f"{shown(path)} cannot be opened: {error.strerror}") from error
    if inside_data(real, data_dir):
        raise UsageError(
            f"{shown(path)} is inside the program's own data folder; "
            "choose the folder that holds your photos"
        )
    return real


def inside_data(path: bytes, data_dir: Path) -> bool:
    """Whether `path` lies in the data folder, samples and demo apart."""
    data = os.path.realpath(os.fsencode(data_dir))
    if path != data and not path.startswith(data + b"/"):
        return False
    first = path[len(data) + 1 :].split(b"/", 1)[0]
    return first not in [os.fsencode(name) for name in PHOTOS_IN_DATA]


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


def find(db: Database, path: bytes) -> Folder | None:
    """The folder added under exactly this path, if any."""
    real = os.path.realpath(os.path.abspath(path))
    return next((folder for folder in every(db) if folder.path == real), None)


def remove(db: Database, folder_id: int) -> None:
    """Take a folder and its photos out of the catalogue; no file is touched."""
    get(db, folder_id)
    with db.write() as connection:
        connection.execute(
            update(folders)
            .where(folders.c.id == folder_id)
            .values(removed_at=utc_now(), active=False)
        )
        _announce(connection, folder_id, with_images=True)


def set_active(db: Database, folder_id: int, active: bool) -> None:
    """Whether the tagger watches the folder and works on its photos."""
    _set(db, folder_id, active=active, scan_requested_at=utc_now() if active else None)


def set_write_mode(db: Database, folder_id: int, mode: WriteMode) -> None:
    """Where words go from now on; what was written stays."""
    _set(db, folder_id, write_mode=str(mode))


def set_offline(db: Database, folder_id: int, reason: str | None) -> None:
    """Note that the folder cannot be reached (its photos wait), or can again."""
    if get(db, folder_id).offline != reason:
        _set(db, folder_id, offline=reason)


def root_device(db: Database, folder_id: int) -> int | None:
    """The device the folder's root was on when last seen."""
    with db.read() as connection:
        return connection.execute(
            select(folders.c.root_dev).where(folders.c.id == folder_id)
        ).scalar_one_or_none()


def set_root_device(db: Database, folder_id: int, device: int) -> None:
    """Accept that the folder's root is on another device now."""
    _set(db, folder_id, root_dev=device)


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
    """Active folders to be looked through now: asked for, or last seen too long ago."""
    limit = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - interval_s))
    with db.read() as connection:
        rows = connection.execute(
            select(folders).where(
                folders.c.removed_at.is_(None),
                folders.c.active,
                folders.c.scan_requested_at.is_not(None)
                | folders.c.last_scan_at.is_(None)
                | (folders.c.last_scan_at < limit),
            )
        )
        return [_folder(row) for row in rows]


def scan_begins(db: Database, folder_id: int) -> None:
    """Take the request off before the scan, so that one made meanwhile is not lost."""
    with db.write() as connection:
        connection.execute(
            update(folders)
            .where(folders.c.id == folder_id)
            .values(scan_requested_at=None, last_scan_at=utc_now())
        )
        changes.record(connection, changes.FOLDER, [folder_id])


def _set(db: Database, folder_id: int, **values: object) -> None:
    get(db, folder_id)
    with db.write() as connection:
        connection.execute(
            update(folders).where(folders.c.id == folder_id).values(**values)
        )
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
    )
