"""Searching by meaning: descriptions read by a model in the background, then ranked."""

import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger import cli, config
from tagger.catalogue import intake
from tagger.catalogue.finding import find
from tagger.catalogue.query import parse
from tagger.catalogue.query.tree import All, Means, Not, Tagged, Words, both
from tagger.catalogue.questions import Card, Wanted
from tagger.errors import ModelMissing, ModelUnavailable, QueryError, UsageError
from tagger.pipeline.meanings import Meanings
from tagger.pipeline.run import run
from tagger.tracking import bindings, vectors
from tagger.vision.embedding import Embedder, TextRefused
from tagger.web import runtime
from tests import support_pages as screens
from tests.ollama_double import Fault, OllamaDouble
from tests.support_catalogue import Photo, add_folder, tagged
from tests.support_web import Library, library, served, until

# What words are about, as a model for texts knows it.
ABOUT = {
    "kids": 0, "children": 0, "toddlers": 0, "sea": 1, "beach": 1, "waves": 1,
    "happy": 2, "laugh": 2, "mountain": 3, "summit": 3, "dog": 4, "puppy": 4,
}  # fmt: skip
MAY = "2024-05-01T10:00:00"
PHOTOS = (
    Photo(name="a.jpg", description="Kids laugh in the waves.", tags=["summer"]),
    Photo(name="b.jpg", description="Toddlers on a beach.", taken_at=MAY),
    Photo(name="c.jpg", description="A summit.", tags=["summer"]),
    Photo(name="d.jpg", description="A puppy at home."),
    Photo(name="e.jpg", description="A summit.", tags=["again"]),
)
MODEL = "nomic-embed-text"


def meaning(text: str) -> list[float]:
    numbers = [0.01] * 6
    for word in text.lower().replace(".", "").split():
        if word in ABOUT:
            numbers[ABOUT[word]] += 1.0
    return numbers


@dataclass
class Shelf:
    library: Library
    model: OllamaDouble

    def found(self, query: str, sort: str = "relevance") -> list[str]:
        wanted = Wanted(query=query, sort=sort)
        page = find(self.library.opened.catalogue, wanted).page
        return [card.name for card in page.images]

    def read(self) -> None:
        with follower(self) as made:
            made.catch_up()


def follower(shelf: Shelf) -> closing[Meanings]:
    db, settings = shelf.library.opened.db, config.load()
    return closing(Meanings(db, settings, threading.Event()))


