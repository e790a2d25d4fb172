"""The Folders screen: many folders in one table, one of them in full, and its hours."""

import json
import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import wording
from tagger.records import Watching, WriteMode
from tagger.tracking import bindings, folders, runs, schedules
from tagger.tracking.database import Database
from tests import support_pages as screens
from tests.support_catalogue import Photo, add_folder, tagged
from tests.test_pages import HOSTILE, click

pytestmark = pytest.mark.usefixtures("own_runtime")


def rows(test: AppTest) -> list[dict[str, object]]:
    found: list[dict[str, object]] = screens.given(test, "folderlist")["rows"]
    return found


@pytest.fixture
def two(db: Database, tmp_path: Path) -> tuple[int, int]:
    """A folder, and one inside it with a photo that failed."""
    outer = add_folder(db, tmp_path / "photos")
    inner = add_folder(db, tmp_path / "photos" / "nas")
    tagged(db, outer, Photo(name="a.jpg", description="A dog.", tags=("dog",)))
    tagged(db, inner, Photo(name="b.jpg", failed="the file ends too early"))
    return outer, inner


def test_the_table_says_of_each_folder_how_it_is(
    db: Database, two: tuple[int, int]
) -> None:
    outer, inner = two
    bindings.bind(db, inner, ["builtin"])
    folders.set_write_mode(db, inner, WriteMode.SIDECAR)
    folders.set_offline(db, inner, "the disk is not connected")
    first, second = rows(screens.screen("folders"))
    assert (first["id"], first["depth"], first["name"]) == (outer, 0, first["path"])
    assert (second["id"], second["depth"], second["name"]) == (inner, 1, "nas")
    assert (first["photos"], first["tagged"], first["failed"]) == (1, 1, 0)
    assert (second["photos"], second["tagged"], second["failed"]) == (1, 0, 1)
    assert (second["words"], second["servers"]) == ("Beside the photos", "builtin")
    assert (second["state"], second["why"]) == ("Away", "The disk is not connected")


def test_watched_and_only_scanned_folders_are_told_apart(
    db: Database, two: tuple[int, int]
) -> None:
    outer, inner = two
    note = "looked through every 15 min: it is on a network share"
    run = runs.begin(db, "run")
    runs.report(
        db,
        run,
        state="idle",
        message=None,
        backend="x",
        servers=(),
        watching={outer: Watching(watched=3, of=3), inner: Watching(note=note)},
    )
    first, second = rows(screens.screen("folders"))
    assert first["state"] == "Watched"
    assert (second["state"], second["why"]) == ("Scanned", wording.upper(note))
    folders.set_active(db, inner, False)
    assert rows(screens.screen("folders"))[1]["state"] == "Paused"


def test_the_folder_of_the_address_is_shown_in_full(
    db: Database, two: tuple[int, int]
) -> None:
    assert not screens.screen("folders").toggle
    test = screens.screen("folders", folder=str(two[1]))
    assert [row["chosen"] for row in rows(test)] == [False, True]
    assert test.toggle(key=f"folder_{two[1]}_active").value
    assert "1 failed" in screens.plain_text(test)
    for wrong in ("99", "x", "-1", HOSTILE):
        test = screens.screen("folders", folder=wrong)
        assert not test.exception
        assert "not among them" in screens.said(test)


def test_its_failures_are_a_click_away(db: Database, two: tuple[int, int]) -> None:
    test = screens.screen("folders", folder=str(two[1]))
    test.button(key=f"folder_{two[1]}_failed").click().run()
    assert screens.photos(test) == ["b.jpg"]


def test_two_hundred_folders_are_one_table_that_can_be_searched(
    db: Database, tmp_path: Path
) -> None:
    for number in range(200):
        add_folder(db, tmp_path / f"{number:03d} {HOSTILE.replace('/', '')}")
    test = screens.screen("folders")
    assert len(rows(test)) == 200
    test.text_input(key="folders_find").set_value("17 <").run()
    assert [str(row["path"]).rpartition("/")[2][:3] for row in rows(test)] == [
        "017",
        "117",
    ]
    assert len(rows(screens.screen("folders", find="017"))) == 1
    assert "No folder has that" in screens.said(screens.screen("folders", find="zz"))


