"""Sketching: pictures are made vectors of in a child process of the lowest priority.

A thread of low priority would not do: it holds Python's one lock while the system lets
others run, and the tagger would wait for both. The child holds nothing anybody needs.
It is started when there is something to do and ended when that was long ago.
"""

import contextlib
import logging
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

from tagger import children

START_S = 60.0
# The machine may be so busy that the child waits for minutes.
ANSWER_S = 600.0
LOOK_S = 0.25
# Starting a child takes as long as a hundred pictures; photos come one by one.
IDLE_S = 120.0
MOST_DEATHS = 3  # in a row; then it is not the picture
_COMMAND = (sys.executable, "-P", "-m", "tagger.pipeline.sketching_child")


class Stopped(Exception):
    """There is no answer any more: the tagger is to stop, or the child does not live.

    `level` is how loud that is to be said.
    """

    def __init__(self, reason: str, *, level: int = logging.DEBUG) -> None:
        super().__init__(reason)
        self.level = level


class Sketcher:
    """The child, if there is one; for one thread."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._child: subprocess.Popen[bytes] | None = None
        self._deaths = 0
        self._used_at = 0.0

    @property
    def pid(self) -> int | None:
        """The process of the child that is there now."""
        return None if self._child is None else self._child.pid

    def vector(self, thumbnail: Path) -> bytes | None:
        """The vector of a thumbnail; None if it cannot be read or the child ended.

        Raises `Stopped`, and `OSError` if no child can be started.
        """
        child = self._child or self._started()
        assert child.stdin is not None
        try:
            child.stdin.write(f"{os.fsencode(thumbnail).hex()}\n".encode())
            child.stdin.flush()
            line = self._line(child)
        except BrokenPipeError:
            line = b""
        if not line.endswith(b"\n"):
            self._died()  # ended from outside, or it hangs
            return None
        self._deaths = 0
        self._used_at = time.monotonic()
        return bytes.fromhex(line.decode()) or None

    def rest(self) -> None:
        """End the child if there has been nothing for it for long."""
        if self._child and time.monotonic() - self._used_at > IDLE_S:
            self.close()

    def _died(self) -> None:
        self.close()
        self._deaths += 1
        if self._deaths >= MOST_DEATHS:
            raise Stopped("their process ends at once", level=logging.WARNING)

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _started(self) -> subprocess.Popen[bytes]:
        self._child = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the program
            env=children.environment(),
        )
        return self._child

    def _line(self, child: subprocess.Popen[bytes]) -> bytes:
        """The child's next line; what there is of it if it ends or takes too long."""
        assert child.stdout is not None
        ends_at, line = time.monotonic() + ANSWER_S, b""
        while not line.endswith(b"\n") and time.monotonic() < ends_at:
            if self._stop.is_set():
                raise Stopped("the tagger stops")
            if select.select([child.stdout], [], [], LOOK_S)[0]:
                more = os.read(child.stdout.fileno(), 4096)
                if not more:
                    return b""
                line += more
        return line
