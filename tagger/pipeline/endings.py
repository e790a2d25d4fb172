"""Endings: the photos that were being asked about when a model server went away.

A server that is stopped takes its photos along by chance, one that crashes on a photo
does so each time. A photo that was there at two endings is asked about alone; if the
server, which has described a plain picture since, goes away once more, it is the
photo's doing. What is counted holds for this process: after a restart it starts anew.
"""

import threading
from collections import Counter

from tagger.errors import ImageError

ENDINGS = 3


class ServerEnds(ImageError):
    """The model server went away each time it was asked about the photo."""


class Endings:
    """How many endings each picture was there at. Threads share it."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def of(self, identity: str) -> int:
        """How many a picture was there at since it was last answered."""
        with self._lock:
            return self._seen.get(identity, 0)

    def saw(self, identity: str) -> int:
        """The picture was there at one more; how many that makes."""
        with self._lock:
            self._seen[identity] += 1
            return self._seen[identity]

    def forget(self, identity: str) -> None:
        """The picture has its answer, or its photo has failed."""
        with self._lock:
            self._seen.pop(identity, None)
