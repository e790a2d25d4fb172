"""Ahead: the next part is made in a thread while the one before is being used.

At most one part waits and one is in use, so memory is that of two.
"""

import os
import sys
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")

# The nice value of a thread that gives way: a ninth of what others get.
PRIORITY = 10


def ahead(parts: Iterator[Part], *, gives_way: bool = False) -> Generator[Part]:
    """The same parts, each made by a thread before it is asked for.

    One that `gives_way` leaves the processor to whoever answers people at screens. It
    is for parts that are made by long calls into libraries: a thread that held the
    interpreter while others have the processor would hold them up as well.
    An error in making one is raised where it is asked for. Whoever stops early closes
    this, which waits for the part being made.
    """
    pool = ThreadPoolExecutor(
        max_workers=1, initializer=_give_way if gives_way else None
    )
    ends: list[Part] = []
    pending: list[Future[Part | list[Part]]] = [pool.submit(next, parts, ends)]
    try:
        while True:
            pending.append(pool.submit(next, parts, ends))
            # Held by no name here, so that the user can let go of it.
            made = [pending.pop(0).result()]
            if made[0] is ends:
                return
            yield made.pop()  # type: ignore[misc]
    finally:
        pool.shutdown(cancel_futures=True)


def _give_way() -> None:
    """Only Linux gives threads priorities of their own, and none may be raised."""
    if sys.platform == "linux":
        me = threading.get_native_id()
        given = max(PRIORITY, os.getpriority(os.PRIO_PROCESS, me))
        os.setpriority(os.PRIO_PROCESS, me, given)
