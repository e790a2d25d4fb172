"""Darkroom: photos are looked at in child processes, because decoders crash and hang.

Nothing but ending its process stops a decoder that is stuck in a file, or on a disk
that does not answer. A child looks at one photo at a time. It is started when it is
needed, ends by itself when that was long ago, and is ended and replaced when a photo
takes too long or makes it crash; the photo is tried once more before it is to blame.

Where no child can be started, photos are looked at right here, as far as that goes.
"""

import atexit
import contextlib
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tagger import children
from tagger.errors import UnreadableImage, shown
from tagger.imaging.budget import DECODING
from tagger.imaging.darkroom_child import BYTES_A_SECOND, PIXELS, RAW
from tagger.imaging.decode import DEFAULT_MAX_MEGAPIXELS
from tagger.imaging.frames import Gone, Message, receive, send
from tagger.imaging.look import Look, look
from tagger.imaging.picture import Picture
from tagger.records import Facts

log = logging.getLogger(__name__)

TIMEOUT_S = 120
START_S = 60.0
_ENDING_S = 0.5
_COMMAND = (sys.executable, "-P", "-m", "tagger.imaging.darkroom_child")


class DecoderHung(UnreadableImage):
    """The decoder did not come to an end with this photo, and was ended."""


class _NoChild(Exception):
    """A child cannot be started; no photo is to blame for that."""


class Darkroom:
    """The children that are there. Threads may share it; each has one at a time."""

    def __init__(
        self, *, timeout_s: int = TIMEOUT_S, command: Sequence[str] = _COMMAND
    ) -> None:
        self._timeout_s = timeout_s
        self._command = tuple(command)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._lost: list[subprocess.Popen[bytes]] = []
        self._raw_turn = threading.Lock()
        atexit.register(self.close)

    @property
    def pids(self) -> list[int]:
        """The processes of the children that are there now."""
        with self._lock:
            return [child.process.pid for child in (*self._idle, *self._busy)]

    def look(
        self,
        path: bytes,
        *,
        side_px: int,
        max_megapixels: int = DEFAULT_MAX_MEGAPIXELS,
        with_pixels: bool = True,
    ) -> Look:
        """What `look.look` finds, found by a child; raises as that does.

        Without `with_pixels` the picture is there as a JPEG only, as servers get it.
        Raises `DecoderHung` if the photo takes too long.
        """
        request = {
            "path": path.hex(),
            "side_px": side_px,
            "max_megapixels": max_megapixels,
            "with_pixels": with_pixels,
        }
        for _ in range(2):
            try:
                with self._child() as child:
                    header, payload = self._asked(child, request)
            except TimeoutError:
                raise DecoderHung(
                    path, "its decoder did not come to an end in time and was stopped"
                ) from None
            except _NoChild as error:
                log.warning("photos are decoded without protection: %s", error)
                return look(path, side_px=side_px, max_megapixels=max_megapixels)
            except Gone:
                log.warning("the decoder crashed on %s", shown(path))
                continue  # it may have been killed from outside
            return _unpacked(path, header, payload)
        raise UnreadableImage(path, "its decoder crashed on it, or had no memory left")

    def close(self) -> None:
        """End the children that nobody waits for."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            self._end(child)

    @contextlib.contextmanager
    def _child(self) -> Iterator["_Child"]:
        """A child for one photo; kept for the next one if all went well."""
        with self._lock:
            child = self._idle.pop() if self._idle else None
        if child is not None and child.process.poll() is not None:
            self._end(child)  # it had waited for long, and has gone home
            child = None
        child = child or _Child(self._command, self._timeout_s)
        with self._lock:
            self._busy.add(child)
        try:
            yield child
        except BaseException:
            with self._lock:
                self._busy.discard(child)
            self._end(child)
            raise
        with self._lock:
            self._busy.discard(child)
            self._idle.append(child)

    def _asked(self, child: "_Child", request: dict[str, Any]) -> Message:
        """What the child answers at last; it gets the shares that it asks for."""
        allowed_s = float(self._timeout_s)
        ends_at = time.monotonic() + allowed_s
        send(child.connection, request, b"")
        with contextlib.ExitStack() as all_shares:
            shares: dict[str, contextlib.ExitStack] = {}
            while True:
                header, payload = receive(child.connection, ends_at)
                if (size_bytes := header.get("size_bytes")) is not None:
                    allowed_s += _number(size_bytes) / BYTES_A_SECOND
                elif (what := header.get("take")) is not None:
                    share = all_shares.enter_context(contextlib.ExitStack())
                    self._lend(share, what, _number(header.get("amount")))
                    shares[str(what)] = share
                    send(child.connection, {}, b"")
                elif (what := header.get("give")) is not None:
                    shares.pop(str(what), all_shares).close()
                    continue
                else:
                    return header, payload
                ends_at = time.monotonic() + allowed_s

    def _lend(self, share: contextlib.ExitStack, what: object, amount: int) -> None:
        if what == PIXELS:
            share.enter_context(DECODING.hold(amount))
        elif what == RAW:
            # One at a time: each may have a child of its own that takes as much again.
            share.enter_context(self._raw_turn)
        else:
            raise Gone

    def _end(self, child: "_Child") -> None:
        """End a child, whatever it is doing."""
        child.connection.close()
        child.process.kill()
        try:
            child.process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            # Not even a kill ends one that waits for a disk, until the disk answers.
            self._lost = [one for one in self._lost if one.poll() is None]
            self._lost.append(child.process)


class _Child:
    """One child, and the connection to it."""

    def __init__(self, command: Sequence[str], timeout_s: int) -> None:
        self.connection, theirs = socket.socketpair()
        try:
            with theirs:
                self.process = _started(command, theirs.fileno(), timeout_s)
        except OSError as error:
            self.connection.close()
            raise _NoChild(error.strerror or str(error)) from error
        try:
            receive(self.connection, time.monotonic() + START_S)
        except (Gone, TimeoutError) as error:
            self.connection.close()
            self.process.kill()
            code = self.process.wait()
            raise _NoChild(f"the decoder's process ended with {code}") from error


def _started(
    command: Sequence[str], descriptor: int, timeout_s: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*command, str(descriptor), str(timeout_s)],
        pass_fds=(descriptor,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the program
        env=children.environment(),
    )


def _unpacked(path: bytes, header: dict[str, Any], payload: bytes) -> Look:
    if (reason := header.get("unreadable")) is not None:
        raise UnreadableImage(path, str(reason))
    if (bug := header.get("bug")) is not None:
        raise RuntimeError(f"while looking at {shown(path)}: {bug}")
    thumbnail_bytes, jpeg_bytes, _ = header["parts_bytes"]
    width_px, height_px = header["size_px"]
    thumbnail = payload[:thumbnail_bytes]
    jpeg = payload[thumbnail_bytes : thumbnail_bytes + jpeg_bytes]
    flat = payload[thumbnail_bytes + jpeg_bytes :]
    facts = header["facts"]
    gps = facts.pop("gps")
    return Look(
        identity=header["identity"],
        content_hash=header["content_hash"],
        facts=Facts(**facts, gps=tuple(gps) if gps else None),
        picture=Picture(
            np.frombuffer(flat, np.uint8).reshape(height_px, width_px, 3)
            if flat
            else None,
            jpeg=jpeg,
        ),
        thumbnail=thumbnail,
        dhash=header["dhash"],
        quality=header["quality"],
        note=header["note"],
    )


def _number(value: object) -> int:
    if isinstance(value, int) and value >= 0:
        return value
    raise Gone


DARKROOM = Darkroom()