def test_a_folder_gets_hours_and_a_pace(db: Database, two: tuple[int, int]) -> None:
    key = f"folder_{two[0]}"
    test = screens.screen("folders", folder=str(two[0]))
    test.text_input(key=f"{key}_hours").set_value("22:00 - 07:00").run()
    test.text_input(key=f"{key}_pace").set_value("1440").run()
    folder = folders.get(db, two[0])
    assert (folder.hours, folder.scan_interval_min) == ("22:00-07:00", 1440)
    assert test.text_input(key=f"{key}_hours").value == "22:00-07:00"
    assert "22:00-07:00" in str(rows(test)[0]["hours"])

    test.text_input(key=f"{key}_hours").set_value("at night").run()
    assert "two times of day" in test.error[0].value
    test.text_input(key=f"{key}_hours").set_value("").run()
    test.text_input(key=f"{key}_pace").set_value("often").run()
    assert "number of minutes" in test.error[0].value
    test.text_input(key=f"{key}_pace").set_value("").run()
    folder = folders.get(db, two[0])
    assert (folder.hours, folder.scan_interval_min) == (None, None)
    assert not test.exception


def test_what_waits_for_its_hours_says_so(
    db: Database, two: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGGER_SCHEDULE__WINDOW", "00:00-23:59")
    closed = "00:00-00:01"
    schedules.set_hours(db, two[0], closed)
    test = screens.screen("folders", folder=str(two[0]))
    assert rows(test)[0]["hours"] == f"{closed}; waits for 00:00 tomorrow"
    assert wording.plain("waits for 00:00 tomorrow") in screens.said(test)
    assert rows(test)[1]["hours"] == "As all"


def test_the_folders_inside_one_are_counted(db: Database, tmp_path: Path) -> None:
    folder = add_folder(db, tmp_path / "photos")
    tagged(
        db,
        folder,
        Photo(name="2023/a.jpg", tags=("dog",)),
        Photo(name="2024/may/b.jpg", tags=("dog",)),
        Photo(name="2024/c.jpg", tags=("dog",)),
    )
    test = screens.screen("folders")
    [table] = test.dataframe
    assert table.value.to_dict("records") == [
        {"Folder": "2023", "Photos": 1},
        {"Folder": "2024", "Photos": 2},
    ]


def test_a_removed_folder_leaves_the_address_and_others_stay(
    db: Database, two: tuple[int, int]
) -> None:
    test = screens.screen("folders", folder=str(two[1]))
    test.button(key=f"folder_{two[1]}_remove").click().run()
    assert "No file is touched" in screens.said(test)
    test.button(key="folders_remove").click().run()
    assert [one.id for one in folders.every(db)] == [two[0]]
    assert "folder" not in test.query_params


def test_without_roots_the_screen_says_how_to_browse() -> None:
    test = screens.screen("folders", browse="/etc")
    assert "library.roots" in screens.said(test)
    assert "folders_how" not in [radio.key for radio in test.radio]
    assert test.text_input(key="folders_path")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "disks"
    (root / "photos" / HOSTILE.replace("/", "")).mkdir(parents=True)
    monkeypatch.setenv("TAGGER_LIBRARY__ROOTS", json.dumps([str(root)]))
    return root


def test_a_folder_is_browsed_to_and_added(db: Database, root: Path) -> None:
    test = screens.screen("folders")
    test.radio(key="folders_how").set_value("Browse").run()
    [top] = screens.given(test, "browser")["inside"]
    assert top["name"] == str(root)
    click(test, "Add folder")
    assert "Go into a folder first" in test.error[0].value

    test = screens.screen("folders", browse=str(root / "photos"))
    shown = screens.given(test, "browser")
    assert [one["name"] for one in shown["inside"]] == [HOSTILE.replace("/", "")]
    assert [one["name"] for one in shown["above"]] == [str(root), "photos"]
    click(test, "Add folder")
    [folder] = folders.every(db)
    assert folder.path == os.fsencode(root / "photos")


def test_browsing_outside_the_roots_is_refused_in_words(root: Path) -> None:
    for outside in ("/etc", f"{root}/..", "nothing"):
        test = screens.screen("folders", browse=outside)
        assert wording.plain("in none of the folders") in test.error[0].value
        assert [one["name"] for one in screens.given(test, "browser")["inside"]] == [
            str(root)
        ]
        assert not test.exception
