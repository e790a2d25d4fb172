"""Bindings: folders whose photos may be sent to certain model servers only.

"This folder never leaves this machine" holds for whatever lies in it: a folder inside
that says nothing of its own keeps to what the one around it says. Rules go by path, not
by which folder a photo is recorded under, so that a new one holds before the next scan.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, and_, select, true, update

from tagger.errors import UsageError, shown
from tagger.tracking import changes
from tagger.tracking.database import Database
from tagger.tracking.places import is_within
from tagger.tracking.schema import folders

Names = frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One bound folder."""

    path: bytes
    recursive: bool
    names: tuple[str, ...]

    def covers(self, path: bytes) -> bool:
        if not self.recursive:
            return os.path.dirname(path) == self.path
        return is_within(path, self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All bindings at one moment, innermost first, and who goes by which.

    `groups` are the ids of the folders that go by the same names.
    """

    rules: tuple[Rule, ...] = ()
    groups: Mapping[Names, frozenset[int]] = field(default_factory=dict)

    def of(self, path: bytes) -> Names | None:
        """The servers a photo may be sent to; None: that is left open."""
        for rule in self.rules:
            if rule.covers(path):
                return frozenset(rule.names)
        return None

    @property
    def bound(self) -> frozenset[int]:
        """The ids of all folders that are bound, or lie within one that is."""
        return frozenset().union(*self.groups.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """Some folders: only these, if that is said, and not those."""

    only: frozenset[int] | None = None
    but: frozenset[int] = frozenset()

    def holds(self, folder_id: ColumnElement[int]) -> ColumnElement[bool]:
        """The condition on a folder's id."""
        where = true() if self.only is None else folder_id.in_(sorted(self.only))
        return and_(where, folder_id.not_in(sorted(self.but))) if self.but else where

    def has(self, folder_id: int) -> bool:
        """Whether a folder is one of them."""
        is_in = self.only is None or folder_id in self.only
        return is_in and folder_id not in self.but

    def within(self, other: "Among") -> "Among":
        """Those of them that are among the others too."""
        sets = [one for one in (self.only, other.only) if one is not None]
        only = frozenset.intersection(*sets) if sets else None
        return Among(only=only, but=self.but | other.but)

    @property
    def is_all(self) -> bool:
        return self.only is None and not self.but


ALL = Among()


def read(db: Database) -> Rules:
    """The bindings as they are now."""
    with db.read() as connection:
        return within(connection)


def within(connection: Connection) -> Rules:
    """The same, in the caller's transaction."""
    rows = connection.execute(
        select(
            folders.c.id, folders.c.path, folders.c.recursive, folders.c.servers
        ).where(folders.c.removed_at.is_(None))
    ).all()
    rules = tuple(
        Rule(path=row.path, recursive=row.recursive, names=tuple(row.servers))
        for row in sorted(rows, key=lambda row: len(row.path), reverse=True)
        if row.servers is not None
    )
    if not rules:
        return Rules()
    found = Rules(rules=rules)
    groups: dict[Names, set[int]] = {}
    for row in rows:
        names = found.of(os.path.join(row.path, b"photo"))
        if names is not None:
            groups.setdefault(names, set()).add(row.id)
    return Rules(
        rules=rules, groups={names: frozenset(ids) for names, ids in groups.items()}
    )


def bind(db: Database, folder_id: int, names: Sequence[str] | None) -> None:
    """Let a folder's photos be sent to these servers only, from now on; None: to any.

    Raises `UsageError` if there is no such folder, or no server is named.
    """
    if names is not None and not names:
        raise UsageError("a folder is bound to at least one server")
    with db.write() as connection:
        found = connection.execute(
            update(folders)
            .where(folders.c.id == folder_id, folders.c.removed_at.is_(None))
            .values(
                servers=None if names is None else list(dict.fromkeys(names)),
                made_by_tag=False,  # whoever binds it has made it theirs
            )
        ).rowcount
        if not found:
            raise UsageError(f"there is no folder with id {folder_id}")
        changes.record(connection, changes.FOLDER, [folder_id])


def allowed(db: Database, path: bytes) -> Names | None:
    """The servers a photo may be sent to at this very moment; None: that is open."""
    return read(db).of(path)


def narrowed(names: Names | None, asked_with: str | None) -> Names | None:
    """The servers of a photo about which one is to be asked, if its folder lets it."""
    if asked_with is None or (names is not None and asked_with not in names):
        return names
    return frozenset({asked_with})


def lost(db: Database, known: Sequence[str]) -> dict[bytes, tuple[str, ...]]:
    """Bound folders with servers that there are none of, and those names."""
    found = {
        rule.path: tuple(name for name in rule.names if name not in known)
        for rule in read(db).rules
    }
    return {path: names for path, names in found.items() if names}


def lost_sentence(path: bytes, names: Sequence[str]) -> str:
    """What to do about that."""
    return (
        f"{shown(path)} is bound to {' and '.join(names)}, which is no server of the "
        "settings (any more): name it there again, or bind the folder anew with "
        "`python -m tagger folders set PATH --servers NAME`"
    )
