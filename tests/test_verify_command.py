"""`verify` on the command line: 3 for each fault there can be, 0 where all is well."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from tagger.config import Config
from tagger.records import WriteMode
from tagger.tracking import folders
from tagger.tracking.database import Database
from tests.ollama_double import OllamaDouble
from tests.support_metadata import person_writes
from tests.support_modes import FIRST, Library
from tests.support_pipeline import as_environment, numbered, settings
from tests.test_cli import tagger

# Each takes files through the tagger and exiftool, several times over.
pytestmark = pytest.mark.slow


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(FIRST) as double:
        yield double


@pytest.fixture(
    params=[
        WriteMode.FILE,
        pytest.param(WriteMode.SIDECAR, marks=pytest.mark.slow),
        pytest.param(WriteMode.MIRROR, marks=pytest.mark.slow),
    ]
)
def library(
    request: pytest.FixtureRequest, tmp_path: Path, ollama: OllamaDouble
) -> Library:
    """A photo for each fault, tagged in this mode; the one called `well` has none."""
    root, config = tmp_path / "photos", settings(tmp_path, ollama.url)
    library = Library(root, config, ollama, request.param)
    for number, name in enumerate(("well", *faults_of(library))):
        numbered(root / name / f"{name}.jpg", number)
    library.run()
    return library


Deed = Callable[[Library, Path], object]

FAULTS: dict[str, tuple[Deed, str]] = {
    "picture": (lambda _, photo: repainted(photo), "its picture is not the one"),
    "gone": (lambda _, photo: photo.unlink(), "it is gone"),
    "no photo": (lambda _, photo: photo.write_bytes(b"\xff\xd8 no"), "be read"),
    "lacking": (
        lambda library, photo: person_writes(
            library.sidecar(photo), "-XMP-dc:Subject-=dog"
        ),
        "tags not in the file: dog",
    ),
    "added": (
        lambda library, photo: person_writes(
            library.sidecar(photo), "-XMP-dc:Subject+=Oma"
        ),
        "tags not in the catalogue: Oma",
    ),
    "described": (
        lambda library, photo: person_writes(
            library.sidecar(photo), "-XMP-dc:Description=Oma in Rome."
        ),
        "its description is not the one in the catalogue",
    ),
    "stray": (
        lambda _, photo: stray(photo.parent),
        "a temporary file that was left behind",
    ),
}
OF_SIDECARS: dict[str, tuple[Deed, str]] = {
    "lost": (lambda library, photo: library.sidecar(photo).unlink(), "not in the file"),
    "half": (
        lambda library, photo: os.truncate(library.sidecar(photo), 200),
        "is no whole sidecar",
    ),
}


def faults_of(library: Library) -> dict[str, tuple[Deed, str]]:
    return FAULTS if library.mode is WriteMode.FILE else FAULTS | OF_SIDECARS


def repainted(photo: Path) -> None:
    """Another picture, saved with the words of the first by a careful program."""
    with Image.open(photo) as image:
        exif, xmp = image.getexif(), image.info.get("xmp", b"")
        image.rotate(180).save(photo, exif=exif, xmp=xmp)


def stray(folder: Path) -> None:
    # No process has this number: it is above the kernel's largest.
    (folder / f".tagger-4194305-{'0' * 32}.tmp").write_bytes(b"")


def test_each_fault_is_named_with_its_file_and_ends_with_3(library: Library) -> None:
    environment = as_environment(library.config)
    assert tagger(environment, "verify").returncode == 0

    for name, (deed, problem) in faults_of(library).items():
        photo = library.root / name / f"{name}.jpg"
        deed(library, photo)
        answer = tagger(environment, "verify", str(photo.parent))
        assert answer.returncode == 3, (name, answer)
        assert problem in answer.stdout
        assert str(photo.parent) in answer.stdout
        assert re.search(r"1 photo checked: \d faults?\n$", answer.stderr), name

    answer = tagger(environment, "verify", str(library.root / "well"))
    assert (answer.returncode, answer.stdout) == (0, "")
    assert answer.stderr.endswith("1 photo checked: all well\n")
    assert tagger(environment, "verify").returncode == 3


@pytest.fixture
def config(tmp_path: Path, ollama: OllamaDouble) -> Config:
    return settings(tmp_path, ollama.url)


def test_where_nothing_was_written_nothing_is_said_to_be_well(
    config: Config, tmp_path: Path
) -> None:
    answer = tagger(as_environment(config), "verify", str(tmp_path))
    assert answer.returncode == 0
    assert "nothing to check: no photo there was written" in answer.stderr
    assert "well" not in answer.stderr


def test_photos_on_a_disk_that_is_away_are_said_not_to_be_checked(
    config: Config, ollama: OllamaDouble, tmp_path: Path
) -> None:
    numbered(tmp_path / "photos" / "a.jpg", 1)
    library = Library(tmp_path / "photos", config, ollama, WriteMode.FILE)
    library.run()
    (tmp_path / "photos").rename(tmp_path / "unplugged")
    with Database.of(config) as db:
        [folder] = folders.every(db)
        folders.set_offline(db, folder.id, "it is not there")

    answer = tagger(as_environment(config), "verify")

    assert answer.returncode == 0
    assert "nothing could be checked; 1 photo not checked" in answer.stderr
