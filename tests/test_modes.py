"""In every mode words go where they belong, and whatever others do there is taken over.

Each test follows a photo through tagging, other hands, edits, undoing and moving.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.pipeline.carrying import carry_out
from tagger.pipeline.undo import undo
from tagger.records import WriteMode
from tagger.tracking import edits, folders
from tagger.tracking.database import Database
from tagger.tracking.history import Which
from tests.ollama_double import OllamaDouble
from tests.support_metadata import field
from tests.support_modes import (
    FIRST,
    SECOND,
    Library,
    description,
    exiftool,
    library,
    put_in,
    subject,
    take_out,
    tree,
)
from tests.support_pipeline import numbered, put_keywords, strays

# Each takes files through the tagger and exiftool, several times over.
pytestmark = pytest.mark.slow

FILE, SIDECAR, MIRROR = WriteMode.FILE, WriteMode.SIDECAR, WriteMode.MIRROR


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(FIRST) as double:
        yield double


@pytest.fixture(params=[SIDECAR, MIRROR], ids=str)
def books(
    request: pytest.FixtureRequest, tmp_path: Path, ollama: OllamaDouble
) -> Library:
    """A library whose words are in sidecars, of either kind, with one photo."""
    made = library(tmp_path, ollama, request.param)
    numbered(made.root / "a.jpg", 1)
    return made


def edit(books: Library, photo: Path, **change: list[str]) -> int:
    """What `tags add` and `tags remove` do."""
    with Database.of(books.config) as db:
        made = edits.tag(db, [os.fsencode(photo)], **change)
    outcome = carry_out(books.config, made)
    assert outcome.failed == []
    return outcome.run_id


# --- tagged, tagged again, and by another hand ---


def test_words_go_into_the_sidecar_and_a_new_answer_replaces_only_ours(
    books: Library,
) -> None:
    photo = books.root / "a.jpg"
    put_keywords(photo, "Rex")
    before = tree(books.root)
    books.run()
    sidecar = books.sidecar(photo)
    assert subject(sidecar) == ["Rex", "dog", "grass"]
    assert books.image().written_mode is books.mode
    books.ollama.answer = SECOND
    books.run(retag=True)
    assert subject(sidecar) == ["Rex", "grass", "puppy"]
    assert description(sidecar) == ["A puppy."]
    assert tree(books.root)["a.jpg"] == before["a.jpg"]
    assert books.faults() == []
    assert strays(books.root) + strays(books.config.data_dir) == []


def test_our_own_writes_are_no_news_to_a_scan(books: Library) -> None:
    books.run()
    books.ollama.answer = SECOND
    books.run(retag=True)
    edit(books, books.root / "a.jpg", add=["mine"])
    undo(books.config, Which(place=os.fsencode(books.root)))
    outcome = books.scan()
    assert not outcome.is_news
    assert books.run().images == ()


def test_a_word_taken_out_of_the_sidecar_stays_out(books: Library) -> None:
    books.run()
    sidecar = books.sidecar(books.root / "a.jpg")
    take_out(sidecar, "dog")
    assert books.scan().changed == 1
    before = sidecar.read_bytes()
    books.run()
    assert sidecar.read_bytes() == before
    assert books.sources() == {"grass": "gemma3:4b"}
    assert not books.scan().is_news
    books.ollama.answer = {"description": "A dog.", "tags": ["dog", "cat"], "text": ""}
    books.run(retag=True)
    assert subject(sidecar) == ["cat"]


def test_words_put_into_the_sidecar_are_the_persons(books: Library) -> None:
    books.run()
    sidecar = books.sidecar(books.root / "a.jpg")
    put_in(sidecar, "Rex")
    exiftool(sidecar, "-XMP-dc:Description=My Rex")
    assert books.scan().changed == 1
    books.run()
    assert books.sources()["Rex"] == "file"
    assert books.image().description_source == "file"
    books.ollama.answer = SECOND
    books.run(retag=True)
    assert subject(sidecar) == ["Rex", "grass", "puppy"]
    assert description(sidecar) == ["My Rex"]
    assert books.ollama.count == 2


def test_a_description_taken_out_of_the_sidecar_does_not_come_back(
    books: Library,
) -> None:
    books.run()
    sidecar = books.sidecar(books.root / "a.jpg")
    exiftool(sidecar, "-XMP-dc:Description=")
    books.run()
    assert books.image().description is None
    books.ollama.answer = SECOND
    books.run(retag=True)
    assert description(sidecar) == []


def test_a_persons_word_is_gone_from_wherever_the_person_took_it(
    books: Library,
) -> None:
    """Out of the photo, though the sidecar has a copy; or out of that copy."""
    photo = books.root / "a.jpg"
    put_keywords(photo, "Rex", "Oma")
    books.run()
    sidecar = books.sidecar(photo)
    assert subject(sidecar) == ["Oma", "Rex", "dog", "grass"]
    take_out(photo, "Rex")
    take_out(sidecar, "Oma")
    books.run()
    assert set(books.sources()) == {"dog", "grass"}
    assert subject(sidecar) == ["dog", "grass"]
    books.ollama.answer = {"description": "A", "tags": ["rex", "oma"], "text": ""}
    books.run(retag=True)
    assert subject(sidecar) == []
    assert subject(photo) == ["Oma"]  # nothing is written there in this mode
    assert books.faults() == []
    put_in(sidecar, "Oma")
    books.run()
    assert books.sources()["Oma"] == "file"


def test_a_word_of_ours_that_the_person_says_too_stays(books: Library) -> None:
    """In the photo, or in a sidecar of another program; out of there it is gone."""
    photo = books.root / "a.jpg"
    books.run()
    put_keywords(photo, "dog")
    exiftool(books.root / "a.xmp", "-XMP-dc:Subject=grass")
    if books.mode is SIDECAR:  # whose own stands there already
        assert books.sidecar(photo).name == "a.jpg.xmp"
    books.run()
    assert books.sources() == {"dog": "file", "grass": "file"}
    books.ollama.answer = {"description": "A cat.", "tags": ["cat"], "text": ""}
    books.run(retag=True)
    assert subject(books.sidecar(photo)) == ["cat", "dog", "grass"]
    assert set(books.sources()) == {"cat", "dog", "grass"}
    take_out(photo, "dog")
    take_out(books.root / "a.xmp", "grass")
    books.run()
    assert set(books.sources()) == {"cat"}
    assert subject(books.sidecar(photo)) == ["cat"]
    assert books.faults() == []


def test_a_lost_sidecar_is_written_again(books: Library) -> None:
    put_keywords(books.root / "a.jpg", "Rex")
    books.run()
    sidecar = books.sidecar(books.root / "a.jpg")
    sidecar.unlink()
    assert books.scan().changed == 1
    books.run()
    assert subject(sidecar) == ["Rex", "dog", "grass"]
    assert books.ollama.count == 1


def test_a_sidecar_put_back_from_a_copy_was_not_edited(books: Library) -> None:
    books.run()
    sidecar = books.sidecar(books.root / "a.jpg")
    copy = sidecar.read_bytes()
    books.ollama.answer = SECOND
    books.run(retag=True)
    sidecar.write_bytes(copy)
    assert books.scan().changed == 1
    books.run()
    assert subject(sidecar) == ["grass", "puppy"]
    assert set(books.sources().values()) == {"gemma3:4b"}


@pytest.mark.parametrize("left", [0, 100, 700])
def test_half_a_sidecar_takes_no_word_away(books: Library, left: int) -> None:
    put_keywords(books.root / "a.jpg", "Rex")
    books.run()
    sidecar = books.sidecar(books.root / "a.jpg")
    put_in(sidecar, "mine")
    books.run()
    whole = sidecar.read_bytes()
    sidecar.write_bytes(whole[:left])
    assert books.scan().changed == 1
    books.run()
    assert set(books.sources()) == {"Rex", "dog", "grass", "mine"}
    assert sidecar.read_bytes() == whole[:left]
    assert not books.scan().is_news
    assert f"a.jpg: {sidecar} is no whole sidecar" in books.faults()
    sidecar.write_bytes(whole)
    books.run()
    assert subject(sidecar) == ["Rex", "dog", "grass", "mine"]
    assert books.sources()["mine"] == "file"
    assert books.faults() == []


# --- edits and undoing ---


def test_an_edit_goes_into_the_sidecar_over_what_another_hand_did_there(
    books: Library,
) -> None:
    photo = books.root / "a.jpg"
    books.run()
    sidecar = books.sidecar(photo)
    take_out(sidecar, "dog")
    put_in(sidecar, "Rex")
    before = tree(books.root)["a.jpg"]
    edit(books, photo, add=["mine"], remove=["grass"])
    assert subject(sidecar) == ["Rex", "mine"]
    assert books.sources() == {"Rex": "file", "mine": "person"}
    assert tree(books.root)["a.jpg"] == before
    assert books.faults() == []


def test_what_was_written_beside_is_undone_and_comes_again(books: Library) -> None:
    photo = books.root / "a.jpg"
    put_keywords(photo, "Rex")
    before = tree(books.root)["a.jpg"]
    first = books.run()
    sidecar = books.sidecar(photo)
    run_id = edit(books, photo, add=["mine"])
    undo(books.config, Which(run_id=run_id))
    assert subject(sidecar) == ["Rex", "dog", "grass"]
    outcome = undo(books.config, Which(place=os.fsencode(photo)))
    assert outcome.refused == []
    assert not sidecar.exists()
    assert books.run().images == ()
    assert not sidecar.exists()
    assert books.image().written_mode is None
    assert outcome.run_id is not None
    undo(books.config, Which(run_id=outcome.run_id))
    assert subject(sidecar) == ["Rex", "dog", "grass"]
    assert tree(books.root)["a.jpg"] == before
    assert books.faults() == []
    assert first.images[0].written_mode is books.mode


def test_what_another_hand_changed_in_the_sidecar_is_not_undone(
    books: Library,
) -> None:
    books.run()
    sidecar = books.sidecar(books.root / "a.jpg")
    put_in(sidecar, "Rex")
    outcome = undo(books.config, Which(place=os.fsencode(books.root)))
    assert {one.field for one in outcome.refused} == {"XMP-dc:Subject"}
    assert "Rex" in subject(sidecar)
    books.run()
    assert books.sources()["Rex"] == "file"


def test_verify_finds_what_is_wrong_with_a_sidecar(books: Library) -> None:
    books.run()
    sidecar = books.sidecar(books.root / "a.jpg")
    take_out(sidecar, "dog")
    put_in(sidecar, "Rex")
    # No process has that number: the largest is 4,194,304.
    stray = sidecar.with_name(f".tagger-99999999-{'0' * 32}.xmp")
    stray.write_bytes(b"")
    assert books.faults() == [
        "a.jpg: tags not in the file: dog",
        "a.jpg: tags not in the catalogue: Rex",
        f"{stray.name}: a temporary file that was left behind",
    ]


# --- moved photos ---


def test_a_photo_moved_with_its_sidecar_keeps_all_words(books: Library) -> None:
    photo, moved = books.root / "a.jpg", books.root / "sub" / "b.jpg"
    books.run()
    put_in(books.sidecar(photo), "Rex")
    books.run()
    moved.parent.mkdir()
    photo.rename(moved)
    books.sidecar(moved).parent.mkdir(exist_ok=True)
    books.sidecar(photo).rename(books.sidecar(moved))
    books.run()
    assert books.sources("b.jpg") == {
        "Rex": "file",
        "dog": "gemma3:4b",
        "grass": "gemma3:4b",
    }
    books.ollama.answer = SECOND
    books.run(retag=True)
    assert subject(books.sidecar(moved)) == ["Rex", "grass", "puppy"]
    undo(books.config, Which(place=os.fsencode(moved)))
    assert subject(books.sidecar(moved)) == ["Rex", "dog", "grass"]
    assert not books.sidecar(photo).exists()
    assert books.ollama.count == 2


def test_a_photo_whose_sidecar_was_left_behind_keeps_all_words(
    books: Library,
) -> None:
    photo, moved = books.root / "a.jpg", books.root / "sub" / "b.jpg"
    books.run()
    old = books.sidecar(photo)
    put_in(old, "Rex")
    take_out(old, "grass")
    books.run()
    moved.parent.mkdir()
    photo.rename(moved)
    books.run()
    new = books.sidecar(moved)
    assert subject(new) == ["Rex", "dog"]
    assert books.sources("b.jpg") == {"Rex": "file", "dog": "gemma3:4b"}
    # What a person has is left where it is; a mirror is ours, and follows its photos.
    assert old.exists() is (books.mode is SIDECAR)
    assert not books.scan().is_news
    books.ollama.answer = SECOND
    books.run(retag=True)
    assert subject(new) == ["Rex", "puppy"]
    assert books.faults() == []
    assert books.ollama.count == 2


def test_a_photo_moved_to_another_disk_keeps_the_words_it_left_behind(
    books: Library,
) -> None:
    """There it is another file, known by its picture alone."""
    photo, moved = books.root / "a.jpg", books.root / "sub" / "b.jpg"
    books.run()
    put_in(books.sidecar(photo), "Rex")
    books.run()
    before = books.image().id
    moved.parent.mkdir()
    shutil.copy2(photo, moved)
    photo.unlink()
    books.run()
    assert books.image("b.jpg").id == before
    assert subject(books.sidecar(moved)) == ["Rex", "dog", "grass"]
    assert books.sources("b.jpg")["Rex"] == "file"
    assert books.sources("b.jpg")["dog"] == "gemma3:4b"


# --- one mode after another ---


@pytest.mark.parametrize("mode", [SIDECAR, MIRROR], ids=str)
def test_words_in_the_photo_stay_there_and_are_not_doubled_elsewhere(
    tmp_path: Path, ollama: OllamaDouble, mode: WriteMode
) -> None:
    books = library(tmp_path, ollama, FILE)
    photo = numbered(books.root / "a.jpg", 1)
    put_keywords(photo, "Rex")
    books.run()
    before = tree(books.root)
    books.mode = mode
    assert books.run().images == ()
    assert not books.sidecar(photo).exists()
    ollama.answer = SECOND
    books.run(retag=True)
    sidecar = books.sidecar(photo)
    assert subject(sidecar) == ["Rex", "grass", "puppy"]
    assert tree(books.root)["a.jpg"] == before["a.jpg"]
    assert books.sources() == {
        "Rex": "file",
        "puppy": "gemma3:4b",
        "grass": "gemma3:4b",
    }
    assert books.image().description == "A puppy."
    assert books.faults() == []
    take_out(sidecar, "grass")  # which the photo has still, from the first answer
    books.run()
    assert set(books.sources()) == {"Rex", "puppy"}
    ollama.answer = FIRST
    books.run(retag=True)
    assert subject(sidecar) == ["Rex", "dog"]
    books.mode = FILE
    ollama.answer = {"description": "A cat.", "tags": ["cat"], "text": ""}
    books.run(retag=True)
    assert subject(photo) == ["Rex", "cat"]
    assert books.sources() == {"Rex": "file", "cat": "gemma3:4b"}
    assert books.faults() == []


@pytest.mark.parametrize(("first", "then"), [(SIDECAR, MIRROR), (MIRROR, SIDECAR)])
def test_from_one_kind_of_sidecar_to_the_other(
    tmp_path: Path, ollama: OllamaDouble, first: WriteMode, then: WriteMode
) -> None:
    books = library(tmp_path, ollama, first)
    photo = numbered(books.root / "a.jpg", 1)
    books.run()
    old = books.sidecar(photo)
    put_in(old, "Rex")
    books.run()
    before = old.read_bytes()
    books.mode = then
    assert books.run().images == ()
    ollama.answer = SECOND
    books.run(retag=True)
    assert subject(books.sidecar(photo)) == ["Rex", "grass", "puppy"]
    assert old.read_bytes() == before
    assert books.sources()["Rex"] == "file"
    assert books.faults() == []
    ollama.answer = FIRST
    books.run(retag=True)
    assert subject(books.sidecar(photo)) == ["Rex", "dog", "grass"]


def test_in_file_mode_a_sidecar_of_the_persons_is_read_and_its_changes_count(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    books = library(tmp_path, ollama, FILE)
    photo = numbered(books.root / "a.jpg", 1)
    sidecar = Path(f"{photo}.xmp")
    exiftool(sidecar, "-XMP-dc:Subject=Rex", "-XMP-dc:Subject=cat")
    books.run()
    assert books.sources()["Rex"] == "file"
    take_out(sidecar, "cat")
    assert books.scan().changed == 1
    books.run()
    ollama.answer = {"description": "A cat.", "tags": ["cat", "sofa"], "text": ""}
    books.run(retag=True)
    assert subject(photo) == ["sofa"]
    assert books.sources() == {"Rex": "file", "sofa": "gemma3:4b"}
    sidecar.unlink()
    assert books.scan().changed == 1
    books.run()
    assert set(books.sources()) == {"sofa"}
    assert books.faults() == []


def test_a_sidecar_that_appears_is_noticed(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    books = library(tmp_path, ollama, FILE)
    photo = numbered(books.root / "a.jpg", 1)
    books.run()
    exiftool(Path(f"{photo}.xmp"), "-XMP-dc:Subject=Rex", "-XMP-dc:Description=Rex!")
    (books.root / "nobodys.xmp").write_text("<x/>")
    assert books.scan().changed == 1
    books.run()
    assert books.sources()["Rex"] == "file"
    assert books.image().description == "Rex!"
    assert not books.scan().is_news
    assert field(photo, "XMP-dc:Subject") == ["dog", "grass"]


def test_a_folders_mode_is_set_by_command_for_what_is_written_next(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    books = library(tmp_path, ollama, FILE)
    photo = numbered(books.root / "a.jpg", 1)
    books.run()
    with Database.of(books.config) as db:
        [folder] = folders.every(db)
        folders.set_write_mode(db, folder.id, MIRROR)
    edit(books, photo, add=["mine"])
    mirrored = Path(f"{books.config.mirror_dir}{photo}.xmp")
    assert subject(mirrored) == ["dog", "grass", "mine"]
    assert subject(photo) == ["dog", "grass"]
