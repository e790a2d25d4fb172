"""Keywords that stand in a tree stay where the person put them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.pipeline.metadata import Exiftool, Writer, fields
from tagger.records import WriteMode
from tagger.sections import Metadata
from tests import support_imaging
from tests.support_metadata import (
    field,
    person_writes,
    recorded,
    restored,
    words,
    written,
)

FORMATS = ["jpeg", "png", "tiff", "heic", "webp", "gif"]
LIGHTROOM = "XMP-lr:HierarchicalSubject"
DIGIKAM = "XMP-digiKam:TagsList"
WINDOWS = "XMP-microsoft:LastKeywordXMP"
FLAT = "XMP-dc:Subject"


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    with Exiftool(Metadata()) as exiftool:
        yield Writer(exiftool, Metadata())


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    return support_imaging.make("jpeg", tmp_path)


def doubled(path: bytes) -> list[str]:
    """The entries that stand in a field more than once, by any spelling."""
    found = []
    for name in (FLAT, DIGIKAM, LIGHTROOM, WINDOWS, "IPTC:Keywords"):
        seen: set[str] = set()
        for entry in field(path, name):
            found += [entry] if fields.same(entry) in seen else []
            seen.add(fields.same(entry))
    return found


@pytest.mark.parametrize("kind", FORMATS)
def test_trees_of_every_program_survive_any_number_of_runs(
    writer: Writer, tmp_path: Path, kind: str
) -> None:
    path = support_imaging.make(kind, tmp_path)
    trees = {
        LIGHTROOM: ["Places|Japan|Kyōto", "Animals|Dog", "alone"],
        DIGIKAM: ["Places/Japan/Kyōto", "Animals/Dog", "People/Ann"],
        WINDOWS: ["Places/Japan/Kyōto", "Animals/Dog"],
    }
    person_writes(
        path, *[f"-{name}={entry}" for name in trees for entry in trees[name]]
    )
    own: tuple[str, ...] = ()
    for tags in (("dog", "tree"), ("tree", "KYO\u0304TO", "cat"), ("ann",), ("dog",)):
        done = written(writer, path, words("", *tags, retired=own))
        own = done.added_tags
        assert not written(writer, path, words("", *tags)).changed

    for name in (LIGHTROOM, WINDOWS):
        assert field(path, name) == trees[name]
    assert field(path, DIGIKAM)[:3] == trees[DIGIKAM]
    assert doubled(path) == []
    assert set(field(path, FLAT)) >= {"Kyōto", "Dog", "alone", "Ann"}


@pytest.mark.parametrize("tag", ["dog", "Dog", "DOG"])
def test_retiring_a_tag_that_is_a_leaf_of_the_persons_tree_leaves_the_tree(
    writer: Writer, photo: bytes, tag: str
) -> None:
    written(writer, photo, words("", tag, "tree"))
    person_writes(
        photo,
        f"-{LIGHTROOM}=Animals|Dog",
        f"-{DIGIKAM}+=Animals/Dog",
        f"-{WINDOWS}=Animals/Dog",
    )

    written(writer, photo, words("", "hound", retired=(tag, "tree")))

    assert field(photo, LIGHTROOM) == ["Animals|Dog"]
    assert "Animals/Dog" in field(photo, DIGIKAM)
    assert field(photo, WINDOWS) == ["Animals/Dog"]
    # The flat list agrees with the tree: its leaf is a word of the person's.
    assert [fields.same(word) for word in field(photo, FLAT)] == ["dog", "hound"]
    assert writer.read(photo).tags[0].casefold() == "dog"


def test_a_tree_of_one_level_is_the_persons_too(writer: Writer, photo: bytes) -> None:
    written(writer, photo, words("", "dog", "tree"))
    person_writes(photo, f"-{LIGHTROOM}=dog")

    written(writer, photo, words("", retired=("dog", "tree")))

    assert field(photo, LIGHTROOM) == ["dog"]
    assert field(photo, FLAT) == ["dog"]


def test_a_slash_in_a_leaf_of_a_tree_makes_no_new_word(
    writer: Writer, photo: bytes
) -> None:
    person_writes(photo, f"-{LIGHTROOM}=Styles|b/w")

    for _ in range(3):
        written(writer, photo, words("", "tree"))

    assert field(photo, LIGHTROOM) == ["Styles|b/w"]
    assert field(photo, FLAT) == ["b/w", "tree"]
    assert field(photo, DIGIKAM) == ["Styles/b/w", "tree"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Zürich", "zürich"),
        ("Zu\u0308rich", "Zürich"),
        ("STRASSE", "straße"),
        ("Red  Car", "red car"),
        ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
    ],
)
@pytest.mark.parametrize("name", [FLAT, LIGHTROOM, DIGIKAM, "IPTC:Keywords"])
def test_case_and_unicode_form_make_no_second_tag(
    writer: Writer, photo: bytes, name: str, theirs: str, ours: str
) -> None:
    person_writes(photo, "-IPTC:CodedCharacterSet=UTF8", f"-{name}={theirs}")

    for _ in range(2):
        done = written(writer, photo, words("", ours))
        assert done.added_tags == ()

    assert doubled(photo) == []
    assert field(photo, name) == [theirs]
    assert field(photo, FLAT) == [theirs]


def test_trees_in_a_sidecar_survive(writer: Writer, photo: bytes) -> None:
    sidecar = photo + b".xmp"
    person_writes(sidecar, f"-{LIGHTROOM}=Animals|Dog", f"-{DIGIKAM}=Animals/Dog")

    for tags in (("dog", "tree"), ("hound",)):
        written(
            writer,
            photo,
            words("", *tags, retired=("dog", "tree")),
            mode=WriteMode.SIDECAR,
        )

    assert field(sidecar, LIGHTROOM) == ["Animals|Dog"]
    assert field(sidecar, DIGIKAM) == ["Animals/Dog", "hound"]
    assert doubled(sidecar) == []


def test_a_tree_is_as_it_was_after_an_undo(writer: Writer, photo: bytes) -> None:
    person_writes(photo, f"-{LIGHTROOM}=Animals|Dog", f"-{LIGHTROOM}=b|c")
    (intent,) = recorded(writer, photo, words("", "dog", "tree"))

    done, _ = restored(writer, photo, intent)

    assert (done.refused, done.unrestorable) == ({}, {})
    assert field(photo, LIGHTROOM) == ["Animals|Dog", "b|c"]
    assert field(photo, DIGIKAM) == field(photo, FLAT) == []
