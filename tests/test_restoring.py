"""What a write changed is put back exactly, and what others changed is left to them."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest
from PIL import Image, PngImagePlugin

from tagger.errors import FileChanged, MetadataNotWritten
from tagger.imaging.identity import identity
from tagger.pipeline.metadata import Exiftool, Writer
from tagger.pipeline.metadata.past import Past
from tagger.records import Intent, StatKey, WriteMode
from tagger.sections import Metadata
from tests import support_imaging
from tests.support_metadata import (
    NASTY_DESCRIPTION,
    NASTY_TAGS,
    as_told,
    content,
    field,
    names,
    person_writes,
    pixels,
    provenance,
    recorded,
    restored,
    words,
    written,
)

INTO_FILE = [
    *("jpeg", "jpeg-cmyk", "mpo", "png", "png16", "png-palette", "apng", "tiff"),
    *("tiff-lzw", "tiff-pages", "heic", "avif", "webp", "webp-lossless"),
    *("webp-animated", "gif", "gif-animated"),
]
FIRST = words(
    NASTY_DESCRIPTION, *NASTY_TAGS, "dog", provenance=provenance(*NASTY_TAGS, "dog")
)
SECOND = words(
    "A cat. é",
    "cat",
    "2024",
    "Straße",
    retired=(*NASTY_TAGS, "dog"),
    own_description=NASTY_DESCRIPTION,
    provenance=provenance("cat", "2024", "Straße", model="another", hour=11),
)


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


# How our own fields stand in an IPTC block may differ between two runs of ours.
ORDER_OF_OUR_FIELDS = {"File:CurrentIPTCDigest", "Photoshop:IPTCDigest"}


def tagged_retagged_and_restored(
    writer: Writer, path: bytes, *, mode: WriteMode = WriteMode.FILE
) -> None:
    """Two writes, put back in reverse order; each step is as it was before it."""
    os.utime(path, ns=(10**18, 10**18 + 123))
    target = path if mode is WriteMode.FILE else path + b".xmp"
    states = [told(target)]
    was = pixels(path)
    intents: list[Intent] = []
    for wanted in (FIRST, SECOND):
        (intent,) = recorded(writer, path, wanted, mode=mode)
        intents.append(intent)
        states.append(told(target))
    again: list[Intent] = []
    for intent, state in zip(reversed(intents), reversed(states[:-1]), strict=True):
        done, inverse = restored(writer, path, intent)
        again.append(inverse)
        assert done.refused == {}
        assert set(done.unrestorable) <= {"GIF:GIFVersion", *ORDER_OF_OUR_FIELDS}
        assert as_meant(told(target)) == as_meant(state)
    assert told(target) == states[0]
    assert set(done.unrestorable) <= {"GIF:GIFVersion"}
    assert pixels(path) == was
    assert not [name for name in os.listdir(os.path.dirname(path)) if b".tag" in name]
    # An undo can itself be undone.
    for intent, state in zip(reversed(again), states[1:], strict=True):
        assert restored(writer, path, intent)[0].refused == {}
        assert as_meant(told(target)) == as_meant(state)


def told(path: bytes) -> dict[str, object] | None:
    """What exiftool tells of a photo, or of a sidecar, whose time is its own matter."""
    if not os.path.exists(path):
        return None
    found = as_told(path)
    if path.endswith(b".xmp"):
        del found["System:FileModifyDate"]
    return found


def as_meant(state: dict[str, object] | None) -> dict[str, object] | None:
    """Without the digest of IPTC, which also tells in what order our fields stand."""
    return state and {
        name: value for name, value in state.items() if "IPTCDigest" not in name
    }


@pytest.mark.parametrize("kind", INTO_FILE)
def test_a_photo_of_any_format_is_as_it_was(
    writer: Writer, tmp_path: Path, kind: str
) -> None:
    tagged_retagged_and_restored(writer, support_imaging.make(kind, tmp_path))


PERSONS = (
    "-XMP-dc:Subject=2024",
    "-XMP-dc:Subject=Zürich",
    "-XMP-dc:Subject=DOG",
    "-XMP-xmp:Rating=4",
    "-XMP-lr:HierarchicalSubject=Places|Japan",
    "-XMP-x:XMPToolkit=Adobe XMP Core 5.6",
)


@pytest.mark.parametrize(
    "kind",
    [
        *("jpeg", "mpo", "png", "apng", "png16", "png-palette", "tiff", "tiff-pages"),
        *("heic", "avif", "webp", "webp-animated", "gif", "gif-animated"),
    ],
)
def test_a_persons_words_in_a_photo_of_any_format_are_as_they_were(
    writer: Writer, tmp_path: Path, kind: str
) -> None:
    path = support_imaging.make(kind, tmp_path)
    person_writes(path, *PERSONS)
    if "gif" not in kind:
        person_writes(path, "-EXIF:Artist=Ann", "-EXIF:XPKeywords=mine;  spaced ")

    tagged_retagged_and_restored(writer, path)


@pytest.mark.parametrize(
    "theirs",
    [
        ("-EXIF:Artist=Ann",),
        ("-EXIF:UserComment=Grüße",),
        ("-EXIF:ImageDescription=OLYMPUS DIGITAL CAMERA         ",),
        ("-EXIF:ImageDescription=Mine", "-GPSLatitude=33", "-GPSLatitudeRef=S"),
        ("-IPTC:Keywords=one", "-IPTC:City=Kyoto", "-IPTC:Keywords=two"),
        ("-IPTC:Keywords=Übung", "-IPTC:By-line=Jürgen"),
        ("-charset", "iptc=UTF8", "-IPTC:Keywords=東京Á", "-IPTC:City=東京"),
        ("-IPTC:CodedCharacterSet=UTF8", "-IPTC:Keywords=東京", "-IPTC:Keywords=a"),
        ("-IPTC:Caption-Abstract=Mine",),
        ("-Photoshop:CopyrightFlag=1", "-Photoshop:URL=https://example.org"),
        ("-XMP-dc:Title=T", "-XMP-x:XMPToolkit=Adobe XMP Core 5.6"),
        ("-XMP-dc:Title=T", "-XMP-x:XMPToolkit="),
        ("-XMP-dc:Description=Mine", "-XMP-dc:Description-fr=Le mien"),
        ("-XMP-dc:Description-fr=Le mien", "-XMP-dc:Description-de=Meins"),
        (b"-XMP-dc:Subject^=",),
        (b"-XMP-dc:Subject=a", b"-XMP-dc:Subject^=", b"-XMP-dc:Subject=b"),
        (b"-XMP-dc:Description^=", b"-EXIF:ImageDescription^="),
        (b"-EXIF:XPKeywords^=", b"-IPTC:Caption-Abstract^=", b"-IPTC:Keywords^="),
        (b"-IPTC:Keywords=a", b"-IPTC:Keywords^=", b"-IPTC:Keywords=b"),
        (b"-EXIF:ImageDescription=" + "Über".encode("latin-1"),),
        ("-XMP-xmpNote:HasExtendedXMP=", "-XMP-dc:Rights=" + "r" * 70_000),
        ("-EXIF:XPKeywords=" + ";".join(f"tag {n}" for n in range(200)),),
        ("-XMP-dc:Subject=dog", "-XMP-dc:Subject=dog", "-XMP-dc:Subject=Dog"),
        ("-Comment=a comment", "-JFIF:XResolution=300", "-JFIF:ResolutionUnit=1"),
    ],
    ids=lambda theirs: str(theirs[0])[:24],
)
def test_a_jpeg_with_any_blocks_is_as_it_was(
    writer: Writer, photo: bytes, theirs: tuple[str | bytes, ...]
) -> None:
    person_writes(photo, *theirs)

    tagged_retagged_and_restored(writer, photo)


def test_a_jpeg_with_a_digest_of_its_iptc_is_as_it_was(
    writer: Writer, photo: bytes
) -> None:
    person_writes(photo, "-IPTC:Keywords=plain")
    person_writes(photo, "-IPTCDigest=new")

    tagged_retagged_and_restored(writer, photo)


def test_the_digest_of_a_tiffs_iptc_is_true_after_each_step(
    writer: Writer, tmp_path: Path
) -> None:
    path = support_imaging.make("tiff", tmp_path)
    for text in ("A dog.", "A dog!!", "A cat", "Dogs"):
        person_writes(path, "-IPTC:all=", "-Photoshop:all=")
        person_writes(path, "-IPTC:City=Kyoto")
        (digest,) = field(path, "CurrentIPTCDigest")
        person_writes(path, f"-Photoshop:IPTCDigest={digest}")
        before = as_told(path)

        (intent,) = recorded(writer, path, words(text, "dog"))
        assert field(path, "Photoshop:IPTCDigest") == field(path, "CurrentIPTCDigest")
        done, _ = restored(writer, path, intent)

        assert (done.refused, done.unrestorable) == ({}, {})
        assert as_told(path) == before


def test_what_cannot_be_put_back_is_listed(writer: Writer, tmp_path: Path) -> None:
    png = support_imaging.make("png", tmp_path)
    data = content(png)
    text = b"tEXt" + b"date:create\0" + b"2024-05-06"
    length, checksum = struct.pack(">I", len(text) - 4), struct.pack(">I", crc32(text))
    late = data[:-12] + length + text + checksum + data[-12:]
    support_imaging.put(tmp_path, "png.png", late)
    gif = support_imaging.make("gif", tmp_path)

    for path, name in ((png, "ExifTool:Warning"), (gif, "GIF:GIFVersion")):
        (intent,) = recorded(writer, path, words("A dog.", "dog"))
        done, _ = restored(writer, path, intent)
        assert set(done.unrestorable) == {name}
        again, _ = restored(writer, path, intent)
        assert (again.written, set(again.unrestorable)) == (None, {name})


@pytest.mark.parametrize("kind", ["jpeg", "png", "heic", "avif", "webp"])
@pytest.mark.parametrize("order", [b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"])
def test_an_exif_block_without_a_field_is_listed_and_comes_back_as_it_was(
    writer: Writer, tmp_path: Path, kind: str, order: bytes
) -> None:
    """exiftool takes it out with the last field of ours, whatever it is told."""
    empty = b"Exif\0\0" + order + bytes(6)
    path = support_imaging.make(kind, tmp_path)
    with Image.open(os.fsdecode(path)) as image:
        image.save(os.fsdecode(path), image.format, exif=empty)
    before = as_told(path)
    assert "File:ExifByteOrder" in before
    (intent,) = recorded(writer, path, words("A dog.", "dog"))
    tagged = as_told(path)

    done, undo = restored(writer, path, intent)
    after = as_told(path)
    differing = {n for n in before if after.get(n) != before[n]} | after.keys() - before
    assert "File:ExifByteOrder" in differing
    assert differing == done.unrestorable.keys()

    again, _ = restored(writer, path, undo)
    assert again.refused == {}
    assert {n for n in tagged if as_told(path).get(n) != tagged[n]} <= {
        "File:CurrentIPTCDigest"
    }


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "heic", "avif", "webp"])
def test_a_block_with_nothing_but_defaults_is_as_it_was(
    writer: Writer, tmp_path: Path, kind: str
) -> None:
    path = support_imaging.make(kind, tmp_path)
    person_writes(path, "-EXIF:UserComment=x", "-EXIF:Artist=x")
    # exiftool would delete a block of defaults; it does not when one is written.
    person_writes(path, "-EXIF:Artist=", "-IFD0:XResolution=72")
    person_writes(path, "-EXIF:UserComment=", b"-ExifIFD:ExifVersion=0232")
    if kind in ("jpeg", "tiff"):
        person_writes(path, "-IPTC:ApplicationRecordVersion=4")
    assert field(path, "ExifIFD:ExifVersion") == ["0232"]
    commenting = Metadata(user_comment="if_empty")

    tagged_retagged_and_restored(Writer(writer._exiftool, commenting), path)


def test_iptc_without_its_version_is_as_it_was(writer: Writer, photo: bytes) -> None:
    person_writes(photo, "-IPTC:Keywords=mine", "-IPTC:City=Kyoto")
    person_writes(photo, "-IPTC:ApplicationRecordVersion=")
    assert field(photo, "IPTC:ApplicationRecordVersion") == []

    tagged_retagged_and_restored(writer, photo)


def test_a_camera_file_is_as_it_was(writer: Writer, tmp_path: Path) -> None:
    thumbnail = tmp_path / "thumbnail.jpg"
    Image.new("RGB", (160, 120), "teal").save(thumbnail)
    image = Image.fromarray(support_imaging.painted())
    data = support_imaging.encoded(
        image, "JPEG", exif=support_imaging.exif(6), comment=b"a comment"
    )
    path = support_imaging.put(tmp_path, "camera.jpg", data)
    person_writes(
        path,
        b"-ThumbnailImage<=" + os.fsencode(thumbnail),
        "-XMP-mwg-rs:RegionName=Ann",
        "-XMP-crs:Exposure2012=+1.25",
    )

    tagged_retagged_and_restored(writer, path)


@pytest.mark.parametrize("theirs", [None, "", "   ", "Mine", "Größe 東京"])
def test_a_user_comment_we_filled_is_as_it_was(
    exiftool: Exiftool, photo: bytes, theirs: str | None
) -> None:
    if theirs is not None:
        entities = "".join(f"&#{ord(char)};" for char in theirs)
        person_writes(photo, f"-EXIF:UserComment^={entities}".encode())
    commenting = Metadata(user_comment="if_empty")

    tagged_retagged_and_restored(Writer(exiftool, commenting), photo)


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "heic", "webp"])
def test_a_replaced_description_of_the_person_comes_back(
    exiftool: Exiftool, tmp_path: Path, kind: str
) -> None:
    path = support_imaging.make(kind, tmp_path)
    person_writes(
        path,
        "-XMP-dc:Description=Mine\nsecond line é",
        "-XMP-dc:Description-fr=Le mien",
        "-EXIF:ImageDescription=Mine, shorter é  ",
    )
    replacing = Metadata(replace_person_description=True)

    tagged_retagged_and_restored(Writer(exiftool, replacing), path)


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        *(("Keywords", text) for text in ("sea, blue sky", "sea; sky", "2024", "")),
        ("Keywords", "Über Á"),
        ("Description", "   "),
        ("Description", "Mine é"),
        ("Author", "me"),
    ],
)
@pytest.mark.parametrize("chunk", ["tEXt", "zTXt", "iTXt"])
def test_the_text_of_a_png_is_as_it_was(
    writer: Writer, tmp_path: Path, keyword: str, text: str, chunk: str
) -> None:
    info = PngImagePlugin.PngInfo()
    if chunk == "iTXt":
        info.add_itxt(keyword, text, lang="de")
        info.add_itxt(keyword, text)
    else:
        info.add_text(keyword, text, zip=chunk == "zTXt")
    path = tmp_path / "text.png"
    Image.new("RGB", (32, 32)).save(path, pnginfo=info)

    tagged_retagged_and_restored(writer, os.fsencode(path))


def test_long_words_go_again(writer: Writer, photo: bytes) -> None:
    before = as_told(photo)
    tags = [f"tag number {number} ü" for number in range(200)]
    long = words("Größe 😀 " * 6_000, *tags, provenance=provenance(*tags))

    (intent,) = recorded(writer, photo, long)
    done, _ = restored(writer, photo, intent)

    assert (done.refused, done.unrestorable) == ({}, {})
    assert as_told(photo) == before


# --- sidecars ---


def test_a_sidecar_of_ours_is_gone_again_and_can_come_back(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    person_writes(photo, "-XMP-dc:Subject=mine")
    before = content(photo)

    tagged_retagged_and_restored(writer, photo, mode=WriteMode.SIDECAR)

    assert content(photo) == before
    assert names(tmp_path) == ["jpeg.jpg", "jpeg.jpg.xmp"]
    assert writer.read(photo).tags == ("mine", "2024", "cat", "Straße")


OTHERS = """<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:darktable="http://darktable.sf.net/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"""


