"""The XMP files of an export: read by exiftool, at safe places, and streamed."""

import io
import os
import subprocess
import tracemalloc
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from tagger import config
from tagger.catalogue import intake, parts, zipping
from tagger.catalogue.export import export, stream
from tagger.catalogue.store import Catalogue, exports_dir
from tagger.catalogue.wanted import Wanted
from tagger.catalogue.xmp import Words, sidecar
from tagger.catalogue.xmpzip import RENAMED, entry_name
from tagger.catalogue.zipping import File, Zipper
from tagger.pipeline.importing import bring_in
from tagger.pipeline.metadata import fields, provenance
from tagger.pipeline.tagging import tag
from tagger.records import WriteMode
from tagger.tracking import edits, folders
from tagger.tracking.database import Database
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_catalogue import (
    Photo,
    add_folder,
    many,
    open_catalogue,
    tagged,
)
from tests.support_metadata import all_fields
from tests.support_pipeline import known_images, numbered, put_keywords, settings
from tests.support_web import library, served, settings_file

LIST_FIELDS = (fields.SUBJECT, fields.TAGS_LIST)
ODD = [
    *("plain", "1e5", "00012", "Ünïcødé", "日本語", "🏖 beach", "a & b <c> \"d\" 'e'"),
    *("]]>", "&amp;", "<!-- x -->", "a/b", "Places|Japan", "=1+1", "x" * 200),
    *("<?xpacket end='w'?>", "</rdf:li>", "a;b,c", "\u202eabc"),
]


def said(*tags: str, description: str | None = "A dog.", **more: object) -> Words:
    given: dict[str, object] = {
        "description": description,
        "description_source": "gemma3:4b",
        "tags": tags,
        "sources": ["gemma3:4b"] * len(tags),
        "model": "gemma3:4b",
        "prompt_version": "p1",
        "answered_at": "2026-01-01T00:00:00.000Z",
    }
    return Words(**{**given, **more})  # type: ignore[arg-type]


def read(tmp_path: Path, xmp: bytes, *names: str) -> dict[str, list[str]]:
    """What exiftool finds in it; it has to find no fault."""
    path = tmp_path / "a.xmp"
    path.write_bytes(xmp)
    checked = subprocess.run(
        ["exiftool", "-validate", "-warning", "-error", "-a", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Error" not in checked.stdout
    assert "Validate                        : OK" in checked.stdout, checked.stdout
    return all_fields(path, names)


# One file


def test_exiftool_reads_every_word_back_as_it_is(tmp_path: Path) -> None:
    told = read(tmp_path, sidecar(said(*ODD)), *LIST_FIELDS, provenance.TAGS)
    for name in told:
        assert told[name] == ODD


@pytest.mark.parametrize(
    "text",
    [
        "A dog.",
        "Two\nlines & <tags>",
        "\ttabs and  spaces  inside",
        "quotes \" and ' and ]]>",
        "日本語 🏖 Ünïcødé",
        "1e5",
        "x" * 60_000,
    ],
)
def test_exiftool_reads_a_description_back_as_it_is(tmp_path: Path, text: str) -> None:
    told = read(
        tmp_path,
        sidecar(said("dog", description=text)),
        fields.XMP_DESCRIPTION,
        provenance.DESCRIPTION,
    )
    assert told == {
        fields.XMP_DESCRIPTION: [text],
        provenance.DESCRIPTION: [text],
    }


def test_what_xml_cannot_hold_is_left_out(tmp_path: Path) -> None:
    words = said("a\0b\x1b[31m", "\x07", "\ud800x", description="a\0\x0bb\ufffe")
    told = read(tmp_path, sidecar(words), fields.SUBJECT, fields.XMP_DESCRIPTION)
    assert told == {
        fields.SUBJECT: ["ab[31m", "x"],
        fields.XMP_DESCRIPTION: ["ab"],
    }


def test_it_says_who_said_each_word(tmp_path: Path) -> None:
    words = said(
        *("Rex", "mine", "dog"),
        sources=["file", "person", "gemma3:4b"],
        description_source="person",
    )
    names = [*provenance.FIELDS]
    told = read(tmp_path, sidecar(words), *names)
    assert told[provenance.FOUND_TAGS] == ["Rex"]
    assert told[provenance.EDITED_TAGS] == ["mine"]
    assert told[provenance.TAGS] == ["dog"]
    assert told[provenance.EDITED_DESCRIPTION] == ["A dog."]
    assert told[provenance.DESCRIPTION] == []
    assert told[provenance.MODEL] == ["gemma3:4b"]
    # So an exiftool without our description of the property shows what is a date.
    assert told[provenance.TAGGED_AT] == ["2026:01:01 00:00:00.000Z"]
    silent = read(tmp_path, sidecar(words, says_who=False), *names)
    assert not any(silent.values())


def test_words_that_were_only_found_are_claimed_by_nobody(tmp_path: Path) -> None:
    words = said(
        "Rex", sources=["file"], description_source="file", answered_at=None, model=None
    )
    told = read(tmp_path, sidecar(words), fields.SUBJECT, *provenance.FIELDS)
    assert told.pop(fields.SUBJECT) == ["Rex"]
    assert not any(told.values())


def test_a_photo_without_words_gets_a_sidecar_all_the_same(tmp_path: Path) -> None:
    words = said(description=None, answered_at=None)
    told = read(tmp_path, sidecar(words), *LIST_FIELDS, fields.XMP_DESCRIPTION)
    assert not any(told.values())


# Where it stands


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/photos/2024/a.jpg", "photos/2024/a.jpg.xmp"),
        ("/a.jpg", "a.jpg.xmp"),
        ("//photos//a.jpg", "photos/a.jpg.xmp"),
        ("/p/Ünï 日本.jpg", "p/Ünï 日本.jpg.xmp"),
        ("/p/.hidden.jpg", "p/.hidden.jpg.xmp"),
        ("/p/../../etc/passwd", f"{RENAMED}/7/passwd.xmp"),
        ("/p/./a.jpg", f"{RENAMED}/7/a.jpg.xmp"),
        ("/p/..", f"{RENAMED}/7/_.xmp"),
        ("/p/..\\..\\evil.jpg", f"{RENAMED}/7/.._.._evil.jpg.xmp"),
        ("/C:/a.jpg", f"{RENAMED}/7/a.jpg.xmp"),
        ("/p/a\nb\x1b.jpg", f"{RENAMED}/7/a_b_.jpg.xmp"),
        ("/p/\ufffd.jpg", f"{RENAMED}/7/_.jpg.xmp"),
        ("/p/a. /b.jpg", f"{RENAMED}/7/b.jpg.xmp"),
        (f"/{RENAMED}/7/a.jpg", f"{RENAMED}/7/a.jpg.xmp"),
        ("", f"{RENAMED}/7/photo.xmp"),
    ],
)
def test_a_hostile_path_leads_nowhere_else(path: str, name: str) -> None:
    assert entry_name(path, 7) == name


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with open_catalogue(tmp_path) as opened:
        yield opened


