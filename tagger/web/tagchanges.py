"""Tag changes: what a person can do to tags on the screen, each to be tried first.

What is tried and what is made is one call, so that a preview cannot say another thing.
"""

from dataclasses import dataclass
from enum import StrEnum

from tagger.errors import UsageError
from tagger.tracking import edits, vocabulary
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit


class What(StrEnum):
    """What is done to one tag, or to several."""

    RENAME = "rename"
    MERGE = "merge"
    DELETE = "delete"
    SYNONYM = "synonym"
    UNSYNONYM = "unsynonym"
    BAN = "ban"
    UNBAN = "unban"


NEEDS_A_NAME = frozenset({What.RENAME, What.MERGE, What.SYNONYM})
OF_THE_LISTS = frozenset({What.SYNONYM, What.UNSYNONYM, What.BAN, What.UNBAN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is done to which tags, and which one they become; `past` is for the lists:
    whether photos tagged so far follow."""

    what: What
    tags: tuple[str, ...]
    to: str = ""
    past: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to be said."""
        return bool(self.to) or self.what not in NEEDS_A_NAME


def carry(db: Database, change: Change, *, dry_run: bool) -> Edit:
    """Make a change, or say what it would touch. Raises `UsageError`."""
    if not change.tags:
        raise UsageError("choose a tag first")
    first, past = change.tags[0], change.past
    match change.what:
        case What.RENAME:
            return edits.replace(db, [first], change.to, dry_run=dry_run)
        case What.MERGE:
            return edits.replace(db, change.tags, change.to, dry_run=dry_run)
        case What.DELETE:
            return edits.replace(db, change.tags, None, dry_run=dry_run)
        case What.SYNONYM:
            to = change.to
            return vocabulary.add_synonym(db, first, to, past=past, dry_run=dry_run)
        case What.UNSYNONYM:
            return vocabulary.remove_synonym(db, first, past=past, dry_run=dry_run)
        case What.BAN:
            return vocabulary.add_ban(db, first, past=past, dry_run=dry_run)
        case What.UNBAN:
            return vocabulary.remove_ban(db, first, past=past, dry_run=dry_run)
