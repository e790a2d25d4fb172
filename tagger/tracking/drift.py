"""Drift: what one model said of pictures and another did not.

Every answer a model ever gave is on record, by picture. Where two have answered about
one, their last answers are compared, as their words count by synonyms and bans.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    func,
    literal,
    select,
    union_all,
)

from tagger.tracking import choosing
from tagger.tracking.database import Database
from tagger.tracking.desired import MEANT
from tagger.tracking.schema import files, result_tags, results, tags


@dataclass(frozen=True, slots=True)
class Difference:
    """A tag, and of how many pictures only one of two models said it, or both did."""

    tag: str
    only_first: int
    only_second: int
    both: int


@dataclass(frozen=True, slots=True)
class Drift:
    """Two models, on how many pictures both answered, and where they differ."""

    first: str
    second: str
    pictures: int
    tags: tuple[Difference, ...]


def models(db: Database, ids: Collection[int] | None = None) -> list[tuple[str, int]]:
    """The models that answered about these photos' pictures, or any, most first."""
    count = func.count(results.c.identity.distinct())
    query = select(results.c.model, count).where(_of(ids)).group_by(results.c.model)
    with db.read() as connection:
        rows = connection.execute(query.order_by(count.desc(), results.c.model))
        return [(str(model), int(pictures)) for model, pictures in rows]


def between(
    db: Database,
    first: str,
    second: str,
    *,
    ids: Collection[int] | None = None,
    limit: int = 50,
) -> Drift:
    """Where two models differ on these photos, or all; what differs most is first."""
    one, other = _last(first, ids, "one"), _last(second, ids, "other")
    both = (
        select(one.c.id.label("first"), other.c.id.label("second"))
        .join_from(one, other, one.c.identity == other.c.identity)
        .subquery("pairs")
    )
    said = union_all(
        _said(both, both.c.first, 1, 0), _said(both, both.c.second, 0, 1)
    ).subquery("said")
    with db.read() as connection:
        pictures = connection.scalar(select(func.count()).select_from(both))
        rows = connection.execute(_differences(said, limit)).all()
    found = tuple(Difference(*row) for row in rows)
    return Drift(first, second, int(pictures or 0), found)


def _differences(said: Subquery, limit: int) -> Select[Any]:
    by_picture = (
        select(
            said.c.tag,
            func.max(said.c.first).label("first"),
            func.max(said.c.second).label("second"),
        )
        .group_by(said.c.pair, said.c.tag)
        .subquery("by_picture")
    )
    first, second = by_picture.c.first, by_picture.c.second
    only_first = func.sum(first * (1 - second))
    only_second = func.sum(second * (1 - first))
    return (
        select(tags.c.name, only_first, only_second, func.sum(first * second))
        .join_from(by_picture, tags, tags.c.id == by_picture.c.tag)
        .group_by(tags.c.id)
        .order_by((only_first + only_second).desc(), tags.c.key)
        .limit(limit)
    )


def _of(ids: Collection[int] | None) -> ColumnElement[bool]:
    if ids is None:
        return literal(True)
    chosen = select(files.c.identity).where(choosing.among(ids))
    return results.c.identity.in_(chosen)


def _last(model: str, ids: Collection[int] | None, name: str) -> Subquery:
    """The last answer of a model about each picture."""
    return (
        select(results.c.identity, func.max(results.c.id).label("id"))
        .where(results.c.model == model, _of(ids))
        .group_by(results.c.identity)
        .subquery(name)
    )


def _said(
    pairs: Subquery, answer: ColumnElement[Any], first: int, second: int
) -> Select[Any]:
    return select(
        pairs.c.first.label("pair"),
        MEANT.label("tag"),
        literal(first).label("first"),
        literal(second).label("second"),
    ).join_from(
        pairs,
        result_tags,
        and_(result_tags.c.result_id == answer, ~result_tags.c.banned),
    )
