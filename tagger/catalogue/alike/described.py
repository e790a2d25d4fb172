"""Described: what stands for each photo's description, a number by the photo's id.

Hashing a million descriptions takes seconds, so the numbers are kept in memory, and
only photos that changed are hashed again.
"""

import duckdb
import numpy as np
from numpy.typing import NDArray

from tagger.catalogue import schema
from tagger.tracking import changes
from tagger.tracking.database import Database

Subjects = NDArray[np.uint64]
NOTHING = np.uint64(0)
# Beyond, all are hashed again, which is then faster than finding those that changed.
MOST_CHANGED = 100_000

_SUBJECTS = "SELECT id, md5_number_lower(description) AS subject FROM images"


class Described:
    """The numbers of one catalogue's descriptions; for one thread at a time."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._subjects: Subjects = np.zeros(0, np.uint64)
        self._catalogue: str | None = None
        self._change = 0

    def subjects(self, cursor: duckdb.DuckDBPyConnection) -> Subjects:
        """By the id of each photo; 0 for one without a description, or that is gone."""
        # Read before the rows: what changes in between is hashed again the next time.
        catalogue = schema.recall(cursor, "catalogue_id")
        change = int(schema.recall(cursor, "change") or 0)
        ids = None
        if catalogue == self._catalogue and change >= self._change:
            ids = changes.subjects(
                self._db, changes.IMAGE, after=self._change, until=change
            )
        if ids is None or len(ids) > MOST_CHANGED:
            self._subjects = np.zeros(0, np.uint64)
            self._take(cursor.execute(_SUBJECTS))
        elif ids:
            cursor.register("changed", {"id": np.array(ids, np.int64)})
            self._put(np.array(ids, np.int64), NOTHING)
            self._take(
                cursor.execute(f"{_SUBJECTS} WHERE id IN (SELECT id FROM changed)")
            )
        self._catalogue, self._change = catalogue, change
        return self._subjects

    def _take(self, found: duckdb.DuckDBPyConnection) -> None:
        columns = found.fetchnumpy()
        subjects = columns["subject"]
        if isinstance(subjects, np.ma.MaskedArray):
            subjects = subjects.filled(NOTHING)
        self._put(np.asarray(columns["id"], np.int64), np.asarray(subjects, np.uint64))

    def _put(self, ids: NDArray[np.int64], subjects: Subjects | np.uint64) -> None:
        most = int(ids.max()) + 1 if len(ids) else 0
        if most > len(self._subjects):
            more = np.zeros(most * 5 // 4 - len(self._subjects), np.uint64)
            self._subjects = np.concatenate([self._subjects, more])
        self._subjects[ids] = subjects
