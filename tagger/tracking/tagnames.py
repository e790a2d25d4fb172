"""Tags: one id a word, whatever its case or Unicode form; ids are never reused."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from tagger.texts import holdable
from tagger.tracking.schema import tags

T = TypeVar("T")

# Below SQLite's limit of bound variables a statement, with room to spare.
CHUNK = 500


def key(name: str) -> str:
    """What makes two spellings one tag: NFC, case-folded, inner white space single."""
    return unicodedata.normalize("NFC", " ".join(name.split()).casefold())


def tidy(text: str) -> str:
    """What a person typed, without what no file can hold, its white space single."""
    return " ".join(holdable(text).split())


def tidy_lines(text: str) -> str:
    """The same of a longer text, which keeps its lines."""
    return holdable(text).strip()


def ids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The id of each tag by its key, made where there was none."""
    wanted = {key(name): name for name in names if key(name)}
    if not wanted:
        return {}
    connection.execute(
        insert(tags).on_conflict_do_nothing(index_elements=["key"]),
        [{"name": name, "key": folded} for folded, name in wanted.items()],
    )
    found: dict[str, int] = {}
    for chunk in chunks(list(wanted)):
        rows = connection.execute(
            select(tags.c.key, tags.c.id).where(tags.c.key.in_(chunk))
        )
        found.update({row.key: row.id for row in rows})
    return found


def chunks(items: Sequence[T]) -> Iterable[Sequence[T]]:
    """`items` in pieces that fit one statement."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
