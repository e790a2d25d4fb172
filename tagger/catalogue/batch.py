"""A batch: photos as tracking knows them, made into rows and entries of the index.

Intake and rebuild fill the catalogue from the same batches, so it comes out equal
whichever way a photo got in.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from tagger.catalogue import entries, rows, schema
from tagger.catalogue.rows import Row
from tagger.catalogue.textindex import Entry
from tagger.records import ImageSnapshot


@dataclass(frozen=True, slots=True)
class Batch:
    """Some photos: rows of `images` and `image_tags`, and what the index holds."""

    images: list[Row]
    image_tags: list[Row]
    directories: dict[int, str]
    tag_ids: frozenset[int]
    entries: list[Entry]

    def insert(
        self,
        cursor: duckdb.DuckDBPyConnection,
        images: schema.Table = schema.IMAGES,
        image_tags: schema.Table = schema.IMAGE_TAGS,
    ) -> None:
        """Add the rows to these tables."""
        images.insert(cursor, self.images)
        image_tags.insert(cursor, self.image_tags)


def of(snapshots: Sequence[ImageSnapshot]) -> Batch:
    """The batch of these photos."""
    images = [rows.image_row(snapshot) for snapshot in snapshots]
    return Batch(
        images=images,
        image_tags=[row for one in snapshots for row in rows.image_tag_rows(one)],
        directories=dict(rows.directory_row(snapshot) for snapshot in snapshots),
        tag_ids=frozenset(tag.tag_id for one in snapshots for tag in one.tags),
        entries=[
            entries.entry(row, [tag.name for tag in one.tags])
            for row, one in zip(images, snapshots, strict=True)
        ],
    )


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep Python from looking for garbage while a batch is made.

    Its many small records hold no cycles, but make the collector run all the time, a
    fifth of the work. For the one who holds `catalogue.intake`.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
