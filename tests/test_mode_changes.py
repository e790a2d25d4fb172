"""What a person said while words could not go into a file goes there once they can."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.pipeline.carrying import carry_out
from tagger.records import WriteMode
from tagger.tracking import edits, vocabulary
from tagger.tracking.database import Database
from tests import support_modes
from tests.ollama_double import OllamaDouble
from tests.support_modes import FIRST, Library, description, exiftool, put_in, subject
from tests.support_pipeline import numbered


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(FIRST) as double:
        yield double


@pytest.fixture
def books(tmp_path: Path, ollama: OllamaDouble) -> Library:
    library = support_modes.library(tmp_path, ollama, WriteMode.FILE)
    exiftool(numbered(library.root / "a.jpg", 1), "-XMP-dc:Subject=Oma")
    return library


def edited(books: Library, **change: object) -> None:
    with Database.of(books.config) as db:
        edit = edits.change(db, [os.fsencode(books.root)], **change)  # type: ignore[arg-type]
    carried = carry_out(books.config, edit)
    assert carried.failed == carried.waiting == []


def run_in(books: Library, mode: WriteMode) -> int:
    """Set the folder's mode and tag it; how many photos that worked on."""
    books.mode = mode
    return len(books.run().images)


@pytest.mark.parametrize("first", [WriteMode.NONE, WriteMode.FILE])
@pytest.mark.parametrize("later", [WriteMode.FILE, WriteMode.SIDECAR, WriteMode.MIRROR])
def test_edits_made_while_nothing_was_written_are_written_once_the_mode_lets_them(
    books: Library, first: WriteMode, later: WriteMode
) -> None:
    photo = books.root / "a.jpg"
    run_in(books, first)
    run_in(books, WriteMode.NONE)
    before = photo.read_bytes()
    edited(books, add=["Rex"], remove=["dog", "Oma"], description="Rex at home")
    assert photo.read_bytes() == before
    assert books.faults() == []
    assert run_in(books, WriteMode.NONE) == 0
    assert run_in(books, later) == 1
    place = books.sidecar(photo)
    assert subject(place) == ["Rex", "grass"]
    assert description(place) == ["Rex at home"]
    assert books.faults() == []
    assert run_in(books, later) == 0


def test_a_ban_of_the_past_reaches_files_once_they_are_written_to(
    books: Library,
) -> None:
    run_in(books, WriteMode.FILE)
    run_in(books, WriteMode.NONE)
    with Database.of(books.config) as db:
        edit = vocabulary.add_ban(db, "dog", past=True)
    assert carry_out(books.config, edit).failed == []
    assert run_in(books, WriteMode.FILE) == 1
    assert subject(books.root / "a.jpg") == ["Oma", "grass"]


def test_verify_judges_a_sidecar_by_itself_whatever_its_photo_still_holds(
    books: Library,
) -> None:
    photo = books.root / "a.jpg"
    run_in(books, WriteMode.FILE)
    run_in(books, WriteMode.SIDECAR)
    edited(books, remove=["dog", "Oma"])
    assert subject(photo) == ["Oma", "dog", "grass"]
    assert books.faults() == []
    edited(books, add=["Rex"])
    books.run(retag=True)
    assert books.faults() == []
    put_in(Path(f"{photo}.xmp"), "cuckoo")
    assert books.faults() == ["a.jpg: tags not in the catalogue: cuckoo"]


@pytest.mark.parametrize("first", [WriteMode.FILE, WriteMode.SIDECAR])
def test_from_sidecar_to_file_what_was_removed_leaves_the_photo_too(
    books: Library, first: WriteMode
) -> None:
    photo = books.root / "a.jpg"
    run_in(books, first)
    run_in(books, WriteMode.SIDECAR)
    edited(books, remove=["dog", "Oma"])
    assert run_in(books, WriteMode.SIDECAR) == 0
    assert "Oma" in subject(photo)
    assert run_in(books, WriteMode.FILE) == 1
    assert subject(photo) == ["grass"]
    assert {tag.name for tag in books.image().tags} == {"grass"}
    assert books.faults() == []
    assert run_in(books, WriteMode.FILE) == 0
