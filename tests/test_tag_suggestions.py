"""Tags that are probably one are found, and those that are not are left alone."""

import json
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tagger import cli, config
from tagger.catalogue import tagpairs
from tagger.catalogue.alike import nearness
from tagger.catalogue.spelling import distance
from tagger.catalogue.tagpairs import Kind
from tagger.errors import UsageError
from tagger.records import WriteMode
from tagger.tracking import bindings, dismissing, folders, tagnames
from tagger.tracking.database import Database
from tagger.web.suggesting import suggested
from tests.ollama_double import OllamaDouble
from tests.support_web import Library, library, served

WORDS = st.text("abcdefghijklmnopqrstuvwxyzäé", min_size=1, max_size=14)


def kinds(*names: str) -> dict[tuple[str, str], str]:
    counts = {tagnames.key(name): 1 for name in names}
    return {(p.one, p.other): p.kind.value for p in tagpairs.pairs(counts)}


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("café", "cafe", "writing"),
        ("t-shirt", "T shirt", "writing"),
        ("tshirt", "t-shirt", "writing"),
        ("sea_side", "seaside", "writing"),
        ("smørrebrød", "smorrebrod", "writing"),
        ("dog", "dogs", "plural"),
        ("city", "cities", "plural"),
        ("box", "boxes", "plural"),
        ("potato", "potatoes", "plural"),
        ("person", "people", "plural"),
        ("woman", "women", "plural"),
        ("bookshelf", "bookshelves", "plural"),
        ("red flower", "red flowers", "plural"),
        ("horse", "horses", "plural"),
        ("colour", "color", "spelling"),
        ("building", "buidling", "spelling"),
        ("mountain", "mountian", "spelling"),
        ("lighthouse", "lighthose", "spelling"),
        ("old lighthouse wall", "old lighthuose wall", "spelling"),
    ],
)
def test_what_is_probably_one_tag_is_paired(one: str, other: str, kind: str) -> None:
    [(pair, found)] = kinds(one, other).items()
    assert {*pair} == {tagnames.key(one), tagnames.key(other)}
    assert found == kind


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mouse", "house"),  # another word by its first letter
        ("cat", "cot"),  # too short to be a slip
        ("black cat", "black hat"),
        ("glass", "glas"),
        ("2023", "2024"),  # numbers are not misspelt
        ("photo 20231", "photo 20232"),
        ("dog", "dogma"),
        ("bus", "bu"),
        ("news", "new"),
        ("chess", "ches"),
        ("beach", "mountain"),
        ("x" * 300, "x" * 299),
    ],
)
def test_what_is_two_tags_is_not_paired(one: str, other: str) -> None:
    assert kinds(one, other) == {}


def test_many_spellings_of_one_word_are_paired_with_the_most_frequent() -> None:
    counts = {"-" * n + "seaside": 1 for n in range(100)} | {"sea side": 9}
    found = tagpairs.pairs(counts)
    assert len(found) == 100
    assert all("sea side" in (pair.one, pair.other) for pair in found)


@given(st.sets(WORDS, max_size=12))
@example({"colour", "color", "colours"})
def test_pairs_are_known_tags_each_once_and_in_order(names: set[str]) -> None:
    found = tagpairs.pairs(dict.fromkeys(names, 1))
    assert all(
        pair.one < pair.other and {pair.one, pair.other} <= names for pair in found
    )
    assert len({(pair.one, pair.other) for pair in found}) == len(found)


@given(st.sets(WORDS, max_size=12))
def test_no_slip_is_missed_that_comparing_all_with_all_would_find(
    names: set[str],
) -> None:
    found = {(p.one, p.other) for p in tagpairs.pairs(dict.fromkeys(names, 1))}
    for one in names:
        for other in names:
            if one < other and tagpairs.is_misspelt(one, other):
                assert (one, other) in found


@given(WORDS, st.integers(0, 13), st.sampled_from("abcxyz"))
def test_a_wrong_letter_in_a_long_word_is_found(
    word: str, at: int, letter: str
) -> None:
    assume(len(word) >= 5 and 0 < at < len(word) and word[at] != letter)
    slip = word[:at] + letter + word[at + 1 :]
    assert distance(word, slip) == 1
    assert len(kinds(word, slip)) == 1


@given(WORDS, WORDS)
def test_spaces_hyphens_and_accents_make_no_other_tag(one: str, other: str) -> None:
    plain = unicodedata.normalize("NFKD", one + other)
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    names = {f"{one} {other}", f"{one}-{other}", one + other, bare}
    found = kinds(*names)
    assert len(found) == len(names) * (len(names) - 1) // 2
    assert {*found.values()} == {"writing"}


def test_a_pair_that_was_dismissed_is_remembered_in_any_spelling(db: Database) -> None:
    dismissing.dismiss(db, "Horse", "HOUSE ")
    dismissing.dismiss(db, "house", "horse")
    assert dismissing.every(db) == [("horse", "house")]
    dismissing.recall(db, "house", " Horse")
    assert dismissing.every(db) == []
    with pytest.raises(UsageError, match="not two tags"):
        dismissing.dismiss(db, "dog", "Dog")
    with pytest.raises(UsageError, match="not two tags"):
        dismissing.dismiss(db, "", "Dog")


