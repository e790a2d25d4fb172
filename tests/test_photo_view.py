"""The photo view in its states: words changed in place, answers, copies, undo."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import history, placemap, words
from tagger import config
from tagger.catalogue import completing
from tagger.errors import ConfigError
from tagger.records import Answer, ImageState, Tag
from tagger.tracking import (
    answers,
    bindings,
    edits,
    folders,
    jobs,
    results,
    underway,
)
from tagger.tracking.database import Database
from tagger.web import runtime
from tests import support_pages as screens
from tests.support_catalogue import Photo, add_folder, tagged

pytestmark = pytest.mark.usefixtures("own_runtime")

HOSTILE = '<img src=x onerror="alert(1)"> [a](http://evil.example) *b* :smile: `c` $d$'


@pytest.fixture
def photo(db: Database, tmp_path: Path) -> int:
    """A photo with a person's tag and two answers, the newer one in use."""
    one = Photo(
        name="beach.jpg",
        description="A dog on a beach.",
        tags=("dog", "beach"),
        found_tags=("holiday",),
    )
    [number] = tagged(db, add_folder(db, tmp_path / "photos"), one)
    answered(db, number, "A dog runs on sand.", "dog", "sand")
    return number


def answered(db: Database, number: int, description: str, *tags: str) -> None:
    """Another model's answer for a photo, which is in use from then on."""
    jobs.retag(db, [number])
    [job] = jobs.claim(db, limit=1)
    assert job.identity is not None
    answer = Answer(
        description=description,
        tags=tuple(Tag(tag, 0.5) for tag in tags),
        backend="ollama",
        model="llava",
        prompt_version="p2",
        server="http://127.0.0.1:9",
        tokens_in=10,
        tokens_out=20,
    )
    results.record(db, job, job.identity, answer)
    jobs.finish(db, job, ImageState.TAGGED)


def opened(number: int, **address: str) -> AppTest:
    test = screens.screen("gallery", photo=str(number), **address)
    assert not test.exception
    return test


def all_given(test: AppTest, component: str) -> list[dict[str, Any]]:
    return [
        json.loads(element.proto.json)
        for element in test.get("bidi_component")
        if element.proto.component_name == f"tagger_{component}"
    ]


def names(test: AppTest) -> list[str]:
    return [tag["name"] for tag in screens.given(test, "words")["tags"]]


def click(test: AppTest, label: str) -> None:
    next(found for found in test.button if found.label == label).click()
    test.run()
    assert not test.exception


def labels(test: AppTest) -> set[str]:
    return {button.label for button in test.button}


def test_words_are_changed_where_they_stand_and_the_file_is_said_to_follow(
    db: Database, photo: int
) -> None:
    test = opened(photo)
    shown = screens.given(test, "words")
    assert (shown["description"], shown["by"]) == (
        "A dog runs on sand.",
        "Described by llava.",
    )
    assert "Undo the last change" not in labels(test)

    app = runtime.current()
    words.change(app, photo, {"description": "Am Strand."})
    words.change(app, photo, {"add": "Oma & Opa"})
    words.change(app, photo, {"remove": "holiday"})
    test.run()

    shown = screens.given(test, "words")
    assert (shown["description"], shown["by"]) == (
        "Am Strand.",
        "Described by a person.",
    )
    notes = {tag["name"]: tag["note"] for tag in shown["tags"]}
    assert notes["Oma & Opa"] == "added by a person"
    assert "holiday" not in notes
    assert "once the tagger runs" in screens.said(test)
    made = [edit.detail for edit in underway.listed(db, limit=9)]
    assert made[::-1] == [
        {"description": "Am Strand."},
        {"add": ["Oma & Opa"], "remove": []},
        {"add": [], "remove": ["holiday"]},
    ]


def test_the_last_change_is_undone_and_done_again_by_a_button(photo: int) -> None:
    test = opened(photo)
    words.change(runtime.current(), photo, {"remove": "holiday"})
    test.run()
    assert names(test) == ["dog", "sand"]
    click(test, "Undo the last change")
    assert sorted(names(test)) == ["dog", "holiday", "sand"]
    click(test, "Do the last change again")
    assert names(test) == ["dog", "sand"]


def test_what_is_no_word_is_refused_in_words_and_changes_nothing(
    db: Database, photo: int
) -> None:
    test = opened(photo)
    words.change(runtime.current(), photo, {"description": " "})
    assert underway.listed(db, limit=9) == []
    # What was refused is kept for the visitor whose run it was; AppTest has its own.
    test.session_state["photo_words_told"] = (photo, "a description cannot be empty")
    test.run()
    assert "a description cannot be empty" in test.error[0].value


def test_every_answer_is_shown_against_the_one_in_use_and_can_be_used(
    db: Database, photo: int
) -> None:
    words_before = names(opened(photo))
    test = opened(photo)
    newer, older = all_given(test, "answer")
    assert (newer["in_use"], older["in_use"]) == (True, False)
    assert (newer["model"], older["model"]) == ("llava", "gemma3:4b")
    assert "prompt p2" in newer["facts"]
    assert "10 + 20 tokens" in newer["facts"]
    assert newer["description"] == [["A dog runs on sand.", ""]]
    assert older["description"] == [
        ["A dog", ""],
        ["runs", "gone"],
        ["on", ""],
        ["sand.", "gone"],
        ["a beach.", "new"],
    ]
    assert older["tags"] == [["dog", ""], ["beach", "new"], ["sand", "gone"]]

    click(test, "Use this one")

    assert screens.given(test, "words")["description"] == "A dog on a beach."
    assert sorted(names(test)) == ["beach", "dog", "holiday"]
    assert [one["in_use"] for one in all_given(test, "answer")] == [False, True]
    assert [one.in_use for one in answers.of(db, photo)] == [False, True]
    click(test, "Undo the last change")
    assert names(test) == words_before


