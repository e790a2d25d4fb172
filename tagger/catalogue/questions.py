"""Questions: everything a screen may ask of the catalogue, through one door.

Ids are found first and rows fetched after, so a page reads 60 rows and not the table.
What may be asked for is in `wanted`, counting is in `facets`; both are offered here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from tagger.catalogue import rows
from tagger.catalogue.facets import (
    Activity,
    Counts,
    FolderCount,
    TagCount,
    ask,
    counts,
    folder_counts,
    months,
    recent,
    tag_counts,
)
from tagger.catalogue.paging import at_month, slice_of
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Sort, Wanted, choose, is_everything
from tagger.errors import UsageError
from tagger.records import Facts, ImageState, ImageTag, WriteMode
from tagger.tracking.desired import FROM_PERSON

__all__ = [
    "Activity",
    "Card",
    "Counts",
    "FolderCount",
    "Image",
    "NotFound",
    "Page",
    "Sort",
    "TagCount",
    "Wanted",
    "at_month",
    "cards",
    "copies",
    "counts",
    "folder_counts",
    "found",
    "ids",
    "image",
    "months",
    "page",
    "recent",
    "tag_counts",
]


class NotFound(UsageError):
    """There is no photo of this id in the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A photo as a grid shows it. Sizes are None until it has been looked at.

    `edited`: a person said any of its words in the program.
    """

    id: int
    name: str
    shown_path: str
    folder_id: int
    width_px: int | None
    height_px: int | None
    identity: str | None
    orientation: int
    description: str | None
    tags: tuple[str, ...]
    tag_ids: tuple[int, ...]
    state: ImageState
    reason: str | None
    taken_at: str | None
    edited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Photos in their order, how many the whole list has, and the marks beside them.

    `next` and `previous` are to be given to `page` as `after`; None where it ends.
    """

    images: tuple[Card, ...]
    total: int
    next: str | None = None
    previous: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One photo with all that is known of it."""

    id: int
    name: str
    shown_path: str
    folder_id: int
    folder_path: str
    size_bytes: int
    added_at: str
    state: ImageState
    reason: str | None
    identity: str | None
    orientation: int
    dhash: int | None
    quality: int | None
    rating: int | None
    facts: Facts | None
    description: str | None
    description_source: str | None
    text: str | None
    tags: tuple[ImageTag, ...]
    backend: str | None
    model: str | None
    prompt_version: str | None
    server: str | None
    seconds: float | None
    tokens_in: int | None
    tokens_out: int | None
    answered_at: str | None
    written_mode: WriteMode | None
    written_at: str | None


def page(
    catalogue: Catalogue, wanted: Wanted, *, after: str | None = None, limit: int = 60
) -> Page:
    """One page of the photos wanted.

    `after` is a page's `next` or `previous`. Raises `UsageError` if the query, a filter
    or the mark is no good, saying what would be.
    """
    found = slice_of(catalogue, wanted, after=after, limit=limit)
    return Page(
        images=tuple(cards(catalogue, found.ids)),
        total=found.total,
        next=found.next,
        previous=found.previous,
    )


def found(catalogue: Catalogue, query: str) -> list[int]:
    """The ids of all photos a query finds. Raises `UsageError` if it is no good.

    An empty one finds none: whoever means every photo has to say so.
    """
    if is_everything(Wanted(query=query)):
        raise UsageError("The query is empty; it would mean every photo")
    chosen = choose(catalogue, Wanted(query=query))
    return [] if chosen.hits is None else [int(one) for one in chosen.hits]


def ids(catalogue: Catalogue, wanted: Wanted) -> list[int]:
    """The ids of all photos wanted, in no order; of every photo where all are meant."""
    chosen = choose(catalogue, wanted)
    if chosen.hits is not None:
        return [int(one) for one in chosen.hits]
    return [row[0] for row in ask(catalogue, chosen, _IDS)]


_IDS = "SELECT i.id FROM images i WHERE {chosen}"


def cards(catalogue: Catalogue, ids: Sequence[int]) -> list[Card]:
    """The photos of these ids, in this order; one that is gone is left out."""
    if not ids:
        return []
    with catalogue.cursor() as cursor:
        cursor.execute(
            f"""SELECT i.id, i.name, coalesce(d.path, '') || i.name, i.folder_id,
                i.width_px, i.height_px, i.identity, coalesce(i.orientation, 1),
                i.description, i.tag_ids, i.state, i.reason, i.taken_at,
                list_contains(i.tag_sources, ?)
                    OR i.description_source IS NOT DISTINCT FROM ?
            FROM images i LEFT JOIN directories d ON d.id = i.directory_id
            WHERE i.id IN {rows.marks(ids)}""",
            [FROM_PERSON, FROM_PERSON, *ids],
        )
        found = {row[0]: row for row in cursor.fetchall()}
        used = {tag_id for row in found.values() for tag_id in row[9]}
        names = rows.tag_names(cursor, used)
    return [_card(found[image_id], names) for image_id in ids if image_id in found]


def image(catalogue: Catalogue, image_id: int) -> Image:
    """All that is known of one photo. Raises `NotFound`."""
    with catalogue.cursor() as cursor:
        row = _row(cursor, image_id)
        tags = rows.image_tags(cursor, row)
        directory = _path(cursor, "directories", rows.value(row, "directory_id"))
        folder = _path(cursor, "folders", rows.value(row, "folder_id"))
    facts = rows.facts(row)
    plain = {name: rows.value(row, name) for name in PLAIN}
    return Image(
        shown_path=directory + rows.value(row, "name"),
        folder_path=folder,
        state=rows.state(row),
        orientation=1 if facts is None else facts.orientation,
        facts=facts,
        tags=tags,
        written_mode=rows.written_mode(row),
        **plain,
    )


def copies(catalogue: Catalogue, one: Image, *, limit: int) -> list[Card]:
    """The other photos with exactly this picture, by path; at most `limit`."""
    if one.identity is None:
        return []
    with catalogue.cursor() as cursor:
        cursor.execute(
            """SELECT i.id FROM images i
            LEFT JOIN directories d ON d.id = i.directory_id
            WHERE i.identity = ? AND i.id <> ? ORDER BY d.path, i.name, i.id LIMIT ?""",
            [one.identity, one.id, limit],
        )
        ids = [row[0] for row in cursor.fetchall()]
    return cards(catalogue, ids)


# The fields of an image that are columns of its row, as they are.
PLAIN = (
    "id",
    "name",
    "folder_id",
    "size_bytes",
    "added_at",
    "reason",
    "identity",
    "dhash",
    "quality",
    "rating",
    "description",
    "description_source",
    "text",
    "backend",
    "model",
    "prompt_version",
    "server",
    "seconds",
    "tokens_in",
    "tokens_out",
    "answered_at",
    "written_at",
)


def _row(cursor: duckdb.DuckDBPyConnection, image_id: int) -> tuple[Any, ...]:
    if abs(image_id) < 2**63:
        cursor.execute("SELECT * FROM images WHERE id = ?", [image_id])
        if row := cursor.fetchone():
            return tuple(row)
    raise NotFound(f"There is no photo number {image_id} in the catalogue")


def _path(cursor: duckdb.DuckDBPyConnection, table: str, row_id: int) -> str:
    found = cursor.execute(
        f"SELECT path FROM {table} WHERE id = ?", [row_id]
    ).fetchone()
    return "" if found is None else str(found[0])


def _card(row: tuple[Any, ...], names: dict[int, str]) -> Card:
    tag_ids = tuple(tag_id for tag_id in row[9] if tag_id in names)
    return Card(
        id=row[0],
        name=row[1],
        shown_path=row[2],
        folder_id=row[3],
        width_px=row[4],
        height_px=row[5],
        identity=row[6],
        orientation=row[7],
        description=row[8],
        tags=tuple(names[tag_id] for tag_id in tag_ids),
        tag_ids=tag_ids,
        state=ImageState(row[10]),
        reason=row[11],
        taken_at=row[12],
        edited=bool(row[13]),
    )
