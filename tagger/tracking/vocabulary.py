"""Vocabulary: words that tags of answers become, and tags no answer shall bring.

Both concern what models say from now on, and what they said as soon as a photo is
worked on again; a person's own tags they leave alone.
"""

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from tagger.errors import UsageError
from tagger.tracking import tagnames
from tagger.tracking.database import Database
from tagger.tracking.schema import bans, synonyms, tags


def every_synonym(db: Database) -> list[tuple[str, str]]:
    """Each word and what it becomes."""
    with db.read() as connection:
        rows = connection.execute(
            select(synonyms.c.key, synonyms.c.name).order_by(synonyms.c.key)
        )
        return [(row.key, row.name) for row in rows]


def every_ban(db: Database) -> list[str]:
    """The tags no answer shall bring."""
    with db.read() as connection:
        return list(connection.scalars(select(bans.c.name).order_by(bans.c.key)))


def add_synonym(db: Database, word: str, name: str) -> None:
    """Let `word` become the tag `name`. Raises `UsageError` for a chain or a circle."""
    key, to = tagnames.key(word), tagnames.key(name)
    if not key or not to or key == to:
        raise UsageError(f"{word!r} cannot become {name!r}")
    with db.write() as connection:
        for known, tag in connection.execute(select(synonyms.c.key, synonyms.c.name)):
            if known == to or tagnames.key(tag) == key:
                raise UsageError(f"{known} becomes {tag} already; remove that first")
        tagnames.ids(connection, [name])
        connection.execute(
            insert(synonyms)
            .values(key=key, name=name)
            .on_conflict_do_update(index_elements=["key"], set_={"name": name})
        )


def remove_synonym(db: Database, word: str) -> None:
    """Let a word be itself again. Raises `UsageError` if it is."""
    _remove(db, synonyms, word)


def add_ban(db: Database, name: str) -> None:
    """Have no answer bring this tag any more."""
    if not tagnames.key(name):
        raise UsageError("a tag cannot be empty")
    with db.write() as connection:
        connection.execute(
            insert(bans)
            .values(key=tagnames.key(name), name=name)
            .on_conflict_do_nothing()
        )


def remove_ban(db: Database, name: str) -> None:
    """Allow a tag again. Raises `UsageError` if it was."""
    _remove(db, bans, name)


def sources(db: Database, name: str) -> list[str]:
    """All tags of answers that count as this one, itself among them."""
    with db.read() as connection:
        known = connection.execute(select(synonyms.c.key, synonyms.c.name))
        keys = [
            row.key for row in known if tagnames.key(row.name) == tagnames.key(name)
        ]
        found = connection.scalars(select(tags.c.name).where(tags.c.key.in_(keys)))
        return [name, *found]


def _remove(db: Database, table: Table, name: str) -> None:
    with db.write() as connection:
        gone = connection.execute(
            delete(table).where(table.c.key == tagnames.key(name))
        ).rowcount
    if not gone:
        raise UsageError(f"{name} is not on the list")
