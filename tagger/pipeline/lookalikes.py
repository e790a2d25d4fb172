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

from tagger.errors import DataFull
from tagger.imaging.identity import thumbnail_version
from tagger.imaging.thumbnails import ThumbnailStore
from tagger.pipeline.sketching import Sketcher, Stopped
from tagger.tracking import changes, vectors
from tagger.tracking.database import Database
from tagger.vision.builtin import likeness

log = logging.getLogger(__name__)

REST_S = 2.0
FULL_S = 30.0
SWEEP_FILES = 500
KEEP = 16  # vectors in one transaction


class LookAlikes:
    """Makes vectors until `stop` is set."""

    def __init__(
        self, db: Database, thumbnails: ThumbnailStore, stop: threading.Event
    ) -> None:
        self._db = db
        self._thumbnails = thumbnails
        self._stop = stop
        self._sketcher = Sketcher(stop)
        self._method = 0
        self._swept = 0  # the photo the sweep has come to
        self._number: int | None = None  # the change that was followed last

    def work(self) -> None:
        """The thread's whole life."""
        try:
            while not self._stop.is_set():
                self._stop.wait(self._round())
        except Stopped as stopped:
            log.log(stopped.level, "look-alikes go on at the next start: %s", stopped)
        finally:
            self._sketcher.close()

    def catch_up(self) -> None:
        """Do all there is to do now. Raises `DataFull`, and `Stopped`."""
        while self._some():
            pass
        self._sketcher.close()

    def _round(self) -> float:
        """Do what there is to do; how long to rest then."""
        try:
            self.catch_up()
        except (DataFull, OSError) as error:  # the latter: no process can be started
            log.warning("look-alikes wait: %s", error)
            return FULL_S
        return REST_S

    def _some(self) -> bool:
        """Do what comes next; False when there is nothing left for now."""
        if not self._method:
            self._begin()
        if self._number is None:
            self._number = changes.latest(self._db)
        batch = vectors.pictures_after(self._db, self._swept, limit=SWEEP_FILES)
        if not batch:
            return self._follow(self._number)
        self._make(batch)
        self._swept = batch[-1].file_id
        return True

    def _begin(self) -> None:
        method = vectors.method(self._db, vectors.LOOK, likeness.method())
        if gone := vectors.forget_others(self._db, vectors.LOOK, method):
            log.info("%s vectors of an earlier method are made anew", gone)
        self._method = method

    def _follow(self, number: int) -> bool:
        """Take what changed since the sweep began."""
        batch = changes.after(self._db, number, limit=SWEEP_FILES)
        if not batch:
            return False
        ids = {one.subject_id for one in batch if one.kind == changes.IMAGE}
        self._make(vectors.pictures_of(self._db, sorted(ids)))
        self._number = batch[-1].number
        return True

    def _make(self, pictures: Sequence[vectors.Picture]) -> None:
        wanted = {picture.identity: picture for picture in pictures}
        for identity in vectors.known(self._db, self._method, wanted):
            del wanted[identity]
        made: dict[str, bytes] = {}
        for picture in wanted.values():
            if (vector := self._vector(picture)) is not None:
                made[picture.identity] = vector
            if len(made) >= KEEP:
                vectors.keep(self._db, self._method, made)
                made = {}
        vectors.keep(self._db, self._method, made)

    def _vector(self, picture: vectors.Picture) -> bytes | None:
        version = thumbnail_version(picture.identity, picture.orientation)
        if self._thumbnails.read(version) is None:
            return None
        return self._sketcher.vector(self._thumbnails.path_of(version))
