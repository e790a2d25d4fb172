"""Vocabulary: words that tags of answers become, and tags no answer shall bring.

Both concern what models say from now on. What they said before stays as it is, in the
catalogue and in files, unless the past is asked to follow; then both do. A person's own
tags they leave alone.
"""

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects.postgresql import insert

from tagger.errors import UsageError
from tagger.tracking import edits, meaning, tagnames, undoables
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.schema import bans, synonyms, tags

KIND = "vocabulary"


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


def add_synonym(
    db: Database, word: str, name: str, *, past: bool = False, dry_run: bool = False
) -> Edit:
    """Let `word` become the tag `name`. Raises `UsageError` for a chain or a circle.

    As with the others, `past` has the photos follow whose answers said it before, and
    the edit that is answered tells which; without it, none.
    """
    word, name = tagnames.tidy(word), tagnames.tidy(name)
    key, to = tagnames.key(word), tagnames.key(name)
    if not key or not to or key == to:
        raise UsageError(f"{word!r} cannot become {name!r}")
    with db.write() as connection:
        meant = _meant(connection, word)
        for known, tag in connection.execute(select(synonyms.c.key, synonyms.c.name)):
            if known == to or tagnames.key(tag) == key:
                raise UsageError(f"{known} becomes {tag} already; remove that first")
        was = connection.scalars(
            select(synonyms.c.name).where(synonyms.c.key == key)
        ).first()
        if not dry_run:
            tagnames.ids(connection, [name])
            connection.execute(
                insert(synonyms)
                .values(key=key, name=name)
                .on_conflict_do_update(index_elements=["key"], set_={"name": name})
            )
        back = {"synonym": word, "was": was}
        return _applied(connection, meant, back, past=past, dry_run=dry_run)


def remove_synonym(
    db: Database, word: str, *, past: bool = False, dry_run: bool = False
) -> Edit:
    """Let a word be itself again. Raises `UsageError` if it is."""
    return _remove(db, synonyms, word, past=past, dry_run=dry_run)


def add_ban(
    db: Database, name: str, *, past: bool = False, dry_run: bool = False
) -> Edit:
    """Have no answer bring this tag any more."""
    name = tagnames.tidy(name)
    if not tagnames.key(name):
        raise UsageError("a tag cannot be empty")
    with db.write() as connection:
        meant = _meant(connection, name)
        listed = bans.c.key == tagnames.key(name)
        was = connection.scalars(select(bans.c.name).where(listed)).first()
        if not dry_run:
            connection.execute(
                insert(bans)
                .values(key=tagnames.key(name), name=name)
                .on_conflict_do_nothing()
            )
        back = {"ban": name, "was": was}
        return _applied(connection, meant, back, past=past, dry_run=dry_run)


def remove_ban(
    db: Database, name: str, *, past: bool = False, dry_run: bool = False
) -> Edit:
    """Allow a tag again. Raises `UsageError` if it was."""
    return _remove(db, bans, name, past=past, dry_run=dry_run)


def _meant(connection: Connection, name: str) -> list[str]:
    """All tags of answers that count as this one, itself among them."""
    known = connection.execute(select(synonyms.c.key, synonyms.c.name))
    keys = [row.key for row in known if tagnames.key(row.name) == tagnames.key(name)]
    found = connection.scalars(select(tags.c.name).where(tags.c.key.in_(keys)))
    return [name, *found]


def _remove(
    db: Database, table: Table, name: str, *, past: bool, dry_run: bool
) -> Edit:
    name = tagnames.tidy(name)
    listed = table.c.key == tagnames.key(name)
    with db.write() as connection:
        meant = _meant(connection, name)
        was = connection.scalars(select(table.c.name).where(listed)).first()
        if was is None:
            raise UsageError(f"{name} is not on the list")
        if not dry_run:
            connection.execute(delete(table).where(listed))
        back = {"ban" if table is bans else "synonym": name, "was": was}
        return _applied(connection, meant, back, past=past, dry_run=dry_run)


def _applied(
    connection: Connection,
    names: list[str],
    back: dict[str, str | None],
    *,
    past: bool,
    dry_run: bool,
) -> Edit:
    """The edit of the photos tagged so far; an empty one if they stay as they are.

    `back` is what was on the list before, for whoever takes the edit back.
    """
    if past:
        if not dry_run:
            meaning.again(connection, names)
        edit = edits.again(connection, names, KIND, dry_run=dry_run)
        undoables.keep(connection, edit.id, back)
        return edit
    return Edit(id=None, kind=KIND, photos=0, files=0, file_ids=())
