"""Meanings: in the background each description gets the vector of what it means.

The model is asked for a few descriptions at a time. A vector is kept by its text, so
photos of one description share it, and one that comes back is not asked about again.
The description of a photo in a bound folder goes only to a server it is bound to.
"""

import logging
import threading
from collections.abc import Sequence

from tagger.config import Config
from tagger.pipeline.following import Follower
from tagger.records import ImageState
from tagger.tracking import bindings, snapshots, vectors
from tagger.tracking.database import Database
from tagger.vision.embedding import Embedder, TextRefused

log = logging.getLogger(__name__)

AT_ONCE = 16


class Meanings(Follower):
    """Has descriptions read until `stop` is set."""

    def __init__(self, db: Database, config: Config, stop: threading.Event) -> None:
        super().__init__(db, stop)
        self._embedder = Embedder(config.semantic)
        self._names = _names(config)
        self._method = 0

    def work(self) -> None:
        """The thread's whole life."""
        try:
            super().work()
        finally:
            self.close()

    def close(self) -> None:
        """Hang up on the model's server."""
        self._embedder.close()

    def begin(self) -> None:
        method = vectors.method(self.db, vectors.TEXT, self._embedder.method)
        if gone := vectors.forget_others(self.db, vectors.TEXT, method):
            log.info("%s descriptions are read anew, by another model", gone)
        self._method = method

    def make(self, ids: Sequence[int]) -> None:
        """Raises `ModelUnavailable`; what was read before that is kept."""
        rules = bindings.read(self.db)
        wanted = {
            vectors.text_subject(image.description): image.description
            for image in snapshots.images(self.db, ids)
            if image.description
            and image.state is not ImageState.MISSING
            and self._may_go(rules.of(image.path))
        }
        for subject in vectors.known(self.db, self._method, wanted):
            del wanted[subject]
        subjects = list(wanted)
        for start in range(0, len(subjects), AT_ONCE):
            if self.stop.is_set():
                return
            some = subjects[start : start + AT_ONCE]
            self._read({subject: wanted[subject] for subject in some})

    def _may_go(self, bound: bindings.Names | None) -> bool:
        return bound is None or bool(bound & self._names)

    def _read(self, texts: dict[str, str]) -> None:
        try:
            made = self._embedder.vectors(list(texts.values()))
        except TextRefused as error:
            if len(texts) > 1:  # which of them it is shows when each is asked alone
                for subject, text in texts.items():
                    self._read({subject: text})
            else:
                log.warning("a description is not read for its meaning: %s", error)
            return
        vectors.keep(self.db, self._method, dict(zip(texts, made, strict=True)))


def _names(config: Config) -> bindings.Names:
    """What folders call the server that reads descriptions, if it is one of theirs."""
    url = config.semantic.url.rstrip("/")
    return frozenset(s.called for s in config.servers if s.url.rstrip("/") == url)
