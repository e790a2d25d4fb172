"""The charts of the dashboard: what each counts, where it leads, and when empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.parts import charts_over, cloud, explore
from tagger.catalogue import insights, intake
from tagger.catalogue.insights import Camera, TagMonth
from tagger.catalogue.store import Catalogue
from tagger.tracking import corrected, edits
from tagger.tracking.corrected import Corrected
from tagger.tracking.database import Database
from tests import support_pages as screens
from tests.support_catalogue import Photo, add_folder, open_catalogue, tagged, vanish

HOSTILE = '<img src=x onerror="alert(1)"> [a](http://evil.example) *b*'
PHOTOS = (
    Photo(
        name="1.jpg",
        tags=["dog", "beach", "sun"],
        taken_at="2023-05-01T10:00:00",
        camera="X-T4",
    ),
    Photo(name="2.jpg", tags=["dog", "beach"], taken_at="2023-07-02T10:00:00"),
    Photo(
        name="3.jpg",
        tags=["dog", "Beach"],
        taken_at="2024-05-01T10:00:00",
        camera="X-T4",
        model="llava",
    ),
    Photo(name="4.jpg", tags=["cat"], taken_at="0000-00-00T00:00:00", camera="M 10"),
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with open_catalogue(tmp_path) as opened:
        yield opened


@pytest.fixture
def folder(db: Database, tmp_path: Path) -> int:
    return add_folder(db, tmp_path / "photos")


@pytest.fixture
def ids(db: Database, folder: int) -> list[int]:
    return tagged(db, folder, *PHOTOS)


# -- what is counted -------------------------------------------------------------------


def test_pairs_say_how_often_and_how_much_more_than_by_chance(
    catalogue: Catalogue, db: Database, ids: list[int]
) -> None:
    intake.take(catalogue, db)
    [pair] = insights.pairs(catalogue)
    assert {pair.one, pair.other} == {"dog", "beach"}
    assert (pair.photos, pair.share) == (3, 1.0)
    assert pair.lift == pytest.approx(3 * 4 / (3 * 3))


def test_tags_are_counted_by_the_month_taken(
    catalogue: Catalogue, db: Database, ids: list[int]
) -> None:
    intake.take(catalogue, db)
    assert insights.tags_by_month(catalogue, ["Dog", "cat"]) == [
        TagMonth("2023-05", "dog", 1),
        TagMonth("2023-07", "dog", 1),
        TagMonth("2024-05", "dog", 1),
    ]
    assert insights.cameras(catalogue) == [Camera("X-T4", 2), Camera("M 10", 1)]


def test_missing_photos_count_nowhere(
    catalogue: Catalogue, db: Database, folder: int, ids: list[int]
) -> None:
    vanish(db, folder)
    intake.take(catalogue, db)
    assert insights.pairs(catalogue) == []
    assert insights.tags_by_month(catalogue, ["dog"]) == []
    assert insights.cameras(catalogue) == []
    assert insights.answering(catalogue) == []


def test_models_are_counted_with_what_people_changed(
    catalogue: Catalogue, db: Database, ids: list[int]
) -> None:
    edits.change(db, ids=[ids[0]], add=["Rex"], remove=["sun"])
    edits.change(db, ids=[ids[1]], add=[], remove=["beach"])
    edits.change(db, ids=[ids[2]], add=["dog"], remove=[])  # the model said so, too
    intake.take(catalogue, db)

    first, second = insights.answering(catalogue)

    assert (first.model, first.photos, second.model) == ("gemma3:4b", 3, "llava")
    assert (first.tokens_in, first.tokens_out) == (30, 60)
    assert first.tags_a_photo == pytest.approx((2 + 1 + 1) / 3)
    assert corrected.by_model(db) == {
        ("gemma3:4b", "p1"): Corrected(photos=2, taken_out=2, added=1)
    }


def test_a_tag_is_the_larger_the_more_photos_have_it() -> None:
    sizes = [cloud.size(n, fewest=1, most=1000) for n in (1, 3, 30, 300, 1000)]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (1, cloud.SIZES)
    assert cloud.size(5, fewest=5, most=5) == 4


def test_times_without_a_photo_are_on_the_axis() -> None:
    months = [("2023-11", 2), ("2024-01", 1)]
    rows = charts_over.time_rows(months, by_year=False)
    assert [(row["when"], row["photos"]) for row in rows] == [
        ("2023-11", 2),
        ("2023-12", 0),
        ("2024-01", 1),
    ]
    years = charts_over.time_rows([("2021-01", 1), *months], by_year=True)
    assert [(row["when"], row["photos"]) for row in years] == [
        ("2021", 1),
        ("2022", 0),
        ("2023", 2),
        ("2024", 1),
    ]
    counts = [TagMonth("2023-01", "a", 2), TagMonth("2025-01", "b", 1)]
    lines = charts_over.tag_rows(counts, by_year=True)
    assert [row["photos"] for row in lines] == [2, 0, 0, 0, 0, 1]


# -- on the screen ---------------------------------------------------------------------


@pytest.mark.parametrize("view", explore.VIEWS)
@pytest.mark.usefixtures("own_runtime", "ids")
def test_each_view_stands_in_the_address(view: str) -> None:
    test = screens.screen("dashboard", view=view)
    assert not test.exception
    assert not test.error
    assert test.radio(key="dashboard_view_input").value == view


@pytest.mark.parametrize("view", explore.VIEWS)
@pytest.mark.usefixtures("own_runtime")
def test_each_view_says_why_it_is_empty(db: Database, folder: int, view: str) -> None:
    tagged(db, folder, Photo(name="torn.jpg", failed="the file ends too early"))
    test = screens.screen("dashboard", view=view)
    assert not test.exception
    said = screens.said(test)
    assert any(word in said for word in ("No photo", "No two tags", "No model"))


@pytest.mark.usefixtures("own_runtime", "ids")
def test_the_view_is_chosen_and_what_nobody_offers_is_the_first() -> None:
    test = screens.screen("dashboard", view="nonsense", by="x", over=["gone"])
    assert test.radio(key="dashboard_view_input").value == "overview"
    test.radio(key="dashboard_view_input").set_value("cloud").run()
    assert test.query_params["view"] == "cloud"
    shown = screens.given(test, "cloud")["tags"]
    assert [tag["name"] for tag in shown] == ["beach", "cat", "dog", "sun"]
    assert shown[2]["size"] == cloud.SIZES


@pytest.mark.usefixtures("own_runtime", "ids")
def test_time_is_shown_by_year_or_month_and_tags_are_chosen() -> None:
    test = screens.screen("dashboard", view="time", over=["cat", "dog"])
    assert test.multiselect(key="dashboard_over_input").value == ["cat", "dog"]
    assert test.radio(key="dashboard_by_input").value == "month"
    test.radio(key="dashboard_by_input").set_value("year").run()
    assert not test.exception
    assert test.query_params["by"] == "year"
    test.multiselect(key="dashboard_over_input").set_value(["cat"]).run()
    assert not test.exception
    assert "No photo with these tags" in screens.said(test)


@pytest.mark.usefixtures("own_runtime", "ids")
def test_pairs_and_models_are_tables() -> None:
    pairs = screens.screen("dashboard", view="together").dataframe[0].value
    assert pairs["Photos"].tolist() == [3]
    assert pairs["Of the rarer one"].tolist() == [100]
    models = screens.screen("dashboard", view="models").dataframe[0].value
    assert models["Model"].tolist() == ["gemma3:4b", "llava"]


@pytest.mark.parametrize("view", explore.VIEWS)
@pytest.mark.usefixtures("own_runtime")
def test_hostile_words_stay_words(db: Database, folder: int, view: str) -> None:
    tags = [HOSTILE, "b"]
    photos = [
        Photo(name=f"{n}.jpg", tags=tags, camera=HOSTILE, model=HOSTILE)
        for n in range(3)
    ]
    tagged(db, folder, *photos)
    test = screens.screen("dashboard", view=view)
    assert not test.exception
    assert HOSTILE not in screens.said(test)
