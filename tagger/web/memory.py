"""Memory: what requests let go of goes back to the system.

glibc keeps what threads free: in up to eight heaps for each core, and, once a large
block was freed, large blocks too. With fifty people at work, 850 of the 1,200 MiB this
process held were such remains, and more each minute. In few heaps remains are used
again, blocks outside of them are gone when they are freed, and of the rest the pages
that are wholly free are given back now and then, which takes some milliseconds.
"""

import ctypes
import threading

# As glibc's malloc.h numbers them; other C libraries have none of this.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
# Two a core where there are two. With 2 heaps, people waited for one another.
HEAPS = 4
# Larger than the blocks of DuckDB (256 KiB), which come and go all the time: each of
# their own, thumbnails took a third longer.
OUTSIDE_BYTES = 1 << 20
EVERY_S = 30.0


class Returning:
    """Has this process give memory back until `stop`, where its C library can."""

    def __init__(self, *, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._stopping = threading.Event()
        self._library = ctypes.CDLL(None)
        self._thread = threading.Thread(
            target=self._run, name="memory-returning", daemon=True
        )

    def start(self) -> None:
        if not all(hasattr(self._library, n) for n in ("mallopt", "malloc_trim")):
            return
        self._library.mallopt(_ARENA_MAX, HEAPS)
        self._library.mallopt(_MMAP_THRESHOLD, OUTSIDE_BYTES)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            self._library.malloc_trim(0)
