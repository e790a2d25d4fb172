"""Vectors: what pictures and texts are like, kept so that each is made out once.

A vector says how it was made, by its method. When the method changes, those of the one
before are forgotten and made anew. Ids only grow, so whoever holds vectors in memory
asks for those after the last one it has.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.dialects.postgresql import insert

from tagger.tracking import tagnames
from tagger.tracking.changes import IMAGE
from tagger.tracking.database import Database
from tagger.tracking.schema import changes as change_table
from tagger.tracking.schema import files, vector_methods, vectors

LOOK, TEXT = "look", "text"
FORGET_ROWS = 5_000

Link = tuple[int, int]  # a photo's id, and that of its picture's vector


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as one of its photos shows it."""

    file_id: int
    identity: str
    orientation: int


def method(db: Database, kind: str, name: str) -> int:
    """The id of a method, given to it now if it is new."""
    with db.write() as connection:
        connection.execute(
            insert(vector_methods).values(kind=kind, name=name).on_conflict_do_nothing()
        )
        return int(connection.execute(_method(kind, name)).scalar_one())


def present(db: Database, kind: str) -> int | None:
    """The id of the method whose vectors are in use; None before there is one."""
    with db.read() as connection:
        return connection.scalars(
            select(vector_methods.c.id)
            .where(vector_methods.c.kind == kind)
            .order_by(vector_methods.c.id.desc())
            .limit(1)
        ).first()


def forget_others(db: Database, kind: str, method_id: int) -> int:
    """Forget what other methods of a kind made; returns how many vectors.

    In steps, so that nobody has to wait long for the database.
    """
    others = select(vector_methods.c.id).where(
        vector_methods.c.kind == kind, vector_methods.c.id != method_id
    )
    some = select(vectors.c.id).where(vectors.c.method_id.in_(others))
    forgotten = 0
    while True:
        with db.write() as connection:
            gone = connection.execute(
                delete(vectors).where(vectors.c.id.in_(some.limit(FORGET_ROWS)))
            ).rowcount
            if not gone:
                connection.execute(
                    delete(vector_methods).where(vector_methods.c.id.in_(others))
                )
                return forgotten
        forgotten += gone


def keep(db: Database, method_id: int, made: Mapping[str, bytes]) -> None:
    """Keep vectors by their subjects; one that is there already stays."""
    if not made:
        return
    with db.write() as connection:
        connection.execute(
            insert(vectors).on_conflict_do_nothing(),
            [
                {"method_id": method_id, "subject": subject, "vector": vector}
                for subject, vector in made.items()
            ],
        )


def known(db: Database, method_id: int, subjects: Iterable[str]) -> set[str]:
    """Those of the subjects that have a vector."""
    found: set[str] = set()
    with db.read() as connection:
        for chunk in tagnames.chunks(list(subjects)):
            found.update(
                connection.scalars(
                    select(vectors.c.subject).where(
                        vectors.c.method_id == method_id, vectors.c.subject.in_(chunk)
                    )
                )
            )
    return found


def pictures_of(db: Database, ids: Sequence[int]) -> list[Picture]:
    """The pictures of these photos, as far as they were looked at and are there."""
    found: list[Picture] = []
    with db.read() as connection:
        for chunk in tagnames.chunks(list(ids)):
            rows = connection.execute(
                select(files.c.id, files.c.identity, files.c.orientation).where(
                    files.c.id.in_(chunk),
                    files.c.identity.is_not(None),
                    files.c.missing_since.is_(None),
                )
            )
            found += [Picture(r.id, r.identity, r.orientation or 1) for r in rows]
    return found


def after(
    db: Database, method_id: int, vector_id: int, *, limit: int
) -> list[tuple[int, bytes]]:
    """The next vectors by id."""
    rows = named_after(db, method_id, vector_id, limit=limit)
    return [(vector_id, vector) for vector_id, _, vector in rows]


def named_after(
    db: Database, method_id: int, vector_id: int, *, limit: int
) -> list[tuple[int, str, bytes]]:
    """The next vectors by id, with their subjects."""
    with db.read() as connection:
        rows = connection.execute(next_by_id(method_id, vector_id).limit(limit))
        return [(row[0], row[1], row[2]) for row in rows]


def next_by_id(method_id: int, vector_id: int) -> Select[Any]:
    return (
        select(vectors.c.id, vectors.c.subject, vectors.c.vector)
        .where(_by_id(method_id), vectors.c.id > vector_id)
        .order_by(vectors.c.id)
    )


def named(db: Database, kind: str, name: str) -> int | None:
    """The id of a method by its name; None before it was used."""
    with db.read() as connection:
        return connection.scalars(_method(kind, name)).first()


def _method(kind: str, name: str) -> Select[Any]:
    return select(vector_methods.c.id).where(
        vector_methods.c.kind == kind, vector_methods.c.name == name
    )


def files_after(db: Database, file_id: int, *, limit: int) -> list[int]:
    """The ids of the next photos that are there, by id."""
    with db.read() as connection:
        return list(
            connection.scalars(
                select(files.c.id)
                .where(files.c.id > file_id, files.c.missing_since.is_(None))
                .order_by(files.c.id)
                .limit(limit)
            )
        )


def text_subject(text: str) -> str:
    """What stands for a text: 64 bits of its MD5, as DuckDB's `md5_number_lower`."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return str(int.from_bytes(digest[8:], "little"))


def links(db: Database, method_id: int) -> list[Link]:
    """Every photo with the vector of its picture."""
    with db.read() as connection:
        return [(row[0], row[1]) for row in connection.execute(_links(method_id))]


def links_since(
    db: Database, method_id: int, change: int, vector_id: int
) -> tuple[list[int], list[Link]]:
    """The photos that changed after a change, and the links of these and of vectors
    made after a vector.
    """
    changed = changed_since(change)
    with db.read() as connection:
        ids = list(connection.scalars(changed.distinct()))
        found = [
            *connection.execute(links_of_changed(method_id, change)),
            *connection.execute(links_of_new(method_id, vector_id)),
        ]
    return ids, [(row[0], row[1]) for row in found]


def changed_since(change: int) -> Select[Any]:
    return select(change_table.c.subject_id).where(
        change_table.c.number > change, change_table.c.kind == IMAGE
    )


def links_of_changed(method_id: int, change: int) -> Select[Any]:
    """From the photos to the vectors: joined so that SQLite cannot start with these."""
    return (
        select(files.c.id, vectors.c.id)
        .join(vectors, vectors.c.subject == files.c.identity + "")
        .where(vectors.c.method_id == method_id, files.c.id.in_(changed_since(change)))
    )


def links_of_new(method_id: int, vector_id: int) -> Select[Any]:
    return (
        select(files.c.id, vectors.c.id)
        .join(vectors, vectors.c.subject == files.c.identity)
        .where(_by_id(method_id), vectors.c.id > vector_id)
    )


def _by_id(method_id: int) -> ColumnElement[bool]:
    """The method, said so that SQLite goes by ids, and not through all of a method."""
    return vectors.c.method_id + 0 == method_id


def _links(method_id: int) -> Select[Any]:
    return (
        select(files.c.id, vectors.c.id)
        .join(vectors, vectors.c.subject == files.c.identity)
        .where(vectors.c.method_id == method_id)
    )
