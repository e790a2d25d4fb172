"""What is read from files is what stands there, letter for letter."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from tagger.errors import UnreadableImage
from tagger.pipeline.metadata import Exiftool, Writer, fields, merging, reading
from tagger.pipeline.metadata.reading import Dump
from tagger.sections import Metadata
from tests import support_imaging
from tests.support_metadata import NASTY_TAGS, person_writes


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    with Exiftool(Metadata()) as exiftool:
        yield Writer(exiftool, Metadata())


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    return support_imaging.make("jpeg", tmp_path)


@pytest.mark.parametrize(
    "tag", ["2024", "true", "TRUE", "1e5", "007", "-1", " spaced "]
)
def test_one_keyword_alone_is_read_as_it_is_spelt(
    writer: Writer, photo: bytes, tag: str
) -> None:
    person_writes(photo, f"-XMP-dc:Subject={tag}")

    assert writer.read(photo).tags == (tag,)


def test_a_list_of_nasty_keywords_is_read_exactly(writer: Writer, photo: bytes) -> None:
    person_writes(photo, *[f"-XMP-dc:Subject={tag}" for tag in NASTY_TAGS])

    assert writer.read(photo).tags == NASTY_TAGS


def test_line_ends_of_every_kind_are_kept(writer: Writer, photo: bytes) -> None:
    person_writes(photo, "-XMP-dc:Description= one\r\ntwo\rthree\n\n four \n")

    assert writer.read(photo).description == " one\r\ntwo\rthree\n\n four \n"


def test_a_photo_without_words_has_none(writer: Writer, photo: bytes) -> None:
    words = writer.read(photo)

    assert words.description is None
    assert words.tags == ()


def test_keywords_of_every_field_are_found_once(writer: Writer, photo: bytes) -> None:
    person_writes(
        photo,
        "-XMP-dc:Subject=dog",
        "-XMP-dc:Subject=Zürich",
        "-XMP-digiKam:TagsList=Animals/Dog",
        "-XMP-digiKam:TagsList=Places/Kyoto",
        "-XMP-lr:HierarchicalSubject=Places|Nara",
        "-IPTC:CodedCharacterSet=UTF8",
        "-IPTC:Keywords=DOG",
        "-IPTC:Keywords=only in iptc",
        "-EXIF:XPKeywords=dog; only in xp ;ZÜRICH",
    )

    assert writer.read(photo).tags == (
        *("dog", "Zürich", "Kyoto", "Nara"),
        *("only in iptc", "only in xp"),
    )


def test_a_slash_makes_no_hierarchy_of_a_keyword_that_has_one(
    writer: Writer, photo: bytes
) -> None:
    person_writes(photo, "-XMP-dc:Subject=b/w", "-XMP-digiKam:TagsList=b/w")

    assert writer.read(photo).tags == ("b/w",)


def test_shortened_copies_are_no_keywords_of_their_own(
    writer: Writer, photo: bytes
) -> None:
    long = "ü" * 50
    person_writes(
        photo,
        f"-XMP-dc:Subject={long}",
        "-XMP-dc:Subject=a;b",
        "-XMP-dc:Subject=smile 😀",
        "-IPTC:CodedCharacterSet=UTF8",
        f"-IPTC:Keywords={'ü' * 32}",
        "-EXIF:XPKeywords=a,b;smile",
    )

    assert writer.read(photo).tags == (long, "a;b", "smile 😀")


def test_composed_and_decomposed_letters_are_one_keyword(
    writer: Writer, photo: bytes
) -> None:
    person_writes(photo, "-XMP-dc:Subject=été", "-XMP-dc:Subject=e\u0301te\u0301")

    assert writer.read(photo).tags == ("été",)


@pytest.mark.parametrize("charset", ["Latin", "UTF8"])
def test_iptc_without_a_marker_is_read_in_either_encoding(
    writer: Writer, photo: bytes, charset: str
) -> None:
    person_writes(
        photo,
        "-charset",
        f"iptc={charset}",
        "-IPTC:Keywords=Übung",
        "-IPTC:Keywords=ÿÁ",
    )

    assert writer.read(photo).tags[0] == "Übung"


def test_emoji_that_windows_wrote_are_read(writer: Writer, tmp_path: Path) -> None:
    block = Image.Exif()
    block[0x9C9E] = "a;smile 😀;b\0".encode("utf-16-le")
    path = tmp_path / "windows.jpg"
    Image.new("RGB", (32, 32)).save(path, exif=block)

    assert writer.read(os.fsencode(path)).tags == ("a", "smile 😀", "b")


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("sea; blue sky", ("sea", "blue sky")),
        ("sea, blue sky", ("sea", "blue sky")),
        ("one, two; three", ("one, two", "three")),
        ("2024", ("2024",)),
        ("東京", ("東京",)),
    ],
)
def test_keywords_of_a_png_are_read_with_the_separator_it_uses(
    writer: Writer, tmp_path: Path, text: str, tags: tuple[str, ...]
) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Keywords", text)
    path = tmp_path / "keywords.png"
    Image.new("RGB", (32, 32)).save(path, pnginfo=info)

    assert writer.read(os.fsencode(path)).tags == tags


@pytest.mark.parametrize(
    "field",
    ["XMP-dc:Description", "EXIF:ImageDescription", "IPTC:Caption-Abstract"],
)
def test_a_description_is_found_in_any_field(
    writer: Writer, photo: bytes, field: str
) -> None:
    person_writes(photo, "-IPTC:CodedCharacterSet=UTF8", f"-{field}=Größe 2 & mehr")

    assert writer.read(photo).description == "Größe 2 & mehr"


def test_a_description_in_another_language_counts(writer: Writer, photo: bytes) -> None:
    person_writes(photo, "-XMP-dc:Description-de=Ein Hund")

    assert writer.read(photo).description == "Ein Hund"


@pytest.mark.parametrize("filler", ["OLYMPUS DIGITAL CAMERA         ", "   "])
def test_what_a_camera_fills_in_is_no_description(
    writer: Writer, photo: bytes, filler: str
) -> None:
    person_writes(photo, f"-EXIF:ImageDescription={filler}")

    assert writer.read(photo).description is None


def test_a_description_in_an_unknown_encoding_is_still_shown(
    writer: Writer, photo: bytes
) -> None:
    person_writes(photo, b"-EXIF:ImageDescription=" + "Über uns".encode("latin-1"))

    assert writer.read(photo).description == "Über uns"


def test_the_sidecar_is_read_with_the_photo(writer: Writer, photo: bytes) -> None:
    person_writes(photo, "-XMP-dc:Subject=in the file", "-XMP-dc:Subject=both")
    person_writes(
        photo + b".xmp",
        "-XMP-dc:Subject=in the sidecar",
        "-XMP-dc:Subject=BOTH",
        "-XMP-dc:Description=beside",
    )

    words = writer.read(photo)

    assert words.tags == ("in the sidecar", "BOTH", "in the file")
    assert words.description == "beside"


def test_a_broken_sidecar_does_not_hide_the_photo(writer: Writer, photo: bytes) -> None:
    person_writes(photo, "-XMP-dc:Subject=dog")
    Path(os.fsdecode(photo + b".xmp")).write_text("<x:xmpmeta <<broken")

    assert writer.read(photo).tags == ("dog",)


def test_a_link_is_read_as_the_photo_it_leads_to(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    person_writes(photo, "-XMP-dc:Subject=dog")
    person_writes(photo + b".xmp", "-XMP-dc:Subject=beside")
    link = tmp_path / "elsewhere" / "link.jpg"
    link.parent.mkdir()
    link.symlink_to(os.fsdecode(photo))

    assert writer.read(os.fsencode(link)).tags == ("beside", "dog")


@pytest.mark.parametrize(
    "name",
    [
        b"caf\xe9.jpg",
        b"-ver.jpg",
        b"#a.jpg",
        b" lead.jpg",
        b"100%d%f.jpg",
        b"a;b$x.jpg",
    ],
)
def test_odd_names_are_read(writer: Writer, tmp_path: Path, name: bytes) -> None:
    path = support_imaging.put(
        tmp_path, name, support_imaging.encoded(Image.new("RGB", (32, 32)), "JPEG")
    )
    person_writes(path, "-XMP-dc:Subject=dog")

    assert writer.read(path).tags == ("dog",)


def test_a_photo_that_is_gone_is_told(writer: Writer, tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="no such file"):
        writer.read(os.fsencode(tmp_path / "gone.jpg"))


def test_a_field_whose_name_is_a_number_is_read() -> None:
    output = b"""<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
    <rdf:Description rdf:about='iphone.heic'
      xmlns:Apple='http://ns.exiftool.org/MakerNotes/Apple/1.0/'>
     <Apple:0>&lt;Apple:0></Apple:0>
    </rdf:Description></rdf:RDF>"""

    (dump,) = reading.parse(output)

    assert dump.all("Apple:_0") == ("<Apple:0>",)


def test_a_dump_that_is_no_xml_is_an_error() -> None:
    with pytest.raises(ValueError, match="not XML"):
        reading.parse(b"<rdf:RDF")


@given(st.text())
def test_unmarked_utf8_is_recognised_whatever_it_says(text: str) -> None:
    stored = text.encode("utf-8", "ignore")
    as_exiftool_shows = "".join(
        bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in stored
    )
    dump = Dump({fields.IPTC_KEYWORDS: (as_exiftool_shows,)})

    (found,) = reading.iptc_texts(dump, fields.IPTC_KEYWORDS)

    assert found == stored.decode()


@given(st.lists(st.text(max_size=6), max_size=6), st.lists(st.text(max_size=6)))
def test_no_keyword_is_read_twice_and_none_is_missed(
    subject: list[str], iptc: list[str]
) -> None:
    dump = Dump(
        {
            fields.SUBJECT: tuple(subject),
            fields.IPTC_KEYWORDS: tuple(iptc),
            fields.IPTC_CHARSET: ("\x1b%G",),
        }
    )

    found = [fields.same(word) for word in merging.keywords(dump)]

    assert len(found) == len(set(found))
    assert set(found) == {fields.same(word) for word in subject + iptc} - {""}
