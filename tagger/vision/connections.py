"""Connections to one server, each of which ends at the deadline of what is asked on it.

httpx's time-outs are for one read each: a server that sends a byte now and then keeps
them from ever running out, while headers arrive even where nobody could look at a
clock. So each question has a connection to itself, and at its deadline the socket under
it is shut down, which wakes whoever waits there.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

# Below the five seconds after which many servers hang up on an idle connection: a
# question sent at that very moment would be lost.
IDLE_S = 2.0

# Where the other end may have gone: the first question after so many seconds of
# silence, then one more every few seconds, and how many may stay without an answer.
_KEEP_ALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


class TooLong(Exception):
    """The server sends more than any answer could be."""


class Closed(Exception):
    """Nothing is asked here any more."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole."""

    status: int
    headers: httpx.Headers
    content: bytes


class Connection:
    """At most one connection, for one question at a time; any thread may cut it."""

    def __init__(
        self, url: str, *, headers: Mapping[str, str], trust_env: bool, tls: Any
    ) -> None:
        self._client = httpx.Client(
            base_url=url,
            # Unpacking could make much out of little.
            headers={**headers, "Accept-Encoding": "identity"},
            trust_env=trust_env,
            verify=tls,
            limits=httpx.Limits(max_connections=1, keepalive_expiry=IDLE_S),
        )
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self.is_cut = False

    def exchange(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        timeout_s: float,
        connect_timeout_s: float,
        most_bytes: int,
    ) -> Reply:
        """Ask, and read the whole answer; `timeout_s` is for all of it together.

        Raises httpx's errors, `httpx.ReadTimeout` also where the end of the time cut
        the connection, and `TooLong`.
        """
        timeout = httpx.Timeout(timeout_s, connect=min(connect_timeout_s, timeout_s))
        extensions = {"trace": self._note}
        ends = threading.Timer(timeout_s, self.cut)
        ends.daemon = True
        ends.start()
        try:
            with self._client.stream(
                method, path, json=body, timeout=timeout, extensions=extensions
            ) as response:
                return Reply(
                    response.status_code, response.headers, _read(response, most_bytes)
                )
        except httpx.TransportError as error:
            if self.is_cut:
                raise httpx.ReadTimeout("it never ends") from error
            raise
        finally:
            ends.cancel()

    def cut(self) -> None:
        """End whatever is going on here, from any thread; it is of no use after."""
        with self._lock:
            self.is_cut = True
            if self._socket is not None:
                with contextlib.suppress(OSError):  # it has ended by itself
                    self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._client.close()

    def _note(self, event: str, info: Mapping[str, Any]) -> None:
        """Learn of each new socket from httpcore, as it is made."""
        if not event.endswith(("connect_tcp.complete", "start_tls.complete")):
            return
        with self._lock:
            self._socket = info["return_value"].get_extra_info("socket")
            if self._socket is not None:
                _notice_death(self._socket)
        if self.is_cut:  # the time was over before there was a socket
            self.cut()


class Connections:
    """The connections to one server: as many as are asked on at a time."""

    def __init__(self, url: str, *, headers: Mapping[str, str], trust_env: bool):
        self._url = url
        self._headers = headers
        self._trust_env = trust_env
        self._tls: ssl.SSLContext = httpx.create_ssl_context()
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._closed = False
        self._idle.append(self._made())  # an address nobody can use is named at once

    @contextlib.contextmanager
    def one(self) -> Iterator[Connection]:
        """A connection for one question; kept for the next one if all went well."""
        with self._lock:
            if self._closed:
                raise Closed
            connection = self._idle.pop() if self._idle else self._made()
            self._busy.add(connection)
        keep = False
        try:
            yield connection
            keep = not connection.is_cut
        finally:
            with self._lock:
                self._busy.discard(connection)
                keep = keep and not self._closed
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def cut(self) -> None:
        """End the questions that are still waiting for their answer."""
        with self._lock:
            busy = list(self._busy)
        for connection in busy:
            connection.cut()

    def close(self) -> None:
        """Hang up on everything, and ask nothing more."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        self.cut()

    def _made(self) -> Connection:
        return Connection(
            self._url, headers=self._headers, trust_env=self._trust_env, tls=self._tls
        )


def _notice_death(connected: socket.socket) -> None:
    """Have the system find out when the machine at the other end is gone.

    One that fell asleep, or whose cable was pulled, says nothing, as does one that
    thinks. Its system answers, however busy the server is.
    """
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if (option := getattr(socket, name, None)) is not None:
            connected.setsockopt(socket.IPPROTO_TCP, option, value)


def _read(response: httpx.Response, most_bytes: int) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > most_bytes:
            raise TooLong
    return bytes(content)
