"""What a person takes out with a program that knows few fields is out of all of them.

And the other way round: a program that spoils, replaces or throws away fields takes
nothing out.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.pipeline.tagging import tag
from tagger.pipeline.verify import verify
from tagger.records import WriteMode
from tagger.vision.choose import choose
from tests import support_imaging
from tests.ollama_double import OllamaDouble
from tests.support_metadata import field, person_writes
from tests.support_pipeline import known_images, numbered, put_keywords, settings

ANSWER = {"description": "A dog.", "tags": ["dog", "grass", "sea"], "text": ""}
FIELDS = (
    *("XMP-dc:Subject", "XMP-digiKam:TagsList", "IPTC:Keywords", "IFD0:XPKeywords"),
    *("PNG:Keywords", "XMP-lr:HierarchicalSubject"),
)


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(ANSWER) as double:
        yield double


@pytest.fixture
def config(tmp_path: Path, ollama: OllamaDouble) -> Config:
    return settings(tmp_path, ollama.url)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = numbered(tmp_path / "photos" / "a.jpg", 1)
    put_keywords(path, "Oma", "東京")
    return path


def run(config: Config, path: Path, **options: object) -> None:
    outcome = tag(config, [os.fsencode(path)], choose(config), **options)  # type: ignore[arg-type]
    assert outcome.failed == []


def entries(path: Path) -> dict[str, list[str]]:
    """Every entry of every field that holds keywords, texts split."""
    return {
        name: [word.strip() for text in field(path, name) for word in text.split(";")]
        for name in FIELDS
    }


def holders(path: Path, word: str) -> list[str]:
    """The fields in which a word stands, by itself or at the end of a tree."""
    return [
        name
        for name, found in entries(path).items()
        if any(entry.replace("|", "/").rpartition("/")[2] == word for entry in found)
    ]


def known(config: Config) -> set[str]:
    (image,) = known_images(config).values()
    return {tag.name for tag in image.tags}


def without(path: Path, name: str, word: str) -> None:
    """Take a word out of one field, as a hand with exiftool does."""
    if name.startswith(("IFD0", "PNG")):
        left = [entry for entry in entries(path)[name] if entry != word]
        person_writes(path, f"-{name}={';'.join(left)}")
    else:
        person_writes(path, f"-{name}-={word}")


@pytest.mark.parametrize("word", ["Oma", "dog"])
@pytest.mark.parametrize("name", FIELDS[:4])
def test_a_word_taken_out_of_one_field_leaves_them_all(
    config: Config, photo: Path, name: str, word: str
) -> None:
    run(config, photo)
    assert set(holders(photo, word)) == set(FIELDS[:4])
    without(photo, name, word)
    run(config, photo)
    assert holders(photo, word) == []
    assert known(config) == {"Oma", "東京", "dog", "grass", "sea"} - {word}
    run(config, photo, retag=True)
    assert holders(photo, word) == []
    assert verify(config, []).faults == ()


def test_all_words_of_a_photo_can_be_taken_out(config: Config, photo: Path) -> None:
    run(config, photo)
    person_writes(photo, "-XMP-dc:Subject=")
    run(config, photo)
    run(config, photo, retag=True)
    assert {name for name, found in entries(photo).items() if found} == set()
    assert known(config) == set()


def test_a_program_that_spoils_or_throws_away_fields_takes_nothing_out(
    config: Config, photo: Path
) -> None:
    run(config, photo)
    everything = {"Oma", "東京", "dog", "grass", "sea"}
    for harm in (
        # One that cannot write Japanese, one that knows its own words only, one that
        # drops the block, one that shows a single word.
        ["-IPTC:Keywords-=東京", "-IPTC:Keywords+=??"],
        ["-IFD0:XPKeywords=beach;sun"],
        ["-IPTC:all="],
        ["-XMP-digiKam:all="],
        ["-IFD0:XPKeywords=dog"],
    ):
        person_writes(photo, *harm)
        run(config, photo)
        assert known(config) >= everything, harm
        assert set(entries(photo)["XMP-dc:Subject"]) >= everything, harm


def test_a_word_put_back_by_hand_is_back(config: Config, photo: Path) -> None:
    run(config, photo)
    without(photo, "XMP-dc:Subject", "dog")
    run(config, photo)
    person_writes(photo, "-XMP-dc:Subject+=dog")
    run(config, photo)
    run(config, photo, retag=True)
    assert "dog" in entries(photo)["XMP-dc:Subject"]
    assert known(config) >= {"dog"}


def test_a_leaf_that_stands_in_a_word_with_a_slash_is_not_lost(
    config: Config, photo: Path, ollama: OllamaDouble
) -> None:
    ollama.answer = {"description": "Grey.", "tags": ["b/w"], "text": ""}
    person_writes(photo, "-XMP-digiKam:TagsList=b/w")
    run(config, photo)
    assert {*entries(photo)["XMP-dc:Subject"]} == {"Oma", "東京", "b/w", "w"}
    before = photo.read_bytes()
    os.utime(photo)
    run(config, photo)
    assert photo.read_bytes() == before
    assert known(config) == {"Oma", "東京", "b/w", "w"}


def test_a_tree_renamed_in_lightroom_is_renamed_in_every_field(
    config: Config, photo: Path
) -> None:
    person_writes(
        photo, "-XMP-lr:HierarchicalSubject=People|Family|Oma", "-IPTC:Keywords=Oma"
    )
    run(config, photo)
    person_writes(
        photo,
        *("-XMP-dc:Subject-=Oma", "-XMP-dc:Subject+=Nonna"),
        *("-IPTC:Keywords-=Oma", "-IPTC:Keywords+=Nonna"),
        "-XMP-lr:HierarchicalSubject=People|Family|Nonna",
    )
    run(config, photo)
    assert holders(photo, "Oma") == []
    run(config, photo, retag=True)
    assert holders(photo, "Oma") == []
    assert "People/Family/Nonna" in entries(photo)["XMP-digiKam:TagsList"]


def test_a_persons_word_taken_out_of_the_sidecar_stays_out(
    config: Config, photo: Path
) -> None:
    run(config, photo, write_mode=WriteMode.SIDECAR)
    before = photo.read_bytes()
    sidecar = photo.with_name("a.jpg.xmp")
    assert "Oma" in entries(sidecar)["XMP-dc:Subject"]
    person_writes(sidecar, "-XMP-dc:Subject-=Oma")
    os.utime(photo)
    run(config, photo)
    run(config, photo, retag=True)
    assert holders(sidecar, "Oma") == []
    assert known(config) == {"東京", "dog", "grass", "sea"}
    assert photo.read_bytes() == before
    assert verify(config, []).faults == ()
    person_writes(sidecar, "-XMP-dc:Subject+=Oma")
    os.utime(photo)
    run(config, photo)
    assert known(config) >= {"Oma"}


def test_our_description_taken_out_of_xmp_leaves_the_other_fields(
    config: Config, photo: Path
) -> None:
    run(config, photo)
    names = ("XMP-dc:Description", "IFD0:ImageDescription", "IPTC:Caption-Abstract")
    assert {*field(photo, names[1]), *field(photo, names[2])} == {"A dog."}
    person_writes(photo, "-XMP-dc:Description=")
    run(config, photo)
    run(config, photo, retag=True)
    assert [field(photo, name) for name in names] == [[], [], []]
    (image,) = known_images(config).values()
    assert image.description is None


@pytest.mark.parametrize("kind", ["png", "tiff", "heic", "webp", "gif"])
def test_other_formats_too(config: Config, tmp_path: Path, kind: str) -> None:
    (tmp_path / "others").mkdir()
    path = Path(os.fsdecode(support_imaging.make(kind, tmp_path / "others")))
    person_writes(path, "-XMP-dc:Subject=Oma")
    run(config, path)
    assert len(holders(path, "Oma")) >= 2
    without(path, "XMP-digiKam:TagsList", "Oma")
    run(config, path)
    assert holders(path, "Oma") == []
    assert known(config) == {"dog", "grass", "sea"}