@pytest.fixture(params=["ollama", "openai"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    models = (MODEL, "gemma3:4b")
    with OllamaDouble(models=models, meaning=meaning) as double:
        monkeypatch.setenv("TAGGER_SEMANTIC__URL", double.url)
        monkeypatch.setenv("TAGGER_SEMANTIC__MODEL", MODEL)
        monkeypatch.setenv("TAGGER_MODEL__BACKEND", "builtin")
        with library(tmp_path) as made:
            folder = add_folder(made.opened.db, tmp_path / "described")
            tagged(made.opened.db, folder, *PHOTOS)
            made.opened.take()
            yield Shelf(made, double)


# -- how it is written ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "tree"),
    [
        ("~happy children", Means("happy children")),
        ("~happy  children tag:x", both(Means("happy children"), Tagged("x"))),
        ("tag:x ~a b -snow", All((Tagged("x"), Means("a b"), Not(Words("snow"))))),
        ('~"cats OR dogs" red', both(Means("cats OR dogs"), Words("red"))),
        ("(~sea)", Means("sea")),
        ("-~sea", Not(Means("sea"))),
        ("dog ~by the sea", both(Words("dog"), Means("by the sea"))),
    ],
)
def test_a_meaning_goes_up_to_the_next_condition(typed: str, tree: object) -> None:
    assert parse(typed) == tree


@pytest.mark.parametrize("typed", ["~", "~ tag:x", '~""', "~-", "dog ~()"])
def test_a_meaning_of_nothing_is_pointed_at(typed: str) -> None:
    with pytest.raises(QueryError):
        parse(typed)


@given(st.text(st.sampled_from('~ab -":()*O R'), max_size=14))
def test_whatever_is_typed_is_read_or_pointed_at(typed: str) -> None:
    with contextlib.suppress(QueryError):
        parse(typed)


# -- the model ------------------------------------------------------------------------


def test_both_protocols_give_the_same_vectors(
    shelf: Shelf, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGGER_SEMANTIC__KIND", kind)
    with closing(Embedder(config.load().semantic)) as embedder:
        first, second = embedder.vectors(["kids", "a dog"])
    assert len(first) == len(second) == 6
    assert (first[0], second[4]) == (127, 127)


def test_what_a_server_answers_wrongly_is_told(
    shelf: Shelf, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGGER_SEMANTIC__KIND", kind)
    with closing(Embedder(config.load().semantic)) as embedder:
        for odd in ({}, {"embeddings": [[1]], "data": 3}, {"embeddings": [["x"], [1]]}):
            shelf.model.script.append(Fault(200, odd))
            with pytest.raises(ModelUnavailable, match="not as a model server"):
                embedder.vectors(["a", "b"])
        shelf.model.script.append(Fault(400, {"error": "input is too long"}))
        with pytest.raises(TextRefused, match="too long"):
            embedder.vectors(["a"])
        shelf.model.models.remove(MODEL)
        with pytest.raises(ModelMissing, match="ollama pull nomic-embed-text"):
            embedder.vectors(["a"])


# -- searching ------------------------------------------------------------------------


def test_descriptions_that_mean_about_that_come_first(shelf: Shelf) -> None:
    shelf.read()

    assert shelf.found("~happy children by the sea")[:2] == ["a.jpg", "b.jpg"]
    assert shelf.found("~mountain")[:2] == ["c.jpg", "e.jpg"]
    assert shelf.found("~happy children by the sea taken:2024") == ["b.jpg"]
    assert shelf.found("tag:summer ~dog")[0] in ("a.jpg", "c.jpg")
    assert set(shelf.found("tag:summer ~dog")) == {"a.jpg", "c.jpg"}
    assert "d.jpg" in shelf.found("(~dog OR tag:nobody)", sort="oldest")


def test_each_text_is_read_once_and_a_rebuild_asks_nothing(shelf: Shelf) -> None:
    shelf.read()
    assert sorted(shelf.model.embedded) == sorted({p.description for p in PHOTOS})

    shelf.read()
    intake.rebuild(shelf.library.opened.catalogue, shelf.library.opened.db)
    assert len(shelf.model.embedded) == 4
    assert shelf.found("~dog")[0] == "d.jpg"
    assert shelf.found("~dog")[0] == "d.jpg"
    assert shelf.model.embedded[4:] == ["dog"]  # what is typed is asked once


def test_a_text_the_model_refuses_holds_the_others_up_no_longer(shelf: Shelf) -> None:
    too_long = Fault(400, {"error": "the input is longer than the context"})
    shelf.model.script += [too_long, too_long]
    shelf.read()
    assert len(shelf.model.embedded) == 3


def test_a_model_that_is_away_is_waited_for(shelf: Shelf) -> None:
    shelf.model.script.append(Fault(503, {"error": "loading"}))
    with follower(shelf) as made:
        with pytest.raises(ModelUnavailable):
            made.catch_up()
        made.catch_up()
    assert len(shelf.model.embedded) == 4


def test_another_model_reads_them_anew(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.read()
    shelf.model.models.append("bge-m3")
    monkeypatch.setenv("TAGGER_SEMANTIC__MODEL", "bge-m3")
    shelf.library.opened.config = config.load()
    with pytest.raises(UsageError, match="was read for its meaning yet"):
        shelf.found("~dog")

    shelf.read()

    assert len(shelf.model.embedded) == 8
    assert shelf.found("~dog")[0] == "d.jpg"
    old = vectors.named(shelf.library.opened.db, vectors.TEXT, f"1 ollama {MODEL}")
    assert old is None


def test_descriptions_of_a_bound_folder_go_to_its_servers_only(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = shelf.library.opened.db
    for folder_id in (1, 2):
        bindings.bind(db, folder_id, ["home"])
    shelf.read()
    assert shelf.model.embedded == []

    mine = [{"url": shelf.model.url, "name": "home"}]
    monkeypatch.setenv("TAGGER_SERVERS", json.dumps(mine))
    shelf.read()
    assert len(shelf.model.embedded) == 4


def test_the_running_tagger_has_them_read(shelf: Shelf) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(config.load(),), kwargs={"stop": stop})
    thread.start()
    try:
        until(lambda: len(shelf.model.embedded) == 4)
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()


def test_descriptions_that_change_are_followed(shelf: Shelf) -> None:
    shelf.read()
    assert shelf.found("~dog")[0] == "d.jpg"
    ids = {card.name: card.id for card in _cards(shelf)}

    with served() as client:
        for name, text in (("d.jpg", "A mountain."), ("c.jpg", "A dog.")):
            path = f"/api/images/{ids[name]}"
            client.patch(path, json={"description": text}).raise_for_status()
    shelf.library.opened.take()
    shelf.read()

    assert shelf.found("~puppy")[0] == "c.jpg"
    assert set(shelf.found("~summit")[:2]) == {"d.jpg", "e.jpg"}


def _cards(shelf: Shelf) -> tuple[Card, ...]:
    return find(shelf.library.opened.catalogue, Wanted()).page.images


# -- without a model ------------------------------------------------------------------


def test_without_a_model_it_is_said_that_it_is_off_and_what_to_set(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAGGER_SEMANTIC__MODEL", "")
    shelf.library.opened.config = config.load()
    with pytest.raises(UsageError, match=r"is off: set the setting semantic\.model"):
        shelf.found("~dog")
    with served() as client:
        answer = client.get("/api/search", params={"q": "~dog"})
    assert answer.status_code == 422
    assert "semantic.model" in answer.json()["detail"]
    test = screens.screen("search", q="~dog")
    assert not test.exception
    assert "is off" in screens.said(test)
    runtime.use(None)
    shelf.library.opened.catalogue.close()
    assert cli.main(["search", "~dog"]) == 2
    assert "semantic.model" in capsys.readouterr().err


def test_a_server_that_does_not_answer_is_named(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.read()
    shelf.model.hang_up()
    with served() as client:
        answer = client.get("/api/search", params={"q": "~dog"})
    assert answer.status_code == 502
    assert shelf.model.url in answer.json()["detail"]
