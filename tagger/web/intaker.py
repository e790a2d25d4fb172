"""The intake thread: keeps the catalogue up with the tracking database.

It asks for the newest change number, which costs next to nothing, and takes over only
when that moved. Whatever a round raises becomes a notice on every screen and the next
round tries again: a catalogue that quietly stands still would look like a finished one.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from tagger.tracking import changes
from tagger.web.runtime import Runtime

_LOOK_EVERY_S = 0.5
_PAUSE_AFTER_ERROR_S = 5.0
_NOTICE = "intake"

log = logging.getLogger(__name__)


class Intaker:
    """Runs intake until `stop`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="intake-watch", daemon=True
        )
        self._taken = -1

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when the round at work, if any, is over."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        # A round runs as a future, so that an error of any kind is a value here.
        with ThreadPoolExecutor(1, thread_name_prefix="intake") as pool:
            pause_s = 0.0
            while not self._stopping.wait(pause_s):
                error = pool.submit(self._round).exception()
                self._say(error)
                pause_s = _PAUSE_AFTER_ERROR_S if error else _LOOK_EVERY_S

    def _round(self) -> None:
        newest = changes.latest(self._runtime.db)
        if newest != self._taken:
            self._runtime.take()
            self._taken = newest

    def _say(self, error: BaseException | None) -> None:
        if error is None:
            self._runtime.notices.clear(_NOTICE)
            return
        log.error("new results could not be taken over", exc_info=error)
        self._runtime.notices.set(
            _NOTICE,
            "New results cannot be shown at the moment and will be tried again: "
            f"{error}",
        )
