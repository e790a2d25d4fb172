"""Any photos are counted by what they have, through every door."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pages.parts import insight
from tagger import cli
from tagger.catalogue import breakdown, intake
from tagger.catalogue.breakdown import Asked, break_down
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Wanted
from tagger.errors import UsageError
from tagger.records import Answer, ImageState, Tag
from tagger.tracking import drift, jobs, results, vocabulary
from tagger.tracking.database import Database
from tests import support_pages as screens
from tests.support_catalogue import (
    Photo,
    add_folder,
    many,
    open_catalogue,
    tagged,
    vanish,
    words_of,
)
from tests.support_web import library, served, settings_file

PHOTOS = (
    Photo(
        name="2024/a.jpg",
        tags=["dog", "beach", "sun"],
        taken_at="2024-05-01T10:00:00",
        camera="X-T4",
    ),
    Photo(name="2024/b.jpg", tags=["dog", "beach"], taken_at="2023-06-01T10:00:00"),
    Photo(name="c.jpg", tags=["Dog", "cat"], model="llava", camera="X-T4"),
    Photo(name="d.jpg", taken_at="2024-05-09T10:00:00"),
    Photo(name="e.jpg", failed="the file ends too early"),
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with open_catalogue(tmp_path) as opened:
        yield opened


@pytest.fixture
def ids(catalogue: Catalogue, db: Database, tmp_path: Path) -> list[int]:
    found = tagged(db, add_folder(db, tmp_path / "photos"), *PHOTOS)
    intake.take(catalogue, db)
    return found


def counted(
    catalogue: Catalogue, db: Database, by: str, query: str = "", **more: Any
) -> list[tuple[Any, ...]]:
    asked = Asked(wanted=Wanted(query=query), **more)
    return list(break_down(catalogue, db, by, asked).rows)


def test_photos_are_counted_by_what_they_have(
    catalogue: Catalogue, db: Database, ids: list[int], tmp_path: Path
) -> None:
    def of(by: str, query: str = "") -> list[tuple[Any, ...]]:
        return counted(catalogue, db, by, query)

    assert of("tags") == [("dog", 3), ("beach", 2), ("cat", 1), ("sun", 1)]
    assert of("years") == [("2023", 1), ("2024", 2), (None, 2)]
    assert of("months") == [("2023-06", 1), ("2024-05", 2), (None, 2)]
    assert of("cameras") == [(None, 3), ("X-T4", 2)]
    assert of("formats") == [("JPEG", 4), (None, 1)]
    assert of("models") == [("gemma3:4b", 3), ("llava", 1), (None, 1)]
    assert of("states") == [("tagged", 4), ("failed", 1)]
    assert of("tagging") == [("with tags", 3), ("untagged", 2)]
    root = str(tmp_path / "photos")
    assert of("folders") == [(f"{root}/", 3), (f"{root}/2024/", 2)]
    assert of("lenses") == [(None, 5)]


def test_only_the_photos_of_the_query_are_counted(
    catalogue: Catalogue, db: Database, ids: list[int]
) -> None:
    assert counted(catalogue, db, "tags", "taken:2024") == [
        ("beach", 1),
        ("dog", 1),
        ("sun", 1),
    ]
    assert counted(catalogue, db, "years", "tag:beach") == [("2023", 1), ("2024", 1)]
    assert counted(catalogue, db, "tagging", "state:untagged") == [("untagged", 2)]
    for by in breakdown.KINDS:
        assert counted(catalogue, db, by, "nowhere-to-be-found") == []
        with pytest.raises(UsageError, match="not closed"):
            counted(catalogue, db, by, '"open')


def test_missing_photos_are_counted_by_state_only(
    catalogue: Catalogue, db: Database, ids: list[int], tmp_path: Path
) -> None:
    vanish(db, 1)
    intake.take(catalogue, db)
    assert counted(catalogue, db, "tags") == []
    assert counted(catalogue, db, "years") == []
    assert counted(catalogue, db, "states") == [("missing", 5)]


def test_tags_that_go_together_over_time_and_alone(
    catalogue: Catalogue, db: Database, ids: list[int]
) -> None:
    pairs = {
        (frozenset((one, other)), photos)
        for one, other, photos in counted(catalogue, db, "together")
    }
    assert pairs == {
        (frozenset(("dog", "beach")), 2),
        (frozenset(("dog", "sun")), 1),
        (frozenset(("beach", "sun")), 1),
        (frozenset(("dog", "cat")), 1),
    }
    assert counted(catalogue, db, "together", limit=1)[0][2] == 2
    assert counted(catalogue, db, "time") == [
        ("2023", "beach", 1),
        ("2023", "dog", 1),
        ("2024", "beach", 1),
        ("2024", "dog", 1),
        ("2024", "sun", 1),
    ]
    alone = counted(catalogue, db, "singletons")
    assert [(tag, photo) for tag, photo, _ in alone] == [
        ("cat", ids[2]),
        ("sun", ids[0]),
    ]
    assert alone[0][2].endswith("/photos/c.jpg")


def test_counts_of_many_photos_are_those_of_counting_by_hand(
    catalogue: Catalogue, db: Database, tmp_path: Path
) -> None:
    many(db, add_folder(db, tmp_path / "photos"), 300)
    intake.take(catalogue, db)
    by_hand: dict[frozenset[str], int] = {}
    for number in range(300):
        words = words_of(number)[:4]
        for n, one in enumerate(words):
            for other in words[n + 1 :]:
                pair = frozenset((one, other))
                by_hand[pair] = by_hand.get(pair, 0) + 1
    found = counted(catalogue, db, "together", limit=10_000)
    assert {frozenset((one, other)): n for one, other, n in found} == by_hand


def test_what_cannot_be_counted_is_refused(
    catalogue: Catalogue, db: Database, ids: list[int]
) -> None:
    with pytest.raises(UsageError, match="choose tags, "):
        counted(catalogue, db, "colour")
    with pytest.raises(UsageError, match="answered about none"):
        counted(catalogue, db, "drift", models=("gemma3:4b", "gpt"))
    with pytest.raises(UsageError, match="Name the two models"):
        counted(catalogue, db, "drift", models=("gemma3:4b", "gemma3:4b"))


# Models compared


def answer_again(db: Database, image_id: int, model: str, *tags: str) -> None:
    """Another model looks at a photo that was tagged."""
    jobs.retag(db, [image_id])
    (job,) = jobs.claim(db, limit=1)
    assert job.file_id == image_id
    assert job.identity is not None
    answer = Answer(
        description="Again.",
        tags=tuple(Tag(tag, None) for tag in tags),
        text=None,
        backend="ollama",
        model=model,
        prompt_version="p1",
    )
    results.record(db, job, job.identity, answer)
    jobs.finish(db, job, ImageState.TAGGED)


@pytest.fixture
def compared(catalogue: Catalogue, db: Database, ids: list[int]) -> list[int]:
    """Two pictures that gemma3:4b and llava both answered about, llava twice."""
    answer_again(db, ids[0], "llava", "wrong")
    answer_again(db, ids[0], "llava", "dog", "sea")
    answer_again(db, ids[1], "llava", "dog", "beach", "sea")
    intake.take(catalogue, db)
    return ids


def test_what_one_model_says_and_another_does_not_is_counted_by_picture(
    catalogue: Catalogue, db: Database, compared: list[int]
) -> None:
    assert drift.models(db) == [("gemma3:4b", 3), ("llava", 3)]
    found = break_down(catalogue, db, "drift", Asked(wanted=Wanted()))
    assert found.columns == ("tag", "only_first", "only_second", "both")
    assert found.rows == (
        ("sea", 0, 2, 0),
        ("beach", 1, 0, 1),
        ("sun", 1, 0, 0),
        ("dog", 0, 0, 2),
    )
    assert found.note == ("first: gemma3:4b, second: llava; pictures both answered: 2")
    turned = counted(catalogue, db, "drift", models=("llava", "gemma3:4b"))
    assert turned[0] == ("sea", 2, 0, 0)


def test_models_are_compared_on_the_photos_of_the_query_only(
    catalogue: Catalogue, db: Database, compared: list[int]
) -> None:
    found = counted(catalogue, db, "drift", "taken:2023")
    assert found == [("sea", 0, 1, 0), ("beach", 0, 0, 1), ("dog", 0, 0, 1)]
    assert counted(catalogue, db, "drift", "has:gps") == []


def test_words_count_as_synonyms_and_bans_have_them(
    catalogue: Catalogue, db: Database, compared: list[int]
) -> None:
    vocabulary.add_synonym(db, "sea", "beach", past=True, dry_run=False)
    vocabulary.add_ban(db, "sun", past=True, dry_run=False)
    assert counted(catalogue, db, "drift") == [
        ("beach", 0, 0, 2),
        ("dog", 0, 0, 2),
    ]


# Through the API, the command line and the page


@pytest.fixture
def in_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    with library(tmp_path) as made, served() as client:
        made.photo("a.jpg", "dog", "=1+1")
        made.photo("b.jpg", "dog", colour="blue")
        yield client


def test_the_api_counts_what_is_asked_for(in_app: httpx.Client) -> None:
    every = in_app.get("/api/facets").json()
    assert [one["by"] for one in every] == list(breakdown.OVERVIEW)
    assert every[0]["rows"] == [["dog", 2], ["=1+1", 1]]
    (asked,) = in_app.get(
        "/api/facets", params={"by": "together", "q": "tag:dog", "limit": 5}
    ).json()
    assert asked["columns"] == ["tag", "other", "photos"]
    assert len(asked["rows"]) == 1
    for bad in ({"by": "colour"}, {"q": '"open'}, {"nope": "1"}, {"limit": "0"}):
        assert in_app.get("/api/facets", params=bad).status_code == 422


@pytest.mark.usefixtures("in_app")
def test_the_search_page_counts_when_it_is_asked_to() -> None:
    test = screens.screen("search", q="dog")
    assert not test.exception
    assert not test.dataframe
    test.session_state["search_insight"] = True  # unfolded
    test.run()
    for by in insight.KINDS:
        test.selectbox(key="search_insight_by").set_value(by).run()
        assert not test.exception
        if by in ("folders", "tagging", "singletons"):
            assert len(test.dataframe[0].value) == 1
    assert set(insight.KINDS) == set(breakdown.KINDS) - {"tags"}


def test_the_command_counts_without_an_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    with library(tmp_path) as made:
        made.photo("a.jpg", "dog", "=1+1")
        made.photo("b.jpg", "dog", colour="blue")

    def said(*arguments: str) -> str:
        assert cli.main(["facets", *arguments]) == 0
        return capfd.readouterr().out

    assert said("--by", "tags") == "tag\tphotos\ndog\t2\n=1+1\t1\n"
    assert said("tag:dog", "--by", "tagging") == "tagged\tphotos\nwith tags\t2\n"
    (found,) = json.loads(said("--by", "singletons", "--json"))
    assert [row["tag"] for row in found["rows"]] == ["=1+1"]
    assert said().count("photos\n") == len(breakdown.OVERVIEW)
    assert cli.main(["facets", "--by", "colour"]) == 2
    assert "choose tags, " in capfd.readouterr().err
    assert cli.main(["facets", "--models", "a", "b"]) == 2
    assert "answered about none" in capfd.readouterr().err
