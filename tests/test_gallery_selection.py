"""What is selected in the gallery, and what is done with all of it at once."""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.selection import MOST_PICKED, Selection
from tagger.catalogue import questions
from tagger.catalogue.questions import Wanted
from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline.carrying import carry_out
from tagger.tracking import edits, underway, unediting
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.web import runtime
from tests import support_pages as screens
from tests.ollama_double import OllamaDouble
from tests.support_catalogue import Photo, add_folder, open_catalogue, tagged
from tests.support_pipeline import (
    in_file,
    known_images,
    reads_number,
    settings,
    three_numbered,
)
from tests.support_web import library as web_library
from tests.support_web import served
from tests.test_tagging import run

pytestmark = pytest.mark.usefixtures("own_runtime")


@pytest.fixture
def library(db: Database, tmp_path: Path) -> dict[str, int]:
    """Three photos with words, one that failed; their ids by name."""
    known = (
        Photo(name="beach.jpg", tags=("dog", "beach"), found_tags=("holiday",)),
        Photo(name="hill.jpg", tags=("hill",)),
        Photo(name="home.jpg", tags=("dog",)),
        Photo(name="torn.jpg", failed="the file ends too early"),
    )
    ids = tagged(db, add_folder(db, tmp_path / "photos"), *known)
    return dict(zip([str(photo.name) for photo in known], ids, strict=True))


def selected(test: AppTest, *ids: int) -> Selection:
    """Have these photos picked in the gallery, as its grid tells it."""
    selection = test.session_state["gallery_selection"]
    assert isinstance(selection, Selection)
    selection.hear({"stamp": selection.stamp, "everything": False, "ids": [*ids]})
    test.run()
    return selection


def click(test: AppTest, key: str) -> None:
    test.button(key=key).click().run()
    assert not test.exception
    assert not test.error


def tags_of(test: AppTest, photo_id: int) -> set[str]:
    found = questions.image(runtime.current().catalogue, photo_id)
    return {tag.name for tag in found.tags}


# -- what is selected -----------------------------------------------------------------


def test_nothing_selected_shows_no_bar_and_something_says_how_much(
    library: dict[str, int],
) -> None:
    test = screens.screen("gallery")
    assert "selected" not in screens.said(test)
    selected(test, library["hill.jpg"])
    assert "**1 photo selected**" in screens.said(test)
    click(test, "selection_clear")
    assert "selected" not in screens.said(test)
    assert screens.given(test, "grid")["selection"]["ids"] == []


def test_all_found_are_selected_without_naming_them(library: dict[str, int]) -> None:
    test = screens.screen("gallery", tag="dog")
    selection = selected(test, library["home.jpg"])
    click(test, "selection_all")
    assert "**2 photos selected**" in screens.said(test)
    assert screens.given(test, "grid")["selection"]["ids"] == []
    catalogue = runtime.current().catalogue
    dogs = {library["beach.jpg"], library["home.jpg"]}
    assert {*selection.ids(catalogue)} == dogs

    said = {"stamp": selection.stamp, "everything": True, "ids": [library["home.jpg"]]}
    selection.hear(said)
    assert selection.count == 1
    assert selection.ids(catalogue) == [library["beach.jpg"]]


def test_a_selection_outlives_an_order_and_ends_with_its_list(
    library: dict[str, int],
) -> None:
    test = screens.screen("gallery")
    selected(test, library["hill.jpg"])
    test.selectbox(key="gallery_sort").set_value("oldest").run()
    assert "**1 photo selected**" in screens.said(test)
    test.multiselect(key="gallery_tag").set_value(["dog"]).run()
    assert "selected" not in screens.said(test)


