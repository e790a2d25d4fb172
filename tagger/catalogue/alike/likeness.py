"""Likeness: which photos look most like one, by the vectors the tagger makes.

Vectors are read from the tracking database when somebody first asks, and kept in
memory; later questions read only what is new and which photos changed since.
"""

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagger.catalogue.alike.matrix import Matrix
from tagger.errors import UsageError
from tagger.tracking import changes, vectors
from tagger.tracking.database import Database
from tagger.tracking.vectors import Link

MOST = 1_000  # look-alikes of one photo
# Photos of different things come to 0.25 on average, and hardly ever to 0.5.
LEAST = 0.35
READ_ROWS = 50_000

Ids = NDArray[np.int64]


class Likeness:
    """The vectors of one tracking database; safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._using = threading.Lock()
        self._method: int | None = None
        self._matrix = Matrix()
        self._rows = np.empty(0, np.int64)  # by the id of the photo, -1 without one
        self._change = 0

    def ranked(
        self, image_id: int, among: Ids | None = None, *, least: float = LEAST
    ) -> Ids:
        """The photos most like one, itself first, of all or of those `among`.

        Raises `UsageError` if nothing is known of what it looks like.
        """
        with self._using:
            self._refresh()
            row = self._row(image_id)
            if row < 0:
                raise UsageError(_unknown(image_id))
            ids = np.flatnonzero(self._rows >= 0) if among is None else among
            ids = ids[ids < len(self._rows)]
            rows = self._rows[ids]
            ids, rows = ids[rows >= 0], rows[rows >= 0]
            scores = self._matrix.likeness(self._matrix.vector(row), rows)
        return best(ids, np.where(ids == image_id, 2, scores), least=least)

    def knows(self, image_id: int) -> bool:
        """Whether it is known what this photo looks like."""
        with self._using:
            self._refresh()
            return self._row(image_id) >= 0

    def _row(self, image_id: int) -> int:
        known = 0 <= image_id < len(self._rows)
        return int(self._rows[image_id]) if known else -1

    def _refresh(self) -> None:
        method = vectors.present(self._db, vectors.LOOK)
        if method is None:
            return
        if method != self._method:
            self._method, self._matrix = method, Matrix()
            self._rows, self._change = np.empty(0, np.int64), -1
        # Taken first: what changes meanwhile is read again the next time.
        change, before = changes.latest(self._db), self._matrix.last_id
        while new := vectors.after(
            self._db, method, self._matrix.last_id, limit=READ_ROWS
        ):
            self._matrix.add(new)
        if self._change < 0:
            self._link([], vectors.links(self._db, method))
        elif change != self._change or self._matrix.last_id != before:
            self._link(*vectors.links_since(self._db, method, self._change, before))
        self._change = change

    def _link(self, unlinked: Sequence[int], links: Sequence[Link]) -> None:
        found = np.array(links, dtype=np.int64).reshape(-1, 2)
        gone = np.array(unlinked, dtype=np.int64)
        most = max([len(self._rows), *(found[:, 0] + 1), *(gone + 1)])
        if most > len(self._rows):
            more = np.full(most * 5 // 4 - len(self._rows), -1)
            self._rows = np.concatenate([self._rows, more])
        self._rows[gone] = -1
        self._rows[found[:, 0]] = self._matrix.rows_of(found[:, 1])


def best(ids: Ids, scores: NDArray[np.floating], *, least: float) -> Ids:
    """The ids of the highest scores, highest first; the lower id where they tie."""
    good = scores >= least
    ids, scores = ids[good], scores[good]
    if len(ids) > MOST:
        some = np.argpartition(-scores, MOST - 1)[:MOST]
        ids, scores = ids[some], scores[some]
    return ids[np.lexsort((ids, -scores))]


def _unknown(image_id: int) -> str:
    return (
        f"Nothing is known yet of what photo {image_id} looks like; the tagger finds "
        "out in the background while it runs (setting catalogue.look_alikes)"
    )
