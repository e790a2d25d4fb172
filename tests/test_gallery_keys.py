"""The wall of photos under a real keyboard and mouse: what opens, what is selected."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator

from pages.parts import grid
from tests.support_component import Shown, chromium, mounted

MANY = 500


def photos(count: int, first: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "id": n,
            "name": f"<b>{n}</b>.jpg",
            "caption": "",
            "src": None,
            "width_px": 300,
            "height_px": 200,
            "mark": None,
            "tone": "wait",
            "edited": n == 2,
        }
        for n in range(first, first + count)
    ]


def data(
    listed: list[dict[str, Any]],
    *,
    stamp: str = "list.0",
    everything: bool = False,
    ids: tuple[int, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    selection = {"stamp": stamp, "everything": everything, "ids": [*ids], "total": 900}
    plain = {"label": "Photos", "page": "", "row_px": 196, "left": None}
    return {"photos": listed, **plain, "selection": selection, **more}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def wall(browser: Browser) -> Iterator[Shown]:
    """Twenty photos with nothing selected."""
    shown = mounted(browser, grid.HTML, *grid.SCRIPTS)
    shown.show(data(photos(20)))
    yield shown
    shown.page.close()


def photo(wall: Shown, number: int) -> Locator:
    return wall.page.locator(f'[data-testid=photo][data-id="{number}"]')


def check(wall: Shown, number: int) -> Locator:
    return wall.page.get_by_role("checkbox", name=f"Select <b>{number}</b>.jpg")


def selected(wall: Shown) -> list[int]:
    cells = wall.page.locator("[role=gridcell][aria-selected=true] [data-testid=photo]")
    return [int(one.get_attribute("data-id") or 0) for one in cells.all()]


def last_told(wall: Shown) -> Any:
    """The selection the program was told last, after the short rest."""
    wall.page.wait_for_timeout(350)
    return wall.told("selection")[-1]


def press(wall: Shown, *keys: str) -> None:
    for key in keys:
        wall.page.keyboard.press(key)


def test_a_click_opens_and_a_check_mark_selects(wall: Shown) -> None:
    photo(wall, 3).click()
    assert wall.told("opened") == [3]
    assert selected(wall) == []

    photo(wall, 2).hover()
    check(wall, 2).click()
    assert wall.told("opened") == [3]
    assert selected(wall) == [2]
    assert check(wall, 2).is_checked()
    assert last_told(wall)["ids"] == [2]
    check(wall, 2).click()
    assert last_told(wall)["ids"] == []


def test_control_and_shift_select_with_the_mouse(wall: Shown) -> None:
    photo(wall, 2).click(modifiers=["Control"])
    photo(wall, 6).click(modifiers=["Shift"])
    assert selected(wall) == [2, 3, 4, 5, 6]
    photo(wall, 3).click(modifiers=["Shift"])  # the range ends elsewhere
    assert selected(wall) == [2, 3]
    photo(wall, 9).click(modifiers=["Control"])
    photo(wall, 2).click(modifiers=["Meta"])
    assert selected(wall) == [3, 9]
    assert wall.told("opened") == []
    assert sorted(last_told(wall)["ids"]) == [3, 9]


def test_the_keyboard_moves_in_rows_selects_and_opens(wall: Shown) -> None:
    photo(wall, 1).focus()
    press(wall, "ArrowRight", "ArrowDown")
    below = wall.page.evaluate("() => document.activeElement.dataset.id")
    top = photo(wall, 2).bounding_box()
    under = photo(wall, int(below)).bounding_box()
    assert top is not None
    assert under is not None
    assert under["y"] > top["y"]
    assert abs(under["x"] - top["x"]) < top["width"] / 2

    press(wall, "Home", " ")
    press(wall, "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowLeft")
    assert selected(wall) == [1, 2]
    assert wall.page.locator(".said").inner_text() == "2 photos selected"
    press(wall, "ArrowRight", "Enter")
    assert wall.told("opened") == [3]
    assert selected(wall) == [1, 2]
    press(wall, "Control+a")
    assert len(last_told(wall)["ids"]) == 20
    press(wall, "Escape")
    assert selected(wall) == []
    assert wall.page.locator(".said").inner_text() == "No photo selected"
    assert last_told(wall)["ids"] == []


def test_a_selection_outlives_the_page_and_what_the_program_says_holds(
    wall: Shown,
) -> None:
    stamp = "of this list"
    wall.show(data(photos(20), stamp=stamp))
    photo(wall, 4).click(modifiers=["Control"])
    wall.show(data(photos(20, first=21), stamp=stamp, page="next"))
    assert selected(wall) == []
    photo(wall, 22).click(modifiers=["Control"])
    wall.show(data(photos(20), stamp=stamp))
    assert selected(wall) == [4]
    assert last_told(wall) == {"stamp": stamp, "everything": False, "ids": [4, 22]}

    wall.show(data(photos(20), stamp="all", everything=True))
    assert len(selected(wall)) > 9
    photo(wall, 4).click(modifiers=["Control"])
    assert 4 not in selected(wall)
    assert last_told(wall) == {"stamp": "all", "everything": True, "ids": [4]}
    assert wall.page.locator(".said").inner_text() == "899 photos selected"

    wall.show(data(photos(20), stamp="none"))
    assert selected(wall) == []


def test_what_is_selected_is_told_at_once_when_the_keyboard_goes_elsewhere(
    wall: Shown,
) -> None:
    photo(wall, 4).click(modifiers=["Control"])
    wall.page.locator("#other").focus()
    assert [one["ids"] for one in wall.told("selection")] == [[4]]


def test_a_wall_without_a_selection_is_a_plain_list(browser: Browser) -> None:
    plain = mounted(browser, grid.HTML, *grid.SCRIPTS)
    plain.show({**data(photos(3)), "selection": None})
    photo(plain, 2).click(modifiers=["Control"])
    assert plain.page.get_by_role("list", name="Photos").count() == 1
    assert plain.page.get_by_role("listitem").count() == 3
    assert plain.page.get_by_role("checkbox").count() == 0
    assert plain.told("opened") == [2]
    assert plain.told("selection") == []
    plain.page.close()


def test_of_hundreds_only_what_is_in_view_is_made(wall: Shown) -> None:
    wall.show(data(photos(MANY), stamp="many", page="many"))
    wall.page.wait_for_timeout(200)
    tiles = wall.page.get_by_test_id("photo")
    assert 0 < tiles.count() < 60
    wall.page.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")
    photo(wall, MANY).wait_for()
    wall.page.wait_for_timeout(200)
    assert tiles.count() < 60
    assert photo(wall, 1).count() == 0
    rows = wall.page.get_by_role("row")
    assert rows.count() < 20
    assert rows.last.get_attribute("aria-rowindex") == wall.page.get_by_role(
        "grid"
    ).get_attribute("aria-rowcount")
    photo(wall, MANY).focus()
    press(wall, "Home")
    assert photo(wall, 1).is_visible()


def test_a_new_width_leaves_the_keyboard_where_it_was(wall: Shown) -> None:
    photo(wall, 5).focus()
    wall.page.set_viewport_size({"width": 640, "height": 700})
    wall.page.wait_for_timeout(200)
    assert wall.page.evaluate("() => document.activeElement.dataset.id") == "5"
    wall.page.set_viewport_size({"width": 1000, "height": 700})


def test_names_are_no_markup_and_edited_photos_say_so(wall: Shown) -> None:
    assert wall.page.locator("#host b").count() == 0
    assert wall.page.get_by_role("button", name="Edited by a person").count() == 1
    assert wall.page.get_by_test_id("photo-edited").count() == 1
