"""XMP scan: sidecars that somebody changed, added or took away without their photos.

All XMP files that a scan met are held against the record at once, by a handful of
statements. A file is asked for anew only where something seems to have happened.
"""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from tagger.records import StatKey
from tagger.tracking import tagnames
from tagger.tracking.places import is_within

SEEN = """CREATE TEMP TABLE IF NOT EXISTS seen_xmp (
    path BLOB PRIMARY KEY, ino INTEGER, size_bytes INTEGER, mtime_ns INTEGER,
    ctime_ns INTEGER) WITHOUT ROWID"""
NEW = """CREATE TEMP TABLE IF NOT EXISTS new_xmp (
    photo BLOB, low BLOB, high BLOB, touched_ns INTEGER)"""
SAME = """x.ino = s.ino AND x.size_bytes = s.size_bytes
    AND x.mtime_ns = s.mtime_ns AND x.ctime_ns = s.ctime_ns"""
# Photos whose words are known: all others have a look before them anyway.
READ = "f.missing_since IS NULL AND f.words_at IS NOT NULL AND f.looked_at IS NOT NULL"
# While a write is open, a sidecar that changed may be our own doing.
OPEN = "(SELECT file_id FROM writes WHERE state = 'intent')"

# When what concerns a photo was touched last, by the photo's id; 0 if it is gone.
Touched = dict[int, int]


@dataclass(frozen=True, slots=True)
class SeenXmp:
    """An XMP file as a scan met it.

    `beside` is where it would be if it stood beside its photo. None: it is not looked
    for a photo that it might belong to.
    """

    path: bytes
    stat: StatKey
    beside: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class XmpScan:
    """All that a scan met, and the folders about which it can tell nothing."""

    seen: Sequence[SeenXmp] = ()
    unknown: Sequence[bytes] = field(default=())


def affected(
    connection: Connection,
    folder_id: int,
    scan: XmpScan,
    *,
    within: Sequence[bytes] | None,
    moved: Sequence[int],
    missing: Sequence[int],
) -> Touched:
    """The photos whose words must be read again, because of their sidecars alone.

    `within` limits the search as it does in a scan, whose `moved` and `missing` photos
    have left sidecars behind, or to others.
    """
    _stage(connection, scan.seen)
    found: Touched = {}
    for touched in (
        _changed(connection),
        _gone(connection, folder_id, within, scan.unknown),
        _new(connection, {one.path: one for one in scan.seen}),
        _moved(connection, moved, scan.seen),
        _left(connection, missing),
    ):
        for file_id, touched_ns in touched.items():
            found[file_id] = max(touched_ns, found.get(file_id, 0))
    return found


def _stage(connection: Connection, seen: Sequence[SeenXmp]) -> None:
    connection.exec_driver_sql(SEEN)
    connection.exec_driver_sql("DELETE FROM seen_xmp")
    rows = [
        (s.path, k.ino, k.size_bytes, k.mtime_ns, k.ctime_ns)
        for s, k in ((s, s.stat) for s in seen)
    ]
    if rows:
        connection.exec_driver_sql(
            "INSERT OR IGNORE INTO seen_xmp VALUES (?,?,?,?,?)", rows
        )


def _changed(connection: Connection) -> Touched:
    """What was seen just before a write of ours is old by now: it is asked again."""
    rows = connection.execute(
        text(
            f"""SELECT s.file_id, s.path, s.ino, s.size_bytes, s.mtime_ns, s.ctime_ns
            FROM sidecars s JOIN seen_xmp x ON x.path = s.path
            JOIN files f ON f.id = s.file_id
            WHERE NOT ({SAME}) AND {READ} AND s.file_id NOT IN {OPEN}"""
        )
    )
    return _differing(rows)


def _gone(
    connection: Connection,
    folder_id: int,
    within: Sequence[bytes] | None,
    unknown: Sequence[bytes],
) -> Touched:
    """What was not met: taken away, or at a place that the scan does not come by."""
    where, values = "f.folder_id = :folder", {"folder": folder_id}
    found: Touched = {}
    scopes: Iterable[dict[str, bytes]] = [{}]
    if within is not None:
        where += " AND (s.path = :at OR (s.path >= :low AND s.path < :high))"
        stems = [(place, place.rstrip(b"/")) for place in within]
        scopes = [{"at": p, "low": s + b"/", "high": s + b"0"} for p, s in stems]
    for scope in scopes:
        rows = connection.execute(
            text(
                f"""SELECT s.file_id, s.path, s.ino, s.size_bytes, s.mtime_ns,
                    s.ctime_ns
                FROM sidecars s JOIN files f ON f.id = s.file_id
                WHERE {where} AND {READ} AND NOT f.unreachable
                  AND s.path NOT IN (SELECT path FROM seen_xmp)
                  AND s.file_id NOT IN {OPEN}"""
            ),
            {**values, **scope},
        )
        known = [r for r in rows if not any(is_within(r[1], u) for u in unknown)]
        found |= _differing(known)
    return found


