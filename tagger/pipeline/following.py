"""Following: background work on every photo on record, then on each that changes.

A sweep over all photos comes first, then the changes since it began are followed. What
was done is known by what it left, so a start after a kill sweeps again and does nothing
twice. Whatever may pass (a full disk, a server that is away) is waited for.
"""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence

from tagger.errors import DataFull, ModelUnavailable
from tagger.tracking import changes, vectors
from tagger.tracking.database import Database

log = logging.getLogger(__name__)

REST_S = 2.0
TROUBLE_S = 30.0
SWEEP_FILES = 500


class Follower(ABC):
    """What is done to the photos, in the methods that are to be given."""

    def __init__(self, db: Database, stop: threading.Event) -> None:
        self.db = db
        self.stop = stop
        self._has_begun = False
        self._swept = 0  # the photo the sweep has come to
        self._number = 0  # the change that was followed last
        self._trouble = ""

    @abstractmethod
    def begin(self) -> None:
        """Once, before all else; tried again after trouble."""

    @abstractmethod
    def make(self, ids: Sequence[int]) -> None:
        """Do what is to be done to these photos, unless it is done."""

    def work(self) -> None:
        """Until `stop` is set."""
        while not self.stop.is_set():
            self.stop.wait(self._round())

    def catch_up(self) -> None:
        """Do all there is to do now."""
        if not self._has_begun:
            # Before the sweep: what changes while it goes on is followed afterwards.
            self._number = changes.latest(self.db)
            self.begin()
            self._has_begun = True
        while not self.stop.is_set() and (self._sweep() or self._follow()):
            pass

    def _round(self) -> float:
        """Do what there is to do; how long to rest then."""
        try:
            self.catch_up()
        except (DataFull, ModelUnavailable, OSError) as error:
            if str(error) != self._trouble:
                log.warning("work in the background waits: %s", error)
            self._trouble = str(error)
            return TROUBLE_S
        self._trouble = ""
        return REST_S

    def _sweep(self) -> bool:
        ids = vectors.files_after(self.db, self._swept, limit=SWEEP_FILES)
        if not ids:
            return False
        self.make(ids)
        self._swept = ids[-1]
        return True

    def _follow(self) -> bool:
        batch = changes.after(self.db, self._number, limit=SWEEP_FILES)
        if not batch:
            return False
        ids = {one.subject_id for one in batch if one.kind == changes.IMAGE}
        self.make(sorted(ids))
        self._number = batch[-1].number
        return True
