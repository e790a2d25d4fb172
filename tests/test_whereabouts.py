"""Which sidecar is a photo's: decided in one place, the same each time, for good."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.imaging.formats import RAW_EXTENSIONS
from tagger.records import WriteMode
from tests.ollama_double import OllamaDouble
from tests.support_metadata import field
from tests.support_modes import (
    FIRST,
    SECOND,
    Library,
    exiftool,
    library,
    put_in,
    subject,
    take_out,
    tree,
)
from tests.support_pipeline import numbered
from tests.support_raw import dng

# Each takes files through the tagger and exiftool, several times over.
pytestmark = pytest.mark.slow

FOR = "XMP-photoshop:SidecarForExtension"
BOTH = [WriteMode.SIDECAR, WriteMode.MIRROR]


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(FIRST) as double:
        yield double


@pytest.fixture
def make(tmp_path: Path, ollama: OllamaDouble):
    """A library with these settings of sidecars and one photo, `a.jpg`."""

    def made(mode: WriteMode = WriteMode.SIDECAR, **metadata: object) -> Library:
        books = library(tmp_path, ollama, mode, **metadata)
        numbered(books.root / "a.jpg", 1)
        return books

    return made


def raw(path: Path) -> Path:
    path.write_bytes(dng())
    return path


def names(books: Library) -> list[str]:
    return sorted(p.name for p in books.root.rglob("*") if p.is_file())


# --- new sidecars ---


def test_a_new_sidecar_is_called_as_the_setting_says(make) -> None:
    books = make(sidecar_name="stem")
    books.run()
    assert names(books) == ["a.jpg", "a.xmp"]
    assert field(books.root / "a.xmp", FOR) == ["JPG"]
    assert books.faults() == []
    assert not books.scan().is_news


@pytest.mark.parametrize("mode", BOTH, ids=str)
def test_a_raw_photo_has_the_short_name_and_what_stands_beside_it_the_full(
    make, mode: WriteMode
) -> None:
    books = make(mode, sidecar_name="stem")
    raw(books.root / "A.NEF")
    raw(books.root / "a.dng")
    books.run()
    place = books.root
    if mode is WriteMode.MIRROR:
        place = Path(f"{books.config.mirror_dir}{books.root}")
    assert sorted(p.name for p in place.glob("*.xmp")) == [
        *("A.xmp", "a.dng.xmp", "a.jpg.xmp")
    ]
    assert field(place / "A.xmp", FOR) == ["NEF"]
    assert field(place / "a.jpg.xmp", FOR) == []
    assert books.faults() == []


def test_photos_of_one_name_without_a_raw_take_turns_by_name(make) -> None:
    books = make(sidecar_name="stem")
    shutil.copy(books.root / "a.jpg", books.root / "a.jpeg")
    books.run()
    assert names(books) == ["a.jpeg", "a.jpg", "a.jpg.xmp", "a.xmp"]
    assert field(books.root / "a.xmp", FOR) == ["JPEG"]


def test_a_stem_that_is_a_photos_name_itself_is_not_used(make) -> None:
    """`a.cr2.jpg` comes from `a.cr2`, whose full name for a sidecar is `a.cr2.xmp`."""
    books = make(sidecar_name="stem")
    (books.root / "a.jpg").rename(books.root / "a.cr2.jpg")
    exiftool(books.root / "a.cr2.xmp", "-XMP-dc:Subject=the negative's")
    books.run()
    assert names(books) == ["a.cr2.jpg", "a.cr2.jpg.xmp", "a.cr2.xmp"]
    assert "the negative's" not in books.sources("a.cr2.jpg")
    assert not books.scan().is_news


# --- sidecars that are there ---


@pytest.mark.parametrize("naming", ["full", "stem"])
@pytest.mark.parametrize("present", ["a.xmp", "a.jpg.xmp", "a.XMP"])
def test_another_programs_sidecar_is_merged_with_whatever_its_name(
    make, naming: str, present: str
) -> None:
    books = make(sidecar_name=naming)
    sidecar = books.root / present
    exiftool(books.root / "new.xmp", "-XMP-dc:Subject=Rex", "-XMP-xmp:Rating=4")
    (books.root / "new.xmp").rename(sidecar)
    exiftool(sidecar, "-XMP-dc:Description=My Rex")
    books.run()
    assert names(books) == sorted(["a.jpg", present])
    assert subject(sidecar) == ["Rex", "dog", "grass"]
    assert field(sidecar, "XMP-xmp:Rating") == ["4"]
    assert field(sidecar, FOR) == []
    assert books.sources()["Rex"] == "file"
    assert books.image().description == "My Rex"
    assert not books.scan().is_news


def test_of_two_sidecars_both_are_read_and_one_is_written(make) -> None:
    books = make()
    exiftool(books.root / "a.xmp", "-XMP-dc:Subject=short")
    exiftool(books.root / "a.jpg.xmp", "-XMP-dc:Subject=full")
    before = (books.root / "a.xmp").read_bytes()
    books.run()
    assert (books.root / "a.xmp").read_bytes() == before
    assert subject(books.root / "a.jpg.xmp") == ["dog", "full", "grass", "short"]
    assert books.sources()["short"] == "file"
    take_out(books.root / "a.xmp", "short")  # of which the other has our copy
    books.run()
    assert "short" not in books.sources()
    assert subject(books.root / "a.jpg.xmp") == ["dog", "full", "grass"]
    (books.root / "a.xmp").unlink()
    books.run()
    assert books.sources()["full"] == "file"
    assert books.faults() == []


def test_a_copied_word_whose_source_is_deleted_stays(make) -> None:
    books = make()
    exiftool(books.root / "a.xmp", "-XMP-dc:Subject=short")
    exiftool(books.root / "a.jpg.xmp", "-XMP-dc:Subject=full")
    books.run()
    (books.root / "a.xmp").unlink()
    for _ in range(2):
        os.utime(books.root / "a.jpg")
        books.run()
        assert books.sources()["short"] == "file"
    assert "short" in subject(books.root / "a.jpg.xmp")


def test_a_changed_setting_makes_no_second_sidecar(make) -> None:
    books = make(sidecar_name="full")
    books.run()
    books = make(sidecar_name="stem")
    books.ollama.answer = SECOND
    books.run(retag=True)
    assert names(books) == ["a.jpg", "a.jpg.xmp"]
    assert subject(books.root / "a.jpg.xmp") == ["grass", "puppy"]


def test_a_sidecar_that_came_later_is_read_and_ours_stays_the_one_written(
    make,
) -> None:
    books = make(sidecar_name="stem")
    books.run()
    exiftool(books.root / "a.jpg.xmp", "-XMP-dc:Subject=Rex")
    books.run()
    assert books.sources()["Rex"] == "file"
    books.ollama.answer = SECOND
    books.run(retag=True)
    assert subject(books.root / "a.xmp") == ["Rex", "grass", "puppy"]
    assert subject(books.root / "a.jpg.xmp") == ["Rex"]


# --- a photo of the same name ---


def test_a_raws_sidecar_is_never_read_as_the_jpegs(make) -> None:
    books = make()
    raw(books.root / "a.nef")
    exiftool(books.root / "a.xmp", "-XMP-dc:Subject=negative", f"-{FOR}=NEF")
    books.run()
    assert books.sources("a.nef")["negative"] == "file"
    assert "negative" not in books.sources("a.jpg")
    assert names(books) == ["a.jpg", "a.jpg.xmp", "a.nef", "a.xmp"]
    assert subject(books.root / "a.jpg.xmp") == ["dog", "grass"]
    assert subject(books.root / "a.xmp") == ["dog", "grass", "negative"]
    put_in(books.root / "a.xmp", "more")
    books.run()
    assert "more" in books.sources("a.nef")
    assert "more" not in books.sources("a.jpg")
    assert books.faults() == []


@pytest.mark.parametrize("mark", [f"-{FOR}=NEF", "-XMP-xmp:Rating=1"])
def test_a_sidecar_of_a_raw_that_we_do_not_look_at_is_not_the_jpegs(
    make, mark: str
) -> None:
    """The negative is a kind that is not read here, or is not there at all."""
    books = make()
    if "Rating" in mark:
        (books.root / "a.x3f").write_bytes(b"FOVb")
    exiftool(books.root / "a.xmp", "-XMP-dc:Subject=negative", mark)
    before = (books.root / "a.xmp").read_bytes()
    books.run()
    assert set(books.sources()) == {"dog", "grass"}
    assert (books.root / "a.xmp").read_bytes() == before


def test_a_raw_that_comes_later_leaves_the_jpeg_its_sidecar(make) -> None:
    books = make(sidecar_name="stem")
    books.run()
    put_in(books.root / "a.xmp", "Rex")
    raw(books.root / "a.nef")
    books.run()
    assert names(books) == ["a.jpg", "a.nef", "a.nef.xmp", "a.xmp"]
    assert books.sources("a.jpg")["Rex"] == "file"
    assert "Rex" not in books.sources("a.nef")
    books.ollama.answer = SECOND
    books.run(retag=True)
    assert subject(books.root / "a.xmp") == ["Rex", "grass", "puppy"]
    assert subject(books.root / "a.nef.xmp") == ["grass", "puppy"]
    shutil.rmtree(books.config.data_dir)  # the sidecar says itself whose it is
    books.run()
    assert books.sources("a.jpg")["Rex"] == "file"
    assert "Rex" not in books.sources("a.nef")
    assert books.ollama.count == 4


def test_a_raw_that_comes_later_takes_what_the_jpeg_only_read(make) -> None:
    books = make(WriteMode.FILE)
    exiftool(books.root / "a.xmp", "-XMP-dc:Subject=negative")
    books.run()
    assert books.sources("a.jpg")["negative"] == "file"
    raw(books.root / "a.nef")
    books.run()
    books.run()  # the JPEG was told while this command was under way
    assert books.sources("a.nef")["negative"] == "file"
    assert "negative" not in books.sources("a.jpg")
    (books.root / "a.nef").unlink()
    books.run()
    assert books.sources("a.jpg")["negative"] == "file"
    assert not books.scan().is_news


def test_adobes_program_claims_a_sidecar_for_the_raw(make) -> None:
    books = make(sidecar_name="stem")
    books.run()
    raw(books.root / "a.nef")
    books.run()
    exiftool(books.root / "a.xmp", f"-{FOR}=NEF", "-XMP-dc:Subject+=theirs")
    books.run()
    assert subject(books.root / "a.jpg.xmp") == ["dog", "grass"]
    assert "theirs" not in books.sources("a.jpg")
    books.ollama.answer = SECOND
    books.run(retag=True)
    assert subject(books.root / "a.jpg.xmp") == ["grass", "puppy"]
    assert books.sources("a.nef")["theirs"] == "file"
    assert not books.scan().is_news


def test_a_raw_and_a_jpeg_share_one_sidecar_only_if_told_so(make) -> None:
    def answer(jpeg: bytes, _request: object) -> dict[str, object]:
        # The negative's picture is flat: its JPEG is far smaller.
        kind = "positive" if len(jpeg) > 10_000 else "negative"
        return {"description": f"A {kind}.", "tags": [kind, "dog"], "text": ""}

    books = make(sidecar_name="stem", share_sidecar=True)
    books.ollama.answer = answer
    raw(books.root / "a.nef")
    books.run()
    for _ in range(3):
        books.run()
    assert names(books) == ["a.jpg", "a.nef", "a.xmp"]
    assert subject(books.root / "a.xmp") == ["dog", "negative", "positive"]
    assert field(books.root / "a.xmp", FOR) == []
    assert set(books.sources("a.jpg")) == {"dog", "negative", "positive"}
    assert set(books.sources("a.nef")) == {"dog", "negative", "positive"}
    settled = (books.root / "a.xmp").read_bytes()
    assert not books.scan().is_news
    books.run()
    assert (books.root / "a.xmp").read_bytes() == settled
    take_out(books.root / "a.xmp", "dog")
    for _ in range(3):
        books.run()
    assert subject(books.root / "a.xmp") == ["negative", "positive"]
    assert not books.scan().is_news
    assert books.faults() == []


# --- RAW photos ---


@pytest.mark.parametrize("naming", ["full", "stem"])
@pytest.mark.parametrize(
    "mode", [WriteMode.FILE, WriteMode.SIDECAR, WriteMode.MIRROR], ids=str
)
def test_no_raw_photo_is_ever_written_into(
    tmp_path: Path, ollama: OllamaDouble, mode: WriteMode, naming: str
) -> None:
    books = library(tmp_path, ollama, mode, sidecar_name=naming)
    for n, ending in enumerate(sorted(RAW_EXTENSIONS)):
        raw(books.root / f"{n}{ending.upper() if n % 2 else ending}")
    before = tree(books.root)
    books.run()
    ollama.answer = SECOND
    books.run(retag=True)
    after = tree(books.root)
    photos = [name for name in before if name != "."]
    assert {name: after[name] for name in photos} == {n: before[n] for n in photos}
    place = books.root
    if mode is WriteMode.MIRROR:
        place = Path(f"{books.config.mirror_dir}{books.root}")
        assert after == before
    sidecars = list(place.glob("*.xmp"))
    assert len(sidecars) == 12
    assert {tuple(subject(one)) for one in sidecars} == {("grass", "puppy")}
