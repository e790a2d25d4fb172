"""The supervisor: sees to it that one tagger process is at work while the app runs.

It starts `python -m tagger run --child` when no other tagger is alive, starts it again
with growing pauses when it dies, and ends it with the app: first by closing its
standard input, which also happens by itself when the app is killed, then by SIGTERM,
at last by SIGKILL, each to the very process it started.
"""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tagger.config import ROOT
from tagger.errors import TaggerError
from tagger.web.notices import Notices

COMMAND = (sys.executable, "-m", "tagger", "run", "--child")

_LOOK_EVERY_S = 0.5
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_STEADY_AFTER_S = 60.0
_NOTICE = "tagger"

log = logging.getLogger(__name__)


class Supervisor:
    """Keeps one child process alive until `stop`."""

    def __init__(
        self,
        notices: Notices,
        *,
        other_alive: Callable[[], bool],
        command: Sequence[str] = COMMAND,
        grace_s: float = 10.0,
    ) -> None:
        """`other_alive` tells whether a tagger is at work that is not ours."""
        self._notices = notices
        self._other_alive = other_alive
        self._command = list(command)
        self._grace_s = grace_s
        self._child: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause_s = _FIRST_PAUSE_S
        self._not_before = 0.0
        self._stopping = threading.Event()
        self._restarting = threading.Event()
        self._holding = threading.Event()
        self._is_held = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="supervisor", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the child and the watching; returns when both are over."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def restart(self) -> None:
        """Start the child anew, with the settings as they are now."""
        self._restarting.set()

    @contextmanager
    def held(self) -> Iterator[None]:
        """No child of ours runs within the block; it is started again after it."""
        self._is_held.clear()
        self._holding.set()
        try:
            while self._thread.is_alive() and not self._is_held.wait(_LOOK_EVERY_S):
                continue
            yield
        finally:
            self._holding.clear()

    @property
    def child_pid(self) -> int | None:
        """The process id of the tagger this app started, while it runs."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            try:
                self._look()
            except (TaggerError, OSError) as error:
                log.warning("the tagger cannot be started: %s", error)
                self._notices.set(_NOTICE, f"The tagger cannot be started: {error}")
        self._end_child()

    def _look(self) -> None:
        """One round: restart if asked, note a death, start what should run."""
        if self._holding.is_set():
            self._end_child()
            self._not_before = 0.0
            self._is_held.set()
            return
        if self._restarting.is_set():
            self._restarting.clear()
            self._end_child()
            self._not_before = 0.0
        if self._child is not None and (code := self._child.poll()) is not None:
            self._note_death(code)
        if self._child is None and time.monotonic() >= self._not_before:
            self._start_child()
        elif self._child is not None and self._is_steady():
            self._pause_s = _FIRST_PAUSE_S
            self._notices.clear(_NOTICE)

    def _is_steady(self) -> bool:
        return time.monotonic() - self._started_at >= _STEADY_AFTER_S

    def _start_child(self) -> None:
        if self._other_alive():
            self._notices.clear(_NOTICE)
            self._not_before = time.monotonic() + _LOOK_EVERY_S * 4
            return
        # A session of its own keeps Ctrl+C at the terminal from reaching it twice.
        self._child = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, cwd=ROOT, start_new_session=True
        )
        self._started_at = time.monotonic()
        log.info("tagger started, process %d", self._child.pid)

    def _note_death(self, code: int) -> None:
        child, self._child = self._child, None
        if child is not None and child.stdin is not None:
            child.stdin.close()
        if self._other_alive():
            return
        self._not_before = time.monotonic() + self._pause_s
        said = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
        log.warning("the tagger %s; next start in %.0f s", said, self._pause_s)
        self._notices.set(
            _NOTICE, f"The tagger {said} and is started again; its log says why."
        )
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.stdin is not None:
            child.stdin.close()
        for end in (child.terminate, child.kill):
            try:
                child.wait(self._grace_s)
            except subprocess.TimeoutExpired:
                log.warning("the tagger is slow to stop; signalling it")
                end()
        child.wait()
