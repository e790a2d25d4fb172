"""In flight: pictures being asked about now, so that none is asked about twice."""

import threading

from tagger.pipeline.stages import Item


class InFlight:
    """Who asks for which picture; who has the same one waits for that answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._followers: dict[str, list[Item]] = {}

    def lead(self, item: Item) -> bool:
        """True if this item shall ask; False if it now follows another one."""
        assert item.identity is not None
        with self._lock:
            if item.identity in self._followers:
                self._followers[item.identity].append(item)
                return False
            self._followers[item.identity] = []
            return True

    def settle(self, item: Item) -> list[Item]:
        """The item's question is over; those who waited for it."""
        assert item.identity is not None
        with self._lock:
            return self._followers.pop(item.identity)
