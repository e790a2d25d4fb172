"""How many pixels may be decoded at once, so that memory stays bounded.

Decoding takes about eight bytes a pixel in Pillow. A weight of 128 megapixels for all
threads together is about one gigabyte, and lets at most one picture above 64 megapixels
be decoded at a time. Whoever comes first is served first, so a large picture is not
overtaken for ever by small ones. A process that decodes for another one asks that one.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

TOTAL_PIXELS = 128_000_000


class PixelBudget:
    """A weight that threads share; one alone may exceed it, since it must run."""

    def __init__(self, total_pixels: int = TOTAL_PIXELS) -> None:
        self._total_pixels = total_pixels
        self._held_pixels = 0
        self._holders = 0
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()
        self.lender: Callable[[int], AbstractContextManager[None]] | None = None

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for so many pixels, and keep them for the block."""
        if self.lender is not None:
            with self.lender(pixels):
                yield
            return
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                self._changed.wait_for(lambda: self._may_start(ticket, pixels))
                self._held_pixels += pixels
                self._holders += 1
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._held_pixels -= pixels
                self._holders -= 1
                self._changed.notify_all()

    def _may_start(self, ticket: object, pixels: int) -> bool:
        if self._queue[0] is not ticket:
            return False
        return not self._holders or self._held_pixels + pixels <= self._total_pixels


DECODING = PixelBudget()
