"""Room: whether the data folder's disk has any; while it has none, everything waits."""

import logging
import shutil
import time
from pathlib import Path

from tagger.errors import DataFull

log = logging.getLogger(__name__)

CHECK_S = 5.0
# After the disk was full, work goes on once this much is free again.
AGAIN_BYTES = 64 << 20


class Room:
    """Remembers that the disk was full until there is room again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checked = 0.0
        self.problem: str | None = None

    def is_out(self, error: DataFull) -> None:
        """A record could not be kept."""
        if self.problem is None:
            log.error("%s", error)
        self.problem = str(error)
        self._checked = time.monotonic()

    def is_back(self) -> bool:
        """Whether there has come to be room since the disk was full."""
        if self.problem is None or time.monotonic() - self._checked < CHECK_S:
            return False
        self._checked = time.monotonic()
        if shutil.disk_usage(self._folder).free < AGAIN_BYTES:
            return False
        log.info("%s has room again", self._folder)
        self.problem = None
        return True
