"""Stars that stand in photos and sidecars are found, and never touched."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.catalogue import intake, questions
from tagger.catalogue.questions import Wanted
from tagger.config import Config
from tagger.pipeline.metadata import Exiftool, Writer
from tagger.sections import Metadata
from tagger.tracking.database import Database
from tests import support_imaging
from tests.ollama_double import OllamaDouble
from tests.support_catalogue import open_catalogue
from tests.support_metadata import field, person_writes
from tests.support_pipeline import numbered, settings
from tests.test_reconcile import run

XMP, EXIF = "-XMP-xmp:Rating", "-IFD0:Rating"


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    with Exiftool(Metadata()) as exiftool:
        yield Writer(exiftool, Metadata())


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp", "heic"])
def test_stars_are_read_in_every_format(
    writer: Writer, tmp_path: Path, kind: str
) -> None:
    photo = support_imaging.make(kind, tmp_path)
    person_writes(photo, f"{XMP}=4")

    assert writer.read(photo).rating == 4


@pytest.mark.parametrize(
    ("written", "stars"),
    [
        ([f"{XMP}=5"], 5),
        ([f"{XMP}=3.5"], 3),
        ([f"{XMP}=-1"], -1),
        ([f"{XMP}=0"], None),
        ([f"{XMP}=99"], None),
        ([f"{EXIF}=2"], 2),
        ([f"{XMP}=5", f"{EXIF}=2"], 5),
        ([f"{XMP}=0", f"{EXIF}=2"], None),
        ([f"{XMP}=99", f"{EXIF}=2"], 2),
        ([], None),
    ],
)
def test_stars_are_what_the_person_gave(
    writer: Writer, tmp_path: Path, written: list[str], stars: int | None
) -> None:
    photo = support_imaging.make("jpeg", tmp_path)
    if written:
        person_writes(photo, *written)

    assert writer.read(photo).rating == stars


def test_the_stars_of_a_sidecar_go_before_those_of_the_photo(
    writer: Writer, tmp_path: Path
) -> None:
    photo = support_imaging.make("jpeg", tmp_path)
    person_writes(photo, f"{XMP}=2")
    person_writes(photo + b".xmp", f"{XMP}=5")

    assert writer.read(photo).rating == 5


class Shelf:
    """Three photos that the tagger has been through, and what a question finds."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config, self.folder = config, folder
        run(config, folder)

    def again(self) -> None:
        run(self.config, self.folder)

    def finds(self, query: str, sort: str = "name") -> list[str]:
        with (
            Database.of(self.config) as db,
            open_catalogue(self.config.data_dir) as catalogue,
        ):
            intake.take(catalogue, db)
            wanted = Wanted(query=query, sort=sort)
            return [card.name for card in questions.page(catalogue, wanted).images]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    folder = tmp_path / "photos"
    for number, rating in enumerate((3, -1, None), start=1):
        photo = numbered(folder / f"{number}.jpg", number)
        if rating is not None:
            person_writes(os.fsencode(photo), f"{XMP}={rating}")
    with OllamaDouble({"description": "A dog.", "tags": ["dog"], "text": ""}) as ollama:
        yield Shelf(settings(tmp_path, ollama.url), folder)


def test_tagging_finds_stars_and_leaves_them(shelf: Shelf) -> None:
    assert shelf.finds("rating:3") == ["1.jpg"]
    assert shelf.finds("rating:rejected") == ["2.jpg"]
    assert shelf.finds("rating:none") == ["3.jpg"]
    assert shelf.finds("has:rating dog") == ["1.jpg", "2.jpg"]
    assert shelf.finds("", sort="rating") == ["1.jpg", "3.jpg", "2.jpg"]
    assert field(os.fsencode(shelf.folder / "1.jpg"), "XMP-xmp:Rating") == ["3"]


def test_stars_given_later_are_found_after_the_next_scan(shelf: Shelf) -> None:
    person_writes(os.fsencode(shelf.folder / "3.jpg"), f"{XMP}=5")
    person_writes(os.fsencode(shelf.folder / "1.jpg.xmp"), f"{XMP}=1")
    person_writes(os.fsencode(shelf.folder / "2.jpg"), f"{XMP}=")
    shelf.again()

    assert shelf.finds("rating:5") == ["3.jpg"]
    assert shelf.finds("rating:1") == ["1.jpg"]
    assert shelf.finds("rating:none") == ["2.jpg"]
    assert shelf.finds("tag:dog") == ["1.jpg", "2.jpg", "3.jpg"]
