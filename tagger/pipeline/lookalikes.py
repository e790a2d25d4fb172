"""Look-alikes: in the background each picture gets a vector of what it is like.

It is made of the stored thumbnail, so no photo is opened for it, and by a process that
runs when nothing else wants the processor. After a sweep over all photos this follows
what changes. A vector is kept by the picture, once, so a kill loses a few at most and
the next start goes on where they are missing. A picture without a thumbnail is passed
over until it is looked at again, or until the next start.
"""

import logging
import threading
from collections.abc import Sequence

from tagger.imaging.identity import thumbnail_version
from tagger.imaging.thumbnails import ThumbnailStore
from tagger.pipeline.following import Follower
from tagger.pipeline.sketching import Sketcher, Stopped
from tagger.tracking import vectors
from tagger.tracking.database import Database
from tagger.vision.builtin import likeness

log = logging.getLogger(__name__)

KEEP = 16  # vectors in one transaction


class LookAlikes(Follower):
    """Makes vectors until `stop` is set."""

    def __init__(
        self, db: Database, thumbnails: ThumbnailStore, stop: threading.Event
    ) -> None:
        super().__init__(db, stop)
        self._thumbnails = thumbnails
        self._sketcher = Sketcher(stop)
        self._method = 0

    def work(self) -> None:
        """The thread's whole life."""
        try:
            super().work()
        except Stopped as stopped:
            log.log(stopped.level, "look-alikes go on at the next start: %s", stopped)
        finally:
            self.close()

    def catch_up(self) -> None:
        """Do all there is to do now. Raises `DataFull`, `OSError` and `Stopped`."""
        super().catch_up()
        self._sketcher.rest()

    def close(self) -> None:
        """End the process that makes the vectors."""
        self._sketcher.close()

    def begin(self) -> None:
        method = vectors.method(self.db, vectors.LOOK, likeness.method())
        if gone := vectors.forget_others(self.db, vectors.LOOK, method):
            log.info("%s vectors of an earlier method are made anew", gone)
        self._method = method

    def make(self, ids: Sequence[int]) -> None:
        pictures = vectors.pictures_of(self.db, ids)
        wanted = {picture.identity: picture for picture in pictures}
        for identity in vectors.known(self.db, self._method, wanted):
            del wanted[identity]
        made: dict[str, bytes] = {}
        for picture in wanted.values():
            if (vector := self._vector(picture)) is not None:
                made[picture.identity] = vector
            if len(made) >= KEEP:
                vectors.keep(self.db, self._method, made)
                made = {}
        vectors.keep(self.db, self._method, made)

    def _vector(self, picture: vectors.Picture) -> bytes | None:
        version = thumbnail_version(picture.identity, picture.orientation)
        if self._thumbnails.read(version) is None:
            return None
        return self._sketcher.vector(self._thumbnails.path_of(version))
