"""Placed: which files are on record where, held against what is on the disk now."""

import os
from collections.abc import Iterable

from sqlalchemy import select

from tagger.tracking import tagnames
from tagger.tracking.database import Database
from tagger.tracking.files import Seen
from tagger.tracking.places import at_or_below
from tagger.tracking.schema import files


def known(db: Database, place: bytes) -> dict[bytes, bool]:
    """The files on record at or below a place; whether each was ever looked at."""
    query = select(files.c.path, files.c.identity).where(at_or_below(place))
    with db.read() as connection:
        return {row.path: row.identity is not None for row in connection.execute(query)}


def moved(db: Database, seen: Iterable[Seen]) -> dict[bytes, bytes]:
    """Where files on record are now: those met at a new place, and gone from their old.

    As in a scan, inode, size and modification time together say it is the same file.
    """
    by_inode = {one.stat.ino: one for one in seen}
    found: dict[bytes, bytes] = {}
    with db.read() as connection:
        for chunk in tagnames.chunks(sorted(by_inode)):
            rows = connection.execute(select(files).where(files.c.ino.in_(chunk)))
            for row in rows:
                there = by_inode[row.ino]
                stat = there.stat
                same = (row.dev, row.size_bytes, row.mtime_ns) == (
                    *(stat.dev, stat.size_bytes, stat.mtime_ns),
                )
                if same and row.path != there.path and not os.path.lexists(row.path):
                    found[row.path] = there.path
    return found
