"""Places: what is known at or below a path."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, and_, or_, select

from tagger.records import ImageState, StatKey
from tagger.tracking import tagnames
from tagger.tracking.database import Database
from tagger.tracking.schema import files, folders


def is_within(path: bytes, folder: bytes) -> bool:
    """Whether `path` is `folder` or lies below it."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def at_or_below(place: bytes) -> ColumnElement[bool]:
    """Everything below a folder sorts between its name with `/` and with `0`."""
    stem = place.rstrip(b"/")
    below = and_(files.c.path >= stem + b"/", files.c.path < stem + b"0")
    return or_(files.c.path == place, below)


def reached_from(place: bytes) -> ColumnElement[bool]:
    """What a walk through `place` meets: also what links in a known folder lead to."""
    return or_(at_or_below(place), folders.c.path == place)


def present(db: Database, folder_id: int, *, limit: int) -> list[bytes]:
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
    """How many present photos there are at or below these paths, or reached there."""
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
                        reached_from(place),
                    )
                )
            )
    return len(found)


def paths(db: Database, ids: Sequence[int]) -> list[bytes]:
    """Where these files are; one that is not known any more is left out."""
    found: list[bytes] = []
    with db.read() as connection:
        for chunk in tagnames.chunks(ids):
            found += connection.scalars(
                select(files.c.path).where(files.c.id.in_(chunk))
            )
    return found


def ids(db: Database, at: Sequence[bytes]) -> list[int]:
    """The ids of the files at exactly these paths."""
    found: list[int] = []
    with db.read() as connection:
        for chunk in tagnames.chunks(at):
            found += connection.scalars(
                select(files.c.id).where(files.c.path.in_(chunk))
            )
    return found


def unchanged_and_tagged(db: Database, given: Mapping[bytes, StatKey]) -> set[bytes]:
    """Those of the given files that are done, and as they were when that was so."""
    through = (ImageState.TAGGED.value, ImageState.REVIEW.value)
    return _unchanged(db, given, files.c.state.in_(through))


def unchanged_and_read(db: Database, given: Mapping[bytes, StatKey]) -> set[bytes]:
    """Those of the given files whose words are known, and that did not change since."""
    is_read = and_(files.c.looked_at.is_not(None), files.c.words_at.is_not(None))
    return _unchanged(db, given, is_read)


def _unchanged(
    db: Database, given: Mapping[bytes, StatKey], where: ColumnElement[bool]
) -> set[bytes]:
    same = set()
    with db.read() as connection:
        rows = connection.execute(
            select(files.c.path, files.c.size_bytes, files.c.mtime_ns).where(where)
        )
        for path, size_bytes, mtime_ns in rows:
            stat = given.get(path)
            if stat and (stat.size_bytes, stat.mtime_ns) == (size_bytes, mtime_ns):
                same.add(path)
    return same
