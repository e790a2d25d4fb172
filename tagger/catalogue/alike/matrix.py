"""Vectors in memory, a byte a number, to be compared with one of them all at once.

A million vectors of 128 numbers take 128 MB. They are multiplied in blocks, each made
into floats for itself, so that comparing takes no more memory than the vectors do.
"""

import numpy as np
from numpy.typing import NDArray

# Numbers multiplied at a time: few enough that the algebra library keeps to one thread.
# Where others want the processors, threads that wait for each other took ten times as
# long.
BLOCK = 1 << 18
FEWEST_ROOM = 8_192

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]


class Matrix:
    """Vectors of one method, in the order of their ids; only ever added to."""

    def __init__(self) -> None:
        self._ids = np.empty(0, np.int64)
        self._vectors = np.empty((0, 0), np.int8)
        self._lengths = np.empty(0, np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def last_id(self) -> int:
        """The id of the last vector; 0 before there is one."""
        return int(self._ids[self._count - 1]) if self._count else 0

    def add(self, vectors: list[tuple[int, bytes]]) -> None:
        """Add vectors, whose ids are higher than all before."""
        if not vectors:
            return
        new = np.frombuffer(b"".join(vector for _, vector in vectors), np.int8)
        new = new.reshape(len(vectors), -1)
        stop = self._count + len(vectors)
        self._make_room(stop, new.shape[1])
        some = slice(self._count, stop)
        self._ids[some] = [vector_id for vector_id, _ in vectors]
        self._vectors[some] = new
        self._lengths[some] = np.linalg.norm(new.astype(np.float32), axis=1)
        self._count = stop

    def rows_of(self, ids: NDArray[np.int64]) -> Rows:
        """The rows of vectors by their ids; -1 for one that is not here."""
        if not self._count:
            return np.full(len(ids), -1)
        known = self._ids[: self._count]
        at = np.minimum(np.searchsorted(known, ids), self._count - 1)
        return np.where(known[at] == ids, at, -1)

    def vector(self, row: int) -> NDArray[np.float32]:
        return np.asarray(self._vectors[row], np.float32)

    def likeness(self, vector: NDArray[np.float32], rows: Rows) -> Scores:
        """The cosine between a vector and each of these rows, 1 for the same."""
        length = np.float32(np.linalg.norm(vector))
        if not length:
            return np.zeros(len(rows), np.float32)
        if len(rows) * 2 > self._count:
            return self._all(vector / length)[rows]
        return self._of(vector / length, rows)

    def _all(self, unit: NDArray[np.float32]) -> Scores:
        found = np.empty(self._count, np.float32)
        at_once = max(1, BLOCK // len(unit))
        floats = np.empty((at_once, len(unit)), np.float32)
        for start in range(0, self._count, at_once):
            some = slice(start, min(start + at_once, self._count))
            block = floats[: some.stop - start]
            block[...] = self._vectors[some]
            np.dot(block, unit, out=found[some])
        found /= np.maximum(self._lengths[: self._count], np.float32(1))
        return found

    def _of(self, unit: NDArray[np.float32], rows: Rows) -> Scores:
        found = np.empty(len(rows), np.float32)
        at_once = max(1, BLOCK // len(unit))
        for start in range(0, len(rows), at_once):
            some = rows[start : start + at_once]
            dots = self._vectors[some].astype(np.float32) @ unit
            found[start : start + len(some)] = dots / np.maximum(self._lengths[some], 1)
        return found

    def _make_room(self, count: int, numbers: int) -> None:
        if count <= len(self._ids) and numbers == self._vectors.shape[1]:
            return
        room = max(count, len(self._ids) * 5 // 4, FEWEST_ROOM)
        more = room - len(self._ids)
        self._ids = np.concatenate([self._ids, np.zeros(more, np.int64)])
        self._lengths = np.concatenate([self._lengths, np.zeros(more, np.float32)])
        vectors = np.zeros((room, numbers), np.int8)
        if self._count:
            vectors[: self._count] = self._vectors[: self._count]
        self._vectors = vectors