@pytest.mark.parametrize(
    ("attributes", "elements"),
    [
        ('xmp:Rating="4" darktable:xmp_version="5"', ""),
        (
            'xmp:Rating="4"',
            "<dc:subject><rdf:Bag><rdf:li>mine</rdf:li></rdf:Bag></dc:subject>"
            "<darktable:history><rdf:Seq><rdf:li darktable:num='0'"
            " darktable:params='00ff'/></rdf:Seq></darktable:history>",
        ),
        ("", ""),
    ],
    ids=["rating", "history", "nothing"],
)
def test_another_programs_sidecar_is_as_it_was(
    writer: Writer, photo: bytes, attributes: str, elements: str
) -> None:
    Path(os.fsdecode(photo + b".xmp")).write_text(
        OTHERS.format(attributes=attributes, elements=elements), encoding="utf-8"
    )

    tagged_retagged_and_restored(writer, photo, mode=WriteMode.SIDECAR)


def test_a_sidecar_of_ours_with_anothers_words_stays_with_them(
    writer: Writer, photo: bytes
) -> None:
    (intent,) = recorded(writer, photo, words("A dog.", "dog"), mode=WriteMode.SIDECAR)
    person_writes(photo + b".xmp", "-XMP-xmp:Rating=5")

    done, _ = restored(writer, photo, intent)

    assert done.refused == {}
    assert field(photo + b".xmp", "XMP-xmp:Rating") == ["5"]
    assert field(photo + b".xmp", "XMP-dc:Subject") == []


