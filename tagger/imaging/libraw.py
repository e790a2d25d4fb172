"""Asking LibRaw, which runs in a child process because RAW files can crash it.

One child, one file at a time, so that memory stays bounded; `turn` is held meanwhile,
where several processes of the program have one each and take turns. The child is
started when the first RAW photo comes, ends by itself when none has come for a while,
and is replaced when it dies.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

PREVIEW, CHECK, DEVELOP = b"p", b"c", b"d"

_TIMEOUT_S = 60
_GRACE_S = 5.0  # the child ends itself first
_FRAME = struct.Struct("<II")  # as in the child
_ENDING_S = 0.5
_MAX_HEADER_BYTES, _MAX_PAYLOAD_BYTES = 1 << 16, 1 << 30
_CHILD = Path(__file__).with_name("libraw_child.py")
_REASONS = {
    "cut short": "the file is cut short: its picture data end too early",
    "memory": "there is not enough memory to decode it",
    "unsupported": "it is a RAW file of a kind this program cannot read",
}
_DAMAGED = "its picture data are damaged or of an unknown kind"


class Refused(Exception):
    """LibRaw cannot read the file; says why. Never leaves this room."""


class _Gone(Exception):
    """The child has died."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child said, and the bytes that came with it."""

    header: dict[str, Any]
    payload: bytes


class LibRaw:
    """The child, and the connection to it. Threads may share it and wait in line."""

    def __init__(
        self, *, timeout_s: int = _TIMEOUT_S, command: Sequence[str] | None = None
    ) -> None:
        self._timeout_s = timeout_s
        # Without -P the folder of the script would be searched for modules.
        self._command = command or (sys.executable, "-P", str(_CHILD))
        self._asking = threading.Lock()
        self.turn: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """The process of the child, if there is one now."""
        process = self._process
        return process.pid if process else None

    def ask(self, what: bytes, file: BinaryIO) -> Answer:
        """Have one file looked into; raises `Refused`."""
        with self._asking, self.turn():
            for _ in range(2):
                try:
                    answer = self._ask(what, file.fileno())
                except _Gone:
                    continue  # it may have been killed from outside
                if (error := answer.header.get("error")) is not None:
                    raise Refused(_REASONS.get(error, _DAMAGED))
                return answer
        raise Refused("the RAW decoder crashed on it")

    def close(self) -> None:
        """End the child, unless somebody is still waiting for its answer."""
        if self._asking.acquire(timeout=_ENDING_S):
            try:
                self._end()
            finally:
                self._asking.release()

    def _ask(self, what: bytes, descriptor: int) -> Answer:
        deadline = time.monotonic() + self._timeout_s + _GRACE_S
        try:
            connection = self._connected()
            connection.settimeout(self._timeout_s + _GRACE_S)
            socket.send_fds(connection, [what], [descriptor])
            head = _receive(connection, _FRAME.size, deadline)
            header_bytes, payload_bytes = _FRAME.unpack(head)
            if header_bytes > _MAX_HEADER_BYTES or payload_bytes > _MAX_PAYLOAD_BYTES:
                raise _Gone
            header = json.loads(_receive(connection, header_bytes, deadline))
            return Answer(header, _receive(connection, payload_bytes, deadline))
        except TimeoutError:
            self._end()
            raise Refused(self._too_slow()) from None
        except (ConnectionError, ValueError, _Gone) as error:
            if self._end() == -signal.SIGALRM:
                raise Refused(self._too_slow()) from None
            raise _Gone from error

    def _too_slow(self) -> str:
        return f"the RAW decoder did not finish in {self._timeout_s} seconds"

    def _connected(self) -> socket.socket:
        if self._connection is None:
            ours, theirs = socket.socketpair()
            with theirs:
                try:
                    self._process = self._started(theirs.fileno())
                except Refused:
                    ours.close()
                    raise
            self._connection = ours
            atexit.register(self.close)
        return self._connection

    def _started(self, descriptor: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [*self._command, str(descriptor), str(self._timeout_s)],
                pass_fds=(descriptor,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the program
                env={**os.environ, "TZ": "UTC", "OMP_NUM_THREADS": "1"},
            )
        except OSError as error:
            raise Refused(
                f"the RAW decoder cannot be started ({error.strerror})"
            ) from error

    def _end(self) -> int | None:
        """End the child if there is one; return how it ended."""
        connection, process = self._connection, self._process
        self._connection = self._process = None
        if connection is None or process is None:
            return None
        atexit.unregister(self.close)
        connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            # It ends when nobody is there any more, unless it is busy.
            return process.wait(timeout=_ENDING_S)
        process.kill()
        return process.wait()


def _receive(connection: socket.socket, length: int, deadline: float) -> bytes:
    """So many bytes; raises `TimeoutError` if they take too long, `_Gone` at an end."""
    data = bytearray(length)
    view, received = memoryview(data), 0
    while received < length:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        count = connection.recv_into(view[received:])
        if not count:
            raise _Gone
        received += count
    return bytes(data)


LIBRAW = LibRaw()
