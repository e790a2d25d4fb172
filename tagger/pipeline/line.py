"""Line: photos that wait between two stages, by turn; those wanted now go ahead."""

import itertools
import queue

from tagger.pipeline.stages import Item
from tagger.tracking.queueing import NOW


def is_wanted_now(item: Item) -> bool:
    """Whether a person wants this very photo now."""
    return item.is_urgent or item.job.priority >= NOW


class Line:
    """A queue for any number of threads."""

    def __init__(self) -> None:
        self._turn = itertools.count()
        self._items: queue.PriorityQueue[tuple[bool, int, Item]] = queue.PriorityQueue()

    def put(self, item: Item) -> None:
        self._items.put((not is_wanted_now(item), next(self._turn), item))

    def get(self, timeout: float) -> Item:
        """The next photo. Raises `queue.Empty` if none comes in so many seconds."""
        return self._items.get(timeout=timeout)[2]

    def sort(self) -> None:
        """Some came to be wanted now while they waited."""
        for item in self.take_all():
            self.put(item)

    def take_all(self) -> list[Item]:
        """Every photo that waits now."""
        taken = []
        while True:
            try:
                taken.append(self._items.get_nowait()[2])
            except queue.Empty:
                return taken