def test_a_sidecar_changed_while_it_is_taken_away_stays(
    writer: Writer, photo: bytes
) -> None:
    (intent,) = recorded(writer, photo, words("A dog.", "dog"), mode=WriteMode.SIDECAR)
    sidecar = photo + b".xmp"

    with pytest.raises(FileChanged):
        writer.restore(
            photo,
            sidecar,
            Past(before=intent.before, intended=intent.intended),
            mode=intent.mode,
            identity=identity(photo),
            on_intent=lambda _: person_writes(sidecar, "-XMP-xmp:Rating=5"),
        )

    assert field(sidecar, "XMP-xmp:Rating") == ["5"]
    assert field(sidecar, "XMP-dc:Subject") == ["dog"]


def test_a_sidecar_that_is_gone_needs_no_restoring(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    (intent,) = recorded(writer, photo, words("A dog.", "dog"), mode=WriteMode.SIDECAR)
    os.unlink(photo + b".xmp")

    done, _ = restored(writer, photo, intent)

    assert (done.written, done.refused, done.unrestorable) == (None, {}, {})
    assert names(tmp_path) == ["jpeg.jpg"]


# --- what others changed since ---


def test_a_field_changed_since_is_left_and_named_and_the_others_go_back(
    writer: Writer, photo: bytes
) -> None:
    (intent,) = recorded(
        writer, photo, words("A dog.", "dog", provenance=provenance("dog"))
    )
    person_writes(photo, "-XMP-dc:Subject+=holiday", "-XMP-dc:Title=T")

    done, _ = restored(writer, photo, intent)

    assert done.refused == {"XMP-dc:Subject": "it was changed after it was written"}
    assert done.unrestorable == {}
    assert done.written is not None
    assert done.written.words.tags == ("dog", "holiday")
    assert field(photo, "XMP-dc:Subject") == ["dog", "holiday"]
    assert field(photo, "XMP-dc:Title") == ["T"]
    told = as_told(photo)
    assert not [name for name in told if name.startswith(("IFD0", "IPTC", "ExifIFD"))]
    assert not [name for name in told if name.startswith("XMP-imagetagger")]
    assert field(photo, "XMP-dc:Description") == []


def test_a_field_somebody_put_back_already_is_no_matter(
    writer: Writer, photo: bytes
) -> None:
    before = as_told(photo)
    (intent,) = recorded(writer, photo, words("A dog.", "dog"))
    person_writes(photo, "-XMP-dc:Subject=", "-EXIF:ImageDescription=")

    done, _ = restored(writer, photo, intent)
    again, _ = restored(writer, photo, intent)

    assert (done.refused, done.unrestorable) == ({}, {})
    now = as_told(photo)
    assert {**now, "System:FileModifyDate": before["System:FileModifyDate"]} == before
    assert again.written is None


def test_what_is_around_a_field_that_stays_stays_too(
    writer: Writer, photo: bytes
) -> None:
    (intent,) = recorded(writer, photo, words("Größe.", "Straße"))
    person_writes(photo, "-EXIF:ImageDescription=Mine", "-IPTC:Keywords+=東京")
    person_writes(photo, "-IPTCDigest=new")

    done, _ = restored(writer, photo, intent)

    assert set(done.refused) == {"IFD0:ImageDescription", "IPTC:Keywords"}
    assert field(photo, "IPTC:Keywords") == ["Straße", "東京"]
    assert field(photo, "IPTC:CodedCharacterSet") == ["\x1b%G"]
    assert field(photo, "IFD0:XResolution") != []


def test_the_mark_of_utf8_stays_where_new_iptc_texts_need_it(
    writer: Writer, photo: bytes
) -> None:
    (intent,) = recorded(writer, photo, words("A dog.", "dog"))
    person_writes(photo, "-IPTC:City=Zürich")

    done, _ = restored(writer, photo, intent)

    assert set(done.refused) == {"IPTC:CodedCharacterSet"}
    assert field(photo, "IPTC:City") == ["Zürich"]
    assert field(photo, "IPTC:Keywords") == []


def test_the_digest_stays_true_where_iptc_is_put_back_in_part(
    writer: Writer, photo: bytes
) -> None:
    person_writes(photo, "-IPTC:City=Kyoto")
    person_writes(photo, "-IPTCDigest=new")
    (intent,) = recorded(writer, photo, words("A dog.", "dog"))
    person_writes(photo, "-IPTC:Keywords+=mine")
    person_writes(photo, "-IPTCDigest=new")

    done, _ = restored(writer, photo, intent)

    assert set(done.refused) == {"IPTC:Keywords"}
    assert field(photo, "IPTC:Caption-Abstract") == []
    assert field(photo, "Photoshop:IPTCDigest") == field(photo, "CurrentIPTCDigest")


def test_an_earlier_write_is_not_restored_over_a_later_one(
    writer: Writer, photo: bytes
) -> None:
    (first,) = recorded(writer, photo, words("A dog.", "dog"))
    recorded(writer, photo, words("A cat.", "cat", own_description="A dog."))
    before = content(photo)

    done, _ = restored(writer, photo, first)

    assert {"XMP-dc:Subject", "XMP-dc:Description"} <= set(done.refused)
    assert field(photo, "XMP-dc:Subject") == ["dog", "cat"]
    assert done.written is None or content(photo) != before


# --- nothing is harmed ---


def test_a_photo_that_changed_since_it_was_looked_at_is_left(
    writer: Writer, photo: bytes
) -> None:
    (intent,) = recorded(writer, photo, words("A dog.", "dog"))
    seen = StatKey.of(os.stat(photo))
    os.utime(photo, ns=(1, 1))
    before = content(photo)

    with pytest.raises(FileChanged):
        writer.restore(
            photo,
            photo,
            Past(before=intent.before, intended=intent.intended),
            mode=WriteMode.FILE,
            identity=identity(photo),
            expect=seen,
            on_intent=lambda _: None,
        )

    assert content(photo) == before


def test_a_read_only_photo_is_not_restored(writer: Writer, photo: bytes) -> None:
    (intent,) = recorded(writer, photo, words("A dog.", "dog"))
    os.chmod(photo, 0o444)
    before = content(photo)

    with pytest.raises(MetadataNotWritten, match="read-only"):
        restored(writer, photo, intent)

    assert content(photo) == before


def test_a_record_that_cannot_be_made_stops_the_restoring(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    (intent,) = recorded(writer, photo, words("A dog.", "dog"))
    before = content(photo)

    def full(_: Intent) -> None:
        raise OSError("the tracking database is full")

    with pytest.raises(OSError, match="is full"):
        writer.restore(
            photo,
            photo,
            Past(before=intent.before, intended=intent.intended),
            mode=WriteMode.FILE,
            identity=identity(photo),
            on_intent=full,
        )

    assert content(photo) == before
    assert names(tmp_path) == ["jpeg.jpg"]


def test_a_name_that_became_a_link_is_not_followed(
    writer: Writer, photo: bytes, tmp_path: Path
) -> None:
    (intent,) = recorded(writer, photo, words("A dog.", "dog"))
    os.rename(photo, tmp_path / "other.jpg")
    os.symlink("other.jpg", photo)
    before = content(photo)

    with pytest.raises(FileChanged, match="another file"):
        restored(writer, photo, intent)

    assert content(photo) == before


def test_a_photo_that_is_gone_is_told(writer: Writer, photo: bytes) -> None:
    done: list[Intent] = recorded(writer, photo, words("A dog.", "dog"))
    picture = identity(photo)
    os.unlink(photo)

    with pytest.raises(FileChanged, match="gone"):
        writer.restore(
            photo,
            photo,
            Past(before=done[0].before, intended=done[0].intended),
            mode=WriteMode.FILE,
            identity=picture,
            on_intent=lambda _: None,
        )


def test_a_write_after_a_restoring_starts_afresh(writer: Writer, photo: bytes) -> None:
    (intent,) = recorded(writer, photo, words("A dog.", "dog"))
    restored(writer, photo, intent)

    done = written(writer, photo, words("A dog.", "dog"))

    assert done.added_tags == ("dog",)
    assert done.words.description == "A dog."
