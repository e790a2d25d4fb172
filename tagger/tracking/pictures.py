"""Pictures: which picture a photo had before our writes, and what the last one left.

Writes follow upon each other as long as nobody else puts another file in between: each
finds the bytes the one before left, or a file of their size and time. All of them must
leave the picture alone that the first one found. Who edits a picture, or puts another
one there, makes a file of another time or size: from then on that picture counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from tagger.records import Intent, WriteMode
from tagger.tracking import tagnames
from tagger.tracking.database import Database
from tagger.tracking.schema import files, writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The picture before the first of the writes that follow upon each other.

    The others are of the file that the last of them left; None if that is not known.
    """

    identity: str
    content_hash: str
    size_bytes: int | None
    mtime_ns: int | None


def columns(connection: Connection, file_id: int, intent: Intent) -> dict[str, object]:
    """What a write's row says of the picture it found, and of the file it leaves."""
    if intent.mode is not WriteMode.FILE:
        return {}
    identity = connection.execute(
        select(files.c.identity).where(files.c.id == file_id)
    ).scalar_one()
    return {
        "identity": identity,
        "after_size_bytes": intent.after_size_bytes,
        "after_mtime_ns": intent.after_mtime_ns,
    }


def before_writes(db: Database, ids: Sequence[int]) -> dict[int, Picture]:
    """The picture that each photo had before it was written into, by the photo's id."""
    found: dict[int, Picture] = {}
    with db.read() as connection:
        for chunk in tagnames.chunks(list(ids)):
            done = connection.execute(
                select(*(writes.c[name] for name in _COLUMNS))
                .where(
                    writes.c.file_id.in_(chunk),
                    writes.c.state == "done",
                    writes.c.mode == WriteMode.FILE.value,
                    writes.c.identity.is_not(None),
                )
                .order_by(writes.c.id)
            )
            for write in done:
                earlier = found.get(write.file_id)
                follows = earlier is not None and _follows(write, earlier)
                found[write.file_id] = Picture(
                    identity=earlier.identity
                    if earlier and follows
                    else write.identity,
                    content_hash=write.after_hash,
                    size_bytes=write.after_size_bytes,
                    mtime_ns=write.after_mtime_ns,
                )
    return found


_COLUMNS = (
    *("file_id", "identity", "expect", "before_hash"),
    *("after_hash", "after_size_bytes", "after_mtime_ns"),
)


def _follows(write: Row[Any], earlier: Picture) -> bool:
    """Whether a write found what the one before had left."""
    if write.before_hash == earlier.content_hash:
        return True
    found = write.expect or {}
    return earlier.size_bytes is not None and (
        found.get("size_bytes"),
        found.get("mtime_ns"),
    ) == (earlier.size_bytes, earlier.mtime_ns)
