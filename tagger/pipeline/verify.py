"""Verify: is every photo we wrote as it should be? Nothing is changed.

The picture is the one that was there before our first write, or that somebody else put
there since; the words in the file are those of the catalogue; and no temporary file of
ours was left beside it.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tagger.config import Config
from tagger.errors import ImageError, UnreadableImage, shown
from tagger.imaging.identity import identity
from tagger.pipeline.metadata.replacing import file_hash, stale
from tagger.pipeline.metadata.writing import Writer
from tagger.pipeline.workshop import opened
from tagger.records import FileWords, ImageSnapshot
from tagger.tracking import history, pictures, snapshots, tagnames
from tagger.tracking.database import Database
from tagger.tracking.pictures import Picture

PAGE = 500

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is not as it should be."""

    file: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found in so many photos."""

    photos: int
    faults: tuple[Fault, ...]


def verify(
    config: Config,
    paths: Sequence[bytes],
    *,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Check the photos at or below `paths`, or all, that were ever written."""
    faults: list[Fault] = []
    with opened(config) as workshop:
        db, reader = workshop.db, Writer(workshop.reading, config.metadata)
        ids = history.written(db, [os.path.realpath(path) for path in paths])
        folders: set[bytes] = set()
        for start in range(0, len(ids), PAGE):
            page = ids[start : start + PAGE]
            before = pictures.before_writes(db, page)
            for n, image in enumerate(snapshots.images(db, page)):
                faults += [
                    Fault(file=image.shown_path, problem=problem)
                    for problem in _problems(reader, image, before.get(image.id))
                    and _lasting(db, reader, image)
                ]
                folders.add(os.path.dirname(os.path.realpath(image.path)))
                progress(start + n + 1, len(ids))
    faults += [
        Fault(file=shown(path), problem="a temporary file that was left behind")
        for folder in sorted(folders)
        for path in _strays(folder)
    ]
    return Report(photos=len(ids), faults=tuple(faults))


def _lasting(db: Database, reader: Writer, image: ImageSnapshot) -> list[str]:
    """What is wrong by the record of now: a tagger may have been at it meanwhile."""
    before = pictures.before_writes(db, [image.id])
    return [
        problem
        for now in snapshots.images(db, [image.id])
        for problem in _problems(reader, now, before.get(image.id))
    ]


def _problems(
    reader: Writer, image: ImageSnapshot, before: Picture | None
) -> list[str]:
    """What is wrong with one photo."""
    try:
        found = identity(image.path)
        is_damaged = (
            before is not None
            and found != before.identity
            and _is_as_left(image.path, before)
        )
        words = reader.read(image.path)
    except FileNotFoundError:
        return ["it is gone"]
    except (ImageError, OSError) as error:
        if not os.path.lexists(image.path):
            return ["it is gone"]
        reason = error.reason if isinstance(error, UnreadableImage) else str(error)
        return [f"it cannot be read: {reason}"]
    problems = []
    if is_damaged:
        problems.append(
            "its picture is damaged: it is not the one from before our first write, "
            "and no other program has saved the file since"
        )
    elif found != image.identity:
        problems.append("its picture is not the one on record")
    return problems + _differences(words, image)


def _is_as_left(path: bytes, before: Picture) -> bool:
    """Whether nobody has saved the file since our last write.

    A program that does so leaves another time, or another size. What changes bytes and
    neither of them is a disk, or us.
    """
    now = os.stat(path)
    if (now.st_size, now.st_mtime_ns) == (before.size_bytes, before.mtime_ns):
        return True
    return file_hash(path) == before.content_hash


def _differences(words: FileWords, image: ImageSnapshot) -> list[str]:
    """Where the words in the file and those of the catalogue differ."""
    there = {tagnames.key(name): name for name in words.tags}
    known = {tagnames.key(tag.name): tag.name for tag in image.tags}
    problems = []
    if lacking := [name for key, name in known.items() if key not in there]:
        problems.append(f"tags not in the file: {', '.join(lacking)}")
    if besides := [name for key, name in there.items() if key not in known]:
        problems.append(f"tags not in the catalogue: {', '.join(besides)}")
    if _text(words.description) != _text(image.description):
        problems.append("its description is not the one in the catalogue")
    return problems


def _text(description: str | None) -> list[str]:
    return (description or "").split()


def _strays(folder: bytes) -> list[bytes]:
    try:
        return sorted(stale(folder))
    except OSError:
        return []
