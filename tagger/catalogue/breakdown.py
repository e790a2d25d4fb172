"""Breakdown: any photos wanted, counted by what they have, for screens and programs.

Each way of counting is a table with its columns' names, so that a page, a command and
the API need to know none of them. A value that a photo does not have is None.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from tagger.catalogue.facets import ask, tag_counts
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Chosen, Wanted, choose
from tagger.errors import UsageError
from tagger.tracking import drift
from tagger.tracking.database import Database

# Pairs are looked for among the most frequent tags only: every pair of every photo
# would be thirty rows a photo.
PAIRED_TAGS = 200
TAGS_OVER_TIME = 8

Rows = Sequence[tuple[Any, ...]]
# Looks for the photos that are meant, the first time it is called.
Choice = Callable[[], Chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Photos counted `by` something; `note` says what a reader has to know."""

    by: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which photos, how many rows at most, and for `drift` between which models."""

    wanted: Wanted
    limit: int = 20
    models: tuple[str, ...] = ()


def _values(value: str, *, by_time: bool = False) -> str:
    order = "value" if by_time else "photos DESC, value"
    return (
        f"SELECT {value} AS value, count(*) AS photos FROM images i "
        "LEFT JOIN directories d ON d.id = i.directory_id "
        f"WHERE {{chosen}} GROUP BY value ORDER BY {order} NULLS LAST LIMIT ?"
    )


# What is one value of each photo, as SQL on `images i` and its `directories d`.
_OF_A_PHOTO = {
    "folders": ("folder", _values("d.path")),
    "years": ("year", _values("left(i.taken_at, 4)", by_time=True)),
    "months": ("month", _values("left(i.taken_at, 7)", by_time=True)),
    "cameras": ("camera", _values("i.camera")),
    "lenses": ("lens", _values("i.lens")),
    "formats": ("format", _values("i.format")),
    "models": ("model", _values("i.model")),
    "ratings": ("rating", _values("i.rating")),
    "states": ("state", _values("i.state")),
    "tagging": (
        "tagged",
        _values("CASE WHEN len(i.tag_ids) > 0 THEN 'with tags' ELSE 'untagged' END"),
    ),
}
_TIMES = frozenset({"years", "months"})

_HAD = """WITH had AS (SELECT t.tag_id, t.image_id FROM image_tags t
    WHERE t.image_id IN (SELECT i.id FROM images i WHERE {chosen})),
