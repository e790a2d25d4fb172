"""Held: the photos on their way through the stages, and the leases on them."""

import threading
import time

from tagger.pipeline.line import is_wanted_now
from tagger.pipeline.stages import Item
from tagger.tracking import jobs
from tagger.tracking.database import Database

RENEW_S = 15.0


class Held:
    """Counts what was taken and not let go, and what of it no model has answered."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._items: dict[int, Item] = {}
        self._lock = threading.Lock()
        self._renewed = time.time()
        self.unasked = 0

    def __len__(self) -> int:
        return len(self._items)

    def every(self) -> list[Item]:
        with self._lock:
            return list(self._items.values())

    @property
    def wanted_now(self) -> int:
        """How many of them a person wants now."""
        return sum(is_wanted_now(item) for item in self.every())

    def take(self, item: Item) -> None:
        with self._lock:
            self._items[item.job.id] = item
            self.unasked += 1

    def let_go(self, item: Item) -> None:
        with self._lock:
            # Given back, the job may be held anew already, as another item.
            if self._items.get(item.job.id) is item:
                del self._items[item.job.id]
        self.is_asked(item)

    def is_asked(self, item: Item) -> None:
        """The photo waits for no model any more, and needs no pixels."""
        item.picture = None
        with self._lock:
            if item.unasked:
                item.unasked = False
                self.unasked -= 1

    def renew(self, *, at_once: bool = False) -> None:
        """Keep the leases, when it is time."""
        # By the wall clock, as leases are: a laptop that slept renews before it takes
        # new jobs, which else could be its own, run out meanwhile.
        if at_once or abs(time.time() - self._renewed) > RENEW_S:
            jobs.renew(self._db, [item.job for item in self.every()])
            self._renewed = time.time()
