"""Ahead: the next part is made in a thread while the one before is being used.

At most one part waits and one is in use, so memory is that of two.
"""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def ahead(make: Callable[[Item], Made], items: Iterable[Item]) -> Generator[Made]:
    """What `make` gives of each item, in their order; one that fails raises here.

    Whoever stops early closes the iterator, which waits for the part being made.
    """
    pool = ThreadPoolExecutor(max_workers=1)
    pending: list[Future[Made]] = []
    try:
        for item in items:
            pending.append(pool.submit(make, item))
            if len(pending) > 1:
                # Held by no name here, so that the user can let go of it.
                yield pending.pop(0).result()
        while pending:
            yield pending.pop(0).result()
    finally:
        pool.shutdown(cancel_futures=True)
