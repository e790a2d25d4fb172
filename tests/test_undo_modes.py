"""Undo of what stands beside the photos: by tag, tried beforehand, and of copies."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.pipeline.undo import rehearse, undo
from tagger.records import WriteMode
from tagger.tracking.history import Which
from tests.ollama_double import OllamaDouble
from tests.support_modes import FIRST, SECOND, Library, library, put_in, subject, tree
from tests.support_pipeline import numbered

MODES = [WriteMode.SIDECAR, WriteMode.MIRROR]


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(FIRST) as double:
        yield double


@pytest.fixture(params=MODES)
def books(
    request: pytest.FixtureRequest, tmp_path: Path, ollama: OllamaDouble
) -> Library:
    books = library(tmp_path, ollama, request.param)
    numbered(books.root / "a.jpg", 1)
    return books


def test_a_trial_foresees_an_undo_and_touches_nothing(books: Library) -> None:
    photo = books.root / "a.jpg"
    books.run()
    books.ollama.answer = SECOND
    books.run(retag=True)
    beside = books.sidecar(photo)
    before = tree(books.root), tree(beside.parent), beside.read_bytes()
    tried = rehearse(books.config, Which(place=os.fsencode(photo)))
    assert (tree(books.root), tree(beside.parent), beside.read_bytes()) == before
    done = undo(books.config, Which(place=os.fsencode(photo)))
    assert [one.put_back for one in tried.put_back] == [
        one.put_back for one in done.put_back
    ]
    assert tried.writes == done.writes == 2
    assert tried.refused == done.refused == []
    assert not beside.exists()


def test_a_tag_taken_out_of_a_sidecar_is_no_news_and_can_come_back(
    books: Library,
) -> None:
    photo = books.root / "a.jpg"
    books.run()
    done = undo(books.config, Which(tag="dog"))
    assert subject(books.sidecar(photo)) == ["grass"]
    assert not books.scan().is_news
    assert books.run().images == ()
    assert books.faults() == []
    assert done.run_id is not None
    undo(books.config, Which(run_id=done.run_id))
    assert subject(books.sidecar(photo)) == ["dog", "grass"]
    assert not books.scan().is_news
    assert books.faults() == []


def test_an_undo_in_part_can_be_finished_beside_the_photo(books: Library) -> None:
    photo = books.root / "a.jpg"
    books.run()
    put_in(books.sidecar(photo), "Rex")
    outcome = undo(books.config, Which(place=os.fsencode(photo)))
    assert {one.field for one in outcome.refused} == {"XMP-dc:Subject"}
    assert not books.scan().is_news
    again = rehearse(books.config, Which(place=os.fsencode(photo)))
    assert {one.field for one in again.refused} == {"XMP-dc:Subject"}


@pytest.mark.parametrize("name", ["full", "stem"])
def test_a_photo_copied_with_its_sidecar_is_put_back_like_the_original(
    tmp_path: Path, ollama: OllamaDouble, name: str
) -> None:
    books = library(tmp_path, ollama, WriteMode.SIDECAR, sidecar_name=name)
    photo = numbered(books.root / "a.jpg", 1)
    books.run()
    ending = ".jpg.xmp" if name == "full" else ".xmp"
    beside = books.root / f"a{ending}"
    assert subject(beside) == ["dog", "grass"]
    (books.root / "sub").mkdir()
    copy = shutil.copy2(photo, books.root / "sub" / "b.jpg")
    copied = Path(shutil.copy2(beside, books.root / "sub" / f"b{ending}"))
    outcome = undo(books.config, Which(place=os.fsencode(copy)))
    assert (outcome.writes, outcome.refused) == (1, [])
    assert not copied.exists()
    assert subject(beside) == ["dog", "grass"]
