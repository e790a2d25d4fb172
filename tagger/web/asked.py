"""Asked: a person's SQL, within the limits of the settings.

The API has people take turns (`turns`); screens ask in threads of their own, a few at
once, so that neither takes the processor from whoever only looks.
"""

import threading

from tagger.catalogue import sql
from tagger.catalogue.sql import Answer, Written
from tagger.errors import UsageError
from tagger.web.runtime import Runtime

MOST_ON_SCREENS = 4
WAIT_S = 10.0

_on_screens = threading.BoundedSemaphore(MOST_ON_SCREENS)


def answer_on_screen(opened: Runtime, text: str, *, wait_s: float = WAIT_S) -> Answer:
    """What a question found that was asked on a screen.

    Raises `SqlError`, and `UsageError` while too many others are being answered.
    """
    if not _on_screens.acquire(timeout=wait_s):
        raise UsageError(
            f"{MOST_ON_SCREENS} questions in SQL are being answered on screens; ask "
            "again when one of them is done"
        )
    try:
        return answer(opened, text)
    finally:
        _on_screens.release()


def answer(opened: Runtime, text: str) -> Answer:
    """What a question found. Raises `SqlError`."""
    limits = opened.config.catalogue
    return sql.ask(
        opened.catalogue,
        opened.db,
        text,
        timeout_s=limits.sql_timeout_s,
        most_rows=limits.sql_rows,
    )


def file(opened: Runtime, text: str, format: str, *, formula_safe: bool) -> Written:
    """The same as a file. Raises `SqlError`."""
    limits = opened.config.catalogue
    return sql.write(
        opened.catalogue,
        opened.db,
        text,
        format,
        timeout_s=limits.sql_timeout_s,
        most_rows=limits.sql_file_rows,
        formula_safe=formula_safe,
    )
