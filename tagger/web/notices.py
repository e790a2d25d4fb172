"""Notices: sentences every screen shows until what they say is over.

Each has a subject, so that a thing which happens again is said once, and the thread
that said it can take it back.
"""

import threading
from collections.abc import Iterator


class Notices:
    """A few sentences by subject; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_subject: dict[str, str] = {}

    def set(self, subject: str, sentence: str) -> None:
        with self._lock:
            self._by_subject[subject] = sentence

    def clear(self, subject: str) -> None:
        with self._lock:
            self._by_subject.pop(subject, None)

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(tuple(self._by_subject.values()))

    def __len__(self) -> int:
        with self._lock:
            return len(self._by_subject)
