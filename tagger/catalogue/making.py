"""Making: parts of exports are made by few threads, where several exports go on.

DuckDB takes every core it gets for each of them. One alone may have them all; several
share half of them, so that whoever searches or looks at pictures meanwhile finds a core
free. They wait for each part anew, so none is kept waiting by one whose reader is slow.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Making:
    """How many exports go on, and how many of their parts are being made."""

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._exports = self._parts = 0
        self._changed = threading.Condition()

    @property
    def most(self) -> int:
        """How many parts may be made at once now."""
        return self._cores if self._exports <= 1 else max(1, self._cores // 2)

    @contextmanager
    def export(self) -> Iterator[None]:
        """One more export, for the block."""
        with self._changed:
            self._exports += 1
        try:
            yield
        finally:
            with self._changed:
                self._exports -= 1
                self._changed.notify_all()

    @contextmanager
    def part(self) -> Iterator[None]:
        """Make a part within the block, once that may be done."""
        with self._changed:
            self._changed.wait_for(lambda: self._parts < self.most)
            self._parts += 1
        try:
            yield
        finally:
            with self._changed:
                self._parts -= 1
                self._changed.notify_all()


MAKING = Making(os.cpu_count() or 1)
