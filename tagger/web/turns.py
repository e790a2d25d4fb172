"""Turns: a person's heavy requests take turns, so that nobody else waits for them.

Each kind of heavy work goes on for so many people at once, and for each of them so many
times. Whoever is free next goes first who has the least going on, and among those who
has waited longest; whoever waits too long is told to come again (429). Heavy work has
threads of its own (`apart`): those that searches and thumbnails run in stay free.
"""

import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

import anyio
from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from tagger import acting
from tagger.web.guard import known_as
from tagger.web.people import EVERYONE, HERE

Found = TypeVar("Found")

# So many may wait for one person; each costs no thread, but a connection.
MOST_WAITING = 100


def who(scope: Scope) -> str:
    """Whose turns a request takes: a person's; where nobody signs in, an address's."""
    known, someone = known_as(scope), acting.person()
    if known is not None and someone is not None and known not in (HERE, EVERYONE):
        return f"{known.kind} {someone.name}"
    client = scope.get("client")
    return str(client[0]) if client else ""


async def apart(call: Callable[[], Found]) -> Found:
    """What `call` returns, from a thread that is none of those everybody shares."""
    return await to_thread.run_sync(call, limiter=anyio.CapacityLimiter(1))


@dataclass(eq=False, slots=True)
class _Waiting:
    key: str
    called: anyio.Event = field(default_factory=anyio.Event)
    is_on: bool = False


class Turns:
    """Turns at one kind of work; `what` says which, after "too many"."""

    def __init__(self, what: str, *, each: int, total: int, wait_s: float) -> None:
        self.what, self.each, self.total, self.wait_s = what, each, total, wait_s
        self._on: Counter[str] = Counter()
        self._waiting: list[_Waiting] = []

    def on(self, key: str | None = None) -> int:
        """How many turns are taken now, by one or by all."""
        return self._on.total() if key is None else self._on[key]

    def waiting(self) -> int:
        return len(self._waiting)

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """One turn, for the block. Raises `HTTPException` (429) after `wait_s`."""
        await self.take(key)
        try:
            yield
        finally:
            self.give(key)

    async def take(self, key: str) -> None:
        """The same for whoever gives it back with `give`."""
        if self._is_free(key):
            self._on[key] += 1
            return
        if sum(one.key == key for one in self._waiting) >= MOST_WAITING:
            raise self._refusal()
        one = _Waiting(key)
        self._waiting.append(one)
        try:
            with anyio.move_on_after(self.wait_s):
                await one.called.wait()
        except BaseException:
            if one.is_on:
                self.give(key)
            raise
        finally:
            if not one.is_on:
                self._waiting.remove(one)
        if not one.is_on:
            raise self._refusal()

    def give(self, key: str) -> None:
        """Let others have the turn that was taken."""
        self._on[key] -= 1
        if not self._on[key]:
            del self._on[key]
        while free := [one for one in self._waiting if self._is_free(one.key)]:
            first = min(free, key=lambda one: self._on[one.key])
            self._waiting.remove(first)
            self._on[first.key] += 1
            first.is_on = True
            first.called.set()

    def _is_free(self, key: str) -> bool:
        return self._on[key] < self.each and self._on.total() < self.total

    def _refusal(self) -> HTTPException:
        return HTTPException(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"Too many {self.what} at once: {self.each} of yours may run, and "
            f"{self.total} in all. Try again when one of them is done.",
            headers={"Retry-After": str(max(1, round(self.wait_s)))},
        )


EXPORTS = Turns("exports", each=2, total=6, wait_s=10.0)
QUESTIONS = Turns("questions in SQL", each=2, total=6, wait_s=10.0)
# Decoding is for the tagger; here it is the exception, and takes memory.
DECODING = Turns("pictures to be made", each=2, total=3, wait_s=60.0)
# What is sent in lies on the disk; what is asked about takes decoding and a model.
RECEIVING = Turns("pictures sent in", each=2, total=6, wait_s=60.0)
DESCRIBING = Turns("pictures to be described", each=2, total=4, wait_s=600.0)


class Pieces(StreamingResponse):
    """An answer made piece by piece, each apart.

    When it is sent, or nobody takes it any more, the generator is closed, so that it
    lets go of cursors and files at once, and then `done` is called.
    """

    def __init__(
        self,
        pieces: Iterator[bytes],
        *,
        done: Callable[[], None],
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        self._pieces, self._done = pieces, done
        # A thread that makes a piece goes on when its request is cancelled.
        self._making = threading.Lock()
        super().__init__(self._made(), media_type=media_type, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            try:
                with anyio.CancelScope(shield=True):
                    await apart(self._close)
            finally:
                self._done()

    async def _made(self) -> AsyncIterator[bytes]:
        while (piece := await apart(self._next)) is not None:
            yield piece

    def _next(self) -> bytes | None:
        with self._making:
            return next(self._pieces, None)

    def _close(self) -> None:
        with self._making:
            if isinstance(self._pieces, Generator):
                self._pieces.close()
