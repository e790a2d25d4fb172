"""Help while a search is typed: completion, half-typed words, and misspelt ones."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagger.catalogue import intake
from tagger.catalogue.completing import Completion, complete
from tagger.catalogue.finding import find
from tagger.catalogue.query import parse
from tagger.catalogue.query.fields import FIELDS
from tagger.catalogue.questions import Wanted
from tagger.catalogue.spelling import distance
from tagger.catalogue.store import Catalogue
from tagger.errors import QueryError
from tagger.tracking.database import Database
from tests.support_catalogue import Photo, add_folder, open_catalogue, tagged

ALBUM = (
    Photo(
        name="2024/italy/a.jpg",
        description="A lighthouse on a cliff.",
        tags=["lighthouse", "sea", "red car"],
        taken_at="2024-05-01T10:00:00",
        camera="FUJIFILM X-T4",
    ),
    Photo(
        name="2024/summer at home/b.jpg",
        description="A mountain and a lighthouse.",
        tags=["mountain", "sea"],
        taken_at="2023-06-02T10:00:00",
        camera="Canon EOS 5D",
        model="llava",
    ),
    Photo(name="c.jpg", description="Carnival.", tags=["carnival", 'the "best"']),
)


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    path = tmp_path_factory.mktemp("album")
    with Database.open(path / "data" / "tracking.db") as db:
        tagged(db, add_folder(db, path / "photos"), *ALBUM)
        with open_catalogue(path) as catalogue:
            intake.take(catalogue, db)
            yield catalogue


def offered(catalogue: Catalogue, query: str, at: int | None = None) -> list[str]:
    return [option.text for option in complete(catalogue, query, at).options]


@pytest.mark.parametrize(
    ("typed", "texts"),
    [
        ("ta", ["tag:", "taken:"]),
        ("ligh", ["tag:lighthouse", "lighthouse"]),
        ("car", ["tag:carnival", 'tag:"red car"', "carnival"]),
        ("tag:s", ["tag:sea"]),
        ("tag:CAR", ["tag:carnival", 'tag:"red car"']),
        ('tag:"red', ['tag:"red car"']),
        ("tag:the", ['tag:"the \\"best\\""']),
        ("dog -tag:moun", ["tag:mountain"]),
        ("(tag:moun", ["tag:mountain"]),
        ("folder:2024/", ["folder:2024/italy", 'folder:"2024/summer at home"']),
        ("folder:home", ['folder:"2024/summer at home"']),
        ("camera:can", ['camera:"Canon EOS 5D"']),
        ("model:l", ["model:llava"]),
        ("format:", ["format:JPEG"]),
        ("taken:", ["taken:2024", "taken:2023"]),
        ("taken:2024", ["taken:2024-05"]),
        ("added:to", ["added:today"]),
        ("orientation:p", ["orientation:portrait"]),
        ("state:un", ["state:unwritten", "state:untagged"]),
        ("near:", ["near:45.4,12.3,5km"]),
        ("near:45", []),
        ("colour:", []),
        ('"red c', []),
        ('a"b', []),
    ],
)
def test_what_may_stand_at_the_caret_is_offered(
    album: Catalogue, typed: str, texts: list[str]
) -> None:
    assert offered(album, typed) == texts


def test_the_tags_of_most_photos_are_offered_first(album: Catalogue) -> None:
    assert offered(album, "tag:")[0] == "tag:sea"


def test_an_empty_box_offers_the_fields(album: Catalogue) -> None:
    assert offered(album, "")[:3] == ["tag:", "folder:", "taken:"]


def test_only_the_part_at_the_caret_is_replaced(album: Catalogue) -> None:
    completion = complete(album, "beach moun -snow", 10)
    start, end = completion.start, completion.end
    assert "beach moun -snow"[start:end] == "moun"
    assert completion.options[0].text == "tag:mountain"


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    query=st.text(st.sampled_from('abt:g"\\(*-) ⑴é'), max_size=12),
    at=st.integers(0, 12),
)
def test_completion_answers_whatever_is_typed(
    album: Catalogue, query: str, at: int
) -> None:
    completion = complete(album, query, at)
    assert isinstance(completion, Completion)
    assert 0 <= completion.start <= completion.end <= len(query)


def test_everything_offered_can_be_searched_for(album: Catalogue) -> None:
    for typed in ("l", "c", "the", *(f"{name}:" for name in FIELDS)):
        for option in complete(album, typed, limit=100).options:
            if option.goes_on:
                continue
            if option.text.startswith("like:"):
                parse(option.text)  # the example's photo is not in this album
            else:
                find(album, Wanted(query=option.text))


# Nothing matches


def names(catalogue: Catalogue, query: str, *, typing: bool = False) -> list[str]:
    found = find(catalogue, Wanted(query=query), typing=typing)
    return [found.wanted.query, *(card.name for card in found.page.images)]


@pytest.mark.parametrize(
    ("typed", "meant", "found"),
    [
        ("lighthose", "lighthouse", {"a.jpg", "b.jpg"}),
        ("Lighthuose", "lighthouse", {"a.jpg", "b.jpg"}),
        ("mighthouse", "lighthouse", {"a.jpg", "b.jpg"}),
        ("lihgthose", "lighthouse", {"a.jpg", "b.jpg"}),
        ("lighthose -mountain", "lighthouse -mountain", {"a.jpg"}),
        ("cliff (lighthose OR x)", "cliff (lighthouse OR x)", {"a.jpg"}),
        ('"a mountan and"', '"a mountain and"', {"b.jpg"}),
        ("tag:lighthuse", "tag:lighthouse", {"a.jpg"}),
        ('tag:"redcar"', 'tag:"red car"', {"a.jpg"}),
        ("folder:italy montain", "folder:italy mountain", set()),
        ("mountain -lighthose", "mountain -lighthose", {"b.jpg"}),
        ("zebra", "zebra", set()),
        ("sez", "sea", {"a.jpg", "b.jpg"}),
        ("xy", "xy", set()),
    ],
)
def test_a_word_no_photo_has_is_taken_for_the_nearest(
    album: Catalogue, typed: str, meant: str, found: set[str]
) -> None:
    query, *photos = names(album, typed)
    assert set(photos) == found
    assert query == (meant if found else typed)


def test_while_typing_the_last_word_may_be_half_of_one(album: Catalogue) -> None:
    assert names(album, "lighth", typing=True)[0] == "lighth*"
    assert set(names(album, "lighth", typing=True)[1:]) == {"a.jpg", "b.jpg"}
    assert names(album, "lighth") == ["lighth"]
    assert names(album, "carnival OR mount", typing=True)[0] == "carnival OR mount*"
    assert names(album, "mount lighthose", typing=True)[0] == "mount lighthose"
    assert names(album, "lighthose", typing=True)[0] == "lighthouse"
    assert names(album, "cliff", typing=True)[0] == "cliff"
    assert names(album, "tag:lightho", typing=True)[0] == "tag:lightho*"


def test_a_condition_that_finds_nothing_is_no_mistake_while_it_is_typed(
    album: Catalogue,
) -> None:
    for query in (
        "state:failed",
        "taken:1999",
        "carnival is:duplicate",
        "near:1,1,1km",
    ):
        assert names(album, query, typing=True) == [query]


def test_what_is_found_is_never_taken_for_something_else(album: Catalogue) -> None:
    assert names(album, "cliff")[0] == "cliff"
    assert names(album, "")[0] == ""


def test_a_mistake_stays_one(album: Catalogue) -> None:
    with pytest.raises(QueryError, match="not closed"):
        find(album, Wanted(query='"lighthose'))


def test_the_pages_of_another_query_go_on(album: Catalogue) -> None:
    wanted = Wanted(query="lighthose")
    first = find(album, wanted, limit=1)
    second = find(album, wanted, after=first.page.next, limit=1)
    assert {p.images[0].name for p in (first.page, second.page)} == {"a.jpg", "b.jpg"}


@pytest.mark.parametrize(
    ("one", "other", "off"),
    [("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("abc", "xbcy", 2)],
)
def test_letters_that_differ_are_counted(one: str, other: str, off: int) -> None:
    assert distance(one, other) == distance(other, one) == off
