"""Insights: what all photos have in common, counted for the charts of the dashboard.

Each is one question to DuckDB over narrow columns, and costs tenths of a second at a
hundred thousand photos, so a screen asks only for the one it shows. Missing photos
are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from tagger.catalogue.breakdown import PAIRED_TAGS
from tagger.catalogue.facets import ask
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Chosen
from tagger.tracking import tagnames

# A pair on a single photo says nothing, however rare its tags are.
FEWEST_TOGETHER = 2


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tags on `photos` photos. `share`: of those with the rarer one. `lift`: how
    many times as often as if the two had nothing to do with each other.
    """

    one: str
    other: str
    photos: int
    share: float
    lift: float


@dataclass(frozen=True, slots=True)
class TagMonth:
    """A tag on `photos` photos taken in `month`, such as `2024-05`."""

    month: str
    tag: str
    photos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What photos have of one model and one prompt."""

    model: str
    prompt_version: str
    photos: int
    tags_a_photo: float
    median_s: float | None
    tokens_in: int
    tokens_out: int
    failed: int


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera, by its name, and how many photos it took."""

    name: str
    photos: int


def pairs(catalogue: Catalogue, *, limit: int = 50) -> list[Pair]:
    """The pairs of tags that most photos have, most first."""
    found = ask(catalogue, Chosen(), _PAIRS, PAIRED_TAGS, FEWEST_TOGETHER, limit)
    return [Pair(*row) for row in found]


_PAIRS = """WITH there AS (SELECT i.id FROM images i WHERE i.state <> 'missing'),
had AS (SELECT t.tag_id, t.image_id FROM image_tags t SEMI JOIN there
    ON there.id = t.image_id),
few AS (SELECT tag_id, count(*) AS photos FROM had GROUP BY tag_id
    ORDER BY photos DESC, tag_id LIMIT ?),
kept AS (SELECT had.* FROM had JOIN few USING (tag_id)),
paired AS (SELECT a.tag_id AS one, b.tag_id AS other, count(*) AS photos
    FROM kept a JOIN kept b ON a.image_id = b.image_id AND a.tag_id < b.tag_id
    GROUP BY ALL HAVING count(*) >= ? ORDER BY photos DESC, one, other LIMIT ?)
SELECT m.name, n.name, paired.photos, paired.photos / least(f.photos, g.photos),
    paired.photos * (SELECT count(*) FROM there) / (f.photos * g.photos)
FROM paired JOIN few f ON f.tag_id = one JOIN few g ON g.tag_id = other
    JOIN tags m ON m.tag_id = one JOIN tags n ON n.tag_id = other
ORDER BY paired.photos DESC, m.key, n.key"""


def tags_by_month(catalogue: Catalogue, names: Sequence[str]) -> list[TagMonth]:
    """How many photos of each month have each of these tags; oldest first."""
    found = ask(
        catalogue,
        Chosen(),
        """SELECT left(i.taken_at, 7) AS month, n.name, count(*)
        FROM tags n JOIN image_tags t USING (tag_id) JOIN images i ON i.id = t.image_id
        WHERE n.key IN (SELECT unnest(?::VARCHAR[])) AND i.state <> 'missing'
            AND regexp_matches(i.taken_at, '^[0-9]{4}-(0[1-9]|1[0-2])')
            AND left(i.taken_at, 4) <> '0000'
        GROUP BY month, n.name, n.key ORDER BY month, n.key""",
        [tagnames.key(name) for name in names],
    )
    return [TagMonth(*row) for row in found]


def cameras(catalogue: Catalogue, *, limit: int = 15) -> list[Camera]:
    """The cameras that took most photos, most first."""
    found = ask(
        catalogue,
        Chosen(),
        """SELECT i.camera, count(*) AS photos FROM images i
        WHERE i.state <> 'missing' AND i.camera <> ''
        GROUP BY i.camera ORDER BY photos DESC, i.camera LIMIT ?""",
        limit,
    )
    return [Camera(*row) for row in found]


def answering(catalogue: Catalogue) -> list[Answering]:
    """What photos have of each model and prompt, most photos first."""
    found = ask(
        catalogue,
        Chosen(),
        """SELECT i.model, coalesce(i.prompt_version, ''), count(*) AS photos,
            avg(len(list_filter(i.tag_sources, s -> s NOT IN ('file', 'person')))),
            median(i.seconds), coalesce(sum(i.tokens_in), 0)::BIGINT,
            coalesce(sum(i.tokens_out), 0)::BIGINT,
            count(*) FILTER (i.state IN ('failed', 'not written'))
        FROM images i WHERE i.state <> 'missing' AND i.model IS NOT NULL
        GROUP BY ALL ORDER BY photos DESC, i.model""",
    )
    names = [field.name for field in fields(Answering)]
    return [Answering(**dict(zip(names, row, strict=True))) for row in found]
