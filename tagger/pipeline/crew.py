"""Crew: threads whose failure is the failure of whoever set them to work.

A plain thread that dies takes its work with it in silence. These hand their exception
to `check`, which the process's main loop calls, and raise it there.
"""

import threading
import time
from collections.abc import Callable


class Crew:
    """Daemon threads that are checked on and can be waited for."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []

    def spawn(self, name: str, work: Callable[[], None]) -> threading.Thread:
        """Run `work` in a thread of its own."""
        thread = threading.Thread(
            target=self._run, args=(work,), name=name, daemon=True
        )
        self._threads.append(thread)
        thread.start()
        return thread

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # raised again by `check`
            self._errors.append(error)

    def check(self) -> None:
        """Raise what a thread died of, if any did."""
        if self._errors:
            raise self._errors[0]

    def join(self, timeout_s: float) -> bool:
        """Wait for all threads; False if some are still at work."""
        end = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)
