"""Tag about: one tag, when its photos were taken, who says it and what is beside it."""

from dataclasses import dataclass

from tagger.catalogue import facets
from tagger.catalogue.facets import TagCount
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Wanted

BESIDE = 16


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a tag: photos by month, by source, and the tags beside it."""

    months: tuple[tuple[str, int], ...]
    together: tuple[TagCount, ...]
    sources: tuple[tuple[str, int], ...]


def about(catalogue: Catalogue, tag: TagCount) -> About:
    """All of that, of a tag that photos have."""
    wanted = Wanted(tags=(tag.name,))
    beside = facets.tag_counts(catalogue, wanted, limit=BESIDE + 1)
    with catalogue.cursor() as cursor:
        cursor.execute(
            """SELECT source, count(*) AS photos FROM image_tags WHERE tag_id = ?
            GROUP BY source ORDER BY photos DESC, source""",
            [tag.tag_id],
        )
        sources = cursor.fetchall()
    return About(
        months=tuple(facets.months(catalogue, wanted)),
        together=tuple(one for one in beside if one.tag_id != tag.tag_id)[:BESIDE],
        sources=tuple((source, photos) for source, photos in sources),
    )