# -- over a library -------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        made.photo("a.jpg", "dog", "lighthouse", "horse", colour="red")
        made.photo("b.jpg", "dog", "lighthuose", "house", colour="blue")
        made.photo("c.jpg", "dogs", "lighthouse", colour="green")
        yield made


PAIRS = [("dogs", "dog"), ("lighthuose", "lighthouse"), ("house", "horse")]


def test_the_api_names_pairs_with_counts_and_forgets_what_was_dismissed(
    shelf: Library,
) -> None:
    with served() as client:
        page = client.get("/api/tags/suggestions").json()
        one = page["suggestions"][1]
        assert (one["goes"]["name"], one["goes"]["count"]) == ("lighthuose", 1)
        assert (one["stays"]["name"], one["stays"]["count"]) == ("lighthouse", 2)
        assert named(page) == PAIRS
        assert (page["total"], page["note"], page["next"]) == (3, None, None)

        asked = {"start": 1, "limit": 1, "kind": "spelling"}
        page = client.get("/api/tags/suggestions", params=asked).json()
        assert (named(page), page["total"], page["next"]) == ([PAIRS[2]], 2, None)

        url, pair = (
            "/api/tags/suggestions/dismissed",
            {"one": "House", "other": "horse"},
        )
        assert client.post(url, json=pair).status_code == 204
        assert client.get(url).json() == [["horse", "house"]]
        assert named(client.get("/api/tags/suggestions").json()) == PAIRS[:2]
        assert client.delete(url, params=pair).status_code == 204
        assert named(client.get("/api/tags/suggestions").json()) == PAIRS
        assert client.post(url, json={"one": "a", "other": "A"}).status_code == 422
        answer = client.get("/api/tags/suggestions", params={"meaning": True}).json()
        assert "semantic.model" in answer["note"]


def named(page: dict[str, list[dict[str, dict[str, str]]]]) -> list[tuple[str, str]]:
    return [(p["goes"]["name"], p["stays"]["name"]) for p in page["suggestions"]]


def test_merging_a_pair_ends_its_suggestion_and_undoing_brings_it_back(
    shelf: Library,
) -> None:
    with served() as client:
        first = client.get("/api/tags/suggestions").json()["suggestions"][0]
        wanted = {"tags": [first["goes"]["id"]], "into": first["stays"]["id"]}
        merged = client.post("/api/tags/merge", json=wanted).json()
        shelf.opened.take()
        assert named(client.get("/api/tags/suggestions").json()) == PAIRS[1:]
        undo = f"/api/edits/{merged['edit_id']}/undo"
        assert client.post(undo, params={"dry_run": True}).json()["photos"] == 1
        assert client.post(undo).json()["photos"] == 1
        shelf.opened.take()
        assert named(client.get("/api/tags/suggestions").json()) == PAIRS
        refused = client.post(undo)
        assert refused.status_code == 422
        assert "already" in refused.json()["detail"]
        assert client.post("/api/edits/99/undo").status_code == 404


def test_the_command_lists_pairs_beside_a_running_app_or_alone(
    shelf: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    from tagger.web import runtime

    runtime.use(None)
    shelf.opened.close()
    assert cli.main(["tags", "suggest", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert named(found) == PAIRS
    assert cli.main(["tags", "suggest", "--limit", "1", "--meaning"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[1].split("\t") == ["dogs", "1", "dog", "2", "plural"]
    assert "3 pairs, 1 of them listed" in said.err
    assert "semantic.model" in said.err


def test_tags_of_bound_folders_alone_are_told_to_no_model(
    shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = shelf.root / "private"
    inner.mkdir()
    shelf.photo("private/d.jpg", "secret", "dog", colour="white")
    with OllamaDouble(models=("m",), meaning=lambda text: [1.0, len(text)]) as double:
        monkeypatch.setenv("TAGGER_SEMANTIC__URL", double.url)
        monkeypatch.setenv("TAGGER_SEMANTIC__MODEL", "m")
        shelf.opened.config = config.load()
        added = folders.add(
            shelf.opened.db,
            os.fsencode(inner),
            recursive=True,
            write_mode=WriteMode.FILE,
            data_dir=shelf.opened.config.data_dir,
        )
        bindings.bind(shelf.opened.db, added.id, ["builtin"])
        assert suggested(shelf.opened).note is None
        assert {"dog", "horse"} <= {*double.embedded}
        assert "secret" not in double.embedded
        bindings.bind(shelf.opened.db, added.id, None)
        suggested(shelf.opened)
        assert "secret" in double.embedded


def test_texts_that_are_each_others_nearest_are_paired_the_nearest_first() -> None:
    def as_bytes(*numbers: int) -> bytes:
        return bytes(number % 256 for number in numbers)

    vectors = [
        as_bytes(100, 0, 0),
        as_bytes(0, 100, 10),
        as_bytes(90, 30, 0),
        as_bytes(0, 100, 0),
        as_bytes(-100, 0, 0),  # nearest to nobody
        as_bytes(1, 2),  # of another model
    ]
    assert nearness.nearest(vectors) == [(1, 3), (0, 2)]
    assert nearness.nearest(vectors[:1]) == []
    assert nearness.nearest([as_bytes(0, 0, 0)] * 3) == []


def test_kinds_are_those_of_the_documentation() -> None:
    assert [kind.value for kind in Kind] == ["writing", "plural", "spelling", "meaning"]
