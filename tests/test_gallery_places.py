"""The timeline and the folder tree of the gallery: what they count, where they go."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from pages.parts import foldertree as tree_part
from pages.parts import timeline as timeline_part
from pages.parts import wall
from tagger.catalogue import foldertree, intake, questions
from tagger.catalogue.foldertree import ROOTS
from tagger.catalogue.questions import Wanted
from tagger.catalogue.store import Catalogue
from tagger.errors import UsageError
from tagger.tracking.database import Database
from tests import support_pages as screens
from tests.support_catalogue import Photo, add_folder, open_catalogue, tagged
from tests.support_component import Shown, chromium, mounted
from tests.support_web import library as web_library
from tests.support_web import served

pytestmark = pytest.mark.usefixtures("own_runtime")

HOSTILE = '<b>a "x" (2)\\*'


@pytest.fixture
def root(db: Database, tmp_path: Path) -> str:
    """A folder with photos in folders of its own; its path, with a slash at the end."""
    folder = tmp_path / "photos"
    known = (
        Photo(name="a.jpg", tags=("dog",), taken_at="2024-05-05T10:00:00"),
        Photo(name="2023/b.jpg", tags=("dog",), taken_at="2023-12-31T23:59:59"),
        Photo(name="2024/c.jpg", taken_at="2024-05-31T23:59:59"),
        Photo(name="2024/italy/d.jpg", tags=("dog",), taken_at="2024-06-01T00:00:00"),
        Photo(name="2024/italy/e.jpg", taken_at="0000-00-00T00:00:00"),
        Photo(name=f"{HOSTILE}/f.jpg"),
    )
    folder_id = add_folder(db, folder)
    tagged(db, folder_id, *known)
    return f"{folder}/"


@pytest.fixture
def catalogue(db: Database, root: str, tmp_path: Path) -> Iterator[Catalogue]:
    with open_catalogue(tmp_path) as opened:
        intake.take(opened, db)
        yield opened


def names(catalogue: Catalogue, wanted: Wanted, after: str | None = None) -> list[str]:
    return [c.name for c in questions.page(catalogue, wanted, after=after).images]


def level(catalogue: Catalogue, wanted: Wanted, place: str) -> dict[str, int]:
    found = foldertree.branches(catalogue, wanted, [place])[place]
    return {branch.name: branch.photos for branch in found}


# -- folders --------------------------------------------------------------------------


def test_a_folder_counts_its_photos_and_those_of_all_below(
    catalogue: Catalogue, root: str
) -> None:
    assert level(catalogue, Wanted(), ROOTS) == {"photos": 6}
    assert level(catalogue, Wanted(), root) == {HOSTILE: 1, "2023": 1, "2024": 3}
    assert level(catalogue, Wanted(), f"{root}2024/") == {"italy": 2}
    assert level(catalogue, Wanted(), f"{root}2024/italy/") == {}
    found = foldertree.branches(catalogue, Wanted(), [root])[root]
    assert {b.name: b.has_more for b in found} == {
        HOSTILE: False,
        "2023": False,
        "2024": True,
    }


def test_folders_count_what_the_other_filters_leave(
    catalogue: Catalogue, root: str
) -> None:
    dogs = Wanted(tags=("dog",))
    assert level(catalogue, dogs, ROOTS) == {"photos": 3}
    assert level(catalogue, dogs, root) == {"2023": 1, "2024": 1}
    assert level(catalogue, Wanted(tags=("none",)), ROOTS) == {}


def test_a_folder_of_the_tree_finds_exactly_what_it_counts(
    catalogue: Catalogue, root: str
) -> None:
    def below(path: str) -> list[str]:
        return sorted(names(catalogue, Wanted(query=tree_part.clause(path))))

    assert below(root) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg"]
    assert below(f"{root}2024/") == ["c.jpg", "d.jpg", "e.jpg"]
    assert below(f"{root}{HOSTILE}/") == ["f.jpg"]
    assert below("/2024/") == []  # what merely contains it is another folder
    assert below(f"{root}2024/ITALY/") == []


def test_a_folder_inside_another_that_was_added_is_no_root(
    db: Database, root: str, tmp_path: Path
) -> None:
    add_folder(db, tmp_path / "photos" / "2024")
    add_folder(db, tmp_path / "photos 2")
    with open_catalogue(tmp_path) as catalogue:
        intake.take(catalogue, db)
        assert level(catalogue, Wanted(), ROOTS) == {"photos": 6}


def test_the_tree_is_asked_for_over_the_api(tmp_path: Path) -> None:
    with web_library(tmp_path) as known, served() as client:
        known.photo("a.jpg", "dog")
        place = f"{known.root}/"
        answer = client.get("/api/tree", params={"below": ["", place], "tag": "dog"})
        [branch] = answer.json()["branches"][""]
        assert branch == {
            "path": place,
            "name": "photos",
            "photos": 1,
            "has_more": False,
        }
        assert answer.json()["branches"][place] == []
        assert client.get("/api/tree", params={"q": '"'}).status_code == 422
        assert client.get("/api/tree", params={"belo": ""}).status_code == 422


def test_a_folder_in_the_address_narrows_and_a_click_shows_all_again(
    root: str,
) -> None:
    test = screens.screen("gallery", dir=f"{root}2024")
    assert screens.photos(test) == ["e.jpg", "d.jpg", "c.jpg"]
    given = screens.given(test, "foldertree")
    assert given["chosen"] == f"{root}2024/"
    test.button(key="gallery_place").click().run()
    assert len(screens.photos(test)) == 6
    assert "dir" not in test.query_params


def test_a_link_by_a_folders_number_becomes_one_by_its_path(root: str) -> None:
    test = screens.screen("gallery", folder="1", tag="dog")
    assert screens.photos(test) == ["d.jpg", "b.jpg", "a.jpg"]
    assert screens.given(test, "foldertree")["chosen"] == root
    assert screens.given(test, "foldertree")["filters"] == {"tag": ["dog"]}


# -- months ---------------------------------------------------------------------------


def test_months_are_counted_alike_of_all_and_of_some(catalogue: Catalogue) -> None:
    every = dict(questions.months(catalogue))
    assert every == {"2023-12": 1, "2024-05": 2, "2024-06": 1}
    dogs = questions.months(catalogue, Wanted(tags=("dog",)))
    assert dogs == [("2023-12", 1), ("2024-05", 1), ("2024-06", 1)]


@pytest.mark.parametrize(
    "wanted", [Wanted(sort="taken"), Wanted(query="-tag:cat", sort="taken")]
)
def test_a_month_is_gone_to_and_the_list_goes_on_from_there(
    catalogue: Catalogue, wanted: Wanted
) -> None:
    def at(month: str | None) -> list[str]:
        return names(catalogue, wanted, questions.at_month(month))

    assert names(catalogue, wanted)[:2] == ["d.jpg", "c.jpg"]
    assert at("2024-06") == ["d.jpg", "c.jpg", "a.jpg", "b.jpg", "f.jpg", "e.jpg"]
    assert at("2024-05") == ["c.jpg", "a.jpg", "b.jpg", "f.jpg", "e.jpg"]
    assert at("2024-01") == ["b.jpg", "f.jpg", "e.jpg"]
    assert at(None) == ["f.jpg", "e.jpg"]
    here = questions.page(catalogue, wanted, after=questions.at_month("2024-05"))
    assert names(catalogue, wanted, here.previous) == ["d.jpg"]
    with pytest.raises(UsageError, match="no month"):
        questions.at_month("2024-13")


def test_the_timeline_shows_the_months_of_what_is_filtered(root: str) -> None:
    test = screens.screen("gallery", tag="dog", sort="taken")
    shown = screens.given(test, "timeline")
    assert [one["label"] for one in shown["months"]] == [
        "June 2024, 1 photo",
        "May 2024, 1 photo",
        "December 2023, 1 photo",
    ]
    assert shown["now"] == "2024-06"
    newest = screens.screen("gallery", dir=f"{root}2024")
    assert screens.given(newest, "timeline")["now"] is None
    assert screens.given(newest, "timeline")["months"][-1]["month"] == ""


def test_months_are_counted_anew_when_photos_come(db: Database, root: str) -> None:
    assert len(screens.given(screens.screen("gallery"), "timeline")["months"]) == 4
    more = Photo(name="new.jpg", taken_at="2020-01-01T00:00:00", tags=("new",))
    tagged(db, 1, more)
    test = screens.screen("gallery")
    months = [one["month"] for one in screens.given(test, "timeline")["months"]]
    assert months == ["2024-06", "2024-05", "2023-12", "2020-01", ""]
    assert "new" in test.multiselect(key="gallery_tag").options


def test_thumbnails_are_as_large_as_the_address_says(root: str) -> None:
    assert root
    test = screens.screen("gallery", size="256")
    assert screens.given(test, "grid")["row_px"] == 256
    test.slider(key="gallery_size").set_value(116).run()
    assert screens.given(test, "grid")["row_px"] == 116
    assert test.query_params["size"] == "116"
    for nonsense, taken in (("0", 96), ("99999", 396), ("x", 196), ("200", 200)):
        test = screens.screen("gallery", size=nonsense)
        assert screens.given(test, "grid")["row_px"] == taken
        assert not test.exception


def test_a_page_is_of_a_size_that_can_be_asked_for() -> None:
    assert 100 <= wall.PHOTOS_A_PAGE <= 500


# -- under a real keyboard ------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


LEVELS: dict[str, list[dict[str, Any]]] = {
    "": [{"path": "/p/", "name": "p", "photos": 1200, "has_more": True}],
    "/p/": [
        {"path": "/p/<b>x/", "name": "<b>x", "photos": 1, "has_more": False},
        {"path": "/p/y/", "name": "y", "photos": 1199, "has_more": True},
    ],
    "/p/y/": [{"path": "/p/y/z/", "name": "z", "photos": 9, "has_more": False}],
}


def tree(browser: Browser, **data: Any) -> Shown:
    """The tree over an API that knows `LEVELS`."""
    shown = mounted(browser, tree_part.HTML, "foldertree")
    shown.page.evaluate(
        """levels => { window.asked = []; window.fetch = async (url) => {
            const below = new URLSearchParams(url.split("?")[1]).getAll("below");
            window.asked.push(...below);
            const found = below.map((path) => [path, levels[path] ?? []]);
            const told = { branches: Object.fromEntries(found) };
            return { ok: true, json: async () => told };
        }; }""",
        LEVELS,
    )
    plain = {"url": "/api/tree", "filters": {}, "version": 1, "chosen": ""}
    shown.show({**plain, **data})
    shown.page.get_by_role("treeitem").first.wait_for()
    return shown


def here(page: Page) -> str:
    label: str = page.evaluate(
        "() => document.activeElement.getAttribute('aria-label')"
    )
    return label


def test_the_tree_is_gone_through_by_keyboard(browser: Browser) -> None:
    shown = tree(browser)
    page = shown.page
    item = page.get_by_role("treeitem")
    item.first.focus()
    assert here(page) == "p, 1,200 photos"
    page.keyboard.press("ArrowRight")
    page.get_by_role("treeitem", name="y, 1,199").wait_for()
    page.keyboard.press("ArrowRight")
    assert here(page) == "<b>x, 1 photo"
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert shown.told("picked") == ["/p/y/"]
    page.keyboard.press("ArrowRight")
    page.get_by_role("treeitem", name="z, 9").wait_for()
    assert item.nth(2).get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert here(page) == "y, 1,199 photos"
    page.keyboard.press("ArrowLeft")
    assert item.count() == 3
    page.keyboard.press("Home")
    assert here(page) == "p, 1,200 photos"
    assert page.locator("#host b").count() == 0
    page.close()


def test_the_folder_chosen_is_seen_and_open_folders_stay_so(browser: Browser) -> None:
    shown = tree(browser, chosen="/p/y/z/")
    page = shown.page
    chosen = page.get_by_role("treeitem", name="z, 9")
    chosen.wait_for()
    assert chosen.get_attribute("aria-selected") == "true"
    assert page.evaluate("() => window.asked") == ["", "/p/", "/p/y/"]
    again = {"url": "/api/tree", "filters": {"tag": ["dog"]}, "version": 1}
    shown.show({**again, "chosen": "/p/y/z/"})
    page.wait_for_timeout(50)
    assert page.evaluate("() => window.asked.length") == 6
    assert chosen.is_visible()
    page.close()


def test_months_are_gone_through_by_keyboard(browser: Browser) -> None:
    shown = mounted(browser, timeline_part.HTML, "timeline")
    page = shown.page
    months = [
        {"month": f"{y}-{m:02d}", "year": str(y), "photos": m, "label": f"{y}/{m}"}
        for y in (2024, 2023, 2022)
        for m in range(12, 0, -1)
    ]
    shown.show({"months": months, "label": "Months", "now": "2023-12"})
    button = page.get_by_test_id("timeline-month")
    assert button.count() == 36
    assert page.locator("[tabindex='0']").count() == 1
    assert page.locator("[aria-current]").get_attribute("data-month") == "2023-12"
    button.nth(12).focus()
    for key, expected in (
        ("ArrowDown", "2023/11"),
        ("PageUp", "2023/12"),
        ("PageUp", "2024/12"),
        ("PageDown", "2023/12"),
        ("End", "2022/1"),
        ("ArrowDown", "2022/1"),
        ("Home", "2024/12"),
    ):
        page.keyboard.press(key)
        assert here(page) == expected
    page.keyboard.press("Enter")
    assert shown.told("picked") == ["2024-12"]
    years = [text for text in page.locator(".year").all_inner_texts() if text]
    assert years == ["2024", "2023", "2022"]
    page.close()
