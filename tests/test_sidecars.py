"""Sidecars stand where they are asked for, are shared by nobody, and are kept up."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.errors import FileChanged, MetadataNotWritten
from tagger.imaging.identity import identity
from tagger.pipeline.metadata import Exiftool, Writer
from tagger.pipeline.metadata.sidecar import path_for, shared_with
from tagger.records import Intent, WantedWords, WriteMode, Written
from tagger.sections import Metadata
from tests import support_imaging
from tests.support_metadata import (
    as_told,
    content,
    field,
    names,
    person_writes,
    provenance,
    recorded,
    restored,
    words,
    written,
)


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    with Exiftool(Metadata()) as exiftool:
        yield Writer(exiftool, Metadata())


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    (tmp_path / "photos").mkdir()
    return support_imaging.make("jpeg", tmp_path / "photos", name="a.jpg")


def beside(
    writer: Writer, photo: bytes, wanted: WantedWords, sidecar: bytes | None
) -> Written:
    return writer.write(
        photo,
        wanted,
        mode=WriteMode.SIDECAR,
        expect=None,
        identity=identity(photo),
        on_intent=lambda intent: None,
        sidecar=sidecar,
    )


# --- where ---


def test_a_sidecar_is_named_after_all_of_the_photo_or_its_stem() -> None:
    assert path_for(b"/p/a.jpg") == b"/p/a.jpg.xmp"
    assert path_for(b"/p/a.b.JPG", naming="stem") == b"/p/a.b.xmp"
    assert path_for(b"/p/.jpg", naming="stem") == b"/p/.jpg.xmp"
    assert path_for(b"/p.q/a", naming="stem") == b"/p.q/a.xmp"
    assert path_for(b"/p/caf\xe9.jpg") == b"/p/caf\xe9.jpg.xmp"


def test_a_mirror_follows_the_tree_of_the_photos() -> None:
    mirror = (b"/photos", b"/mirror/xmp")

    assert path_for(b"/photos/a.jpg", mirror=mirror) == b"/mirror/xmp/a.jpg.xmp"
    assert (
        path_for(b"/photos/2024/..x/a.jpg", naming="stem", mirror=mirror)
        == b"/mirror/xmp/2024/..x/a.xmp"
    )
    assert path_for(b"/a.jpg", mirror=(b"/", b"/m")) == b"/m/a.jpg.xmp"


@pytest.mark.parametrize("photo", [b"/elsewhere/a.jpg", b"/photos2/a.jpg"])
def test_a_photo_outside_the_tree_has_no_place_in_the_mirror(photo: bytes) -> None:
    with pytest.raises(ValueError, match="is not in"):
        path_for(photo, mirror=(b"/photos", b"/mirror"))


def test_photos_that_would_share_a_sidecar_are_named() -> None:
    present = [b"a.jpg", b"a.CR2", b"A.dng", b"a.b.jpg", b"ab.jpg", b"b.jpg"]

    assert shared_with(b"/p/a.jpg", present) == [b"A.dng", b"a.CR2"]
    assert shared_with(b"/p/b.jpg", present) == []
    assert shared_with(b"/p/caf\xe9.jpg", [b"caf\xe9.jpg", b"caf\xe9.nef"]) == [
        b"caf\xe9.nef"
    ]


def test_a_sidecar_named_by_the_caller_is_written_and_read(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    sidecar = path_for(photo, naming="stem")

    done = beside(writer, photo, words("A dog.", "dog"), sidecar)

    assert done.target == sidecar
    assert names(tmp_path / "photos") == ["a.jpg", "a.xmp"]
    assert writer.read(photo, sidecar=sidecar).tags == ("dog",)
    assert writer.read(photo).tags == ()
    assert not beside(writer, photo, words("A dog.", "dog"), sidecar).changed


def test_the_folders_of_a_mirror_are_made_as_needed(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    os.chmod(tmp_path / "photos", 0o555)
    mirror = (os.fsencode(tmp_path), os.fsencode(tmp_path / "mirror"))
    sidecar = path_for(photo, mirror=mirror)

    done = beside(writer, photo, words("A dog.", "dog"), sidecar)

    assert done.target == sidecar
    assert names(tmp_path / "mirror" / "photos") == ["a.jpg.xmp"]
    assert names(tmp_path / "photos") == ["a.jpg"]
    assert writer.read(photo, sidecar=sidecar).description == "A dog."


def test_folders_made_for_a_write_that_failed_are_gone_again(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    sidecar = os.fsencode(tmp_path / "mirror" / "photos" / "a.jpg.xmp")

    def full(_: Intent) -> None:
        raise OSError("the tracking database is full")

    with pytest.raises(OSError, match="is full"):
        writer.write(
            photo,
            words("A dog.", "dog"),
            mode=WriteMode.SIDECAR,
            expect=None,
            identity=identity(photo),
            on_intent=full,
            sidecar=sidecar,
        )

    assert names(tmp_path) == ["photos"]


def test_a_file_in_the_place_of_a_mirrors_folder_is_told(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    (tmp_path / "mirror").write_text("not a folder")
    sidecar = os.fsencode(tmp_path / "mirror" / "a.jpg.xmp")

    with pytest.raises(MetadataNotWritten):
        beside(writer, photo, words("A dog.", "dog"), sidecar)

    assert (tmp_path / "mirror").read_text() == "not a folder"


def test_a_name_with_a_line_break_is_refused(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    with pytest.raises(MetadataNotWritten, match="line break"):
        beside(writer, photo, words("A dog."), os.fsencode(tmp_path / "a\n-all=.xmp"))


def test_a_sidecar_in_a_mirror_is_taken_back(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    sidecar = os.fsencode(tmp_path / "mirror" / "photos" / "a.jpg.xmp")
    (intent,) = recorded(
        writer,
        photo,
        words("A dog.", "dog"),
        mode=WriteMode.SIDECAR,
        sidecar=sidecar,
    )

    done, inverse = restored(writer, photo, intent)
    assert not os.path.exists(sidecar)
    assert done.written is not None
    assert (done.written.target, done.written.stat) == (sidecar, None)
    os.rmdir(os.path.dirname(sidecar))
    restored(writer, photo, inverse)

    assert writer.read(photo, sidecar=sidecar).tags == ("dog",)


# --- an older sidecar, once the words go into the file ---


def moved_into_the_file(writer: Writer, photo: bytes) -> tuple[Written, list[Intent]]:
    """Tagged beside the photo first, then anew into it."""
    written(
        writer,
        photo,
        words("A dog.", "dog", "sea", provenance=provenance("dog", "sea")),
        mode=WriteMode.SIDECAR,
    )
    person_writes(photo + b".xmp", "-XMP-dc:Subject+=mine", "-XMP-xmp:Rating=4")
    intents: list[Intent] = []
    done = written(
        writer,
        photo,
        words(
            "A cat.",
            "sea",
            "cat",
            retired=("dog",),
            own_description="A dog.",
            provenance=provenance("sea", "cat", hour=12),
        ),
        on_intent=intents.append,
    )
    return done, intents


def test_retired_words_of_ours_leave_the_older_sidecar_too(
    writer: Writer, photo: bytes
) -> None:
    done, intents = moved_into_the_file(writer, photo)

    sidecar = photo + b".xmp"
    assert field(sidecar, "XMP-dc:Subject") == ["sea", "mine"]
    assert field(sidecar, "XMP-digiKam:TagsList") == ["sea"]
    assert field(sidecar, "XMP-dc:Description") == []
    assert field(sidecar, "XMP-imagetagger:Tags") == ["sea"]
    assert field(sidecar, "XMP-xmp:Rating") == ["4"]
    assert [intent.target for intent in intents] == [photo, sidecar]
    assert (done.target, done.cleaned) == (photo, sidecar)
    assert done.words == writer.read(photo)
    assert set(done.words.tags) == {"sea", "mine", "cat"}
    assert done.words.description == "A cat."
    assert done.words.provenance is not None
    assert done.words.provenance.tags == ("sea", "cat")


def test_both_files_are_taken_back_by_their_own_intents(
    writer: Writer, photo: bytes
) -> None:
    before = as_told(photo)
    _, (into_photo, out_of_sidecar) = moved_into_the_file(writer, photo)

    for intent in (out_of_sidecar, into_photo):
        done, _ = restored(writer, photo, intent)
        assert (done.refused, done.unrestorable) == ({}, {})

    assert as_told(photo) == before
    assert set(field(photo + b".xmp", "XMP-dc:Subject")) == {"dog", "sea", "mine"}
    assert field(photo + b".xmp", "XMP-dc:Description") == ["A dog."]


def test_a_sidecar_that_does_not_say_it_has_our_words_is_left(
    writer: Writer, photo: bytes
) -> None:
    written(writer, photo, words("A dog.", "dog", "sea"))
    person_writes(photo + b".xmp", "-XMP-dc:Subject=dog", "-XMP-dc:Description=A dog.")
    before = content(photo + b".xmp")

    done = written(
        writer, photo, words("A cat.", retired=("dog", "sea"), own_description="A dog.")
    )

    assert content(photo + b".xmp") == before
    assert done.cleaned is None
    assert field(photo, "XMP-dc:Subject") == []


def test_a_word_of_the_persons_in_a_sidecar_is_never_claimed(
    writer: Writer, photo: bytes
) -> None:
    person_writes(photo + b".xmp", "-XMP-dc:Subject=Dog")

    done = written(writer, photo, words("", "dog", "sea"))

    assert done.added_tags == ("sea",)


def test_a_sidecar_that_cannot_be_changed_does_not_fail_the_photo(
    writer: Writer, photo: bytes
) -> None:
    wanted = words("", "dog", provenance=provenance("dog"))
    written(writer, photo, wanted, mode=WriteMode.SIDECAR)
    os.chmod(photo + b".xmp", 0o444)

    done = written(writer, photo, words("", "cat", retired=("dog",)))

    assert (done.mode, done.cleaned) == (WriteMode.FILE, None)
    assert set(done.words.tags) == {"dog", "cat"}


def test_a_sidecar_changed_meanwhile_is_left_and_the_photo_is_written(
    writer: Writer, photo: bytes
) -> None:
    wanted = words("", "dog", provenance=provenance("dog"))
    written(writer, photo, wanted, mode=WriteMode.SIDECAR)
    sidecar = photo + b".xmp"

    def edited(intent: Intent) -> None:
        if intent.target == sidecar:
            person_writes(sidecar, "-XMP-xmp:Rating=5")

    done = written(writer, photo, words("", "cat", retired=("dog",)), on_intent=edited)

    assert done.cleaned is None
    assert field(sidecar, "XMP-xmp:Rating") == ["5"]
    assert field(sidecar, "XMP-dc:Subject") == ["dog"]
    assert field(photo, "XMP-dc:Subject") == ["cat"]


def test_cleaning_happens_once(writer: Writer, photo: bytes) -> None:
    moved_into_the_file(writer, photo)
    before = content(photo + b".xmp")

    again = written(
        writer,
        photo,
        words(
            "A cat.",
            "sea",
            "cat",
            retired=("dog",),
            own_description="A cat.",
            provenance=provenance("sea", "cat", hour=12),
        ),
    )

    assert not again.changed
    assert content(photo + b".xmp") == before


def test_a_photo_whose_folder_vanished_gets_no_new_folder(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    wanted = words("A dog.", "dog")
    picture = identity(photo)
    os.rename(tmp_path / "photos", tmp_path / "moved")

    with pytest.raises(FileChanged, match="gone"):
        writer.write(
            photo,
            wanted,
            mode=WriteMode.SIDECAR,
            expect=None,
            identity=picture,
            on_intent=lambda intent: None,
        )

    assert names(tmp_path) == ["moved"]
