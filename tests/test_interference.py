"""Other programs at the same photo while it is worked on: theirs is never lost.

The other program acts at the moment when a step has just been taken, as the pipeline
tells its observers; what it left stays, and the next run finishes the work.
"""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.imaging.identity import identity
from tagger.pipeline.tagging import Tagging, tag
from tagger.pipeline.verify import verify
from tagger.records import ImageState
from tagger.tracking.jobs import Job
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import (
    in_file,
    known_images,
    numbered,
    put_keywords,
    reads_number,
    settings,
    strays,
)

pytestmark = pytest.mark.slow

MOMENTS = ("looked", "answered", "intended", "replaced", "noted")
FILM = b"a short film behind the picture " * 100
OPEN_S = 1.0


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    with OllamaDouble(reads_number) as ollama:
        yield settings(tmp_path, ollama.url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        put_keywords(numbered(tmp_path / "photos" / f"{number}.jpg", number), "Oma")
    return tmp_path / "photos"


def run(config: Config, folder: Path, **options: object) -> Tagging:
    return tag(config, [os.fsencode(folder)], choose(config), **options)  # type: ignore[arg-type]


def interrupted_run(
    config: Config, photo: Path, moment: str, act: Callable[[Path], None]
) -> None:
    """A run in which another program acts once on one photo, then the next run."""
    acted = threading.Event()

    def observe(step: str, job: Job) -> None:
        is_it = step == moment and job.path == os.fsencode(photo)
        if is_it and not acted.is_set():
            acted.set()
            act(photo)

    run(config, photo.parent, observer=observe)
    assert acted.is_set()
    _finish(config, photo.parent)


def _finish(config: Config, folder: Path) -> None:
    for thread in threading.enumerate():
        if thread.name == "other program":
            thread.join()
    assert run(config, folder).failed == []
    assert strays(folder) == []
    assert verify(config, []).faults == ()


def in_the_background(work: Callable[[threading.Event], None]) -> None:
    """Start another program, and go on once it has the file open."""
    has_it_open = threading.Event()
    threading.Thread(target=work, args=(has_it_open,), name="other program").start()
    assert has_it_open.wait(10)


def words_of(photo: Path) -> list[str]:
    """The keywords in a photo, none of them there twice in any field."""
    words = in_file(photo)
    both = words["XMP-dc:Subject"], words["IPTC:Keywords"]
    assert [len({*names}) for names in both] == [len(names) for names in both]
    assert {*both[1]} <= {*both[0]}
    return both[0]


@pytest.mark.parametrize("moment", MOMENTS)
def test_words_another_program_adds_are_kept(
    config: Config, folder: Path, moment: str
) -> None:
    photo = folder / "2.jpg"
    before = identity(os.fsencode(photo))

    def add(path: Path) -> None:
        words = ["-XMP-dc:Subject+=Opa", "-XMP-dc:Title=Ferien"]
        subprocess.run(["exiftool", "-q", "-overwrite_original", *words, path])

    interrupted_run(config, photo, moment, add)
    assert identity(os.fsencode(photo)) == before
    assert sorted(words_of(photo)) == ["Oma", "Opa", "bar code", "number 2"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_picture_another_program_puts_there_stays_and_is_tagged(
    config: Config, folder: Path, tmp_path: Path, moment: str
) -> None:
    photo, other = folder / "2.jpg", numbered(tmp_path / "new.jpg", 9)
    put_keywords(other, "Edited")
    picture = identity(os.fsencode(other))
    interrupted_run(config, photo, moment, lambda path: os.replace(other, path))
    assert identity(os.fsencode(photo)) == picture
    assert words_of(photo) == ["Edited", "number 9", "bar code"]
    assert in_file(photo)["XMP-dc:Description"] == ["This is picture 9."]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_picture_copied_over_it_slowly_arrives_whole(
    config: Config, folder: Path, tmp_path: Path, moment: str
) -> None:
    photo, other = folder / "2.jpg", numbered(tmp_path / "new.jpg", 9)
    put_keywords(other, "Copied")
    picture, data = identity(os.fsencode(other)), other.read_bytes()

    def copy(path: Path) -> None:
        def slowly(has_it_open: threading.Event) -> None:
            with path.open("wb") as file:
                file.write(data[: len(data) // 2])
                file.flush()
                has_it_open.set()
                time.sleep(OPEN_S)
                file.write(data[len(data) // 2 :])

        in_the_background(slowly)

    interrupted_run(config, photo, moment, copy)
    assert identity(os.fsencode(photo)) == picture
    assert words_of(photo) == ["Copied", "number 9", "bar code"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_a_program_writes_into_the_file_it_holds_open_arrives(
    config: Config, folder: Path, moment: str
) -> None:
    photo = folder / "2.jpg"
    before = identity(os.fsencode(photo))

    def hold(path: Path) -> None:
        def append_later(has_it_open: threading.Event) -> None:
            with path.open("r+b") as file:
                has_it_open.set()
                time.sleep(OPEN_S)
                file.seek(0, os.SEEK_END)
                file.write(FILM)

        in_the_background(append_later)

    interrupted_run(config, photo, moment, hold)
    assert photo.read_bytes().endswith(FILM)
    assert identity(os.fsencode(photo)) == before
    assert words_of(photo) == ["Oma", "number 2", "bar code"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_photo_deleted_meanwhile_stays_deleted(
    config: Config, folder: Path, moment: str
) -> None:
    interrupted_run(config, folder / "2.jpg", moment, Path.unlink)
    assert sorted(path.name for path in folder.iterdir()) == ["1.jpg", "3.jpg"]
    assert known_images(config)["2.jpg"].state is ImageState.MISSING


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_photo_renamed_meanwhile_is_tagged_under_its_new_name(
    config: Config, folder: Path, moment: str
) -> None:
    def rename(path: Path) -> None:
        path.rename(path.with_name("renamed.jpg"))

    interrupted_run(config, folder / "2.jpg", moment, rename)
    names = ["1.jpg", "3.jpg", "renamed.jpg"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert words_of(folder / "renamed.jpg") == ["Oma", "number 2", "bar code"]
    assert sorted(known_images(config)) == names


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_folder_taken_away_meanwhile_comes_back_and_is_finished(
    config: Config, folder: Path, moment: str
) -> None:
    aside = folder.with_name("aside")

    def take_away(path: Path) -> None:
        def and_back(has_it_open: threading.Event) -> None:
            os.rename(folder, aside)
            has_it_open.set()
            time.sleep(OPEN_S)
            if folder.exists():
                shutil.rmtree(folder)
            os.rename(aside, folder)

        in_the_background(and_back)

    interrupted_run(config, folder / "2.jpg", moment, take_away)
    for number in (1, 2, 3):
        words = ["Oma", f"number {number}", "bar code"]
        assert words_of(folder / f"{number}.jpg") == words
