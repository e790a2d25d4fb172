"""Held: the photos on their way through the stages, and the leases on them."""

import threading
import time
from collections import Counter

from tagger.pipeline.line import is_wanted_now
from tagger.pipeline.stages import Item
from tagger.tracking import jobs
from tagger.tracking.bindings import Names
from tagger.tracking.database import Database

# Leases are renewed four times in their life.
RENEWALS = 4


class Held:
    """Counts what was taken and not let go, and what of it no model has answered.

    The latter by the servers that it may be sent to.
    """

    def __init__(self, db: Database, *, lease_s: float) -> None:
        self._db = db
        self._lease_s = lease_s
        self._items: dict[int, Item] = {}
        self._lock = threading.Lock()
        self._renewed = time.time()
        self.unasked: Counter[Names | None] = Counter()

    def __len__(self) -> int:
        return len(self._items)

    def every(self) -> list[Item]:
        with self._lock:
            return list(self._items.values())

    def wanted_now(self, names: Names | None) -> int:
        """How many of those for certain servers a person wants now."""
        return sum(is_wanted_now(i) and i.servers == names for i in self.every())

    def hurry(self) -> bool:
        """Notice which ones people came to want now; whether there are any."""
        wanted = jobs.wanted_now(self._db)
        late = [i for i in self.every() if i.job.id in wanted and not is_wanted_now(i)]
        for item in late:
            item.is_urgent = True
        return bool(late)

    def take(self, item: Item) -> None:
        with self._lock:
            self._items[item.job.id] = item
            self.unasked[item.servers] += 1

    def regroup(self, item: Item, names: Names | None) -> None:
        """The photo may be sent to other servers by now."""
        with self._lock:
            if item.unasked:
                self.unasked[item.servers] -= 1
                self.unasked[names] += 1
            item.servers = names

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
                self.unasked[item.servers] -= 1

    def renew(self, *, at_once: bool = False) -> None:
        """Keep the leases, when it is time."""
        # By the wall clock, as leases are: a laptop that slept renews before it takes
        # new jobs, which else could be its own, run out meanwhile.
        is_time = abs(time.time() - self._renewed) > self._lease_s / RENEWALS
        if at_once or is_time:
            mine = [item.job for item in self.every()]
            jobs.renew(self._db, mine, lease_s=self._lease_s)
            self._renewed = time.time()
