"""Files: which photos there are, as scans find them.

A scan hands over at once what it saw of a folder, but for the files that are as they
were: those it knows by their stamps, read beforehand. New, changed, vanished, returned
and moved files are told apart by a handful of statements, never by a query a file.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, select, text, update

from tagger.records import ImageState, StatKey, utc_now
from tagger.tracking import changes, dialects, tagnames, xmpscan
from tagger.tracking.database import Database
from tagger.tracking.places import at_or_below, is_within
from tagger.tracking.queueing import (
    PRIORITY,
    enqueue,
    enqueue_settled,
    enqueue_touched,
    set_all,
    unwritten,
)
from tagger.tracking.schema import files, folders
from tagger.tracking.xmpscan import XmpScan

SEEN = """CREATE TEMP TABLE IF NOT EXISTS seen (
    path BLOB PRIMARY KEY, dev INTEGER, ino INTEGER, size_bytes INTEGER,
    mtime_ns INTEGER, ctime_ns INTEGER) WITHOUT ROWID"""
STAGE = """INSERT INTO seen
    VALUES (:path, :dev, :ino, :size_bytes, :mtime_ns, :ctime_ns)
    ON CONFLICT DO NOTHING"""
SAME = """s.ino = f.ino AND s.size_bytes = f.size_bytes
    AND s.mtime_ns = f.mtime_ns AND s.ctime_ns = f.ctime_ns"""

UNSEEN = "CREATE TEMP TABLE IF NOT EXISTS unseen (path BLOB PRIMARY KEY) WITHOUT ROWID"
# One number for what tells that a file is untouched: 500,000 of them are read and
# compared in a third of the time of five each. A change always moves the change time
# forward; that another part makes up for it to the nanosecond is not to be expected.
STAMP = "mtime_ns + 2 * ctime_ns + size_bytes + (ino & 4294967295)"
STAMPS_A_READ = 10_000


def stamp(stat: os.stat_result) -> int:
    """`STAMP` of a file as it is now."""
    ino = stat.st_ino & 4294967295
    return stat.st_mtime_ns + 2 * stat.st_ctime_ns + stat.st_size + ino


def stamps(db: Database, folder_id: int) -> dict[bytes, int]:
    """The files of a folder that were there when last seen, each with its stamp."""
    found: dict[bytes, int] = {}
    with db.read() as connection:
        # Straight from the driver: SQLAlchemy's rows would take twice as long.
        driver = connection.connection.cursor()
        mark = "%s" if dialects.is_postgresql(connection) else "?"
        driver.execute(
            f"""SELECT path, {STAMP} FROM files
            WHERE folder_id = {mark} AND missing_since IS NULL AND NOT unreachable""",
            (folder_id,),
        )
        while rows := driver.fetchmany(STAMPS_A_READ):
            found.update(rows)
    return found


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

    @property
    def is_news(self) -> bool:
        """Whether anything was not as it had been."""
        return any((self.new, self.changed, self.moved, self.missing, self.returned))


def apply_scan(
    db: Database,
    folder_id: int,
    seen: Sequence[Seen],
    *,
    unchanged: int = 0,
    unseen: Sequence[bytes] | None = None,
    within: Sequence[bytes] | None = None,
    unreadable: Sequence[bytes] = (),
    settle_s: float = 0.0,
    xmps: XmpScan | None = None,
) -> ScanOutcome:
    """Bring what is known of a folder in line with what a scan saw.

    Besides `seen`, so many files were met `unchanged`; `unseen` are then those that had
    a stamp and were not met. Without it all that is not in `seen` was not met. `within`
    limits the comparison to these files and subfolders (a watcher's hint).
    Nothing at or below an `unreadable` path is held to be missing. A file touched less
    than `settle_s` seconds ago gets its job for later. A folder removed meanwhile is
    left alone. A photo whose sidecar is not as it was, by `xmps`, counts as changed.
    """
    with db.write() as connection:
        if not _is_known(connection, folder_id):
            return ScanOutcome(seen=len(seen) + unchanged)
        _stage(connection, seen)
        moved = _move(connection, folder_id)
        changed = _changed(connection)
        returned = _returned(connection)
        adopted = _adopt(connection, folder_id)
        gone = _gone(connection, folder_id, unseen, within)
        missing, hidden = _vanished(connection, gone, unreadable)
        new = _insert_new(connection, folder_id, settle_s)
        enqueue_settled(connection, changed, settle_s=settle_s)
        _enqueue_unwritten(connection, adopted)
        if xmps is not None:
            beside = xmpscan.affected(
                connection, folder_id, xmps, within=within, moved=moved, missing=missing
            )
            enqueue_touched(connection, beside, settle_s=settle_s)
            changed = [*changed, *(i for i in beside if i not in {*changed, *moved})]
        touched = {*new, *changed, *moved, *returned, *adopted, *missing, *hidden}
        changes.record(connection, changes.IMAGE, sorted(touched))
    return ScanOutcome(
        seen=len(seen) + unchanged,
        new=len(new),
        changed=len(changed),
        moved=len(moved),
        missing=len(missing),
        returned=len(returned),
    )


def _is_known(connection: Connection, folder_id: int) -> bool:
    wanted = folders.c.id == folder_id, folders.c.removed_at.is_(None)
    return connection.execute(select(folders.c.id).where(*wanted)).first() is not None


def _stage(connection: Connection, seen: Sequence[Seen]) -> None:
    dialects.temporary(connection, SEEN)
    rows = [{"path": one.path, **asdict(one.stat)} for one in seen]
    if rows:
        connection.execute(text(STAGE), rows)


def _move(connection: Connection, folder_id: int) -> list[int]:
    """Give a file that was renamed on one disk its new path; it is otherwise as it was.

    The inode, size and modification time together say it is the same file. If the old
    path is still there, it is a hard link, a photo of its own; or, with one name only,
    the same file reached another way (a bind mount), which counts once. Another file
    under the old path is an edited version, but for a mirror, where words are not in
    the photo: there they follow the file.
    """
    candidates = connection.execute(
        text(
            """SELECT f.id, f.path AS old, s.path AS new, s.dev, s.ctime_ns,
                f.path IN (SELECT path FROM seen) AS is_replaced
            FROM seen s JOIN files f ON f.ino = s.ino AND f.size_bytes = s.size_bytes
                AND f.mtime_ns = s.mtime_ns AND f.dev = s.dev
            WHERE s.path NOT IN (SELECT path FROM files)
              AND (f.path NOT IN (SELECT path FROM seen)
                OR EXISTS (SELECT 1 FROM seen o JOIN folders ON folders.id = :folder
                    WHERE o.path = f.path AND o.ino <> f.ino
                      AND folders.write_mode = 'mirror'))"""
        ),
        {"folder": folder_id},
    ).all()
    taken: set[bytes] = set()
    moved = []
    for row in candidates:
        if row.new in taken:
            continue
        if not row.is_replaced and os.path.lexists(row.old):
            if _is_one_file(row.old, row.new):
                connection.execute(
                    text("DELETE FROM seen WHERE path = :path"), {"path": row.new}
                )
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
                unreachable=False,
            )
        )
    return moved


def _is_one_file(known: bytes, other: bytes) -> bool:
    """Whether two paths lead to one file that has but one name."""
    try:
        one, two = os.stat(known), os.stat(other)
    except OSError:
        return False
    return two.st_nlink == 1 and os.path.samestat(one, two)


def _changed(connection: Connection) -> list[int]:
    """Files whose stat differs from the one on record, ours to write apart.

    While an intent is open the difference may be our own; and what the scan read just
    before a write of ours is old by now, so the file is asked once more.
    """
    rows = connection.execute(
        dialects.steered(
            connection,
            f"""SELECT f.id, f.path, f.size_bytes, f.mtime_ns, f.ctime_ns
            FROM seen s CROSS JOIN files f ON f.path = s.path WHERE NOT ({SAME})
            AND f.id NOT IN (SELECT file_id FROM writes WHERE state = 'intent')""",
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
        text(f"UPDATE files SET missing_since = NULL, unreachable = false {where}")
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


def _enqueue_unwritten(connection: Connection, adopted: Sequence[int]) -> None:
    """Have words written where the folder they came from kept them out of the file."""
    for chunk in tagnames.chunks(adopted):
        where = and_(files.c.id.in_(chunk), folders.c.active)
        enqueue(connection, dict.fromkeys(unwritten(connection, where)))


def _gone(
    connection: Connection,
    folder_id: int,
    unseen: Sequence[bytes] | None,
    within: Sequence[bytes] | None,
) -> Sequence[Row[Any, Any, Any]]:
    """The files that are held to be there, and were not met."""
    if unseen is None:
        return [
            row
            for scope in ([None] if within is None else within)
            for row in _unseen(connection, folder_id, scope)
        ]
    if not unseen:
        return []
    dialects.temporary(connection, UNSEEN)
    rows = [{"path": path} for path in unseen]
    connection.execute(text("INSERT INTO unseen VALUES (:path)"), rows)
    found = connection.execute(
        dialects.steered(
            connection,
            """SELECT f.id, f.path, f.unreachable
            FROM unseen u CROSS JOIN files f ON f.path = u.path
            WHERE f.folder_id = :folder AND f.missing_since IS NULL
                AND f.path NOT IN (SELECT path FROM seen)""",
        ),
        {"folder": folder_id},
    )
    return found.all()


def _vanished(
    connection: Connection,
    gone: Sequence[Row[Any, Any, Any]],
    unreadable: Sequence[bytes],
) -> tuple[list[int], list[int]]:
    """Mark what was not met: missing, or unreachable below an unreadable folder."""
    hidden = [row for row in gone if any(is_within(row.path, u) for u in unreadable)]
    hidden_ids = {row.id for row in hidden}
    missing = sorted({row.id for row in gone} - hidden_ids)
    set_all(connection, sorted(hidden_ids), unreachable=True)
    set_all(connection, missing, missing_since=utc_now(), unreachable=False)
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


def _insert_new(
    connection: Connection, folder_id: int, settle_s: float
) -> Sequence[int]:
    """Files seen for the first time, each with its job; later for one just touched."""
    last = connection.execute(text("SELECT coalesce(max(id), 0) FROM files")).scalar()
    now = {"now": utc_now(), "seconds": time.time(), "settle": settle_s, "last": last}
    ids = connection.scalars(
        text(
            """INSERT INTO files (folder_id, path, dev, ino, size_bytes, mtime_ns,
                ctime_ns, state, unreachable, added_at)
            SELECT :folder, path, dev, ino, size_bytes, mtime_ns, ctime_ns,
                :state, false, :now
            FROM seen WHERE path NOT IN (SELECT path FROM files) ORDER BY path
            RETURNING id"""
        ),
        {"folder": folder_id, "state": ImageState.QUEUED.value, **now},
    ).all()
    connection.execute(
        text(
            f"""INSERT INTO jobs (file_id, ask_again, priority, wanted, attempts,
                server_failures, not_before, created_at, was_state, touched_ns)
            SELECT id, false, {PRIORITY}, 1, 0, 0,
                CASE WHEN settled > :seconds AND settled <= :seconds + :settle
                    THEN settled END, :now, 'new', mtime_ns
            FROM (SELECT id, path, mtime_ns,
                CASE WHEN mtime_ns > ctime_ns THEN mtime_ns ELSE ctime_ns END / 1e9
                    + :settle AS settled
                FROM files WHERE id > :last ORDER BY id) f"""
        ),
        now,
    )
    return ids
