"""Besides: a photo's words as they stand, in it and in all of its sidecars.

What stood where is told along with the words, so that the next scan knows whether
anybody touched a sidecar since, and what in it.
"""

import logging
from dataclasses import replace

from tagger.errors import ExiftoolUnavailable, FileChanged, UnreadableImage, shown
from tagger.pipeline import atrest, whereabouts
from tagger.pipeline.metadata.replacing import file_hash
from tagger.pipeline.metadata.writing import Writer
from tagger.pipeline.whereabouts import Places, Whereabouts
from tagger.records import FileWords, StatKey
from tagger.tracking import sidecars
from tagger.tracking.database import Database
from tagger.tracking.sidecars import Beside, Known, Stand

log = logging.getLogger(__name__)

Stats = dict[bytes, StatKey]


class Besides:
    """Reads the words of photos on record, wherever they stand."""

    def __init__(self, db: Database, where: Whereabouts, *, settle_s: float) -> None:
        self._db = db
        self.where = where
        self._settle_s = settle_s

    def places(self, file_id: int, path: bytes) -> Places:
        """Where the photo's sidecars are; one in a mirror has come along with it.

        Raises `FileChanged`, and `UnreadableImage` if that cannot be told.
        """
        try:
            self.where.follow(file_id)
            return self.where.of_file(file_id, path)
        except OSError as error:
            raise unreadable(path, error) from error

    def check(self, file_id: int, path: bytes, places: Places) -> Stats:
        """The sidecars' stat keys. Raises `FileChanged` if one is being written."""
        now = self.stats(path, places)
        known = {k.path: k.stat for k in sidecars.known(self._db, file_id)}
        for sidecar, stat in now.items():
            if sidecar not in known or _key(known[sidecar]) != _key(stat):
                atrest.check_sidecar(path, sidecar, stat, settle_s=self._settle_s)
        return now

    def stats(self, path: bytes, places: Places) -> Stats:
        """The stat keys of the sidecars that are there, strangers included."""
        try:
            return whereabouts.stats({*places.read, *places.strangers})
        except OSError as error:
            raise unreadable(path, error) from error

    def is_news(self, file_id: int, places: Places, stats: Stats) -> bool:
        """Whether the sidecars are not what they were when last read or written."""
        if places.was_left:
            return True
        known = self._present(sidecars.known(self._db, file_id), places)
        now = {path: (_key(stat), path in places.read) for path, stat in stats.items()}
        return now != {k.path: (_key(k.stat), k.is_read) for k in known}

    def words(
        self, reader: Writer, file_id: int, path: bytes, places: Places, stats: Stats
    ) -> tuple[FileWords | None, Beside]:
        """The words in a photo and its sidecars; None if there is no exiftool.

        Raises `FileChanged` if a sidecar changed meanwhile, and `UnreadableImage`.
        """
        try:
            hashes = {one: file_hash(one) for one in stats if one in places.read}
            words = reader.read(path, sidecar=places.place, others=places.others)
        except ExiftoolUnavailable as error:
            log.debug("%s: its words cannot be read: %s", shown(path), error)
            return None, Beside()
        except OSError as error:
            raise unreadable(path, error) from error
        if self.stats(path, places) != stats:
            raise FileChanged(path, "its sidecar changed while it was read")
        stands = [
            Stand(
                path=one,
                stat=stat,
                is_read=one in places.read,
                content_hash=hashes.get(one),
            )
            for one, stat in stats.items()
        ]
        known = sidecars.known(self._db, file_id)
        hidden = self._hidden(known, places)
        stands += [Stand(path=k.path, stat=k.stat, is_read=k.is_read) for k in hidden]
        return (
            replace(words, damaged=(*words.damaged, *(k.path for k in hidden))),
            Beside(
                stands=tuple(stands),
                place=_place(known, places, stats),
                mode=places.mode,
                was_left=places.was_left,
                is_shared=self.where.is_shared,
                away=places.away,
            ),
        )

    def has_record(self, file_id: int) -> bool:
        """Whether the photo had a sidecar when its words were last read or written."""
        return bool(sidecars.known(self._db, file_id))

    def _hidden(self, known: list[Known], places: Places) -> list[Known]:
        """What is on record in a mirror that is away: nobody knows how it is now."""
        if places.away is None:
            return []
        seen = {*places.others, *places.strangers}
        return [one for one in known if one.is_ours and one.path not in seen]

    def _present(self, known: list[Known], places: Places) -> list[Known]:
        hidden = self._hidden(known, places)
        return [one for one in known if one not in hidden]


def _place(known: list[Known], places: Places, stats: Stats) -> bytes:
    """What has our words: what is at their place, else where they were put before."""
    if places.place in stats:
        return places.place
    ours = (one.path for one in known if one.is_ours and one.path in stats)
    return next(ours, places.place)


def _key(stat: StatKey) -> tuple[int, int, int, int]:
    """Without the disk's number, which changes from one start to the next."""
    return stat.ino, stat.size_bytes, stat.mtime_ns, stat.ctime_ns


def unreadable(path: bytes, error: OSError) -> UnreadableImage:
    """What to raise where it cannot be told what stands beside a photo."""
    return UnreadableImage(path, f"its sidecar cannot be read: {error.strerror}")
