"""Messages between the darkroom and its children: JSON, and bytes that belong to it.

Nothing that the other side would have to trust: a decoder that a hostile file took over
can say nonsense, and no more.
"""

import json
import socket
import struct
import time
from typing import Any

Message = tuple[dict[str, Any], bytes]

_HEAD = struct.Struct("<II")  # bytes of JSON, and of what follows them
_MOST_JSON_BYTES, _MOST_PAYLOAD_BYTES = 1 << 20, 1 << 28


class Gone(Exception):
    """There is nobody at the other end any more, or nobody who makes sense."""


def send(
    connection: socket.socket, header: dict[str, Any], payload: bytes = b""
) -> None:
    """Say one thing; raises `Gone`."""
    text = json.dumps(header).encode()
    try:
        connection.sendall(_HEAD.pack(len(text), len(payload)) + text)
        if payload:
            connection.sendall(payload)
    except OSError as error:
        raise Gone from error


def receive(connection: socket.socket, ends_at: float | None = None) -> Message:
    """Hear one thing; raises `Gone`, and `TimeoutError` at `ends_at` (monotonic)."""
    json_bytes, payload_bytes = _HEAD.unpack(_exactly(connection, _HEAD.size, ends_at))
    if json_bytes > _MOST_JSON_BYTES or payload_bytes > _MOST_PAYLOAD_BYTES:
        raise Gone
    try:
        header = json.loads(_exactly(connection, json_bytes, ends_at))
    except ValueError as error:
        raise Gone from error
    if not isinstance(header, dict):
        raise Gone
    return header, _exactly(connection, payload_bytes, ends_at)


def _exactly(connection: socket.socket, length: int, ends_at: float | None) -> bytes:
    data = bytearray(length)
    view, received = memoryview(data), 0
    while received < length:
        if ends_at is not None:
            connection.settimeout(max(0.001, ends_at - time.monotonic()))
        try:
            count = connection.recv_into(view[received:])
        except TimeoutError:
            raise
        except OSError as error:
            raise Gone from error
        if not count:
            raise Gone
        received += count
    return bytes(data)
