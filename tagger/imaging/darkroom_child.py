"""A decoder at work, in a process of its own: run by `darkroom`.

It gets one path at a time and answers with all that `look` finds. Before it takes much
memory it asks for leave, so that all children together stay within one budget.

A file that makes a decoder crash, hang or ask for all memory ends this process, not the
program. It ends by itself when nobody is there any more, or has a photo for it, and
when one photo takes far too long.
"""

import contextlib
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tagger import priority
from tagger.errors import UnreadableImage
from tagger.imaging.budget import DECODING
from tagger.imaging.frames import Gone, Message, receive, send
from tagger.imaging.libraw import LIBRAW
from tagger.imaging.look import Look, look

# The largest picture that is allowed takes 2 GB while it is decoded.
MEMORY_BYTES = 4 << 30
IDLE_S = 300.0
# The other side ends us first.
GRACE_S = 10
# A file may come over a slow line.
BYTES_A_SECOND = 1_000_000
PIXELS, RAW = "pixels", "raw"


def main(descriptor: int, timeout_s: int) -> None:
    """Look at photos until the other side hangs up, or has none for some minutes."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=descriptor) as connection:
        asks = Asks(connection, timeout_s)
        DECODING.lender = lambda pixels: asks.leave(PIXELS, pixels)
        LIBRAW.turn = lambda: asks.leave(RAW, 1)
        with contextlib.suppress(Gone, TimeoutError):
            send(connection, {"ready": os.getpid()})
            while True:
                connection.settimeout(IDLE_S)
                request, _ = receive(connection)
                connection.settimeout(None)
                send(connection, *_answer(request, asks))


class Asks:
    """What the other side is asked for, and how long this one may work by itself."""

    def __init__(self, connection: socket.socket, timeout_s: int) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self._allowed_s = timeout_s

    def begin(self, path: bytes) -> None:
        """Say how large the file is: large ones take longer to be read."""
        signal.alarm(self._timeout_s + GRACE_S)
        with contextlib.suppress(OSError):  # `look` finds words for it
            size_bytes = os.stat(path).st_size
            self._allowed_s = self._timeout_s + size_bytes // BYTES_A_SECOND
            send(self._connection, {"size_bytes": size_bytes})
        self._arm()

    @contextlib.contextmanager
    def leave(self, what: str, amount: int) -> Iterator[None]:
        """Have a share of what all children have together, for the block."""
        signal.alarm(0)
        send(self._connection, {"take": what, "amount": amount})
        receive(self._connection)
        self._arm()
        try:
            yield
        finally:
            send(self._connection, {"give": what})

    def end(self) -> None:
        signal.alarm(0)

    def _arm(self) -> None:
        # A signal nobody handles: it also ends a loop that never comes back.
        signal.alarm(self._allowed_s + GRACE_S)


def _answer(request: dict[str, Any], asks: Asks) -> Message:
    path = bytes.fromhex(request["path"])
    asks.begin(path)
    try:
        found = look(
            path,
            side_px=request["side_px"],
            max_megapixels=request["max_megapixels"],
        )
        return _packed(found, with_pixels=request["with_pixels"])
    except UnreadableImage as error:
        return {"unreadable": error.reason}, b""
    except Gone:
        raise
    except Exception:  # the other side raises it: there is a log
        return {"bug": traceback.format_exc()}, b""
    finally:
        asks.end()


def _packed(found: Look, *, with_pixels: bool) -> Message:
    jpeg = found.picture.jpeg()
    pixels = found.picture.pixels.tobytes() if with_pixels else b""
    header = {
        "identity": found.identity,
        "content_hash": found.content_hash,
        "facts": asdict(found.facts),
        "dhash": found.dhash,
        "quality": found.quality,
        "note": found.note,
        "size_px": [found.picture.width_px, found.picture.height_px],
        "parts_bytes": [len(found.thumbnail), len(jpeg), len(pixels)],
    }
    return header, found.thumbnail + jpeg + pixels


if __name__ == "__main__":
    priority.give_way()
    main(int(sys.argv[1]), int(sys.argv[2]))