def unzipped(catalogue: Catalogue, query: str = "") -> zipfile.ZipFile:
    data = b"".join(stream(catalogue, Wanted(query=query), "zip"))
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive


def test_names_that_look_the_same_are_told_apart(
    catalogue: Catalogue, db: Database, tmp_path: Path
) -> None:
    root = tmp_path / "photos"
    names: Sequence[str | bytes] = [
        *("a.jpg", "A.jpg", b"\xff.jpg", b"\xfe.jpg", "b\\c.jpg", "b\nc.jpg"),
    ]
    ids = tagged(db, add_folder(db, root), *(Photo(name=n, tags=["x"]) for n in names))
    intake.take(catalogue, db)
    found = unzipped(catalogue).namelist()
    below = os.fspath(root)[1:]
    assert found == [
        f"{below}/a.jpg.xmp",
        f"{RENAMED}/{ids[1]}/A.jpg.xmp",
        f"{RENAMED}/{ids[2]}/_.jpg.xmp",
        f"{RENAMED}/{ids[3]}/_.jpg.xmp",
        f"{RENAMED}/{ids[4]}/b_c.jpg.xmp",
        f"{RENAMED}/{ids[5]}/b_c.jpg.xmp",
    ]
    assert len({name.casefold() for name in found}) == len(names)