def _differing(rows: Iterable[tuple[int, bytes, int, int, int, int]]) -> Touched:
    """Of files on record those that are not so any more, as they are right now."""
    found: Touched = {}
    for file_id, path, *was in rows:
        try:
            now = StatKey.of(os.stat(path))
        except (FileNotFoundError, NotADirectoryError):
            found.setdefault(file_id, 0)
            continue
        except OSError:
            continue  # it cannot be told; the next scan tries again
        if [now.ino, now.size_bytes, now.mtime_ns, now.ctime_ns] != was:
            found[file_id] = max(_touched(now), found.get(file_id, 0))
    return found


def _touched(stat: StatKey) -> int:
    return max(stat.mtime_ns, stat.ctime_ns)


def _new(connection: Connection, seen: dict[bytes, SeenXmp]) -> Touched:
    """Photos beside which one appeared that nobody had a look at yet."""
    paths = connection.exec_driver_sql(
        "SELECT path FROM seen_xmp WHERE path NOT IN (SELECT path FROM sidecars)"
    ).scalars()
    rows = []
    for one in (seen[path] for path in paths):
        if one.beside is not None:
            base = os.path.splitext(one.beside)[0]
            rows.append((base, base + b".", base + b"/", _touched(one.stat)))
    return _photos(connection, rows)


def _photos(
    connection: Connection, rows: Sequence[tuple[bytes, bytes, bytes, int]]
) -> Touched:
    """The photos by the name in full, and those of the stem."""
    if not rows:
        return {}
    connection.exec_driver_sql(NEW)
    connection.exec_driver_sql("DELETE FROM new_xmp")
    connection.exec_driver_sql("INSERT INTO new_xmp VALUES (?,?,?,?)", list(rows))
    found = connection.execute(
        text(
            f"""SELECT f.id, f.path, x.photo, x.touched_ns FROM new_xmp x
                JOIN files f ON f.path = x.photo WHERE {READ}
            UNION ALL
            SELECT f.id, f.path, x.photo, x.touched_ns FROM new_xmp x
                JOIN files f ON f.path >= x.low AND f.path < x.high WHERE {READ}"""
        )
    )
    return {
        file_id: touched_ns
        for file_id, path, base, touched_ns in found
        if base in (path, os.path.splitext(path)[0])
    }


def _moved(
    connection: Connection, moved: Sequence[int], seen: Sequence[SeenXmp]
) -> Touched:
    """Moved photos that had a sidecar, or come to stand beside one."""
    found: Touched = {}
    names = {os.path.splitext(one.beside)[0] for one in seen if one.beside is not None}
    for file_id, path in _rows(connection, "SELECT id, path FROM files", "id", moved):
        if names & {path, os.path.splitext(path)[0]}:
            found[file_id] = 0
    had = _rows(connection, "SELECT file_id, path FROM sidecars", "file_id", moved)
    return found | {file_id: 0 for file_id, _ in had}


def _left(connection: Connection, missing: Sequence[int]) -> Touched:
    """Photos that may have the sidecar of one that is gone."""
    query = """SELECT f.id, o.path FROM sidecars o
        JOIN sidecars s ON s.path = o.path AND s.file_id <> o.file_id
        JOIN files f ON f.id = s.file_id"""
    rows = _rows(connection, query, f"{READ} AND o.file_id", missing)
    return {file_id: 0 for file_id, _ in rows}


def _rows(
    connection: Connection, query: str, column: str, ids: Collection[int]
) -> Iterable[tuple[int, bytes]]:
    for chunk in tagnames.chunks(sorted(ids)):
        marks = ",".join("?" * len(chunk))
        statement = f"{query} WHERE {column} IN ({marks})"
        yield from connection.exec_driver_sql(statement, tuple(chunk))
