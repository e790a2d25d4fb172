"""XMP scan: sidecars that somebody changed, added or took away without their photos.

All XMP files that a scan met are held against the record at once, by a handful of
statements. A file is asked for anew only where something seems to have happened.
"""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import BindParameter, Connection, bindparam, text

from tagger.records import StatKey
from tagger.tracking import dialects, tagnames
from tagger.tracking.places import is_within

SEEN = """CREATE TEMP TABLE IF NOT EXISTS seen_xmp (
    path BLOB PRIMARY KEY, ino INTEGER, size_bytes INTEGER, mtime_ns INTEGER,
    ctime_ns INTEGER) WITHOUT ROWID"""
STAGE = """INSERT INTO seen_xmp VALUES (:path, :ino, :size_bytes, :mtime_ns, :ctime_ns)
    ON CONFLICT DO NOTHING"""
NEW = """CREATE TEMP TABLE IF NOT EXISTS new_xmp (
    photo BLOB, low BLOB, high BLOB, touched_ns INTEGER)"""
SAME = """x.ino = s.ino AND x.size_bytes = s.size_bytes
    AND x.mtime_ns = s.mtime_ns AND x.ctime_ns = s.ctime_ns"""
# Photos whose words are known: all others have a look before them anyway.
READ = "f.missing_since IS NULL AND f.words_at IS NOT NULL AND f.looked_at IS NOT NULL"
# While a write is open, a sidecar that changed may be our own doing.
OPEN = "(SELECT file_id FROM writes WHERE state = 'intent')"

# `CROSS JOIN` tells SQLite where to begin: a hint is no walk through a whole folder.

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
    """All that a scan met, and the folders about which it can tell nothing.

    `mirror` are the photos' folder and the one that mirrors it, if words go into that.
    """

    seen: Sequence[SeenXmp] = ()
    unknown: Sequence[bytes] = ()
    mirror: tuple[bytes, bytes] | None = None


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
        _strayed(connection, folder_id, scan.mirror),
        _left(connection, missing),
    ):
        for file_id, touched_ns in touched.items():
            found[file_id] = max(touched_ns, found.get(file_id, 0))
    return found


def _stage(connection: Connection, seen: Sequence[SeenXmp]) -> None:
    dialects.temporary(connection, SEEN)
    rows = [{"path": one.path, **asdict(one.stat)} for one in seen]
    if rows:
        connection.execute(text(STAGE), rows)


def _changed(connection: Connection) -> Touched:
    """What was seen just before a write of ours is old by now: it is asked again."""
    rows = connection.execute(
        dialects.steered(
            connection,
            f"""SELECT s.file_id, s.path, s.ino, s.size_bytes, s.mtime_ns, s.ctime_ns
            FROM seen_xmp x CROSS JOIN sidecars s ON s.path = x.path
            CROSS JOIN files f ON f.id = s.file_id
            WHERE NOT ({SAME}) AND {READ} AND s.file_id NOT IN {OPEN}""",
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
    source = "files f CROSS JOIN sidecars s ON s.file_id = f.id"
    found: Touched = {}
    scopes: Iterable[dict[str, bytes]] = [{}]
    if within is not None:
        source = "sidecars s CROSS JOIN files f ON f.id = s.file_id"
        where += " AND (s.path = :at OR (s.path >= :low AND s.path < :high))"
        stems = [(place, place.rstrip(b"/")) for place in within]
        scopes = [{"at": p, "low": s + b"/", "high": s + b"0"} for p, s in stems]
    for scope in scopes:
        rows = connection.execute(
            dialects.steered(
                connection,
                f"""SELECT s.file_id, s.path, s.ino, s.size_bytes, s.mtime_ns,
                    s.ctime_ns
                FROM {source} WHERE {where} AND {READ} AND NOT f.unreachable
                  AND s.path NOT IN (SELECT path FROM seen_xmp)
                  AND s.file_id NOT IN {OPEN}""",
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
    paths = connection.execute(
        text("SELECT path FROM seen_xmp WHERE path NOT IN (SELECT path FROM sidecars)")
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
    dialects.temporary(connection, NEW)
    names = ("photo", "low", "high", "touched_ns")
    connection.execute(
        text("INSERT INTO new_xmp VALUES (:photo, :low, :high, :touched_ns)"),
        [dict(zip(names, row, strict=True)) for row in rows],
    )
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


def _strayed(
    connection: Connection, folder_id: int, mirror: tuple[bytes, bytes] | None
) -> Touched:
    """Photos whose words are in a mirror that is the folder's no longer."""
    if mirror is None:
        return {}
    photos, tree = (path.rstrip(b"/") for path in mirror)
    ids = connection.execute(
        text(
            f"""SELECT s.file_id FROM sidecars s JOIN files f ON f.id = s.file_id
            WHERE f.folder_id = :folder AND f.written_mode = 'mirror' AND s.is_ours
              AND f.path >= :from AND f.path < :to AND {READ}
              AND NOT (s.path >= :low AND s.path < :high)"""
        ),
        {
            "folder": folder_id,
            **{"from": photos + b"/", "to": photos + b"0"},
            **{"low": tree + b"/", "high": tree + b"0"},
        },
    ).scalars()
    return dict.fromkeys(ids, 0)


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
        among: BindParameter[int] = bindparam("ids", expanding=True)
        statement = text(f"{query} WHERE {column} IN :ids").bindparams(among)
        for row in connection.execute(statement, {"ids": list(chunk)}):
            yield row[0], row[1]
