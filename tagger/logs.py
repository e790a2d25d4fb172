"""Logs: what is said on standard error, where names of strangers are text only.

A file may be called anything, also by a sequence that a terminal takes for a command.
"""

import logging
import sys
from types import TracebackType

from tagger.texts import printable

LINES = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def begin(level: str = "WARNING", *, lines: str = LINES) -> None:
    """Log to standard error from now on; at the first call of a process only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(lines))
    logging.basicConfig(level=level, handlers=[handler])


class _Formatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        return "\n".join(map(printable, super().formatException(ei).splitlines()))
