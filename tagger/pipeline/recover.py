"""Recover: what a killed tagger left half done is told apart and put right.

An open intent names the hash of what was to stand in the file. If the file has it, the
write happened and is closed as done; otherwise it did not, and the photo is queued.
"""

import logging
import os
from collections.abc import Collection

from tagger.errors import shown
from tagger.pipeline.metadata.replacing import file_hash
from tagger.records import StatKey
from tagger.tracking import jobs, runs, writes
from tagger.tracking.database import Database
from tagger.tracking.writes import OpenIntent

log = logging.getLogger(__name__)


def at_start(db: Database) -> bool:
    """Settle what a dead tagger left; of its writes, unless another one is at work.

    Returns whether this process is the only tagger: then all leases were freed, and
    temporary files older than the process may be removed.
    """
    jobs.release_dead(db)
    if runs.others_alive(db):
        return False
    jobs.release_all(db)
    for intent in writes.open_intents(db):
        settle(db, intent)
    return True


def settle_file(
    db: Database, file_id: int, which: Collection[int] | None = None
) -> None:
    """Settle the open intents of one photo, all or these."""
    for intent in writes.open_intents(db, file_id):
        if which is None or intent.id in which:
            settle(db, intent)


def settle(db: Database, intent: OpenIntent) -> None:
    """Close one open intent by the hash of its target.

    A target that is gone has not got it: should those bytes turn up elsewhere, they
    are known by their hash. While its disk is away, or it cannot be read, the intent
    stays open, and the photo's next holder settles it.
    """
    try:
        stat = StatKey.of(os.stat(intent.target))
    except (FileNotFoundError, NotADirectoryError):
        stat = None
    except OSError as error:
        _leave_open(intent, error)
        return

    def happened() -> bool:
        if not intent.after_hash:  # a sidecar was to be removed
            return stat is None
        return stat is not None and file_hash(intent.target) == intent.after_hash

    try:
        done = writes.settle(db, intent, happened=happened, stat=stat)
    except OSError as error:
        _leave_open(intent, error)
        return
    log.info(
        "%s: an interrupted write %s",
        shown(intent.path),
        "had been done" if done else "had not been done; queued again",
    )


def _leave_open(intent: OpenIntent, error: OSError) -> None:
    log.warning(
        "%s: an interrupted write cannot be judged now: %s",
        shown(intent.path),
        error.strerror,
    )
