"""Meaning: which descriptions come nearest to a text, by vectors that a model made.

The vectors of descriptions are in the tracking database, each by its text; that of what
is searched for is asked of the model when it is typed. Conditions beside it filter
first, and every photo that is left is compared.
"""

import threading
from collections.abc import Callable

import duckdb
import numpy as np
from numpy.typing import NDArray

from tagger.catalogue.alike.described import Described
from tagger.catalogue.alike.likeness import READ_ROWS, Ids, best
from tagger.catalogue.alike.matrix import Matrix
from tagger.errors import UsageError
from tagger.tracking import vectors
from tagger.tracking.database import Database

MOST = 200  # photos whose descriptions mean about something

OFF = (
    "Searching by meaning is off: set the setting semantic.model to a model for texts, "
    "for example nomic-embed-text after `ollama pull nomic-embed-text`"
)
_UNREAD = (
    "No description was read for its meaning yet; the running tagger has that done in "
    "the background, by the model of the setting semantic.model"
)
_OTHER = (
    "The model of the setting semantic.model gives vectors of another kind than those "
    "of the descriptions; name the model that read them"
)

Embed = Callable[[str], bytes]


class Meaning:
    """The vectors of descriptions; safe to use from any thread.

    `method` tells by what model; None where there is none. `embed` asks it.
    """

    def __init__(
        self, db: Database, *, method: Callable[[], str | None], embed: Embed
    ) -> None:
        self._db = db
        self._named = method
        self._embed = embed
        self._using = threading.Lock()
        self._method: int | None = None
        self._matrix = Matrix()
        self._last = 0
        self._described = Described(db)
        self._subjects = np.empty(0, np.uint64)  # in the order of the rows
        self._order = np.empty(0, np.int64)

    def ranked(
        self, cursor: duckdb.DuckDBPyConnection, text: str, among: Ids | None = None
    ) -> Ids:
        """The photos whose descriptions come nearest, of all or of those `among`.

        Raises `UsageError` where there is nothing to compare with, and what `embed`
        raises.
        """
        name = self._named()
        if name is None:
            raise UsageError(OFF)
        with self._using:
            self._refresh(name)
            if not len(self._matrix):
                raise UsageError(_UNREAD)
        wanted = np.frombuffer(self._embed(text), np.int8).astype(np.float32)
        with self._using:
            described = self._described.subjects(cursor)
            ids = np.flatnonzero(described) if among is None else among
            ids = ids[ids < len(described)]
            rows = self._rows_of(described[ids])
            ids, rows = ids[rows >= 0], rows[rows >= 0]
            if not len(ids):
                return ids
            if len(wanted) != len(self._matrix.vector(0)):
                raise UsageError(_OTHER)
            scores = self._matrix.likeness(wanted, rows)
        return best(ids, scores, least=1e-6)[:MOST]

    def _refresh(self, name: str) -> None:
        method = vectors.named(self._db, vectors.TEXT, name)
        if method != self._method:
            self._method, self._matrix, self._last = method, Matrix(), 0
            self._subjects = np.empty(0, np.uint64)
        if method is None:
            return
        before = self._last
        while new := vectors.named_after(self._db, method, self._last, limit=READ_ROWS):
            self._last = new[-1][0]
            self._add(new)
        if self._last != before:
            self._order = np.argsort(self._subjects)

    def _add(self, new: list[tuple[int, str, bytes]]) -> None:
        size = len(self._matrix.vector(0)) if len(self._matrix) else len(new[0][2])
        same = [one for one in new if len(one[2]) == size]
        self._matrix.add([(vector_id, vector) for vector_id, _, vector in same])
        subjects = np.array([int(subject) for _, subject, _ in same], np.uint64)
        self._subjects = np.concatenate([self._subjects, subjects])

    def _rows_of(self, subjects: NDArray[np.uint64]) -> NDArray[np.int64]:
        at = np.searchsorted(self._subjects, subjects, sorter=self._order)
        rows = self._order[np.minimum(at, len(self._order) - 1)]
        return np.where(self._subjects[rows] == subjects, rows, -1)