def test_many_answers_are_shown_when_they_are_asked_for(
    db: Database, photo: int
) -> None:
    for number in range(history.SHOWN):
        answered(db, photo, f"Answer {number}.", "dog")
    test = opened(photo)
    assert len(all_given(test, "answer")) == history.SHOWN
    test.toggle[0].set_value(True)
    test.run()
    assert len(all_given(test, "answer")) == history.SHOWN + 2


def test_copies_are_listed_with_their_paths(
    db: Database, photo: int, tmp_path: Path
) -> None:
    assert not all_given(opened(photo), "copies")
    [other] = tagged(db, add_folder(db, tmp_path / "more"), Photo(name="copy <b>.jpg"))
    with db.write() as connection:
        connection.exec_driver_sql(
            "UPDATE files SET identity = (SELECT identity FROM files AS f "
            f"WHERE f.id = {photo}) WHERE id = {other}"
        )
    edits.tag(db, ids=[other], add=["news"])
    test = opened(photo)
    [copy] = screens.given(test, "copies")["copies"]
    assert (copy["id"], Path(copy["path"]).name) == (other, "copy <b>.jpg")
    assert any("beach.jpg" in code.value for code in test.code)


def test_the_information_is_put_away_by_the_address(photo: int) -> None:
    test = opened(photo, info="no")
    assert screens.given(test, "viewer")["info_open"] is False
    assert not all_given(test, "words")
    lines = screens.given(test, "viewer")["info"]
    assert lines[:2] == ["A dog runs on sand.", "holiday, dog, sand"]


def test_hostile_answers_and_paths_are_shown_as_they_are(
    db: Database, photo: int
) -> None:
    answered(db, photo, HOSTILE, HOSTILE)
    test = opened(photo)
    newest = all_given(test, "answer")[0]
    assert newest["description"] == [[HOSTILE, ""]]
    assert newest["tags"][0] == [HOSTILE, ""]
    assert HOSTILE not in screens.said(test)


def test_a_long_text_is_not_compared_word_by_word(db: Database, photo: int) -> None:
    answered(db, photo, "word " * 20_000, "dog")
    older = all_given(opened(photo), "answer")[1]
    assert older["description"] == [["A dog runs on sand.", ""]]


def test_tags_are_completed_those_of_most_photos_first(
    db: Database, photo: int, tmp_path: Path
) -> None:
    tagged(
        db,
        add_folder(db, tmp_path / "more"),
        Photo(name="1.jpg", tags=("beach", "bean")),
        Photo(name="2.jpg", tags=("beach", "red beam")),
    )
    catalogue = runtime.current().catalogue
    assert completing.tags(catalogue, "bea") == ["beach", "bean", "red beam"]
    assert completing.tags(catalogue, "<") == []


def test_a_photo_is_asked_about_again_with_a_server_of_choice(
    db: Database, photo: int, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(
        """
        [[servers]]
        name = "desk"
        [[servers]]
        name = "big box"
        model = "llava:34b"
        """
    )
    test = opened(photo)
    [choice] = [one for one in test.selectbox if one.key == "photo_server"]
    assert choice.options == [
        "gemma3:4b on desk",
        "llava:34b on big box",
        "Built-in model",
    ]
    choice.set_value("big box")
    click(test, "Ask")
    [job] = jobs.claim(db, limit=1)
    assert (job.asked_with, job.ask_again, job.file_id) == ("big box", True, photo)


def test_a_photo_of_a_bound_folder_is_refused_to_other_servers(
    db: Database, photo: int
) -> None:
    bindings.bind(db, folders.every(db)[0].id, ["desk"])
    test = opened(photo)
    click(test, "Ask")
    assert "is bound to desk" in test.error[0].value
    assert jobs.claim(db, limit=1) == []


def test_a_map_is_shown_only_where_the_settings_say_who_serves_it(
    db: Database, tmp_path: Path
) -> None:
    place = Photo(name="here.jpg", gps=(43.1912, -4.8326))
    [here] = tagged(db, add_folder(db, tmp_path / "photos"), place)
    assert not all_given(opened(here), "placemap")
    (tmp_path / "config.toml").write_text(
        '[ui]\ntile_url = "http://127.0.0.1:9/{z}/{x}/{y}.png"\n'
    )
    shown = screens.given(opened(here), "placemap")
    assert (int(shown["x"]), int(shown["y"]), shown["zoom"]) == (3986, 3004, 13)
    assert shown["label"] == "Map around 43.1912° N, 4.8326° W"


@pytest.mark.parametrize(
    ("where", "piece"),
    [
        ((0.0, 0.0), (4096, 4096)),
        ((52.5163, 13.3777), (4400, 2686)),
        ((90.0, -180.0), (0, 0)),
        ((-90.0, 179.9999), (8191, 8191)),
        ((0.0, 180.0), (0, 4096)),
    ],
)
def test_every_place_of_the_earth_is_on_the_map(
    where: tuple[float, float], piece: tuple[int, int]
) -> None:
    x, y = placemap.tile(*where)
    assert (int(x), int(y)) == piece


@pytest.mark.parametrize(
    "bad",
    [
        "tiles.example.org/{z}/{x}/{y}",
        "https://tiles.example.org/{z}/{x}.png",
        "https://tiles.example.org/{z}/{x}/{y}/{y}",
        "javascript:{z}{x}{y}",
        "https://{s}.example.org/{z}/{x}/{y}",
    ],
)
def test_an_address_that_makes_no_map_is_refused_at_start(bad: str) -> None:
    with pytest.raises(ConfigError, match=r"ui\.tile_url"):
        config.check({"ui": {"tile_url": bad}})
