"""Meaning: what each tag of an answer counts as, settled when the answer comes in.

Synonyms and bans hold for answers to come. What they make of a tag is put down with the
answer, so that a later one changes no photo of the past, unless a person asks for it
(`again`). The tag itself, as the model said it, stays on record.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from tagger.tracking import tagnames
from tagger.tracking.schema import bans, result_tags, synonyms, tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a tag counts as: nothing (`banned`), another as it is `spelt`, or itself."""

    becomes: int | None = None
    spelt: str | None = None
    banned: bool = False


def of(connection: Connection, keys: Collection[str]) -> dict[str, Meaning]:
    """By key, what each of these tags counts as from now on, unless that is itself."""
    wanted = set(keys)
    banned = set(connection.scalars(select(bans.c.key)))
    instead = {
        row.key: row.name
        for row in connection.execute(select(synonyms))
        if row.key in wanted
    }
    ids = tagnames.ids(connection, instead.values())
    found = {
        key: Meaning(becomes=ids[tagnames.key(name)], spelt=name)
        for key, name in instead.items()
        if tagnames.key(name) not in banned
    }
    lost = {key for key, name in instead.items() if tagnames.key(name) in banned}
    return found | dict.fromkeys(lost | (wanted & banned), Meaning(banned=True))


def again(connection: Connection, names: Iterable[str]) -> None:
    """Let these tags count in answers of the past as they would in one to come."""
    keys = {tagnames.key(name) for name in names}
    meant = of(connection, keys)
    for key in keys:
        now = meant.get(key, Meaning())
        said = select(tags.c.id).where(tags.c.key == key)
        connection.execute(
            update(result_tags)
            .where(result_tags.c.tag_id.in_(said))
            .values(becomes=now.becomes, spelt=now.spelt, banned=now.banned)
        )
