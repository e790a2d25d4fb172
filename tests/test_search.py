"""What a person can type into the search box, and what they get."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagger.catalogue import intake
from tagger.catalogue.questions import Wanted, page
from tagger.catalogue.store import Catalogue
from tagger.errors import UsageError
from tagger.records import ImageState
from tagger.tracking.database import Database
from tests.support_catalogue import (
    Photo,
    add_folder,
    open_catalogue,
    tagged,
    vanish,
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with open_catalogue(tmp_path) as opened:
        yield opened


@pytest.fixture
def folder_id(db: Database, tmp_path: Path) -> int:
    return add_folder(db, tmp_path / "photos")


Find = Callable[..., list[str]]


@pytest.fixture
def find(catalogue: Catalogue) -> Find:
    """The names of the photos found, best first."""
    return finder(catalogue)


def finder(catalogue: Catalogue) -> Find:
    def find(query: str, **filters: object) -> list[str]:
        wanted = Wanted(query=query, sort="relevance", **filters)  # type: ignore[arg-type]
        return [card.name for card in page(catalogue, wanted).images]

    return find


ALBUM = (
    Photo(
        name="2024/italy/beach_01.jpg",
        description="A happy dog runs along the beach.",
        tags=["dog", "beach", "red car"],
        taken_at="2024-05-01T10:00:00",
    ),
    Photo(
        name="2024/IMG_2041.jpg",
        description="Two lighthouses near a café.",
        tags=["Lighthouse", "sea"],
        text="Welcome to Oslo",
        taken_at="2024-06-02T10:00:00",
    ),
    Photo(
        name="2025/mountain.jpg",
        description="The beach is far; a red lorry and a car.",
        tags=["mountain"],
        taken_at="2025-05-01T10:00:00",
    ),
)


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Find]:
    """Finds in a catalogue of three photos, which no test changes."""
    path = tmp_path_factory.mktemp("album")
    with Database.open(path / "data" / "tracking.db") as db:
        tagged(db, add_folder(db, path / "photos"), *ALBUM)
        with open_catalogue(path) as catalogue:
            intake.take(catalogue, db)
            yield finder(catalogue)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("dog", {"beach_01.jpg"}),
        ("DOGS", {"beach_01.jpg"}),
        ("run", {"beach_01.jpg"}),
        ("beach", {"beach_01.jpg", "mountain.jpg"}),
        ("beach lorry", {"mountain.jpg"}),
        ("lighthouse", {"IMG_2041.jpg"}),
        ("cafe", {"IMG_2041.jpg"}),
        ("oslo", {"IMG_2041.jpg"}),
        ("IMG_2041", {"IMG_2041.jpg"}),
        ('"happy dog"', {"beach_01.jpg"}),
        ('"dog happy"', set()),
        ('"red car"', {"beach_01.jpg"}),
        ("moun*", {"mountain.jpg"}),
        ("lighthouses*", {"IMG_2041.jpg"}),
        ("happ*", {"beach_01.jpg"}),
        ("beach -dog", {"mountain.jpg"}),
        ("-beach", {"IMG_2041.jpg"}),
        ('-"happy dog"', {"IMG_2041.jpg", "mountain.jpg"}),
        ("tag:beach", {"beach_01.jpg"}),
        ("tag:LIGHTHOUSE", {"IMG_2041.jpg"}),
        ('tag:"red car"', {"beach_01.jpg"}),
        ('tag:dog tag:"red car"', {"beach_01.jpg"}),
        ("tag:dog tag:sea", set()),
        ("tag:m*", {"mountain.jpg"}),
        ("-tag:dog", {"IMG_2041.jpg", "mountain.jpg"}),
        ("tag:nobody", set()),
        ("-tag:nobody", {"beach_01.jpg", "IMG_2041.jpg", "mountain.jpg"}),
        ("folder:2024/italy", {"beach_01.jpg"}),
        ("folder:ITALY", {"beach_01.jpg"}),
        ("folder:2024 -folder:italy", {"IMG_2041.jpg"}),
        ("dog & -", {"beach_01.jpg"}),
        ("dog OR lorry", {"beach_01.jpg", "mountain.jpg"}),
        ("(dog OR lorry) -tag:mountain", {"beach_01.jpg"}),
        ("taken:2025 OR oslo", {"mountain.jpg", "IMG_2041.jpg"}),
        ("⑴*", set()),
        ("nothingness", set()),
    ],
)
def test_a_query_finds_what_it_says(album: Find, query: str, names: set[str]) -> None:
    assert set(album(query)) == names


def test_a_photo_tagged_with_the_word_comes_before_one_that_mentions_it(
    album: Find,
) -> None:
    assert album("beach") == ["beach_01.jpg", "mountain.jpg"]


def test_filters_narrow_a_search(album: Find) -> None:
    assert album("beach", month="2025-05") == ["mountain.jpg"]
    assert album("beach", month="2024") == ["beach_01.jpg"]
    assert album("beach", tags=("Mountain",)) == ["mountain.jpg"]
    assert album("beach", tags=("mountain", "dog")) == []
    assert album("beach", state=ImageState.FAILED) == []
    assert album("beach", folder_id=999) == []


def test_missing_photos_are_found_only_when_asked_for(
    find: Find, catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    tagged(db, folder_id, *ALBUM)
    vanish(db, folder_id)
    intake.take(catalogue, db)

    assert find("beach") == []
    assert len(find("beach", state=ImageState.MISSING)) == 2


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    query=st.text(
        alphabet=st.sampled_from("abOR\":*-(). tagfolder<\\'%_\x00é東⑴\n/2"),
        max_size=30,
    )
)
def test_any_text_is_answered_or_refused_with_a_sentence(
    album: Find, query: str
) -> None:
    names = {"beach_01.jpg", "IMG_2041.jpg", "mountain.jpg"}
    with contextlib.suppress(UsageError):
        assert set(album(query)) <= names


def test_hostile_tags_are_found_by_their_very_name(
    find: Find, catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    names = ["'; DROP TABLE images; --", "50%", "a_b", "{chosen}", "x" * 300, "日本"]
    photos = [Photo(name=f"{n}.jpg", tags=[name]) for n, name in enumerate(names)]
    tagged(db, folder_id, *photos)
    intake.take(catalogue, db)

    for n, name in enumerate(names):
        assert find(f'tag:"{name}"') == [f"{n}.jpg"]
        assert find("photo", tags=(name,)) == [f"{n}.jpg"]


WORDS = ("dog", "cat", "tree", "boat", "moon")


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    terms=st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from(["{}", "tag:{}"]),
            st.sampled_from(WORDS),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_query_means_what_plain_python_makes_of_it(
    menagerie: dict[str, set[str]], find: Find, terms: list[tuple[bool, str, str]]
) -> None:
    query = " ".join(
        ("" if wanted else "-") + form.format(word) for wanted, form, word in terms
    )

    def fits(name: str, words: set[str]) -> bool:
        tags = {word for word in words if (len(word) + len(name)) % 2 == 0}
        return all(
            (word in (tags if form == "tag:{}" else words)) is wanted
            for wanted, form, word in terms
        )

    expected = {name for name, words in menagerie.items() if fits(name, words)}
    assert set(find(query)) == expected


@pytest.fixture
def menagerie(
    catalogue: Catalogue, db: Database, folder_id: int
) -> dict[str, set[str]]:
    """Photos whose words are the bits of their number; some are tags, some are not."""
    album: dict[str, set[str]] = {}
    photos = []
    for number in range(2 ** len(WORDS)):
        words = {word for bit, word in enumerate(WORDS) if number >> bit & 1}
        name = f"{'x' * (number % 3 + 1)}{number}.jpg"
        tags = [word for word in words if (len(word) + len(name)) % 2 == 0]
        photos.append(
            Photo(name=name, description=" ".join(sorted(words)) or "-", tags=tags)
        )
        album[name] = words
    tagged(db, folder_id, *photos)
    intake.take(catalogue, db)
    return album
