"""Comparisons on the screen, in the API and as a command, and the winner's settings."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pages.parts import judge
from tagger import cli
from tagger.errors import UsageError
from tagger.pipeline.comparing import carry_out
from tagger.sections import BUILTIN
from tagger.tracking import agreement, comparisons
from tagger.tracking.contested import State, Verdict, Whole
from tagger.web import comparing, runtime
from tests import support_pages as screens
from tests.ollama_double import OllamaDouble
from tests.support_comparing import hashes, terse, wishes, wordy
from tests.support_pipeline import numbered
from tests.support_web import Library, library, served

HOSTILE = '<img src=x onerror="alert(1)"> [a](http://evil.example) *b* :smile: `c` $d$'
TOML = """\
# Mine.
[model]
language = "English"  # for now

[[servers]]
name = "small"  # this machine
url = "{small}"
model = "small"

[[servers]]
name = "big"
url = "{big}"
model = "big"
"""


@pytest.fixture
def small() -> Iterator[OllamaDouble]:
    with OllamaDouble(terse, models=("small", "other")) as double:
        yield double


@pytest.fixture
def big() -> Iterator[OllamaDouble]:
    with OllamaDouble(wordy, models=("big",)) as double:
        yield double


@pytest.fixture
def settings_file(
    tmp_path: Path,
    small: OllamaDouble,
    big: OllamaDouble,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(TOML.format(small=small.url, big=big.url))
    monkeypatch.setenv("TAGGER_CONFIG", str(path))
    monkeypatch.setenv("TAGGER_RETRY__ATTEMPTS", "1")
    return path


@pytest.fixture
def shelf(tmp_path: Path, settings_file: Path) -> Iterator[Library]:
    """Three photos, tagged as they are."""
    with library(tmp_path) as made:
        for number in (1, 2, 3):
            path = numbered(made.root / f"{number}.jpg", number)
            made.tagged(os.fsencode(path), "bar code", "stripes")
        yield made


def made(shelf: Library, *asked: Any, carried: bool = True) -> Whole:
    """A comparison of all photos, carried out right here."""
    opened = shelf.opened
    number = comparing.make(opened, wishes(opened.config, *(asked or ("small", "big"))))
    if carried:
        carry_out(opened.config, opened.db, number)
    return comparisons.whole(opened.db, number)


# -- in numbers ------------------------------------------------------------------------


def test_tags_are_compared_by_their_keys() -> None:
    assert agreement.jaccard(["Dog", "beach"], ["dog", "sea"]) == pytest.approx(1 / 3)
    assert agreement.jaccard([], []) == 1
    assert agreement.jaccard(["dog"], []) == 0


def test_a_comparison_comes_to_numbers(shelf: Library) -> None:
    whole = made(shelf, "small", "big", {"server": "small", "model": "gone"})
    one, two, three = whole.comparison.photos
    db, number = shelf.opened.db, whole.comparison.id
    small, big, _ = (contender.id for contender in whole.comparison.contenders)
    comparisons.choose(db, number, one, contender_id=big)
    comparisons.choose(db, number, two, contender_id=big)
    comparisons.choose(db, number, three, contender_id=small)

    found = comparing.result(shelf.opened, comparisons.whole(db, number))

    first, second, gone = found.scores
    assert (first.answered, first.wins, first.win_rate) == (3, 1, pytest.approx(1 / 3))
    assert (second.tokens_in, second.tokens_out, second.tags_a_photo) == (900, 120, 4)
    assert first.agreement == pytest.approx(1 / 3)  # "bar code" of three
    assert second.agreement == pytest.approx(2 / 4)
    assert second.median_s is not None
    assert (gone.answered, gone.failed, gone.median_s) == (0, 3, None)
    [pair] = found.pairs
    assert (pair.agreement, pair.photos) == (pytest.approx(2 / 4), 3)
    assert (found.winner, found.decided) == (big, 3)
    comparisons.choose(db, number, two, verdict=Verdict.TIE)
    tied = comparing.result(shelf.opened, comparisons.whole(db, number))
    assert (tied.winner, tied.ties, tied.decided) == (None, 1, 2)


# -- the winner becomes the setting ----------------------------------------------------


def test_the_winner_becomes_the_setting_and_comments_stay(
    shelf: Library, settings_file: Path
) -> None:
    asked = {"server": "small", "model": "other", "language": "German", "tags_max": 9}
    whole = made(shelf, asked, "big", carried=False)

    comparing.prefer(shelf.opened, whole.comparison.contenders[0])

    text = settings_file.read_text()
    assert text.startswith("# Mine.\n")
    assert 'language = "German"  # for now' in text
    assert 'name = "small"  # this machine' in text
    config = shelf.opened.config
    assert [(s.called, s.model, s.weight) for s in config.servers] == [
        ("small", "other", 1.0),
        ("big", "big", 0.0),
    ]
    assert (config.model.tags_max, config.model.backend) == (9, "auto")
    comparing.prefer(shelf.opened, whole.comparison.contenders[1])
    assert [s.weight for s in shelf.opened.config.servers] == [0.0, 1.0]


def test_the_built_in_model_can_win(shelf: Library) -> None:
    whole = made(shelf, "small", BUILTIN, carried=False)
    comparing.prefer(shelf.opened, whole.comparison.contenders[1])
    assert shelf.opened.config.model.backend == BUILTIN
    comparing.prefer(shelf.opened, whole.comparison.contenders[0])
    assert shelf.opened.config.model.backend == "auto"


def test_a_setting_that_a_variable_holds_is_refused(
    shelf: Library, settings_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made(shelf, {"server": "small", "model": "other"}, "big", carried=False)
    before = settings_file.read_text()
    monkeypatch.setenv("TAGGER_MODEL__LANGUAGE", "Italian")
    monkeypatch.setenv("OLLAMA_MODEL", "held")
    with pytest.raises(UsageError, match="environment variable"):
        comparing.prefer(shelf.opened, whole.comparison.contenders[0])
    assert settings_file.read_text() == before


# -- on the screen ---------------------------------------------------------------------


@pytest.mark.usefixtures("own_runtime")
def test_without_photos_there_is_nothing_to_compare() -> None:
    test = screens.screen("compare")
    assert not test.exception
    assert "No photos yet" in screens.said(test)


def test_a_comparison_is_made_on_the_screen(shelf: Library) -> None:
    test = screens.screen("compare", q="number:nonsense:(")
    assert not test.exception
    assert test.button(key="compare_go").disabled
    test.query_params["q"] = "nothing-has-this"
    test.run()
    assert "No photo fits." in screens.said(test)
    test.query_params["q"] = "code"
    test.run()
    assert "6 questions about 3 photos" in screens.said(test)
    assert "Fewer than 20 photos" in screens.said(test)
    test.button(key="compare_add").click().run()
    assert "9 questions" in screens.said(test)
    test.button(key="compare_remove_2").click().run()
    test.button(key="compare_go").click().run()
    assert not test.exception
    assert test.query_params["comparison"] == "1"
    assert "Cancel" in [button.label for button in test.button]
    found = comparisons.read(shelf.opened.db, 1)
    assert [one.server for one in found.contenders] == ["small", "big"]
    assert found.name == "small, big: code"


def test_two_contenders_asked_the_same_are_refused_in_words(shelf: Library) -> None:
    test = screens.screen("compare")
    test.selectbox(key="compare_server_1").select("small").run()
    test.button(key="compare_go").click().run()
    assert not test.exception
    assert "two contenders are asked the same" in screens.said(test)
    assert comparisons.every(shelf.opened.db) == []


def test_chosen_photos_stand_in_the_address(shelf: Library) -> None:
    test = screens.screen("compare", ids="2,3,x,-1,2")
    assert "**2 photos**" in screens.said(test)
    test.button(key="compare_go").click().run()
    assert comparisons.read(shelf.opened.db, 1).photos == (2, 3)
    many = screens.screen("compare", ids=",".join(str(n) for n in range(1, 80)))
    assert "**50 photos**, the first of 79 chosen" in screens.said(many)
    many.button(key="compare_sample").click().run()
    assert "ids" not in many.query_params


def test_answers_stand_side_by_side(shelf: Library) -> None:
    made(shelf)
    test = screens.screen("compare", comparison="1")
    assert not test.exception
    shown = screens.given(test, "judge")
    [first, *_] = shown["photos"]
    assert [one["name"] for one in first["answers"]] == [
        "small on small",
        "big on big",
    ]
    assert first["answers"][0]["tags"] == [["bar code", True], ["number 1", False]]
    assert "300 tokens in" in first["answers"][0]["note"]
    assert "have **50%** of their tags in common" in screens.said(test)
    table = test.dataframe[0].value
    assert list(table["Like tags now"]) == ["33%", "50%"]


def test_what_has_no_answer_says_why(shelf: Library, big: OllamaDouble) -> None:
    big.answer = "Sure! Here are some tags."
    made(shelf, "small", "big", {"server": "small", "model": "gone"})
    test = screens.screen("compare", comparison="1")
    [first, *_] = screens.given(test, "judge")["photos"]
    good, invalid, failed = first["answers"]
    assert "problem" not in good
    assert invalid["problem"] == "No usable answer"
    assert "not valid JSON" in invalid["reason"]
    assert failed["problem"] == "No answer"
    assert "gone" in failed["reason"]
    assert "6 answers of 9 are missing" in screens.said(test)
    test.button(key="compare_go_on").click().run()
    assert comparisons.read(shelf.opened.db, 1).state is State.WAITING


def test_blind_nothing_gives_a_contender_away(shelf: Library) -> None:
    whole = made(shelf)
    test = screens.screen("compare", comparison="1", blind="1")
    shown = screens.given(test, "judge")
    for photo in shown["photos"]:
        assert [one["name"] for one in photo["answers"]] == ["Answer 1", "Answer 2"]
        assert [one["id"] for one in photo["answers"]] == [1, 2]
        assert not any(one["note"] for one in photo["answers"])
        assert not photo["now"]
    assert "0 of 3 photos judged" in screens.said(test)
    assert not test.dataframe

    opened, one = shelf.opened, whole.comparison
    mixed = {
        p: judge.order(one.id, p, [c.id for c in one.contenders]) for p in one.photos
    }
    picks = [[photo, mixed[photo].index(one.contenders[1].id) + 1] for photo in mixed]
    judge.keep(opened, {"comparison": 1, "blind": True, "choices": picks})
    chosen = comparisons.whole(opened.db, 1).choices
    assert {choice.contender_id for choice in chosen} == {one.contenders[1].id}
    test.run()
    assert len(test.dataframe) == 1
    assert "Make the winner the setting" in [button.label for button in test.button]


def test_order_is_mixed_from_photo_to_photo_and_stays(shelf: Library) -> None:
    orders = [judge.order(1, photo, [1, 2, 3]) for photo in range(30)]
    assert len({tuple(one) for one in orders}) > 3
    assert orders == [judge.order(1, photo, [1, 2, 3]) for photo in range(30)]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"comparison": "1", "choices": []},
        {"comparison": 1, "choices": "x"},
        {"comparison": 1, "choices": [["1", 1], [1], 7, [True, 1], [1, 1.5]]},
    ],
)
def test_what_a_browser_makes_up_changes_nothing(
    shelf: Library, said: dict[str, Any]
) -> None:
    made(shelf)
    judge.keep(shelf.opened, said)
    assert comparisons.whole(shelf.opened.db, 1).choices == ()
    with pytest.raises(UsageError, match="no contender"):
        judge.keep(shelf.opened, {"comparison": 1, "choices": [[1, 99]]})


def test_a_comparison_goes_on_is_cancelled_continued_and_deleted(
    shelf: Library,
) -> None:
    made(shelf, carried=False)
    test = screens.screen("compare", comparison="1")
    assert "The tagger does not run" in screens.said(test)
    test.button(key="compare_cancel").click().run()
    assert "Cancelled: 6 questions of 6 were not asked." in screens.said(test)
    test.button(key="compare_go_on").click().run()
    assert comparisons.read(shelf.opened.db, 1).state is State.WAITING
    test.button(key="comparison_gone_1").click().run()
    assert not test.exception
    assert comparisons.every(shelf.opened.db) == []
    assert "New comparison" in screens.said(test)


def test_past_comparisons_are_listed_and_opened(shelf: Library) -> None:
    made(shelf)
    test = screens.screen("compare")
    assert "2 contenders, 3 photos, 0 judged" in screens.said(test)
    test.button(key="comparison_open_1").click().run()
    assert test.query_params["comparison"] == "1"
    assert screens.given(test, "judge")["comparison"] == 1


@pytest.mark.parametrize("asked", ["999", str(2**63 - 1)])
def test_a_link_to_no_comparison_says_so(shelf: Library, asked: str) -> None:
    test = screens.screen("compare", comparison=asked)
    assert not test.exception
    assert "there is no comparison" in screens.said(test)


@pytest.mark.parametrize("asked", ["x", "-1", "1" * 40, str(2**63), "\u0663"])
def test_an_address_that_names_no_comparison_shows_all(
    shelf: Library, asked: str
) -> None:
    test = screens.screen("compare", comparison=asked, ids=asked)
    assert not test.exception
    assert "New comparison" in screens.said(test)


def test_hostile_words_stay_words(shelf: Library, small: OllamaDouble) -> None:
    small.answer = {"description": HOSTILE, "tags": [HOSTILE[:40]], "text": HOSTILE}
    made(shelf, "small", {"server": "small", "model": HOSTILE})
    test = screens.screen("compare", comparison="1")
    assert not test.exception
    assert screens.given(test, "judge")["photos"][0]["answers"][0]["description"]
    assert HOSTILE not in screens.said(test)


def test_the_winner_is_made_the_setting_on_the_screen(
    shelf: Library, settings_file: Path
) -> None:
    whole = made(shelf)
    small = whole.comparison.contenders[0]
    comparisons.choose(
        shelf.opened.db, 1, whole.comparison.photos[0], contender_id=small.id
    )
    test = screens.screen("compare", comparison="1")
    assert "big: asked no more" in screens.said(test)
    test.button(key="compare_prefer_go").click().run()
    assert not test.exception
    assert "Saved." in screens.said(test)
    assert [s.weight for s in shelf.opened.config.servers] == [1.0, 0.0]


# -- in the API ------------------------------------------------------------------------


def test_the_api_makes_judges_and_deletes(shelf: Library) -> None:
    photos = hashes(shelf.root)
    with served() as client:
        asked = {"contenders": [{"server": "small"}, {"server": "big"}], "count": 2}
        answer = client.post("/api/comparisons", json=asked)
        assert answer.status_code == 201
        number = answer.json()["id"]
        carry_out(shelf.opened.config, shelf.opened.db, number)
        found = client.get(f"/api/comparisons/{number}").json()
        assert (found["state"], found["answered"]) == ("done", 4)
        photo, winner = found["image_ids"][0], found["contenders"][1]["id"]
        place = f"/api/comparisons/{number}/choices/{photo}"
        assert client.put(place, json={"choice": winner}).status_code == 200
        assert client.get("/api/comparisons").json()[0]["chosen"] == 1
        found = client.get(f"/api/comparisons/{number}").json()
        assert found["result"]["winner"] == winner
        assert found["choices"][0]["choice"] == winner
        assert client.put(place, json={"choice": "tie"}).json()["choice"] == "tie"
        assert client.delete(place).status_code == 204
        setting = client.post(
            f"/api/comparisons/{number}/setting", json={"contender": winner}
        )
        assert setting.json()["message"].startswith("Saved: ")
        assert (
            client.post(f"/api/comparisons/{number}/cancel").json()["state"] == "done"
        )
        assert client.delete(f"/api/comparisons/{number}").status_code == 204
        assert client.get(f"/api/comparisons/{number}").status_code == 404
    assert hashes(shelf.root) == photos


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"contenders": [{"server": "small"}]}, 422),
        ({"contenders": [{"server": "small"}, {"server": "nobody"}]}, 422),
        ({"contenders": [{"server": "small"}] * 2}, 422),
        ({"contenders": [{"server": "small"}, {"server": "big"}], "count": 51}, 422),
        (
            {
                "contenders": [{"server": "small"}, {"server": "big"}],
                "image_ids": [999],
            },
            422,
        ),
        (
            {"contenders": [{"server": "small"}, {"server": "big"}], "query": "a:("},
            422,
        ),
    ],
)
def test_the_api_refuses_in_words(
    shelf: Library, asked: dict[str, Any], status: int
) -> None:
    with served() as client:
        answer = client.post("/api/comparisons", json=asked)
        assert answer.status_code == status
        assert answer.json()["detail"]


# -- as a command ----------------------------------------------------------------------


def test_the_command_compares_waits_and_prints(
    shelf: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime.use(None)
    shelf.opened.close()
    asked = ["compare", "code", "--with", "small", "--with", "big=big"]
    assert cli.main(asked) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0].startswith("contender\tanswered")
    assert "small\t3\t0\t0\t2.0" in out
    assert "share 50% of their tags, on 3 photos" in err
    assert "3 photos say little" in err

    assert cli.main(["compare", "--show", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["answered"] == 6
    gone = ["compare", "--with", "small", "--with", "small=gone", "--image", "1"]
    assert cli.main(gone) == 3
    assert cli.main(["compare"]) == 2
    assert cli.main(["compare", "--with", "small"]) == 2
