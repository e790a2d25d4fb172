"""One exiftool that stays open, shared by threads, that no text can take over.

Every argument is one line or is refused, since a line break in a value or a file name
would be a command of its own. A process that is late, dead or out of step is killed,
and the next call starts a fresh one.
"""

import logging
import re
import threading
from collections.abc import Sequence

from tagger.pipeline.metadata.process import Died, NoReply, Process, Reply, TimedOut
from tagger.sections import Metadata

__all__ = ["Died", "Exiftool", "NoReply", "Reply", "TimedOut", "entities"]

log = logging.getLogger(__name__)

_NEEDS_ENTITY = re.compile(r"[^0-9A-Za-z \x80-\U0010ffff]|^ | $")
_ONE_ARGUMENT = re.compile(rb"[-/%][^\r\n\0]*", re.DOTALL)


def entities(text: str) -> bytes:
    """A value as HTML entities, for commands that carry `-E`.

    Everything but letters, digits, inner spaces and non-ASCII is encoded, so that
    neither a line break nor `=`, `<`, `@` or `$` is left for exiftool to interpret.
    """
    return _NEEDS_ENTITY.sub(lambda found: f"&#{ord(found[0])};", text).encode()


class Exiftool:
    """A stay-open exiftool, one exchange at a time; started when first needed."""

    def __init__(self, settings: Metadata) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._process: Process | None = None

    def __enter__(self) -> "Exiftool":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process in use now, if any."""
        process = self._process
        return process.pid if process is not None and process.alive else None

    def start(self) -> None:
        """Start exiftool now; raises `ExiftoolUnavailable` saying how to install it.

        On Linux exiftool ends with the thread that started it, so that it cannot
        outlive us: start it from one that stays.
        """
        with self._lock:
            self._running()

    def close(self) -> None:
        """End exiftool; a later call would start it again."""
        with self._lock:
            if self._process is not None:
                self._process.stop()
                self._process = None

    def version(self) -> str:
        """exiftool's version, such as `12.57`."""
        return self.execute([b"-ver"]).output.decode().strip()

    def execute(self, args: Sequence[bytes], timeout_s: float | None = None) -> Reply:
        """Run one command and return what it said, whatever its status.

        `args` are bytes as exiftool shall see them, paths absolute; one that is not
        exactly one line is refused with `ValueError`. Raises `TimedOut`, `Died` or
        `NoReply` after ending the process at fault, and `ExiftoolUnavailable` if none
        can be started.
        """
        for arg in args:
            if not _ONE_ARGUMENT.fullmatch(arg):
                raise ValueError(f"not one argument for exiftool: {arg!r}")
        with self._lock:
            process = self._running()
            try:
                return process.exchange(args, timeout_s or self._settings.timeout_s)
            except NoReply as error:
                log.warning("%s; the next call starts it again", error)
                process.kill()
                self._process = None
                raise

    def _running(self) -> Process:
        """The process in use; a new one if there is none or it has died."""
        if self._process is not None and not self._process.alive:
            log.warning("exiftool was ended from outside; starting it again")
            self._process.kill()
            self._process = None
        if self._process is None:
            self._process = Process(
                self._settings.exiftool, timeout_s=self._settings.timeout_s
            )
        return self._process