def test_only_the_photos_of_the_query_are_in_it_and_nothing_is_left_behind(
    catalogue: Catalogue, db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_ROWS", 70)
    many(db, add_folder(db, tmp_path / "photos"), 300)
    intake.take(catalogue, db)
    assert len(unzipped(catalogue).namelist()) == 300
    (name,) = unzipped(catalogue, "number7").namelist()
    assert name.endswith("/7/img7.jpg.xmp")
    assert unzipped(catalogue, "nowhere").namelist() == []
    out = tmp_path / "o.zip"
    assert export(catalogue, Wanted(), out, "zip") == 300
    assert len(zipfile.ZipFile(out).namelist()) == 300
    monkeypatch.setattr(zipping, "_PIECE_BYTES", 5_000)
    pieces = stream(catalogue, Wanted(), "zip")
    assert next(pieces).startswith(b"PK\3\4")
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert list(exports_dir(catalogue.path).iterdir()) == []


# The ZIP itself


@pytest.mark.slow
def test_a_zip_of_very_many_files_is_whole_and_made_in_little_memory(
    tmp_path: Path,
) -> None:
    count = 70_000
    files = (File(f"p/{n:07d} ü.xmp", b"%d" % n * 9) for n in range(count))
    out = tmp_path / "o.zip"
    zipper = Zipper(tmp_path / "contents")
    tracemalloc.start()
    with out.open("wb") as file:
        for piece in zipper.pieces(files):
            file.write(piece)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 4_000_000
    assert zipper.count == count
    with zipfile.ZipFile(out) as archive:
        assert len(archive.namelist()) == count
        for n in (0, 65_535, 69_999):
            assert archive.read(f"p/{n:07d} ü.xmp") == b"%d" % n * 9
    # Another reader than Python's.
    counted = subprocess.run(["unzip", "-tq", str(out)], capture_output=True, text=True)
    assert counted.returncode == 0, counted.stdout + counted.stderr


def test_a_zip_beyond_four_gigabytes_says_where_its_files_are(tmp_path: Path) -> None:
    """The bytes before are only counted: a hole in the file stands for them."""
    out, hole = tmp_path / "o.zip", 5 << 30
    zipper = Zipper(tmp_path / "contents")
    zipper.size_bytes = hole
    with out.open("wb") as file:
        file.seek(hole)
        for piece in zipper.pieces(iter([File("a.xmp", b"one"), File("b", b"two")])):
            file.write(piece)
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == ["a.xmp", "b"]
        assert archive.read("b") == b"two"
        assert archive.infolist()[0].header_offset == hole


def test_an_empty_zip_is_one() -> None:
    data = b"PK\5\6" + bytes(18)
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == []


# Through the doors


def test_the_api_gives_it_and_the_plain_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    with library(tmp_path) as made, served() as api:
        made.photo("a.jpg", "dog", "=1+1")
        answer = api.get("/api/export", params={"format": "zip"})
        assert answer.headers["content-type"] == "application/zip"
        assert '.zip"' in answer.headers["content-disposition"]
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        (name,) = archive.namelist()
        assert name == f"{os.fspath(made.root)[1:]}/a.jpg.xmp"
        assert b"imagetagger:Tags" in archive.read(name)
        plain: httpx.Response = api.get(
            "/api/export", params={"format": "csv", "formula_safe": "false"}
        )
        assert ",dog;=1+1," in plain.text
        assert ",dog;'=1+1," in api.get("/api/export").text
        monkeypatch.setenv("TAGGER_METADATA__PROVENANCE", "false")
        made.opened.config = config.load()
        silent = api.get("/api/export", params={"format": "zip"}).content
        archive = zipfile.ZipFile(io.BytesIO(silent))
        assert b"imagetagger:Tags" not in archive.read(name)


def test_what_is_unpacked_as_a_mirror_brings_words_and_their_sources_back(
    tmp_path: Path,
) -> None:
    """All of it: tagged here, exported, unpacked elsewhere, and asked of no model."""
    photos = tmp_path / "photos"
    for number in (1, 2):
        numbered(photos / f"{number}.jpg", number)
    put_keywords(photos / "1.jpg", "Oma")
    answer = {"description": "A shape.", "tags": ["shape", "a & <b>"], "text": ""}
    with OllamaDouble(lambda *_: answer) as ollama:
        here = settings(tmp_path / "here", ollama.url)
        tag(here, [os.fsencode(photos)], choose(here), write_mode=WriteMode.NONE)
    with Database.open(here.tracking_path) as db:
        edits.tag(db, [os.fsencode(photos / "2.jpg")], add=["mine"])
        with Catalogue.open(here.catalogue_path, here.search_dir) as catalogue:
            intake.take(catalogue, db)
            archive = unzipped(catalogue)
    before = known_images(here)
    assert {t.source for image in before.values() for t in image.tags} > {
        *("file", "person"),
    }

    there = settings(tmp_path / "there", "http://127.0.0.1:9")
    archive.extractall(there.mirror_dir)
    bring_in(there, [os.fsencode(photos)])
    after = known_images(there)
    with Database.open(there.tracking_path) as db:
        (folder,) = folders.every(db)
    assert folder.write_mode is WriteMode.MIRROR
    for name, image in before.items():
        assert after[name].description == image.description
        assert sorted((t.name, t.source) for t in after[name].tags) == sorted(
            (t.name, t.source) for t in image.tags
        )
