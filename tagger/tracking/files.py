"""Files: which photos there are, and what a look at each one found.

A scan hands over all it saw of a folder at once; new, changed, vanished, returned and
moved files are told apart by a handful of statements, never by a query a file.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select, text, update

from tagger.records import ImageState, StatKey, utc_now
from tagger.tracking import changes, tagnames
from tagger.tracking.database import Database
from tagger.tracking.schema import files, folders

SEEN = """CREATE TEMP TABLE IF NOT EXISTS seen (
    path BLOB PRIMARY KEY, dev INTEGER, ino INTEGER, size_bytes INTEGER,
    mtime_ns INTEGER, ctime_ns INTEGER) WITHOUT ROWID"""
SAME = """s.ino = f.ino AND s.size_bytes = f.size_bytes
    AND s.mtime_ns = f.mtime_ns AND s.ctime_ns = f.ctime_ns"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One photo file as a scan met it."""

    path: bytes
    stat: StatKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOutcome:
    """What a scan changed, as counts of files."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    moved: int = 0
    missing: int = 0
    returned: int = 0


def apply_scan(
    db: Database,
    folder_id: int,
    seen: Sequence[Seen],
    *,
    within: Sequence[bytes] | None = None,
    unreadable: Sequence[bytes] = (),
    settle_s: float = 0.0,
) -> ScanOutcome:
    """Bring what is known of a folder in line with what a scan saw.

    `within` limits the comparison to these files and subfolders (a watcher's hint).
    Nothing below an `unreadable` subfolder is held to be missing. A file touched less
    than `settle_s` seconds ago gets its job for later.
    """
    with db.write() as connection:
        _stage(connection, seen)
        moved = _move(connection, folder_id)
        changed = _changed(connection)
        returned = _returned(connection)
        adopted = _adopt(connection, folder_id)
        missing, hidden = _vanished(connection, folder_id, within, unreadable)
        new = _insert_new(connection, folder_id)
        _enqueue(connection, new + changed, settle_s)
        touched = {*new, *changed, *moved, *returned, *adopted, *missing, *hidden}
        changes.record(connection, changes.IMAGE, sorted(touched))
    return ScanOutcome(
        seen=len(seen),
        new=len(new),
        changed=len(changed),
        moved=len(moved),
        missing=len(missing),
        returned=len(returned),
    )


def _stage(connection: Connection, seen: Sequence[Seen]) -> None:
    connection.exec_driver_sql(SEEN)
    connection.exec_driver_sql("DELETE FROM seen")
    rows = [
        (
            s.path,
            s.stat.dev,
            s.stat.ino,
            s.stat.size_bytes,
            s.stat.mtime_ns,
            s.stat.ctime_ns,
        )
        for s in seen
    ]
    if rows:
        connection.exec_driver_sql(
            "INSERT OR IGNORE INTO seen VALUES (?,?,?,?,?,?)", rows
        )


def _move(connection: Connection, folder_id: int) -> list[int]:
    """Give a file that was renamed on one disk its new path; it is otherwise as it was.

    The inode, size and modification time together say it is the same file; the old
    path must be gone, or it would be a hard link.
    """
    candidates = connection.execute(
        text(
            """SELECT f.id, f.path AS old, s.path AS new, s.dev, s.ctime_ns
            FROM seen s JOIN files f ON f.ino = s.ino AND f.size_bytes = s.size_bytes
                AND f.mtime_ns = s.mtime_ns AND f.dev = s.dev
            WHERE s.path NOT IN (SELECT path FROM files)
              AND f.path NOT IN (SELECT path FROM seen)"""
        )
    ).all()
    taken: set[bytes] = set()
    moved = []
    for row in candidates:
        if row.new in taken or os.path.lexists(row.old):
            continue
        taken.add(row.new)
        moved.append(row.id)
        connection.execute(
            update(files)
            .where(files.c.id == row.id)
            .values(
                path=row.new,
                folder_id=folder_id,
                ctime_ns=row.ctime_ns,
                missing_since=None,
            )
        )
    return moved


def _changed(connection: Connection) -> list[int]:
    """Files whose stat differs from the one on record, ours to write apart.

    While an intent is open the difference may be our own; and what the scan read just
    before a write of ours is old by now, so the file is asked once more.
    """
    rows = connection.execute(
        text(
            f"""SELECT f.id, f.path, f.size_bytes, f.mtime_ns, f.ctime_ns
            FROM files f JOIN seen s ON s.path = f.path WHERE NOT ({SAME})
            AND f.id NOT IN (SELECT file_id FROM writes WHERE state = 'intent')"""
        )
    ).all()
    ids = []
    for row in rows:
        try:
            now = StatKey.of(os.stat(row.path))
        except OSError:
            continue  # gone since the scan; the next one marks it missing
        if (now.size_bytes, now.mtime_ns, now.ctime_ns) != row[2:]:
            ids.append(row.id)
            restat(connection, row.id, now)
    return ids


def restat(connection: Connection, file_id: int, stat: StatKey) -> None:
    """Take over a changed file's stat key; it has to be looked at again."""
    connection.execute(
        update(files)
        .where(files.c.id == file_id)
        .values(**asdict(stat), looked_at=None)
    )


def _returned(connection: Connection) -> list[int]:
    where = """WHERE (missing_since IS NOT NULL OR unreachable)
        AND path IN (SELECT path FROM seen)"""
    ids = connection.scalars(text(f"SELECT id FROM files {where}")).all()
    connection.execute(
        text(f"UPDATE files SET missing_since = NULL, unreachable = 0 {where}")
    )
    return list(ids)


def _adopt(connection: Connection, folder_id: int) -> list[int]:
    """Files of a nested or enclosing folder come under the folder that saw them."""
    where = "WHERE folder_id <> :folder AND path IN (SELECT path FROM seen)"
    ids = connection.scalars(
        text(f"SELECT id FROM files {where}"), {"folder": folder_id}
    ).all()
    connection.execute(
        text(f"UPDATE files SET folder_id = :folder {where}"), {"folder": folder_id}
    )
    return list(ids)


def _vanished(
    connection: Connection,
    folder_id: int,
    within: Sequence[bytes] | None,
    unreadable: Sequence[bytes],
) -> tuple[list[int], list[int]]:
    """Mark what was not seen: missing, or unreachable below an unreadable folder."""
    gone = [
        row
        for scope in ([None] if within is None else within)
        for row in _unseen(connection, folder_id, scope)
    ]
    hidden = [row for row in gone if any(is_within(row.path, u) for u in unreadable)]
    hidden_ids = {row.id for row in hidden}
    missing = sorted({row.id for row in gone} - hidden_ids)
    _set_all(connection, sorted(hidden_ids), unreachable=True)
    _set_all(connection, missing, missing_since=utc_now(), unreachable=False)
    return missing, [row.id for row in hidden if not row.unreachable]


def _unseen(
    connection: Connection, folder_id: int, scope: bytes | None
) -> Sequence[Row[Any, Any, Any]]:
    statement = select(files.c.id, files.c.path, files.c.unreachable).where(
        files.c.folder_id == folder_id,
        files.c.missing_since.is_(None),
        text("path NOT IN (SELECT path FROM seen)"),
    )
    if scope is not None:
        statement = statement.where(at_or_below(scope))
    return connection.execute(statement).all()


def is_within(path: bytes, folder: bytes) -> bool:
    """Whether `path` is `folder` or lies below it."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def _insert_new(connection: Connection, folder_id: int) -> list[int]:
    return list(
        connection.scalars(
            text(
                """INSERT INTO files (folder_id, path, dev, ino, size_bytes, mtime_ns,
                    ctime_ns, state, unreachable, added_at)
                SELECT :folder, path, dev, ino, size_bytes, mtime_ns, ctime_ns,
                    :state, 0, :now
                FROM seen WHERE path NOT IN (SELECT path FROM files) ORDER BY path
                RETURNING id"""
            ),
            {"folder": folder_id, "state": ImageState.NEW.value, "now": utc_now()},
        )
    )


def _enqueue(connection: Connection, ids: Sequence[int], settle_s: float) -> None:
    """A job for each file, later for one that was touched a moment ago."""
    now = time.time()
    for chunk in tagnames.chunks(list(ids)):
        rows = connection.execute(
            select(files.c.id, files.c.mtime_ns, files.c.ctime_ns).where(
                files.c.id.in_(chunk)
            )
        ).all()
        enqueue(
            connection,
            {
                row.id: _settled_at(max(row.mtime_ns, row.ctime_ns), now, settle_s)
                for row in rows
            },
        )


def _settled_at(touched_ns: int, now: float, settle_s: float) -> float | None:
    settled = touched_ns / 1e9 + settle_s
    return settled if now < settled <= now + settle_s else None


def enqueue(
    connection: Connection,
    not_before: dict[int, float | None],
    *,
    ask_again: bool = False,
) -> None:
    """Make or renew the job of each file, whose state becomes `queued`."""
    if not not_before:
        return
    connection.execute(
        text(
            """INSERT INTO jobs (file_id, ask_again, priority, attempts, not_before,
                created_at) VALUES (:file_id, :ask, 0, 0, :at, :now)
            ON CONFLICT (file_id) DO UPDATE SET not_before = excluded.not_before,
                attempts = 0, ask_again = jobs.ask_again OR excluded.ask_again,
                created_at = CASE WHEN excluded.ask_again THEN excluded.created_at
                    ELSE jobs.created_at END"""
        ),
        [
            {"file_id": file_id, "ask": ask_again, "at": at, "now": utc_now()}
            for file_id, at in not_before.items()
        ],
    )
    _set_all(connection, list(not_before), state=ImageState.QUEUED.value, reason=None)


def _set_all(connection: Connection, ids: Sequence[int], **values: object) -> None:
    for chunk in tagnames.chunks(ids):
        connection.execute(update(files).where(files.c.id.in_(chunk)).values(**values))


def paths(db: Database, folder_id: int, *, limit: int) -> list[bytes]:
    """Some photos of a folder that were there when last seen."""
    with db.read() as connection:
        return list(
            connection.scalars(
                select(files.c.path)
                .where(files.c.folder_id == folder_id, files.c.missing_since.is_(None))
                .limit(limit)
            )
        )


def count_below(db: Database, places: Sequence[bytes]) -> int:
    """How many present photos there are at or below these paths."""
    with db.read() as connection:
        found: set[int] = set()
        for place in places:
            found.update(
                connection.scalars(
                    select(files.c.id)
                    .join(folders)
                    .where(
                        files.c.missing_since.is_(None),
                        folders.c.removed_at.is_(None),
                        at_or_below(place),
                    )
                )
            )
    return len(found)


def at_or_below(place: bytes) -> ColumnElement[bool]:
    """Everything below a folder sorts between its name with `/` and with `0`."""
    stem = place.rstrip(b"/")
    below = and_(files.c.path >= stem + b"/", files.c.path < stem + b"0")
    return or_(files.c.path == place, below)


def unchanged_and_tagged(
    db: Database, present: Mapping[bytes, os.stat_result]
) -> set[bytes]:
    """Those of the given files that are done, and as they were when that was so."""
    done = set()
    with db.read() as connection:
        rows = connection.execute(
            select(files.c.path, files.c.size_bytes, files.c.mtime_ns).where(
                files.c.state == ImageState.TAGGED.value
            )
        )
        for path, size_bytes, mtime_ns in rows:
            stat = present.get(path)
            if stat and (stat.st_size, stat.st_mtime_ns) == (size_bytes, mtime_ns):
                done.add(path)
    return done