counted AS (SELECT tag_id, count(*) AS photos FROM had GROUP BY tag_id)"""

_TOGETHER = (
    _HAD
    + f""", few AS (SELECT had.* FROM had JOIN (SELECT tag_id FROM counted
        ORDER BY photos DESC, tag_id LIMIT {PAIRED_TAGS}) USING (tag_id)),
    pairs AS (SELECT a.tag_id AS one, b.tag_id AS other, count(*) AS photos
        FROM few a JOIN few b ON a.image_id = b.image_id AND a.tag_id < b.tag_id
        GROUP BY ALL ORDER BY photos DESC, one, other LIMIT ?)
    SELECT a.name, b.name, photos FROM pairs
        JOIN tags a ON a.tag_id = one JOIN tags b ON b.tag_id = other
    ORDER BY photos DESC, a.key, b.key"""
)
_OVER_TIME = (
    _HAD
    + """, few AS (SELECT tag_id FROM counted ORDER BY photos DESC, tag_id LIMIT ?)
    SELECT left(i.taken_at, 4) AS year, n.name, count(*) AS photos
    FROM had JOIN few USING (tag_id) JOIN tags n USING (tag_id)
        JOIN images i ON i.id = had.image_id
    WHERE i.taken_at IS NOT NULL GROUP BY year, n.name, n.key ORDER BY year, n.key"""
)
_SINGLETONS = (
    _HAD
    + """ SELECT n.name, i.id, coalesce(d.path, '') || i.name
    FROM counted JOIN had USING (tag_id) JOIN tags n USING (tag_id)
        JOIN images i ON i.id = had.image_id
        LEFT JOIN directories d ON d.id = i.directory_id
    WHERE counted.photos = 1 ORDER BY n.key LIMIT ?"""
)


def break_down(catalogue: Catalogue, db: Database, by: str, asked: Asked) -> Breakdown:
    """The photos asked for, counted by one of `KINDS`. Raises `UsageError`."""
    (one,) = break_downs(catalogue, db, [by], asked)
    return one


def break_downs(
    catalogue: Catalogue, db: Database, kinds: Iterable[str], asked: Asked
) -> list[Breakdown]:
    """The photos asked for, counted in several ways; they are looked for once."""

    @cache
    def chosen(any_state: bool) -> Chosen:
        return choose(catalogue, asked.wanted, any_state=any_state)

    found = []
    for by in kinds:
        if by not in KINDS:
            raise UsageError(
                f"Photos cannot be counted by {by!r}; choose {', '.join(KINDS)}"
            )
        found.append(
            KINDS[by](catalogue, db, by, asked, partial(chosen, by == "states"))
        )
    return found


def overview(catalogue: Catalogue, db: Database, asked: Asked) -> list[Breakdown]:
    """The photos asked for, counted by everything that needs no choice."""
    return break_downs(catalogue, db, OVERVIEW, asked)


def _of_a_photo(
    catalogue: Catalogue, _db: Database, by: str, asked: Asked, chosen: Choice
) -> Breakdown:
    column, sql = _OF_A_PHOTO[by]
    rows = ask(catalogue, chosen(), sql, 100_000 if by in _TIMES else asked.limit)
    return Breakdown(by=by, columns=(column, "photos"), rows=tuple(rows))


def _of_each_tag(
    catalogue: Catalogue, _db: Database, by: str, asked: Asked, _chosen: Choice
) -> Breakdown:
    """The index counts them without listing the photos first."""
    found = tag_counts(catalogue, asked.wanted, limit=asked.limit)
    rows = tuple((tag.name, tag.count) for tag in found)
    return Breakdown(by=by, columns=("tag", "photos"), rows=rows)


def _of_tags(
    catalogue: Catalogue, _db: Database, by: str, asked: Asked, chosen: Choice
) -> Breakdown:
    columns, sql, note = {
        "together": (
            ("tag", "other", "photos"),
            _TOGETHER,
            f"Pairs of the {PAIRED_TAGS} most frequent tags.",
        ),
        "time": (
            ("year", "tag", "photos"),
            _OVER_TIME,
            f"The {TAGS_OVER_TIME} most frequent tags, by the year the photos were "
            "taken.",
        ),
        "singletons": (
            ("tag", "photo_id", "path"),
            _SINGLETONS,
            "Tags that one of these photos has and no other of them.",
        ),
    }[by]
    limit = min(asked.limit, TAGS_OVER_TIME) if by == "time" else asked.limit
    rows = ask(catalogue, chosen(), sql, limit)
    return Breakdown(by=by, columns=columns, rows=tuple(rows), note=note)


def _drift(
    _catalogue: Catalogue, db: Database, by: str, asked: Asked, chosen: Choice
) -> Breakdown:
    """Two models compared: those asked for, else the two that answered most."""
    hits = chosen().hits
    ids = None if hits is None else [int(one) for one in hits]
    columns = ("tag", "only_first", "only_second", "both")
    known = [name for name, _ in drift.models(db, ids)]
    wanted = asked.models or tuple(known[:2])
    if asked.models and (len(wanted) != 2 or wanted[0] == wanted[1]):
        raise UsageError("Name the two models to compare")
    for name in wanted:
        if name not in known:
            answered = ", ".join(known) or "none"
            raise UsageError(
                f"{name} answered about none of these; there are {answered}"
            )
    if len(wanted) < 2:
        note = "Only where two models answered can they be compared."
        return Breakdown(by=by, columns=columns, rows=(), note=note)
    found = drift.between(db, *wanted, ids=ids, limit=asked.limit)
    return Breakdown(
        by=by,
        columns=columns,
        rows=tuple((t.tag, t.only_first, t.only_second, t.both) for t in found.tags),
        note=f"first: {found.first}, second: {found.second}; "
        f"pictures both answered: {found.pictures}",
    )


OVERVIEW = ("tags", *_OF_A_PHOTO)
KINDS: dict[str, Callable[[Catalogue, Database, str, Asked, Choice], Breakdown]] = {
    "tags": _of_each_tag,
    **dict.fromkeys(("together", "time", "singletons"), _of_tags),
    **dict.fromkeys(_OF_A_PHOTO, _of_a_photo),
    "drift": _drift,
}
