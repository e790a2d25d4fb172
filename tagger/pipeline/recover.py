"""Recover: what a killed tagger left half done is told apart and put right.

An open intent names the hash of what was to stand in the file. If the file has it, the
write happened and is closed as done; otherwise it did not, and the photo is queued.
"""

import logging
import os

from tagger.errors import shown
from tagger.pipeline.metadata.replacing import file_hash
from tagger.records import StatKey
from tagger.tracking import jobs, runs, writes
from tagger.tracking.database import Database
from tagger.tracking.writes import OpenIntent

log = logging.getLogger(__name__)


def at_start(db: Database) -> bool:
    """Settle what a dead tagger left, unless another one is at work.

    Returns whether this process is the only tagger: then all leases were freed, and
    temporary files older than the process may be removed.
    """
    if runs.others_alive(db):
        return False
    jobs.release_all(db)
    for intent in writes.open_intents(db):
        happened = settle(db, intent)
        log.info(
            "%s: an interrupted write %s",
            shown(intent.path),
            "had been done" if happened else "had not been done; queued again",
        )
    return True


def settle(db: Database, intent: OpenIntent) -> bool:
    """Close one open intent by the hash of its target; whether it had happened."""
    try:
        stat = StatKey.of(os.stat(intent.target))
    except OSError:
        stat = None  # the file is gone or out of reach: the write is not there

    def happened() -> bool:
        return stat is not None and file_hash(intent.target) == intent.after_hash

    return writes.settle(db, intent, happened=happened, stat=stat)
