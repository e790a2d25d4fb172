"""A query means what plain Python makes of it, over two thousand photos."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.catalogue import intake
from tagger.catalogue.questions import Wanted, page
from tagger.catalogue.store import Catalogue
from tagger.records import ImageState
from tagger.tracking.database import Database
from tests import support_query as said
from tests.support_catalogue import add_folder, open_catalogue
from tests.support_query import Condition, Known

PHOTOS = 2_000


@dataclass(frozen=True, repr=False)
class Library:
    """The catalogue of the two thousand, and what is known of them."""

    catalogue: Catalogue
    known: list[Known]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    path = tmp_path_factory.mktemp("library")
    with Database.open(path / "data" / "tracking.db") as db:
        known = said.fill(db, add_folder(db, path / "photos"), PHOTOS)
        with open_catalogue(path) as catalogue:
            intake.take(catalogue, db)
            yield Library(catalogue, known)


def found(catalogue: Catalogue, query: str, sort: str = "oldest") -> list[int]:
    """The ids of all photos found, page by page."""
    wanted, ids, after = Wanted(query=query, sort=sort), [], None
    while True:
        listed = page(catalogue, wanted, after=after, limit=700)
        ids += [card.id for card in listed.images]
        after = listed.next
        if after is None:
            assert listed.total == len(ids)
            return ids


MAY, JUNE = date(2024, 5, 1), date(2024, 6, 30)
EVERY_KIND = (
    *(said.word(typed) for typed in said.FORMS),
    said.phrase("dog", "beach"),
    said.phrase("red", "car"),
    *(said.prefix(start) for start in ("l", "sno", "img1", "x")),
    *(said.tag(name) for name in (*said.TAGS, "DOG", "nobody")),
    *(said.tag_prefix(start) for start in ("dog", "s", "zz")),
    *(said.folder(part) for part in ("italy", "2024/italy", "italy trip", "x(1)")),
    *(said.named("camera", part) for part in ("canon", "X-T4", "eos", "leica")),
    *(said.named("lens", part) for part in ("35mm", "ef")),
    *(said.named("format", part) for part in ("jpeg", "PNG")),
    *(said.named("model", part) for part in ("gemma", "3:4b", "builtin")),
    said.taken("2024", date(2024, 1, 1), date(2024, 12, 31)),
    said.taken("2024-05", MAY, date(2024, 5, 31)),
    said.taken("2024-05..2024-06", MAY, JUNE),
    said.taken("2024-05-01", MAY, MAY),
    said.taken("..2024-06", None, JUNE),
    said.taken("2024-05..", MAY, None),
    said.taken(">2024-06", date(2024, 7, 1), None),
    said.taken("<2024-05", None, date(2024, 4, 30)),
    said.taken("<=2024-06-30", None, JUNE),
    said.added("2026-01", date(2026, 1, 1), date(2026, 1, 31)),
    said.added("2026-02-03..2026-02-20", date(2026, 2, 3), date(2026, 2, 20)),
    said.added(">=2026-03", date(2026, 3, 1), None),
    said.megapixels(">12mp", 12.000_001, None),
    said.megapixels("12mp", 11.5, 12.499_999),
    said.megapixels("1mp..12mp", 1, 12),
    said.megapixels("<=0.12mp", None, 0.12),
    said.file_bytes(">5mb", 5_000_001, None),
    said.file_bytes("5mb", 4_500_000, 5_499_999),
    said.file_bytes("900", 900, 900),
    said.file_bytes("1kb..200kb", 1_000, 200_000),
    said.rating("5", 5),
    said.rating(">=4", 4, 5),
    said.rating("<3", 1, 2),
    said.rating("2..4", 2, 3, 4),
    said.rating("rejected", -1),
    said.rating("none", None),
    said.quality(">60", 61, 100),
    said.quality("<=20", 0, 20),
    said.quality("40..80", 40, 80),
    said.quality("100", 100, 100),
    *(said.orientation(shape) for shape in ("landscape", "portrait", "square")),
    *(
        said.has(part)
        for part in (*("gps", "description", "text"), *("tags", "date", "rating"))
    ),
    said.near(45.4, 12.3, 5),
    said.near(45.4, 12.3, 80),
    said.near(-33.9, 151.2, 10),
    *(said.source(who) for who in ("human", "model")),
    said.state("tagged", ImageState.TAGGED),
    said.state("failed", ImageState.FAILED),
    said.state("missing", ImageState.MISSING),
    said.state("waiting", ImageState.NEW, ImageState.QUEUED),
    said.state("unwritten", ImageState.NOT_WRITTEN),
    said.untagged(),
)


@pytest.mark.parametrize("asked", EVERY_KIND, ids=lambda asked: asked.typed)
def test_one_condition(library: Library, asked: Condition) -> None:
    known = library.known
    assert found(library.catalogue, asked.typed) == said.expected(known, asked)


def test_most_conditions_find_some_photos_and_not_all(library: Library) -> None:
    """Otherwise the comparison would say little."""
    known = library.known
    telling = [c for c in EVERY_KIND if 0 < len(said.expected(known, c)) < PHOTOS]
    assert len(telling) > 0.9 * len(EVERY_KIND)


def _nested(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    few = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        st.builds(said.no, inner, st.sampled_from(["-", "NOT "])),
        st.builds(said.all_of, few, st.sampled_from([" ", " AND "])),
        st.builds(said.any_of, few),
    )


@settings(max_examples=100, deadline=None)
@given(asked=st.recursive(st.sampled_from(EVERY_KIND), _nested, max_leaves=6))
def test_conditions_put_together(library: Library, asked: Condition) -> None:
    known = library.known
    assert found(library.catalogue, asked.typed) == said.expected(known, asked), (
        asked.typed
    )


@settings(max_examples=30, deadline=None)
@given(
    asked=st.recursive(st.sampled_from(EVERY_KIND), _nested, max_leaves=3),
    sort=st.sampled_from(["relevance", "newest", "taken", "name", "size"]),
)
def test_every_order_lists_the_same_photos(
    library: Library, asked: Condition, sort: str
) -> None:
    listed = found(library.catalogue, asked.typed, sort)
    assert sorted(listed) == said.expected(library.known, asked)
