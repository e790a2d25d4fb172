"""Memory: what requests let go of goes back to the system.

glibc keeps what threads free: in up to eight heaps for each core, and, once a large
block was freed, large blocks too. With fifty people at work, 850 of the 1,200 MiB this
process held were such remains, and more each minute. In few heaps remains are used
again, and blocks outside of them are gone when they are freed.
"""

import ctypes

# As glibc's malloc.h numbers them; other C libraries have none of this.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
# Two a core where there are two. With 2 heaps, people waited for one another.
HEAPS = 4
# Larger than the blocks of DuckDB (256 KiB), which come and go all the time: each of
# their own, thumbnails took a third longer.
OUTSIDE_BYTES = 1 << 20


def give_back() -> bool:
    """Have it so, for this process; whether its C library can."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_ARENA_MAX, HEAPS) and mallopt(_MMAP_THRESHOLD, OUTSIDE_BYTES))
