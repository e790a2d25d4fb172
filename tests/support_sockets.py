"""Requests as bytes, as no client of good manners sends them."""

import contextlib
import re
import socket
from collections.abc import Mapping

import httpx

_STATUS = re.compile(rb"(?:^|\r\n|(?<=[}\]>]))HTTP/1\.1 ([0-9]{3})")


def request(
    method: str,
    target: str,
    headers: Mapping[str, str] | list[tuple[str, str]],
    body: bytes = b"",
) -> bytes:
    """One request, to the letter."""
    named = list(headers.items()) if isinstance(headers, Mapping) else headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in named)
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


def host(api: httpx.Client) -> str:
    return f"127.0.0.1:{api.base_url.port}"


def answered(api: httpx.Client, sent: bytes, *, quiet_s: float = 10.0) -> bytes:
    """What comes back until the server closes the connection, or says no more."""
    said = b""
    place = ("127.0.0.1", api.base_url.port or 80)
    # It may close on what it does not want to read.
    with (
        contextlib.suppress(ConnectionError, TimeoutError),
        socket.create_connection(place, timeout=quiet_s) as plain,
    ):
        plain.sendall(sent)
        while piece := plain.recv(65536):
            said += piece
    return said


def statuses(said: bytes) -> list[int]:
    """The status of each answer on a connection."""
    return [int(status) for status in _STATUS.findall(said)]
