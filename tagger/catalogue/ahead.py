"""Ahead: the next part is made in a thread while the one before is being used.

At most one part waits and one is in use, so memory is that of two.
"""

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")


def ahead(parts: Iterator[Part]) -> Generator[Part]:
    """The same parts, each made by a thread before it is asked for.

    An error in making one is raised where it is asked for. Whoever stops early closes
    this, which waits for the part being made.
    """
    pool = ThreadPoolExecutor(max_workers=1)
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
