"""Verify: is every photo we wrote as it should be? Nothing is changed.

The picture is the one that was there before our first write, or that somebody else put
there since; the words in the file are those of the catalogue; and no temporary file of
ours was left beside it.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tagger.config import Config
from tagger.errors import ImageError, shown
from tagger.imaging.identity import identity
from tagger.pipeline.metadata.replacing import file_hash, stale
from tagger.pipeline.metadata.writing import Writer
from tagger.pipeline.whereabouts import Places, Whereabouts
from tagger.pipeline.workshop import Workshop, opened
from tagger.records import FileWords, ImageSnapshot, WriteMode
from tagger.tracking import history, pictures, placewords, snapshots, tagnames
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
    """What was found in so many photos.

    `out_of_reach` more were written, and their disk or folder is not there now.
    """

    photos: int
    out_of_reach: int
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
        reader = Writer(workshop.reading, config.metadata)
        places = [os.path.realpath(path) for path in paths]
        ids = history.written(workshop.db, places)
        away = history.out_of_reach(workshop.db, places)
        folders: set[bytes] = set()
        for start in range(0, len(ids), PAGE):
            page = _looks(workshop, reader, ids[start : start + PAGE])
            for n, look in enumerate(page):
                if look.problems():
                    # By the record of now: a tagger may have been at it meanwhile.
                    faults += [
                        Fault(file=look.image.shown_path, problem=problem)
                        for again in _looks(workshop, reader, [look.image.id])
                        for problem in again.problems()
                    ]
                folders |= look.folders
                progress(start + n + 1, len(ids))
    faults += [
        Fault(file=shown(path), problem="a temporary file that was left behind")
        for folder in sorted(folders)
        for path in _strays(folder)
    ]
    return Report(photos=len(ids), out_of_reach=away, faults=tuple(faults))


def _looks(workshop: Workshop, reader: Writer, ids: Sequence[int]) -> "list[_Look]":
    left = snapshots.stale(workshop.db, ids)
    before = pictures.before_writes(workshop.db, ids)
    withheld = snapshots.withheld(workshop.db, ids)
    where = workshop.besides.where
    return [
        _Look(
            image,
            reader,
            where,
            None if image.id in withheld else left[image.id],
            before.get(image.id),
        )
        for image in snapshots.images(workshop.db, ids)
    ]


class _Look:
    """A look at one photo and its sidecars, in these `folders`.

    `stale` are tags that are still in some file of it and shall not be, which is right
    where nothing is written into that file any more; None if no word of it is to be
    judged, because its folder wants none written that there are.
    """

    def __init__(
        self,
        image: ImageSnapshot,
        reader: Writer,
        where: Whereabouts,
        stale: frozenset[str] | None,
        before: Picture | None,
    ) -> None:
        self.image, self._reader = image, reader
        self._where, self._stale, self._before = where, stale, before
        self.folders = {os.path.dirname(os.path.realpath(image.path))}

    def problems(self) -> list[str]:
        """What is wrong with the photo."""
        image = self.image
        try:
            found = identity(image.path)
            is_damaged = self._is_damaged(found)
            places = self._where.of_file(image.id, image.path)
            words = self._reader.read(
                image.path, sidecar=places.place, others=places.others
            )
        except FileNotFoundError:
            return ["it is gone"]
        except (ImageError, OSError) as error:
            if not os.path.lexists(image.path):
                return ["it is gone"]
            reason = error.reason if isinstance(error, ImageError) else str(error)
            return [f"it cannot be read: {reason}"]
        self.folders |= {os.path.dirname(path) for path in words.sidecars}
        problems = [f"{shown(path)} is no whole sidecar" for path in words.damaged]
        if places.away:
            problems.append(places.away)
        if is_damaged:
            problems.append(
                "its picture is damaged: it is not the one from before our first "
                "write, and no other program has saved the file since"
            )
        elif found != image.identity:
            problems.append("its picture is not the one on record")
        return problems + self._differences(words, places)

    def _is_damaged(self, found: str) -> bool:
        """Whether the picture is another one, though nobody saved the file since us.

        A program that does so leaves another time, or another size. What changes bytes
        and neither of them is a disk, or us.
        """
        before = self._before
        if before is None or found == before.identity:
            return False
        now = os.stat(self.image.path)
        if (now.st_size, now.st_mtime_ns) == (before.size_bytes, before.mtime_ns):
            return True
        return file_hash(self.image.path) == before.content_hash

    def _differences(self, words: FileWords, places: Places) -> list[str]:
        """Where the words in the files and those of the catalogue differ."""
        image = self.image
        if self._stale is None:
            return []
        there = {tagnames.key(name): name for name in words.tags}
        known = {tagnames.key(tag.name): tag.name for tag in image.tags}
        kept_up = words.in_photo
        if image.written_mode is not WriteMode.FILE:
            kept_up = words.sidecars.get(places.old or places.place, kept_up)
        excused = self._stale - placewords.keys(kept_up.tags)
        problems = []
        if lacking := [name for key, name in known.items() if key not in there]:
            problems.append(f"tags not in the file: {', '.join(lacking)}")
        if besides := [n for k, n in there.items() if k not in {*known, *excused}]:
            problems.append(f"tags not in the catalogue: {', '.join(besides)}")
        said = [_text(one.description) for one in (words, kept_up)]
        if _text(image.description) not in said:
            problems.append("its description is not the one in the catalogue")
        return problems


def _text(description: str | None) -> list[str]:
    return (description or "").split()


def _strays(folder: bytes) -> list[bytes]:
    try:
        return sorted(stale(folder))
    except OSError:
        return []