@pytest.mark.parametrize(
    "said",
    [
        None,
        "all",
        {"everything": True, "ids": []},
        {"stamp": "old.0", "everything": True, "ids": []},
        {"stamp": "", "everything": False, "ids": [0]},
        {"stamp": "", "everything": False, "ids": [True]},
        {"stamp": "", "everything": False, "ids": ["1"]},
        {"stamp": "", "everything": False, "ids": [2**63]},
        {"stamp": "", "everything": False, "ids": "12"},
        {"stamp": "", "everything": False, "ids": [1] * (MOST_PICKED + 1)},
    ],
)
def test_what_no_grid_says_of_a_selection_changes_nothing(said: object) -> None:
    selection = Selection("gallery", Wanted(), 9, named=(4,))
    if isinstance(said, dict) and said.get("stamp") == "":
        said["stamp"] = selection.stamp
    selection.hear(said)
    assert (selection.everything, selection.named) == (False, (4,))


def test_missing_photos_are_selected_only_where_they_are_listed(
    db: Database, library: dict[str, int], tmp_path: Path
) -> None:
    gone = library["hill.jpg"]
    everywhere = Selection("gallery", Wanted(), 4, named=(gone,))
    among_missing = Selection("gallery", Wanted(state="missing"), 1, named=(gone,))
    with open_catalogue(tmp_path) as catalogue:
        assert everywhere.picked.state is None
        assert among_missing.picked.state == "missing"
        assert questions.ids(catalogue, Wanted(ids=())) == []


# -- what is done with it -------------------------------------------------------------


def test_tags_of_a_selection_are_changed_after_a_preview_and_taken_back(
    db: Database, library: dict[str, int]
) -> None:
    beach, hill = library["beach.jpg"], library["hill.jpg"]
    test = screens.screen("gallery")
    selection = selected(test, beach, hill)
    click(test, "selection_tags")
    remove = test.multiselect(key=f"bulk_remove_{selection.stamp}")
    assert sorted(remove.options) == [
        "beach (1)",
        "dog (1)",
        "hill (1)",
        "holiday (1)",
    ]
    remove.set_value(["dog"])
    test.multiselect(key=f"bulk_add_{selection.stamp}").set_value(["trip"]).run()
    assert "2 photos would change; 2 files will be written" in screens.said(test)
    assert underway.listed(db, limit=9) == []

    click(test, "bulk_go")
    [edit] = underway.listed(db, limit=9)
    assert edit.detail == {"add": ["trip"], "remove": ["dog"]}
    assert "Changed 2 photos" in screens.said(test)
    assert tags_of(test, beach) == {"beach", "holiday", "trip"}
    shown = {p["id"]: p["edited"] for p in screens.given(test, "grid")["photos"]}
    assert shown == {one: one in (beach, hill) for one in library.values()}

    click(test, "edit_undo")
    assert "Undone: 2 photos" in screens.said(test)
    assert tags_of(test, beach) == {"beach", "dog", "holiday"}
    assert tags_of(test, hill) == {"hill"}
    assert not [b for b in test.button if b.key == "edit_undo"]
    click(test, "edit_dismiss")
    assert "Undone" not in screens.said(test)


def test_a_change_that_is_none_is_not_offered(library: dict[str, int]) -> None:
    test = screens.screen("gallery")
    selection = selected(test, library["hill.jpg"])
    click(test, "selection_tags")
    test.multiselect(key=f"bulk_add_{selection.stamp}").set_value(["hill"]).run()
    click(test, "bulk_go")  # the model's word becomes a person's
    click(test, "selection_tags")
    test.multiselect(key=f"bulk_add_{selection.stamp}").set_value(["hill"]).run()
    assert "so already" in screens.said(test)
    assert test.button(key="bulk_go").disabled


def test_a_selection_goes_ahead_of_all_others(
    db: Database, library: dict[str, int]
) -> None:
    test = screens.screen("gallery")
    selected(test, library["hill.jpg"])
    click(test, "selection_now_go")
    assert "None of these waits" in test.toast[0].value
    click(test, "selection_again_go")
    assert "1 photo" in test.toast[-1].value


def test_what_is_selected_is_exported_and_nothing_else(tmp_path: Path) -> None:
    with web_library(tmp_path) as known, served() as client:
        picked = known.photo("a.jpg", "dog")
        known.photo("b.jpg", "dog")
        token = known.opened.selections.token(Wanted(ids=(picked,)))
        answer = client.get("/api/export", params={"selection": token})
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [row["name"] for row in rows] == ["a.jpg"]
        refused = client.get("/api/export", params={"selection": "guessed"})
        assert refused.status_code == 404
        assert "select the photos again" in refused.json()["detail"]


