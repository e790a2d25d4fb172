"""The Tags page in each of its states: looked at, tried, made, refused, taken back."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import tag_wording
from tagger.tracking import dismissing, edits, underway, vocabulary
from tagger.tracking.database import Database
from tagger.web import runtime
from tests import support_pages as screens
from tests.ollama_double import OllamaDouble
from tests.support_catalogue import Photo, add_folder, tagged

pytestmark = pytest.mark.usefixtures("own_runtime")

HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "[a](http://evil.example) **b** :smile: `c` $d$",
    "שלום \u202eevil",
    "x" * 500,
)
PHOTOS = (
    Photo(
        name="a.jpg", tags=("dog", "beach", "lighthouse"), taken_at="2023-05-05T14:03"
    ),
    Photo(name="b.jpg", tags=("dog", "lighthuose"), taken_at="2025-01-01T10:00:00"),
    Photo(name="c.jpg", tags=("dogs", "lighthouse"), found_tags=("Oma",)),
    Photo(name="d.jpg", tags=("hill",), model="llava"),
)


@pytest.fixture
def library(db: Database, tmp_path: Path) -> list[int]:
    return tagged(db, add_folder(db, tmp_path / "photos"), *PHOTOS)


def opened(**address: str | list[str]) -> AppTest:
    test = screens.screen("tags", **address)
    assert not test.exception
    return test


def names(test: AppTest) -> list[str]:
    return [row["name"] for row in screens.given(test, "tagtable")["rows"]]


def counts() -> dict[str, int]:
    return {tag.name: tag.count for tag in runtime.current().tags.every()}


def buttons(test: AppTest) -> list[str]:
    return [found.label for found in test.button]


def click(test: AppTest, label: str, *, nth: int = 0) -> AppTest:
    [*found] = [one for one in test.button if one.label == label]
    found[nth].click()
    test.run()
    assert not test.exception
    return test


def text(test: AppTest) -> str:
    """All that is said, without the marks that set names apart."""
    said = f"{screens.said(test)}\n{screens.plain_text(test)}"
    return said.replace("\u2068", "").replace("\u2069", "").replace("**", "")


# -- looking --------------------------------------------------------------------------


def test_without_photos_it_says_what_to_do() -> None:
    assert "No photos yet" in screens.said(opened())


def test_photos_without_tags_are_said_to_have_none(
    db: Database, tmp_path: Path
) -> None:
    tagged(db, add_folder(db, tmp_path / "photos"), Photo(failed="torn"))
    assert "No tags yet" in screens.said(opened())


@pytest.mark.usefixtures("library")
def test_every_tag_is_listed_with_what_it_is_on() -> None:
    test = opened()
    alone = ["beach", "dogs", "hill", "lighthuose", "Oma"]
    assert names(test) == ["dog", "lighthouse", *alone]
    rows = {row["name"]: row for row in screens.given(test, "tagtable")["rows"]}
    assert rows["dog"]["count"] == 2
    assert rows["dog"]["trend"] == [1, 0, 1]
    assert rows["Oma"]["sources"] == [["Files", 100]]
    assert rows["hill"]["sources"] == [["llava", 100]]
    assert [photo["name"] for photo in rows["dog"]["photos"]] == ["b.jpg", "a.jpg"]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("name", "beach"),
        ("newest", "hill"),
        ("trend", "lighthuose"),
        ("nonsense", "dog"),
    ],
)
def test_the_address_says_the_order(order: str, first: str) -> None:
    assert names(opened(by=order))[0] == first


@pytest.mark.usefixtures("library")
def test_a_tag_is_found_by_part_of_its_name_in_any_spelling() -> None:
    assert names(opened(find="HOUSE")) == ["lighthouse"]
    test = opened(find="<b>zebra", page="99")
    assert "No tag has" in screens.said(test)
    assert names(click(test, "Show all"))[0] == "dog"


def test_a_long_list_is_leafed_through(db: Database, tmp_path: Path) -> None:
    tags = tuple(f"tag {n:03d}" for n in range(120))
    tagged(db, add_folder(db, tmp_path / "photos"), Photo(tags=tags))
    assert names(opened(by="name", page="2"))[0] == "tag 050"
    assert names(opened(by="name", page="77")) == [*tags[100:]]
    assert names(opened(by="name", page="²"))[0] == "tag 000"


@pytest.mark.usefixtures("library")
def test_one_tag_shows_its_months_sources_photos_and_what_is_beside_it() -> None:
    test = opened(tag="DOG")
    assert "On 2 photos." in text(test)
    assert screens.photos(test) == ["b.jpg", "a.jpg"]
    assert screens.given(test, "facts")["facts"] == [["gemma3:4b", "2 photos, 100%"]]
    beside = {chip["name"] for chip in screens.given(test, "chips")["chips"]}
    assert beside == {"beach", "lighthouse", "lighthuose"}


def test_one_tag_says_what_the_lists_say_of_it(
    db: Database, library: list[int]
) -> None:
    vocabulary.add_synonym(db, "hound", "dog")
    vocabulary.add_ban(db, "hill")
    assert "hound become this tag" in text(opened(tag="dog"))
    hound = opened(tag="hound")
    assert "it becomes dog" in text(hound)
    assert "No photo has this tag." in text(hound)
    assert "Remove the synonym" in buttons(hound)
    hill = opened(tag="hill")
    assert "Banned" in text(hill)
    assert "Allow again" in buttons(hill)


# -- changing -------------------------------------------------------------------------


@pytest.mark.usefixtures("library")
def test_a_preview_changes_nothing_and_shows_what_would() -> None:
    test = opened(tag="dog", do="rename", to="hound")
    assert "Rename dog to hound" in text(test)
    assert "2 photos change; 2 files will be written." in text(test)
    assert screens.photos(test) == ["a.jpg", "b.jpg"]
    assert counts()["dog"] == 2
    assert "Rename" in buttons(click(test, "Cancel"))
    assert counts()["dog"] == 2


def test_a_tag_is_renamed_after_a_look_and_taken_back(
    db: Database, library: list[int]
) -> None:
    test = click(opened(tag="dog"), "Rename")
    test.text_input(key="tags_to").set_value(" hound ")
    test = click(test, "Look at it first")
    assert counts().get("hound") is None

    test = click(test, "Rename: 2 photos")

    assert counts() == {**counts(), "hound": 2}
    assert "dog" not in counts()
    assert "dog renamed to hound" in text(test)
    assert "Screens show it already" in text(test)
    assert "On 2 photos." in text(test)
    test = click(test, "Undo")
    assert counts()["dog"] == 2
    assert "hound" not in counts()
    assert "Change of dog taken back" in text(test)
    assert [one.kind for one in underway.listed(db, limit=5)] == ["undo", "rename"]


@pytest.mark.usefixtures("library")
def test_a_name_that_is_there_already_is_said_to_become_one() -> None:
    test = opened(tag="dog", do="rename", to="Beach")
    assert "beach is on 1 photo already" in text(test)


@pytest.mark.usefixtures("library")
def test_several_tags_become_one() -> None:
    test = opened(pick=["dog", "dogs", "hill"])
    assert "3 tags chosen" in text(test)
    assert test.selectbox(key="tags_into").value == "dog"
    test = click(test, "Look at merging")
    assert "Merge dogs, hill into dog" in text(test)
    test = click(test, "Merge: 2 photos")
    assert counts()["dog"] == 4
    assert {"dogs", "hill"}.isdisjoint(counts())
    assert not any(row["chosen"] for row in screens.given(test, "tagtable")["rows"])


@pytest.mark.usefixtures("library")
def test_a_tag_is_deleted_and_the_list_comes_back() -> None:
    test = click(opened(tag="dog"), "Delete")
    assert "Take dog from every photo" in text(test)
    test = click(test, "Delete: 2 photos")
    assert "dog" not in counts()
    assert "dog" not in names(test)
    assert "dog" in names(click(test, "Undo"))


def test_a_ban_takes_a_tag_from_answers_and_can_be_lifted(
    db: Database, library: list[int]
) -> None:
    test = click(opened(tag="dog"), "Ban")
    assert "2 photos change" in text(test)
    test.checkbox(key="tags_past").uncheck()
    test.run()
    assert "No photo changes now" in text(test)
    test.checkbox(key="tags_past").check()
    test.run()
    test = click(test, "Ban: 2 photos")
    assert "dog" not in counts()
    assert vocabulary.every_ban(db) == ["dog"]
    test = click(test, "Undo")
    assert vocabulary.every_ban(db) == []
    assert counts()["dog"] == 2


def test_what_holds_for_answers_to_come_is_said_to_be_done(
    db: Database, library: list[int]
) -> None:
    test = opened(tag="dog", do="synonym", to="hound", past="0")
    test = click(test, "Make a synonym")
    assert vocabulary.every_synonym(db) == [("dog", "hound")]
    assert "become hound: done" in text(test)
    assert counts()["dog"] == 2


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("address", "why"),
    [
        ({"tag": "dog", "do": "rename", "to": "DOG"}, "are one tag"),
        ({"tag": "dog", "do": "rename", "to": "x" * 201}, "too long"),
        ({"tag": "dog", "do": "merge", "to": " "}, "cannot be empty"),
        ({"tag": "zebra", "do": "delete"}, "there is no tag zebra"),
        ({"tag": "dog", "do": "unban"}, "not on the list"),
        ({"tag": "dog", "do": "synonym", "to": "dog"}, "cannot become"),
    ],
)
def test_what_cannot_be_done_says_why(address: dict[str, str], why: str) -> None:
    test = opened(**address)
    assert why in test.error[0].value
    assert "Cancel" not in buttons(test)
    click(test, "Back")
    assert counts()["dog"] == 2


def test_a_change_that_became_impossible_meanwhile_is_refused(
    db: Database, library: list[int]
) -> None:
    test = opened(tag="dog", do="ban")
    vocabulary.add_synonym(db, "puppy", "dog")
    test = opened(tag="puppy", do="unsynonym")
    vocabulary.remove_synonym(db, "puppy")
    test = click(test, "Remove the synonym")
    assert "not on the list" in test.error[0].value


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    "address",
    [
        {"do": "explode"},
        {"edit": "999"},
        {"edit": "-1"},
        {"edit": "9" * 40},
        {"pick": ["gone"]},
        {"pick": ["gone"], "do": "merge", "to": "dog"},
        {"view": "nothing", "page": "x"},
        {"view": "suggestions", "pairs": "99", "kind": "z"},
        {"tag": "\u0000\n"},
    ],
)
def test_no_address_breaks_it(address: dict[str, str | list[str]]) -> None:
    opened(**address)


# -- suggestions ----------------------------------------------------------------------


@pytest.mark.usefixtures("library")
def test_tags_that_are_probably_one_are_merged_after_a_look() -> None:
    test = opened(view="suggestions")
    assert "dogs (1) → dog (2)" in text(test)
    assert "lighthuose (1) → lighthouse (2)" in text(test)
    assert "semantic" in text(test)
    test = click(test, "Look at merging")
    assert "Merge dogs into dog" in text(test)
    test = click(test, "Merge: 1 photo")
    assert counts()["dog"] == 3
    assert "dogs (1)" not in text(test)
    assert "dogs (1) → dog (2)" in text(click(test, "Undo"))


@pytest.mark.usefixtures("library")
def test_a_pair_can_be_merged_the_other_way_round() -> None:
    test = click(opened(view="suggestions"), "Swap")
    assert "Merge dog into dogs" in text(test)


def test_a_pair_that_is_two_tags_is_left_alone_until_one_thinks_again(
    db: Database, library: list[int]
) -> None:
    test = click(opened(view="suggestions"), "Not one tag")
    assert dismissing.every(db) == [("dog", "dogs")]
    assert "dogs (1)" not in text(test)
    assert "dogs (1)" in text(click(test, "Suggest again"))
    assert "No two tags look like one" in text(
        opened(view="suggestions", kind="meaning")
    )


@pytest.mark.usefixtures("library")
def test_tags_near_in_meaning_are_found_by_the_model_for_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    about = {"hill": [1.0, 0.1], "beach": [0.9, 0.2], "dog": [-1.0, 1.0]}

    def meaning(text: str) -> list[float]:
        return about.get(text, [0.0, -1.0])

    with OllamaDouble(models=("m",), meaning=meaning) as double:
        monkeypatch.setenv("TAGGER_SEMANTIC__URL", double.url)
        monkeypatch.setenv("TAGGER_SEMANTIC__MODEL", "m")
        test = opened(view="suggestions", kind="meaning")
        assert "beach (1)" in text(test)
        assert "hill (1)" in text(test)
        assert "dog (2)" not in text(test)
        asked = len(double.embedded)
        opened(view="suggestions", kind="meaning")
        assert len(double.embedded) == asked
    monkeypatch.setenv("TAGGER_SEMANTIC__URL", "http://127.0.0.1:9")
    monkeypatch.setenv("TAGGER_SEMANTIC__MODEL", "other")
    assert "near in meaning are missing" in text(opened(view="suggestions"))


# -- what was changed -----------------------------------------------------------------


def test_changes_are_listed_and_can_be_taken_back_later(
    db: Database, library: list[int]
) -> None:
    assert "No tag was changed yet" in text(opened(view="changes"))
    edits.replace(db, ["dog"], "hound")
    vocabulary.add_ban(db, "hill", past=True)
    edits.tag(db, ids=library[:1], add=["x"])
    test = opened(view="changes")
    assert "dog renamed to hound, 2 photos" in text(test)
    assert "List of bans changed for hill" in text(test)
    assert buttons(test) == ["Look, or take back"] * 2
    test = click(click(test, "Look, or take back", nth=1), "Undo")
    assert counts()["dog"] == 2


def test_tags_of_a_selection_are_listed_and_can_be_taken_back_later(
    db: Database, library: list[int]
) -> None:
    before = counts()
    edits.tag(db, ids=library, add=["trip"], remove=["dog"])
    test = opened(view="changes")
    assert f"trip added and dog taken away, {len(library)} photos" in text(test)
    test = click(click(test, "Look, or take back"), "Undo")
    assert "Change of trip, dog taken back" in text(test)
    assert counts() == before


# -- hostile names --------------------------------------------------------------------


def test_hostile_names_are_shown_as_text(db: Database, tmp_path: Path) -> None:
    photo = Photo(tags=("dog",), found_tags=HOSTILE, model="<b>model")
    tagged(db, add_folder(db, tmp_path / "photos"), photo)
    shown = names(opened())
    assert {*shown} >= {name for name in HOSTILE if "\u202e" not in name}
    for name in shown:
        for address in (
            {"tag": name},
            {"tag": name, "do": "rename", "to": "safe"},
            {"tag": "dog", "do": "merge", "to": name[:200]},
            {"pick": [name, "dog"]},
        ):
            test = opened(**address)
            # What follows a backslash is a character like any other.
            said = re.sub(r"\\.", "", screens.said(test))
            assert not {*"<>[]`$"} & {*said.replace("[small", "")}
            assert not any(element.allow_html for element in test.markdown)
            labels = [re.sub(r"\\.", "", one.label) for one in test.button]
            assert "<" not in "".join(labels)
    line = opened(tag="two\nlines")
    assert "two lines" in text(line)


def test_a_name_in_a_sentence_is_one_short_line_set_apart() -> None:
    said = tag_wording.short("a\n# b " + "x" * 500)
    assert said.startswith("\u2068")
    assert said.endswith("…\u2069")
    assert "\n" not in said
    assert len(said) < 80
