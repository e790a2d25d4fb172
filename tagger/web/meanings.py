"""The model for texts, as searches ask it: made anew when its settings change.

What was asked lately is remembered, because a page asks the same again at each click.
"""

import threading
from collections.abc import Callable, Sequence

from tagger.errors import ModelUnavailable
from tagger.sections import Semantic
from tagger.vision.embedding import Embedder, TextRefused

REMEMBERED = 64
TEXTS_AT_ONCE = 64


class Meanings:
    """Answers what a typed text means. `settings` gives those in force."""

    def __init__(self, settings: Callable[[], Semantic]) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._made: tuple[Semantic, Embedder] | None = None
        self._known: dict[str, bytes] = {}

    def method(self) -> str | None:
        """Which model's vectors can be compared; None where there is no model."""
        return self._embedder().method if self._settings().model else None

    def vector(self, text: str) -> bytes:
        """What the text means; raises `ModelUnavailable`."""
        embedder = self._embedder()
        key = f"{embedder.method}\n{text}"
        if (known := self._known.get(key)) is not None:
            return known
        try:
            [made] = embedder.vectors([text])
        except TextRefused as error:
            raise ModelUnavailable(str(error)) from error
        with self._lock:
            self._known[key] = made
            while len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]
        return made

    def vectors(self, texts: Sequence[str]) -> list[bytes]:
        """What each of many texts means; raises `ModelUnavailable`."""
        embedder = self._embedder()
        made: list[bytes] = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            try:
                made += embedder.vectors(texts[start : start + TEXTS_AT_ONCE])
            except TextRefused as error:
                raise ModelUnavailable(str(error)) from error
        return made

    def close(self) -> None:
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made[1].close()

    def _embedder(self) -> Embedder:
        settings = self._settings()
        with self._lock:
            if self._made is None or self._made[0] != settings:
                if self._made is not None:
                    self._made[1].close()
                self._made = settings, Embedder(settings)
            return self._made[1]
