"""A file tells who said its words, in properties of our own, and no run disturbs it."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tagger.pipeline.metadata import Exiftool, Writer
from tagger.records import Intent, Provenance, WriteMode
from tagger.sections import Metadata
from tests import support_imaging
from tests.support_metadata import (
    NASTY_DESCRIPTION,
    NASTY_TAGS,
    as_told,
    content,
    field,
    person_writes,
    provenance,
    recorded,
    restored,
    words,
    written,
)

INTO_FILE = sorted(set(support_imaging.KINDS) - {"bmp", "tiff-big", "avif-animated"})


@pytest.fixture(scope="module")
def exiftool() -> Iterator[Exiftool]:
    with Exiftool(Metadata()) as running:
        yield running


@pytest.fixture
def writer(exiftool: Exiftool) -> Writer:
    return Writer(exiftool, Metadata())


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    return support_imaging.make("jpeg", tmp_path)


@pytest.mark.parametrize("kind", [*INTO_FILE, "bmp"])
def test_a_file_of_any_format_says_who_said_its_words(
    writer: Writer, tmp_path: Path, kind: str
) -> None:
    path = support_imaging.make(kind, tmp_path)
    nasty = Provenance(
        program="Image Tagger 1.0; 'x'",
        model="a|b\n-execute\n<=x 😀",
        prompt_version="1e5",
        tagged_at="2026-11-22T10:00:00.000Z",
        tags=NASTY_TAGS,
    )

    done = written(
        writer, path, words(NASTY_DESCRIPTION, *NASTY_TAGS, provenance=nasty)
    )

    expected = Provenance(
        program=nasty.program,
        model=nasty.model,
        prompt_version=nasty.prompt_version,
        tagged_at=nasty.tagged_at,
        tags=NASTY_TAGS,
        description=NASTY_DESCRIPTION,
    )
    assert done.words.provenance == expected
    # What is read may be a stranger's: a name is one line, whatever is in it.
    one_line = replace(expected, model="a|b -execute <=x 😀")
    assert writer.read(path).provenance == one_line
    # Another exiftool, which knows nothing of the namespace, sees it all the same.
    assert field(done.target, "XMP-imagetagger:Tags") == list(NASTY_TAGS)
    assert field(done.target, "XMP-imagetagger:Model") == [nasty.model]


def test_the_namespace_in_files_never_changes(writer: Writer, photo: bytes) -> None:
    written(writer, photo, words("A dog.", "dog", provenance=provenance("dog")))

    assert b"xmlns:imagetagger='https://ns.image-tagger.invalid/1.0/'" in content(photo)


def test_the_same_words_from_the_same_answer_are_no_reason_to_write(
    writer: Writer, photo: bytes
) -> None:
    wanted = words("A dog.", "dog", provenance=provenance("dog"))
    written(writer, photo, wanted)
    before = content(photo)
    intents: list[Intent] = []

    done = written(writer, photo, wanted, on_intent=intents.append)
    without = written(writer, photo, words("A dog.", "dog"))

    assert (done.changed, without.changed, intents) == (False, False, [])
    assert content(photo) == before
    assert done.words.provenance == without.words.provenance is not None


def test_another_answer_takes_the_place_of_the_former(
    writer: Writer, photo: bytes
) -> None:
    first, second = provenance("dog", "sea"), provenance("sea", model="m2", hour=12)
    written(writer, photo, words("A dog.", "dog", "sea", provenance=first))

    done = written(
        writer,
        photo,
        words(
            "The sea.",
            "sea",
            retired=("dog",),
            own_description="A dog.",
            provenance=second,
        ),
    )

    assert done.words.provenance is not None
    assert done.words.provenance.model == "m2"
    assert field(photo, "XMP-imagetagger:Tags") == ["sea"]
    assert field(photo, "XMP-imagetagger:Description") == ["The sea."]


def test_a_description_of_the_persons_is_not_claimed(
    writer: Writer, photo: bytes
) -> None:
    written(writer, photo, words("A dog.", "dog", provenance=provenance("dog")))
    person_writes(
        photo,
        *("-XMP-dc:Description=Mine", "-EXIF:ImageDescription=Mine"),
        "-IPTC:Caption-Abstract=Mine",
    )

    done = written(
        writer,
        photo,
        words("A cat.", "dog", own_description="A dog.", provenance=provenance("dog")),
    )

    assert done.words.description == "Mine"
    assert done.words.provenance == provenance("dog")
    assert field(photo, "XMP-imagetagger:Description") == []


def test_nothing_of_ours_is_written_where_the_setting_says_so(
    exiftool: Exiftool, photo: bytes
) -> None:
    writer = Writer(exiftool, Metadata(provenance=False))

    done = written(writer, photo, words("A dog.", "dog", provenance=provenance("dog")))

    assert done.words.provenance is None
    assert b"imagetagger" not in content(photo)


def test_what_another_tagger_left_is_still_read_where_nothing_is_written(
    exiftool: Exiftool, writer: Writer, photo: bytes
) -> None:
    written(writer, photo, words("A dog.", "dog", provenance=provenance("dog")))
    silent = Writer(exiftool, Metadata(provenance=False))

    done = written(silent, photo, words("A dog.", "dog", provenance=provenance("cat")))

    assert not done.changed
    assert silent.read(photo).provenance == writer.read(photo).provenance is not None


def test_a_program_that_knows_nothing_of_it_keeps_it(
    writer: Writer, photo: bytes
) -> None:
    written(writer, photo, words("A dog.", "dog", provenance=provenance("dog", "a|b")))
    before = writer.read(photo).provenance

    person_writes(photo, "-XMP-dc:Title=edited", "-XMP-dc:Subject+=mine")

    assert writer.read(photo).provenance == before is not None


def test_the_later_answer_counts_where_file_and_sidecar_differ(
    writer: Writer, photo: bytes
) -> None:
    early, late = provenance("dog", hour=9), provenance("cat", hour=11)
    written(writer, photo, words("", "dog", provenance=early))
    written(writer, photo, words("", "cat", provenance=late), mode=WriteMode.SIDECAR)
    said = writer.read(photo).provenance
    assert said is not None
    assert (said.tagged_at, said.tags) == (late.tagged_at, ("cat",))

    os.unlink(photo + b".xmp")
    assert writer.read(photo).provenance == early


def test_it_goes_with_the_words_when_they_are_taken_back(
    writer: Writer, photo: bytes
) -> None:
    before = as_told(photo)
    (intent,) = recorded(
        writer, photo, words("A dog.", "dog", provenance=provenance("dog"))
    )

    done, _ = restored(writer, photo, intent)

    assert as_told(photo) == before
    assert done.written is not None
    assert done.written.words.provenance is None


def test_it_holds_what_metadata_can_and_nothing_empty(
    writer: Writer, photo: bytes
) -> None:
    said = Provenance(
        program="P\0\x07",
        model="m\ud800",
        prompt_version="",
        tagged_at="now",
        tags=("dog", "", "\x01", "dog", "a\r\nb"),
    )

    done = written(writer, photo, words("", "dog", "a\nb", provenance=said))

    assert done.words.provenance == Provenance(
        program="P",
        model="m",
        prompt_version="",
        tagged_at="now",
        tags=("dog", "a\nb"),
    )
    again = words("", "dog", "a\nb", provenance=said)
    assert not written(writer, photo, again).changed


def test_the_file_stays_valid_for_exiftool(writer: Writer, photo: bytes) -> None:
    written(writer, photo, words("A dog.", "dog", provenance=provenance("dog")))

    said = subprocess.run(
        ["exiftool", "-validate", "-warning", "-error", "-a", os.fsdecode(photo)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.split(":", 1)[1].strip() == "OK"