# -- the way back ---------------------------------------------------------------------


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return three_numbered(tmp_path / "real", "Oma")


@pytest.fixture
def config(tmp_path: Path, photos: Path) -> Iterator[Config]:
    """Settings with three photos tagged, and a model to ask again."""
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos)
        yield config


def keywords(photos: Path, number: int) -> set[str]:
    return {*in_file(photos / f"{number}.jpg")["XMP-dc:Subject"]}


def changed(config: Config, photos: Path, **tags: list[str]) -> Edit:
    with Database.of(config) as db:
        return edits.change(db, [os.fsencode(photos)], **tags)  # type: ignore[arg-type]


def taken_back(config: Config, edit: Edit) -> Edit:
    assert edit.id is not None
    with Database.of(config) as db:
        return unediting.undo(db, edit.id)


def test_what_a_bulk_edit_wrote_goes_and_what_it_took_out_comes_back(
    config: Config, photos: Path
) -> None:
    before = {n: keywords(photos, n) for n in (1, 2, 3)}
    edit = changed(config, photos, add=["trip"], remove=["Oma", "bar code"])
    assert carry_out(config, edit).failed == []
    assert keywords(photos, 1) == {"number 1", "trip"}

    back = taken_back(config, edit)
    assert back.photos == 3
    assert carry_out(config, back).failed == []
    assert {n: keywords(photos, n) for n in (1, 2, 3)} == before
    run(config, photos)
    assert {n: keywords(photos, n) for n in (1, 2, 3)} == before
    # The model said it before, and says it again; the person's word was lost from the
    # file meanwhile and so is on record as theirs.
    sources = {t.name: t.source for t in known_images(config)["1.jpg"].tags}
    assert sources["Oma"] == "person"
    assert sources["bar code"] not in ("person", "file")


def test_an_edit_taken_back_before_it_is_written_leaves_files_alone(
    config: Config, photos: Path
) -> None:
    before = {n: (photos / f"{n}.jpg").read_bytes() for n in (1, 2, 3)}
    edit = changed(config, photos, add=["trip"], remove=["Oma"])
    assert carry_out(config, taken_back(config, edit)).failed == []
    assert {n: (photos / f"{n}.jpg").read_bytes() for n in (1, 2, 3)} == before
    sources = {t.name: t.source for t in known_images(config)["1.jpg"].tags}
    assert sources["Oma"] == "file"


def test_what_was_said_after_an_edit_is_not_taken_back(
    config: Config, photos: Path
) -> None:
    edit = changed(config, photos, add=["trip"], remove=["bar code"])
    place = [os.fsencode(photos / "2.jpg")]
    with Database.of(config) as db:
        edits.tag(db, place, add=["bar code"], remove=["trip"])
    back = taken_back(config, edit)
    assert back.photos == 2
    assert carry_out(config, back).failed == []
    run(config, photos)
    assert keywords(photos, 2) == {"number 2", "bar code"}
    assert keywords(photos, 3) == {"number 3", "bar code"}
    with pytest.raises(UsageError, match="taken back already"):
        taken_back(config, edit)


def test_words_of_a_person_from_before_an_edit_are_theirs_again(
    config: Config, photos: Path
) -> None:
    changed(config, photos / "3.jpg", add=["mine"])
    carry_out(config, changed(config, photos, remove=["bar code"]))
    edit = changed(config, photos, add=["bar code"], remove=["mine"])
    assert carry_out(config, edit).failed == []
    assert carry_out(config, taken_back(config, edit)).failed == []
    run(config, photos, retag=True)
    assert keywords(photos, 3) == {"number 3", "mine"}


def test_a_tag_that_cannot_be_one_makes_no_edit(config: Config, photos: Path) -> None:
    with pytest.raises(UsageError, match="too long"):
        changed(config, photos, add=["x" * 201])
    with Database.of(config) as db:
        assert underway.listed(db, limit=9) == []
