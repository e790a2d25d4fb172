"""Wire: HTTP/1.1 over connections that are kept open, as lean as Python can be.

The figures are to be the server's. So an answer's time ends when the kernel reported
its last bytes, not when this process came to look at them: `Waking` notes the moment,
and how long each round of work kept it from being noted sooner. That stretch is the
most by which a time can be too long.
"""

import asyncio
import gc
import selectors
import time
import zlib
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

GIVE_UP_S = 300.0


class Waking(selectors.DefaultSelector):
    """Notes when the kernel last reported something, and the work between reports."""

    def __init__(self) -> None:
        super().__init__()
        self.woke_s = time.perf_counter()
        self.stretches_s: list[float] = []

    def select(self, timeout: float | None = None) -> Any:
        self.stretches_s.append(time.perf_counter() - self.woke_s)
        events = super().select(timeout)
        self.woke_s = time.perf_counter()
        return events


def run(work: Coroutine[Any, Any, None], waking: Waking) -> None:
    """Do the work on a loop that notes its wakings, with no pause for garbage."""
    gc.disable()
    loop = asyncio.SelectorEventLoop(waking)
    try:
        loop.run_until_complete(work)
    finally:
        loop.run_until_complete(asyncio.sleep(0))  # connections end a step later
        loop.close()
        gc.enable()


@dataclass(slots=True)
class Answer:
    """What came back; of a body that is not kept only its length is known."""

    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""
    length: int = 0
    start: bytes = b""
    first_s: float = 0.0
    took_s: float = 0.0

    def text(self) -> bytes:
        """The body as the server meant it."""
        if self.headers.get(b"content-encoding") == b"gzip":
            return zlib.decompress(self.body, wbits=31)
        return self.body


class Broken(Exception):
    """The connection ended, or what came is no answer."""


class Line(asyncio.Protocol):
    """One connection; it is asked one thing at a time."""

    def __init__(self, waking: Waking) -> None:
        self._waking = waking
        self._transport: asyncio.Transport | None = None
        self._over: asyncio.Future[Answer] | None = None

    async def ask(
        self, host: str, port: int, request: bytes, *, keep: bool = True
    ) -> Answer:
        """Send a request, and connect before that if need be; its whole answer.

        Servers end connections that rest for some seconds. Where that happens just as
        the next request is sent, browsers ask anew over another, and so is done here.
        """
        was_open = self._transport is not None and not self._transport.is_closing()
        began_s = time.perf_counter()
        try:
            return await self._ask(host, port, request, keep, began_s)
        except Broken:
            if not was_open or self._answer.status or self._head:
                raise
        return await self._ask(host, port, request, keep, began_s)

    async def _ask(
        self, host: str, port: int, request: bytes, keep: bool, began_s: float
    ) -> Answer:
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            await loop.create_connection(lambda: self, host, port)
        assert self._transport is not None
        self._answer, self._keep = Answer(), keep
        self._head, self._left, self._chunked = bytearray(), 0, False
        self._pieces: list[bytes] = []
        self._over = loop.create_future()
        self._sent_s = began_s
        self._transport.write(request)
        try:
            return await asyncio.wait_for(self._over, GIVE_UP_S)
        except TimeoutError as error:
            self.close()
            raise Broken(f"no whole answer within {GIVE_UP_S:.0f} s") from error
        finally:
            self._over = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._over is not None and not self._over.done():
            self._over.set_exception(Broken(f"the connection ended: {exc}"))

    def data_received(self, data: bytes) -> None:
        if self._over is None or self._over.done():
            self.close()  # nobody asked
            return
        try:
            self._take(data)
        except (ValueError, IndexError) as error:
            self._over.set_exception(Broken(f"no HTTP: {error}"))
            self.close()

    def _take(self, data: bytes) -> None:
        if not self._answer.status:
            self._head += data
            head, end, rest = bytes(self._head).partition(b"\r\n\r\n")
            if not end:
                return
            self._answer.first_s = self._waking.woke_s - self._sent_s
            self._begin(head)
            data = rest
        if self._chunked:
            self._take_chunks(data)
        else:
            self._left -= len(data)
            self._body(data)
            if self._left <= 0:
                self._end()

    def _begin(self, head: bytes) -> None:
        first, *lines = head.split(b"\r\n")
        for line in lines:
            name, _, value = line.partition(b":")
            self._answer.headers[name.strip().lower()] = value.strip()
        self._answer.status = int(first.split(b" ", 2)[1])
        headers = self._answer.headers
        self._chunked = headers.get(b"transfer-encoding") == b"chunked"
        self._left = 0 if self._chunked else int(headers.get(b"content-length", 0))
        self._head = bytearray()

    def _take_chunks(self, data: bytes) -> None:
        """`_left` counts what is missing of a chunk and the line end after it."""
        at = 0
        while at < len(data):
            if self._left:
                some = data[at : at + self._left]
                # Of the last two bytes, the line end, none is the body's.
                self._body(some[: max(0, self._left - 2)])
                self._left -= len(some)
                at += len(some)
                continue
            stop = data.find(b"\n", at)
            self._head += data[at : stop + 1] if stop >= 0 else data[at:]
            if stop < 0:
                return
            at = stop + 1
            size = int(self._head.split(b";")[0], 16)
            self._head = bytearray()
            if not size:
                # The empty line that follows comes with it; trailers are not sent.
                self._end()
                return
            self._left = size + 2

    def _body(self, data: bytes) -> None:
        answer = self._answer
        if len(answer.start) < 2:
            answer.start = (answer.start + data[:2])[:2]
        answer.length += len(data)
        if self._keep or answer.status >= 400:
            self._pieces.append(data)

    def _end(self) -> None:
        assert self._over is not None
        self._answer.body = b"".join(self._pieces)
        self._answer.took_s = self._waking.woke_s - self._sent_s
        if self._answer.headers.get(b"connection", b"").lower() == b"close":
            self.close()
        self._over.set_result(self._answer)
