"""Words arrive in every format exactly, and the person's own stay as they are."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from tagger.pipeline.metadata import Exiftool, Writer, fields, merging
from tagger.pipeline.metadata.reading import Dump
from tagger.records import Intent, WantedWords, WriteMode
from tagger.sections import Metadata
from tests import support_imaging
from tests.support_metadata import (
    NASTY_DESCRIPTION,
    NASTY_TAGS,
    content,
    everything,
    field,
    names,
    person_writes,
    pixels,
    words,
    written,
)

SIDECAR_ONLY = {"bmp", "tiff-big", "avif-animated"}
INTO_FILE = sorted(set(support_imaging.KINDS) - SIDECAR_ONLY)


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


@pytest.mark.parametrize("kind", INTO_FILE)
def test_every_format_takes_nasty_words_exactly_and_keeps_its_pixels(
    writer: Writer, tmp_path: Path, kind: str
) -> None:
    path = support_imaging.make(kind, tmp_path)
    before = pixels(path)

    done = written(writer, path, words(NASTY_DESCRIPTION, *NASTY_TAGS))

    assert (done.mode, done.changed, done.note) == (WriteMode.FILE, True, None)
    assert field(path, "XMP-dc:Subject") == list(NASTY_TAGS)
    assert field(path, "XMP-digiKam:TagsList") == list(NASTY_TAGS)
    assert field(path, "XMP-dc:Description") == [NASTY_DESCRIPTION]
    assert field(path, "XMP-dc:Creator") == []
    assert pixels(path) == before
    assert names(tmp_path) == [os.path.basename(path).decode()]
    assert writer.read(path) == done.words
    assert done.words.tags == done.added_tags == NASTY_TAGS
    assert not written(writer, path, words(NASTY_DESCRIPTION, *NASTY_TAGS)).changed


@pytest.mark.parametrize("kind", sorted(SIDECAR_ONLY))
def test_what_exiftool_cannot_write_gets_a_sidecar(
    writer: Writer, tmp_path: Path, kind: str
) -> None:
    path = support_imaging.make(kind, tmp_path)
    before = content(path)

    done = written(writer, path, words(NASTY_DESCRIPTION, *NASTY_TAGS))

    assert done.mode is WriteMode.SIDECAR
    assert done.note is not None
    assert "cannot write" in done.note
    assert done.target == path + b".xmp"
    assert field(done.target, "XMP-dc:Subject") == list(NASTY_TAGS)
    assert field(done.target, "XMP-dc:Description") == [NASTY_DESCRIPTION]
    assert content(path) == before
    assert writer.read(path).tags == NASTY_TAGS
    assert not written(writer, path, words(NASTY_DESCRIPTION, *NASTY_TAGS)).changed


def test_a_jpeg_carries_the_words_in_the_fields_programs_read(
    writer: Writer, photo: bytes
) -> None:
    written(writer, photo, words("A dog; 😀", "dog", "a;b", "smile 😀", "é" * 50))

    assert field(photo, "IFD0:ImageDescription") == ["A dog; 😀"]
    assert field(photo, "IPTC:Caption-Abstract") == ["A dog; 😀"]
    assert field(photo, "IPTC:Keywords") == ["dog", "a;b", "smile 😀", "é" * 32]
    assert field(photo, "IFD0:XPKeywords") == ["dog;a,b;smile;" + "é" * 50]


def test_a_png_carries_a_description_and_keywords_as_text(
    writer: Writer, tmp_path: Path
) -> None:
    path = support_imaging.make("png", tmp_path)

    written(writer, path, words("Ein Hund 😀", "dog", "a;b", "東京"))

    assert field(path, "PNG:Keywords") == ["dog;a b;東京"]
    assert field(path, "PNG:Description") == ["Ein Hund 😀"]
    with Image.open(os.fsdecode(path)) as image:
        assert image.info["Keywords"] == "dog;a b;東京"


def test_long_texts_and_many_tags_fit(writer: Writer, photo: bytes) -> None:
    description = "Größe 😀 " * 6_000
    tags = [f"tag number {number} ü" for number in range(200)]

    done = written(writer, photo, words(description, *tags))

    assert done.mode is WriteMode.FILE
    assert field(photo, "XMP-dc:Description") == [description]
    assert field(photo, "XMP-dc:Subject") == tags
    assert description.startswith(field(photo, "IPTC:Caption-Abstract")[0])
    assert not written(writer, photo, words(description, *tags)).changed


def test_empty_tags_and_what_metadata_cannot_hold_are_left_out(
    writer: Writer, photo: bytes
) -> None:
    done = written(
        writer,
        photo,
        words("a\0b\x07c\r\nd", "dog", "", "  ", "\x01", "c\ud800at", "dog"),
    )

    assert field(photo, "XMP-dc:Subject") == ["dog", "cat"]
    assert field(photo, "XMP-dc:Description") == ["abc\nd"]
    assert done.wrote_description == "abc\nd"


def test_nothing_wanted_changes_nothing(writer: Writer, photo: bytes) -> None:
    before = content(photo)

    assert not written(writer, photo, words("")).changed
    assert content(photo) == before


# --- the person's words ---


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "heic", "avif", "webp", "gif"])
@pytest.mark.parametrize(
    "theirs", [("2024",), ("true",), ("東京",), ("a, b; c",), ("Zoo", "ärger", " sp ")]
)
def test_the_persons_keywords_survive_as_they_are_spelt(
    writer: Writer, tmp_path: Path, kind: str, theirs: tuple[str, ...]
) -> None:
    path = support_imaging.make(kind, tmp_path)
    person_writes(path, *[f"-XMP-dc:Subject={tag}" for tag in theirs])

    done = written(writer, path, words("A dog.", "dog", "ZOO", "ÄRGER"))

    found = field(path, "XMP-dc:Subject")
    assert tuple(found[: len(theirs)]) == theirs
    assert "dog" in found
    assert "dog" in done.added_tags
    assert len({fields.same(tag) for tag in found}) == len(found)


def test_a_keyword_in_one_field_only_stays_and_reaches_the_others(
    writer: Writer, photo: bytes
) -> None:
    person_writes(
        photo,
        "-IPTC:CodedCharacterSet=UTF8",
        "-IPTC:Keywords=only iptc",
        "-EXIF:XPKeywords=only xp;  spaced  ",
    )

    done = written(writer, photo, words("", "dog"))

    assert field(photo, "IPTC:Keywords") == ["only iptc", "only xp", "spaced", "dog"]
    assert field(photo, "XPKeywords") == ["only xp;  spaced  ;only iptc;dog"]
    assert field(photo, "XMP-dc:Subject") == ["only iptc", "only xp", "spaced", "dog"]
    assert done.added_tags == ("dog",)


@pytest.mark.parametrize("text", ["sea, blue sky", "sea; blue sky", "sea"])
def test_keywords_of_a_png_are_added_to_in_its_own_manner(
    writer: Writer, tmp_path: Path, text: str
) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Keywords", text)
    info.add_text("Author", "me")
    path = tmp_path / "keywords.png"
    Image.new("RGB", (32, 32)).save(path, pnginfo=info)

    for _ in range(2):
        written(writer, os.fsencode(path), words("", "with, comma"))

    with Image.open(path) as image:
        assert image.info["Keywords"].startswith(text)
        assert image.info["Keywords"].count("with  comma") == 1
        assert image.info["Author"] == "me"


def test_keyword_texts_that_stand_twice_are_left_alone(
    writer: Writer, tmp_path: Path
) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Keywords", "first")
    info.add_itxt("Keywords", "second")
    path = tmp_path / "keywords.png"
    Image.new("RGB", (32, 32)).save(path, pnginfo=info)

    written(writer, os.fsencode(path), words("", "dog"))

    data = path.read_bytes()
    assert data.count(b"first") == 3  # the chunk, dc:Subject and TagsList
    assert data.count(b"second") == 3
    assert field(path, "XMP-dc:Subject") == ["first", "second", "dog"]


def test_latin_1_iptc_without_a_marker_keeps_its_bytes(
    writer: Writer, photo: bytes
) -> None:
    person_writes(photo, "-IPTC:Keywords=Übung", "-IPTC:By-line=Jürgen")
    assert "Übung".encode("latin-1") in content(photo)

    written(writer, photo, words("Ein Hündchen", "dog", "Straße"))

    assert "Übung".encode("latin-1") in content(photo)
    assert "Jürgen".encode("latin-1") in content(photo)
    assert field(photo, "IPTC:Keywords") == ["Übung", "dog"]
    assert field(photo, "XMP-dc:Subject") == ["Übung", "dog", "Straße"]
    assert field(photo, "CodedCharacterSet") == []


def test_utf8_iptc_without_a_marker_keeps_its_bytes(
    writer: Writer, photo: bytes
) -> None:
    person_writes(photo, "-charset", "iptc=UTF8", "-IPTC:Keywords=東京Á")

    written(writer, photo, words("", "dog", "東京Á", "Straße"))

    assert field(photo, "IPTC:Keywords", "-charset", "iptc=UTF8") == ["東京Á", "dog"]
    assert field(photo, "XMP-dc:Subject") == ["東京Á", "dog", "Straße"]


def test_plain_ascii_iptc_gets_the_marker_when_ours_need_it(
    writer: Writer, photo: bytes
) -> None:
    person_writes(photo, "-IPTC:Keywords=plain")

    written(writer, photo, words("", "Straße"))

    assert field(photo, "IPTC:Keywords") == ["plain", "Straße"]


def test_the_digest_photoshop_compares_stays_true(writer: Writer, photo: bytes) -> None:
    person_writes(photo, "-IPTC:Keywords=plain")
    person_writes(photo, "-IPTCDigest=new")

    written(writer, photo, words("", "dog"))

    assert field(photo, "Photoshop:IPTCDigest") == field(photo, "CurrentIPTCDigest")


def test_emoji_that_windows_wrote_are_not_broken(
    writer: Writer, tmp_path: Path
) -> None:
    block = Image.Exif()
    theirs = "a;smile 😀".encode("utf-16-le")
    block[0x9C9E] = theirs + b"\0\0"
    path = tmp_path / "windows.jpg"
    Image.new("RGB", (32, 32)).save(path, exif=block)

    written(writer, os.fsencode(path), words("", "dog"))

    assert theirs in path.read_bytes()
    assert field(path, "XMP-dc:Subject") == ["a", "smile 😀", "dog"]


def test_hierarchies_stay_and_are_not_doubled(writer: Writer, photo: bytes) -> None:
    person_writes(
        photo,
        "-XMP-lr:HierarchicalSubject=Places|Japan|Kyoto",
        "-XMP-lr:HierarchicalSubject=Animals|Dog",
        "-XMP-dc:Subject=Kyoto",
    )

    written(writer, photo, words("", "dog", "tree"))

    assert field(photo, "XMP-lr:HierarchicalSubject") == [
        "Places|Japan|Kyoto",
        "Animals|Dog",
    ]
    assert field(photo, "XMP-dc:Subject") == ["Kyoto", "Dog", "tree"]
    assert field(photo, "XMP-digiKam:TagsList") == [
        "Places/Japan/Kyoto",
        "Animals/Dog",
        "tree",
    ]
    assert not written(writer, photo, words("", "dog", "tree")).changed


@pytest.mark.parametrize(
    "theirs",
    [
        "-XMP-dc:Description=Mine",
        "-XMP-dc:Description-fr=Le mien",
        "-EXIF:ImageDescription=Mine",
        "-IPTC:Caption-Abstract=Mine",
    ],
)
def test_the_persons_description_keeps_ours_out(
    writer: Writer, photo: bytes, theirs: str
) -> None:
    person_writes(photo, theirs)
    before = everything(photo)

    done = written(writer, photo, words("A dog."))

    assert done.wrote_description is None
    assert not done.changed
    assert everything(photo) == before


def test_a_description_beside_the_photo_keeps_ours_out(
    writer: Writer, photo: bytes
) -> None:
    person_writes(photo + b".xmp", "-XMP-dc:Description=Mine")

    done = written(writer, photo, words("A dog.", "dog"))

    assert done.words.description == "Mine"
    assert field(photo, "XMP-dc:Description") == []
    assert field(photo, "XMP-dc:Subject") == ["dog"]


def test_the_persons_description_is_replaced_where_the_setting_says_so(
    exiftool: Exiftool, photo: bytes
) -> None:
    person_writes(photo, "-XMP-dc:Description=Mine", "-XMP-dc:Description-fr=Le mien")
    writer = Writer(exiftool, Metadata(replace_person_description=True))

    done = written(writer, photo, words("A dog."))

    assert done.wrote_description == "A dog."
    assert field(photo, "XMP-dc:Description") == ["A dog."]
    assert field(photo, "XMP-dc:Description-fr") == ["Le mien"]


def test_a_camera_filler_gives_way(writer: Writer, photo: bytes) -> None:
    person_writes(photo, "-EXIF:ImageDescription=OLYMPUS DIGITAL CAMERA")

    written(writer, photo, words("A dog."))

    assert field(photo, "ImageDescription") == ["A dog."]


def test_our_own_description_is_replaced_by_a_new_one(
    writer: Writer, photo: bytes
) -> None:
    first = written(writer, photo, words("Ü" * 1500)).wrote_description
    assert first is not None

    written(writer, photo, words("A cat.", own_description=first))

    assert writer.read(photo).description == "A cat."
    assert field(photo, "IPTC:Caption-Abstract") == ["A cat."]
    assert field(photo, "IFD0:ImageDescription") == ["A cat."]


# --- again, and retired ---


def test_retired_tags_go_and_the_persons_stay(writer: Writer, photo: bytes) -> None:
    person_writes(photo, "-XMP-dc:Subject=Dog", "-XMP-dc:Subject=mine")
    written(writer, photo, words("A.", *NASTY_TAGS, "cat"))
    for name in ("XMP-dc:Subject", "IPTC:Keywords", "XPKeywords"):
        assert any("2024" in text for text in field(photo, name))

    done = written(
        writer, photo, words("A.", "cat", "bird", retired=(*NASTY_TAGS, "dog", "cat"))
    )

    assert done.added_tags == ("bird",)
    for name in ("XMP-dc:Subject", "XMP-digiKam:TagsList", "IPTC:Keywords"):
        assert sorted(field(photo, name)) == ["Dog", "bird", "cat", "mine"]
    assert field(photo, "XPKeywords") == ["Dog;mine;cat;bird"]
    assert writer.read(photo).tags == done.words.tags


def test_a_file_is_without_the_fields_again_when_all_is_retired(
    writer: Writer, tmp_path: Path
) -> None:
    path = support_imaging.make("png", tmp_path)
    written(writer, path, words("", "dog", "cat"))

    written(writer, path, words("", retired=("dog", "cat")))

    for name in ("XMP-dc:Subject", "XMP-digiKam:TagsList", "PNG:Keywords"):
        assert field(path, name) == []


@pytest.mark.parametrize("kind", ["jpeg", "tiff", "png", "heic", "webp", "gif"])
def test_retiring_everything_is_a_write_into_the_file_too(
    writer: Writer, tmp_path: Path, kind: str
) -> None:
    path = support_imaging.make(kind, tmp_path)
    written(writer, path, words("", "dog"))

    done = written(writer, path, words("", retired=("dog",)))

    assert (done.mode, done.note) == (WriteMode.FILE, None)
    assert writer.read(path).tags == ()


def test_a_user_comment_that_can_hold_nothing_of_a_text_is_no_obstacle(
    exiftool: Exiftool, photo: bytes
) -> None:
    commenting = Writer(exiftool, Metadata(user_comment="if_empty"))
    written(commenting, photo, words("A dog."))

    done = written(commenting, photo, words("😀", own_description="A dog."))

    assert (done.mode, done.note) == (WriteMode.FILE, None)
    assert field(photo, "UserComment") == []
    assert not written(commenting, photo, words("😀")).changed


def test_a_second_spelling_adds_nothing(writer: Writer, photo: bytes) -> None:
    person_writes(photo, "-XMP-dc:Subject=E\u0301te\u0301", "-XMP-dc:Subject=Red  Car")

    done = written(writer, photo, words("", "été", "red car"))

    assert done.added_tags == ()
    assert field(photo, "XMP-dc:Subject") == ["E\u0301te\u0301", "Red  Car"]


def test_a_user_comment_is_written_only_when_asked_for_and_free(
    exiftool: Exiftool, writer: Writer, photo: bytes
) -> None:
    commenting = Writer(exiftool, Metadata(user_comment="if_empty"))

    written(writer, photo, words("A dog."))
    assert field(photo, "UserComment") == []
    written(commenting, photo, words("A dog."))
    assert field(photo, "UserComment") == ["A dog."]
    person_writes(photo, "-UserComment=Mine")
    assert not written(commenting, photo, words("A dog.")).changed
    assert field(photo, "UserComment") == ["Mine"]


# --- sidecars ---


def test_a_new_sidecar_takes_the_persons_keywords_along(
    writer: Writer, photo: bytes
) -> None:
    person_writes(photo, "-XMP-dc:Subject=mine", "-IPTC:Keywords=also mine")
    os.chmod(photo, 0o640)
    before = content(photo)

    done = written(writer, photo, words("A dog.", "dog"), mode=WriteMode.SIDECAR)

    assert content(photo) == before
    assert done.note is None
    assert field(photo + b".xmp", "XMP-dc:Subject") == ["mine", "also mine", "dog"]
    assert os.stat(photo + b".xmp").st_mode & 0o777 == 0o640
    again = written(writer, photo, words("A dog.", "dog"), mode=WriteMode.SIDECAR)
    assert not again.changed


def test_another_programs_sidecar_is_added_to(writer: Writer, photo: bytes) -> None:
    sidecar = Path(os.fsdecode(photo + b".xmp"))
    sidecar.write_text(
        """<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:darktable="http://darktable.sf.net/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmp:Rating="4" darktable:xmp_version="5">
