"""Status: the one question every screen asks."""

from tagger.records import Status
from tagger.tracking import runs
from tagger.tracking.database import Database


def read(db: Database) -> Status:
    """Where the tagger and its queue stand now."""
    return runs.status(db)
