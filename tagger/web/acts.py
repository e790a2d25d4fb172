"""Acts: what a person does is checked against their role, and goes into the audit log.

The log has a row before anything changes, and is told afterwards what came of it, so a
change that nobody heard the end of is in it, too. What the program does by itself, or
somebody on the command line, passes through.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tagger import acting
from tagger.acting import Person, Role
from tagger.errors import TaggerError
from tagger.tracking import audit
from tagger.tracking.database import Database

DONE, REFUSED = audit.DONE, audit.REFUSED

log = logging.getLogger(__name__)


@contextmanager
def act(
    db: Database, what: str, *, needs: Role = Role.EDITOR, **detail: object
) -> Iterator[None]:
    """Do within the block what only this role may, as `what` in the log.

    Raises `Forbidden`, and does nothing, if whoever acts may not.
    """
    someone = acting.person()
    if someone is None:
        yield
        return
    acting.demand(needs)
    mark = begin(db, someone, what, detail)
    try:
        with acting.on_record():
            yield
    except TaggerError as error:
        close(db, mark, f"{REFUSED}: {error}")
        raise
    except BaseException as error:
        close(db, mark, f"failed: {type(error).__name__}")
        raise
    close(db, mark, DONE)


def begin(db: Database, who: Person, what: str, detail: Mapping[str, Any]) -> str:
    """Put down what somebody is about to do, and may; the mark to close it by."""
    with acting.on_record():
        return audit.begin(db, who, what, detail)


def close(db: Database, mark: str, outcome: str) -> None:
    """Put down what came of it.

    The change is made by now: that this fails must not look as if it were not.
    """
    try:
        with acting.on_record():
            audit.close(db, mark, outcome)
    except TaggerError as error:
        log.warning("the audit log has no end of entry %s: %s", mark, error)