<dc:subject><rdf:Bag><rdf:li>mine</rdf:li></rdf:Bag></dc:subject>
<darktable:history><rdf:Seq><rdf:li darktable:num="0" darktable:operation="exposure"
 darktable:params="00ff"/></rdf:Seq></darktable:history>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>""",
        encoding="utf-8",
    )
    before = everything(sidecar)

    written(writer, photo, words("A dog.", "dog"), mode=WriteMode.SIDECAR)

    after = everything(sidecar)
    assert field(sidecar, "XMP-dc:Subject") == ["mine", "dog"]
    assert {**after, **before} | {"XMP-dc:Subject": 0, "XMP-x:XMPToolkit": 0} == {
        **after,
        "XMP-dc:Subject": 0,
        "XMP-x:XMPToolkit": 0,
    }
    assert "exposure" in sidecar.read_text()


def test_retired_tags_leave_the_sidecar(writer: Writer, photo: bytes) -> None:
    written(writer, photo, words("A.", "dog", "cat"), mode=WriteMode.SIDECAR)

    written(writer, photo, words("A.", "cat", retired=("dog",)), mode=WriteMode.SIDECAR)

    assert field(photo + b".xmp", "XMP-dc:Subject") == ["cat"]
    assert writer.read(photo).tags == ("cat",)


# --- the intent ---


def test_the_intent_holds_what_an_undo_needs(writer: Writer, photo: bytes) -> None:
    person_writes(photo, "-XMP-dc:Subject=2024", "-XMP-dc:Subject=mine")
    seen: list[tuple[Intent, bytes]] = []
    before = content(photo)

    done = written(
        writer,
        photo,
        words("A dog.", "dog"),
        on_intent=lambda intent: seen.append((intent, content(photo))),
    )

    ((intent, at_the_time),) = seen
    assert at_the_time == before
    assert intent.target == done.target == photo
    assert intent.expect is not None
    assert intent.after_hash == writer.file_hash(photo)
    assert intent.before["XMP-dc:Subject"] == ("2024", "mine")
    assert intent.intended["XMP-dc:Subject"] == ("2024", "mine", "dog")
    assert intent.before["IPTC:Keywords"] == ()
    assert intent.intended["IPTC:Keywords"] == ("2024", "mine", "dog")
    # What exiftool adds around the fields is there to be taken away again, too.
    assert intent.before["IFD0:XResolution"] == ()
    assert intent.before.keys() == intent.intended.keys()
    assert intent.added_tags == done.added_tags == ("dog",)
    assert intent.wrote_description == "A dog."


# --- any sequence, by the rules alone ---

WORD = st.text(alphabet="aAbéE\u0301;,|/ ß\n😀1", max_size=5)
LAYOUT = st.sampled_from([*fields.LAYOUTS.values(), fields.SIDECAR])


def carried_out(dump: Dump, plan: merging.Plan) -> Dump:
    """What a dump is after its plan, as exiftool would make it."""
    values = dict(dump.values)
    for name in {*plan.add, *plan.remove}:
        kept = [
            word for word in dump.all(name) if word not in plan.remove.get(name, ())
        ]
        values[name] = (*kept, *plan.add.get(name, ()))
    values |= {name: (text,) if text else () for name, text in plan.put.items()}
    values[fields.IPTC_CHARSET] = ("\x1b%G",)
    return Dump({name: texts for name, texts in values.items() if texts})


@settings(max_examples=200, deadline=None)
@given(
    LAYOUT,
    st.lists(WORD, max_size=4),
    st.lists(WORD, max_size=3),
    WORD,
    st.lists(st.lists(WORD, max_size=4), min_size=1, max_size=4),
)
def test_whatever_is_tagged_the_persons_words_stay_and_nothing_is_doubled(
    layout: fields.Layout,
    subject: list[str],
    iptc: list[str],
    line: str,
    runs: list[list[str]],
) -> None:
    start = Dump(
        {
            fields.SUBJECT: tuple(subject),
            fields.IPTC_KEYWORDS: tuple(iptc),
            fields.XP_KEYWORDS: (line,),
            fields.IPTC_CHARSET: ("\x1b%G",),
        }
    )
    dump, ours = start, ()
    for tags in runs:
        wanted = WantedWords(description="", tags=tuple(tags), retired=ours)
        plan = merging.plan(dump, wanted, layout=layout, settings=Metadata())
        dump = carried_out(dump, plan)
        kept = {fields.same(tag) for tag in tags}
        ours = (*(tag for tag in ours if fields.same(tag) in kept), *plan.added_tags)
        again = merging.plan(dump, wanted, layout=layout, settings=Metadata())
        assert again.is_empty
        found = {fields.same(word) for word in merging.keywords(dump)}
        assert found >= {fields.same(tag) for tag in tags} - {""}
    for name, persons in ((fields.SUBJECT, subject), (fields.IPTC_KEYWORDS, iptc)):
        now = list(dump.all(name))
        assert [word for word in now if word in persons][: len(persons)] == persons
        added = [fields.same(word) for word in now[len(persons) :]]
        assert len(added) == len({*added} - {fields.same(word) for word in persons})
    assert dump.text(fields.XP_KEYWORDS) or not line
    assert (dump.text(fields.XP_KEYWORDS) or "").startswith(line) or not line.strip()
