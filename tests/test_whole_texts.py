"""What a model or a person says arrives letter by letter, in files and in exports.

`test_round_trip` shows it of the writer. Here words go the whole way: from a model's
answer or an edit into photos of every format, back out of them, and through tracking
database and catalogue into CSV and JSON lines; and every picture stays as it was.
"""

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tagger.catalogue.export import stream
from tagger.catalogue.wanted import Wanted
from tagger.config import Config
from tagger.imaging.identity import identity
from tagger.pipeline.carrying import carry_out
from tagger.pipeline.metadata import Exiftool, Writer, fields
from tagger.pipeline.verify import verify
from tagger.sections import Metadata
from tagger.tracking import edits, tagnames
from tagger.tracking.database import Database
from tagger.web.runtime import Runtime
from tests import support_imaging, support_metadata
from tests.ollama_double import OllamaDouble
from tests.support_metadata import pixels
from tests.support_pipeline import known_images, settings
from tests.test_round_trip import KINDS, LONG, MANY, layout_of
from tests.test_tagging import run

SPOKEN = "=1+1 \"Öl\" 'x'; a|b, 東京 😀 عربى <=x -execute &amp; &#10; $x @y %d <b>"
ANSWERED = (
    *("2024", "true", "1e5", "null", "007", "=1+1", "+1", "-1", "@sum(a1)"),
    *("😀", "👩‍👩‍👧", "عربى", "עברית", "été", "a|b", '"quoted"', "o'hare"),
    *("back\\slash", "-execute", "<=/etc/passwd", "&amp", "<b>x</b>", "$x", "%d%f"),
)
# As a model may say it: of white space one is kept, of what cannot be seen nothing.
SAID = "  " + SPOKEN.replace(", ", ",\n") + "\x07\u202e "

PERSONS = (
    (SPOKEN, ("2024", "true", "1e5", "Zürich", "😀")),
    ("\u0633\u0644\n\u05e2\u05d1\u05e8\u05d9\n\nline; two | x", ("two\nlines", "a;b")),
    ("2024", ("-execute", "<=/etc/passwd", "Places|Japan", "b/w")),
    ("true", ("x, y", '"q"', "&#10;", "\\")),
    ("1e5", ("-XMP-dc:Title=x", "=1+1")),
    ("<=/etc/passwd", ("عربى", "👩‍👩‍👧")),
    ("-execute\n-all=", ("Straße", "STRASSE 2")),
)


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble({"description": SAID, "tags": ANSWERED, "text": ""}) as double:
        yield double


@pytest.fixture
def config(tmp_path: Path, ollama: OllamaDouble) -> Config:
    return settings(tmp_path, ollama.url)


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, bytes]:
    """One photo of every format, by its kind."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return {kind: support_imaging.make(kind, folder) for kind in KINDS}


def pictures(photos: Mapping[str, bytes]) -> dict[str, tuple[str, str]]:
    return {kind: (identity(path), pixels(path)) for kind, path in photos.items()}


def edited(
    config: Config, make: str, folder: Path, *what: object, **more: object
) -> None:
    with Database.of(config) as db:
        edit = getattr(edits, make)(db, [os.fsencode(folder)], *what, **more)
    carried = carry_out(config, edit)
    assert (carried.failed, carried.waiting) == ([], [])


def exported(config: Config, format: str, **options: bool) -> dict[str, dict[str, Any]]:
    """The rows of an export, by file name."""
    opened = Runtime.open(config)
    try:
        opened.take()
        data = b"".join(stream(opened.catalogue, Wanted(), format, **options)).decode()
    finally:
        opened.close()
    if format == "csv":
        rows = list(csv.DictReader(io.StringIO(data, newline="")))
    else:
        rows = [json.loads(line) for line in data.split("\n") if line]
    return {row["name"]: row for row in rows}


def check_everywhere(
    config: Config, photos: Mapping[str, bytes], text: str, tags: tuple[str, ...]
) -> None:
    """Description and tags are exactly these in files, catalogue and exports."""
    with Exiftool(Metadata()) as exiftool:
        reader = Writer(exiftool, Metadata())
        for kind, path in photos.items():
            check_fields(kind, path, text, tags)
            words = reader.read(path)
            assert (words.description, {*words.tags}) == (text, {*tags}), kind
    images = known_images(config)
    lines = exported(config, "jsonl")
    plain = exported(config, "csv", formula_safe=False)
    safe = exported(config, "csv")
    for path in photos.values():
        name = os.path.basename(os.fsdecode(path))
        assert images[name].description == text
        assert {tag.name for tag in images[name].tags} == {*tags}
        assert lines[name]["description"] == plain[name]["description"] == text
        assert {*lines[name]["tags"]} == {*tags}
        assert plain[name]["tags"] == ";".join(lines[name]["tags"])
        for cell in safe[name].values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert text in (safe[name]["description"], safe[name]["description"][1:])
    assert verify(config, []).faults == ()


def check_fields(kind: str, path: bytes, text: str, tags: tuple[str, ...]) -> None:
    """Every field of the format holds what it can of the words."""
    layout = layout_of(kind)
    found = support_metadata.all_fields(
        path, (*layout.keyword_lists, *layout.keyword_lines, *layout.descriptions)
    )
    for name in layout.keyword_lists:
        copies = {fields.copy_of(tag, name) for tag in tags}
        if name == fields.IPTC_KEYWORDS and len("".join(copies)) > 8_000:
            assert {*found[name]} <= copies
        else:
            assert sorted(found[name]) == sorted(copies), (kind, name)
    for name in layout.keyword_lines:
        (line,) = found[name]
        copies = {fields.copy_of(tag, name) for tag in tags} - {""}
        assert {*line.split(";")} <= copies, (kind, name)
    for name in layout.descriptions:
        assert found[name] == [fields.copy_of(text, name)], (kind, name)


def test_what_a_model_says_arrives_letter_by_letter(
    config: Config, photos: dict[str, bytes], tmp_path: Path
) -> None:
    before = pictures(photos)

    assert run(config, tmp_path / "photos").failed == []

    check_everywhere(config, photos, SPOKEN, ANSWERED)
    assert pictures(photos) == before


@pytest.mark.slow
def test_what_a_person_says_arrives_letter_by_letter(
    config: Config, photos: dict[str, bytes], tmp_path: Path, ollama: OllamaDouble
) -> None:
    before, folder = pictures(photos), tmp_path / "photos"
    ollama.answer = {"description": "A dog.", "tags": ["dog"], "text": ""}
    run(config, folder)
    gone: tuple[str, ...] = ("dog",)
    for text, tags in PERSONS:
        edited(config, "tag", folder, add=tags, remove=gone)
        edited(config, "describe", folder, text)
        tidied = tuple(map(tagnames.tidy, tags))
        check_everywhere(config, photos, text, tidied)
        gone = tidied
    assert pictures(photos) == before


@pytest.mark.slow
def test_sixty_kilobytes_and_two_hundred_tags_of_a_person_arrive(
    config: Config, photos: dict[str, bytes], tmp_path: Path
) -> None:
    before, folder = pictures(photos), tmp_path / "photos"
    run(config, folder)

    edited(config, "tag", folder, add=MANY, remove=ANSWERED)
    edited(config, "describe", folder, LONG)  # without the line end it ends with

    check_everywhere(config, photos, LONG.strip(), MANY)
    assert pictures(photos) == before
    run(config, folder, retag=True)  # what was taken out stays out, whoever says it
    check_everywhere(config, photos, LONG.strip(), MANY)
