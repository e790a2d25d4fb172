"""What is written is read back letter by letter, and the person's words outlive all.

The sequences at the end do what a library lives through: runs of several models,
undoings, and other programs at the same files.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tagger.pipeline.metadata import Exiftool, Writer, fields
from tagger.records import Intent, WriteMode
from tagger.sections import Metadata
from tests import support_imaging, support_metadata
from tests.support_metadata import (
    person_writes,
    pixels,
    provenance,
    recorded,
    restored,
    words,
    written,
)

KINDS = [
    *("jpeg", "png", "apng", "png16", "png-palette", "tiff", "tiff-pages", "heic"),
    *("avif", "webp", "webp-animated", "gif", "gif-animated"),
]
LONG = "Größe 東京 😀 \"q\" 'a' ; | <b>\n" * 1_700
MANY = tuple(f"tag {number} ü; |😀" for number in range(200))
TEXTS = (
    *(
        "2024",
        "true",
        "😀",
        "a;b|c \"q\" 'a'",
        "\u0633\u0644\n\u05e2\u05d1\u05e8\u05d9",
        "1e5",
        "<=",
        "-execute",
    ),
    *("<=/etc/passwd", "-XMP-dc:Title=x", "&#10;", "a\tb", " x "),
)


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    with Exiftool(Metadata()) as exiftool:
        yield Writer(exiftool, Metadata(user_comment="if_empty"))


def layout_of(kind: str) -> fields.Layout:
    name = {"tiff-pages": "TIFF", "png16": "PNG", "png-palette": "PNG"}.get(kind)
    return fields.LAYOUTS[name or kind.partition("-")[0].upper()]


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_every_format_holds_sixty_kilobytes_and_200_tags(
    writer: Writer, tmp_path: Path, kind: str
) -> None:
    path = support_imaging.make(kind, tmp_path)
    before = pixels(path)
    assert len(LONG.encode()) > 60_000

    done = written(writer, path, words(LONG, *MANY, provenance=provenance(*MANY)))

    assert done.mode is WriteMode.FILE
    for name in (fields.SUBJECT, fields.TAGS_LIST, "XMP-imagetagger:Tags"):
        assert support_metadata.field(path, name) == list(MANY)
    for name in layout_of(kind).descriptions:
        (text,) = support_metadata.field(path, name)
        assert text == fields.copy_of(LONG, name)
    assert writer.read(path) == done.words
    assert (done.words.description, done.words.tags) == (LONG, MANY)
    assert pixels(path) == before


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_every_format_holds_any_text(
    writer: Writer, tmp_path: Path, kind: str
) -> None:
    path = support_imaging.make(kind, tmp_path)
    layout, own, retired = layout_of(kind), None, ()
    for text in TEXTS if kind in ("jpeg", "png", "heic", "gif") else TEXTS[:5]:
        wanted = words(
            text,
            text,
            "last",
            retired=retired,
            own_description=own,
            provenance=provenance(text, "last"),
        )
        own, retired = written(writer, path, wanted).wrote_description, (text,)

        for name in (*layout.descriptions, *([fields.USER_COMMENT] * layout.exif)):
            copy = fields.copy_of(text, name)
            assert support_metadata.field(path, name) == ([copy] if copy else [])
        for name in layout.keyword_lists:
            # exiftool puts a new keyword of IPTC in the place of a removed one.
            found = support_metadata.field(path, name)
            assert sorted(found) == sorted([text, "last"])
        for name in layout.keyword_lines:
            entry = fields.copy_of(text, name)
            (line,) = support_metadata.field(path, name)
            assert set(line.split(";")) == {entry, "last"} - {""}
        assert writer.read(path).provenance == provenance_of(text)


def provenance_of(text: str) -> object:
    plain = provenance(text, "last")
    return type(plain)(
        program=plain.program,
        model=plain.model,
        prompt_version=plain.prompt_version,
        tagged_at=plain.tagged_at,
        tags=plain.tags,
        description=text,
    )


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "heic", "avif", "webp", "gif"])
def test_control_characters_and_nothing_leave_the_rest_exact(
    writer: Writer, tmp_path: Path, kind: str
) -> None:
    path = support_imaging.make(kind, tmp_path)
    controls = "".join(map(chr, range(32))) + "\x7f\x80\x9f\ufffe\ud800"

    done = written(writer, path, words(f"a{controls}b", f"c{controls}d", "", controls))

    assert done.words.description == "a\t\n\nb"
    assert done.words.tags == ("c\t\n\nd",)
    assert writer.read(path) == done.words


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=40), st.lists(st.text(max_size=12), max_size=6))
def test_any_text_at_all_is_written_and_read_back(
    writer: Writer, description: str, tags: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in small_photos(Path(folder)):
            wanted = words(description, *tags, provenance=provenance(*tags))
            done = written(writer, path, wanted)

            clean = list(dict.fromkeys(fields.clean(tag) for tag in tags))
            assert set(done.words.tags) <= set(clean)
            assert {fields.same(tag) for tag in done.words.tags} == {
                fields.same(tag) for tag in clean
            } - {""}
            if done.wrote_description is not None:
                assert done.words.description == fields.clean(description)
            assert writer.read(path) == done.words
            assert not written(writer, path, wanted).changed


def small_photos(folder: Path) -> list[bytes]:
    image = Image.new("RGB", (16, 16), "teal")
    return [
        support_imaging.put(folder, f"a.{name}", support_imaging.encoded(image, format))
        for name, format in (("jpg", "JPEG"), ("png", "PNG"))
    ]


# --- any sequence ---

PERSONS_FIELDS = (fields.SUBJECT, fields.TAGS_LIST, fields.HIERARCHY)
WORDS = ("dog", "Dog", "cat", "été", "e\u0301te\u0301", "a;b", "2024", "b/w", "😀")

write = st.tuples(
    st.just("write"), st.lists(st.sampled_from(WORDS), max_size=4), st.booleans()
)
add = st.tuples(st.just("add"), st.sampled_from(PERSONS_FIELDS), st.sampled_from(WORDS))
describe = st.tuples(st.just("describe"), st.sampled_from(("Mine", "Meins é")))
undo = st.tuples(st.sampled_from(("undo", "undo", "redo")))
STEPS = st.lists(st.one_of(write, write, add, describe, undo), min_size=2, max_size=6)


@dataclass
class Library:
    """One photo, what the person said of it, and what the tagger knows of itself."""

    writer: Writer
    path: bytes
    said: list[tuple[str, str]] = field(default_factory=list)
    description: str | None = None
    own: set[str] = field(default_factory=set)
    own_description: str | None = None
    intents: list[Intent] = field(default_factory=list)
    undone: list[Intent] = field(default_factory=list)

    def write(self, tags: list[str], sourced: bool) -> None:
        persons = {fields.same(word) for _, word in self.said}
        there = {*self.writer.read(self.path).tags}
        retired = [
            tag
            for tag in sorted(self.own & there)
            if fields.same(tag) not in {*map(fields.same, tags), *persons}
        ]
        wanted = words(
            " ".join(["A photo of", *tags]),
            *tags,
            retired=tuple(retired),
            own_description=self.own_description,
            provenance=provenance(*tags) if sourced else None,
        )
        intents = recorded(self.writer, self.path, wanted)
        self.intents += intents
        self.undone = []
        for intent in intents:
            self.own |= {*intent.added_tags}
            self.own_description = intent.wrote_description or self.own_description
        assert not written(self.writer, self.path, wanted).changed

    def add(self, name: str, word: str) -> None:
        """As other programs do: a keyword that is there already is not added."""
        there = support_metadata.field(self.path, name)
        if fields.same(word) not in map(fields.same, there):
            person_writes(self.path, f"-{name}+={word}")
            self.said.append((name, word))

    def describe(self, text: str) -> None:
        person_writes(self.path, f"-XMP-dc:Description={text}")
        self.description = text

    def undo(self) -> None:
        """Take back the last write that stands."""
        if self.intents:
            self.undone += self._back(self.intents.pop())

    def redo(self) -> None:
        """Take back the last undoing."""
        if self.undone:
            self.intents += self._back(self.undone.pop())

    def _back(self, intent: Intent) -> list[Intent]:
        done, inverse = restored(self.writer, self.path, intent)
        # Our own fields in an IPTC block may stand in another order.
        assert set(done.unrestorable) <= {"File:CurrentIPTCDigest"}
        return [inverse] if done.written else []

    def check(self) -> None:
        description = "XMP-dc:Description"
        lists = (*PERSONS_FIELDS, "IPTC:Keywords", "XMP-imagetagger:Tags")
        found = support_metadata.all_fields(self.path, (*lists, description))
        for name in lists:
            there = found[name]
            for word in [word for at, word in self.said if at == name]:
                assert there.count(word) == 1, (name, word, there)
            known = [fields.same(entry) for entry in there]
            assert len(known) == len({*known}), (name, there)
        if self.description is not None:
            assert found[description] == [self.description]


def lived_through(writer: Writer, steps: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in small_photos(Path(folder)):
            library, was = Library(writer, path), pixels(path)
            for step, *given_to in steps:
                getattr(library, str(step))(*given_to)
                library.check()
            assert pixels(path) == was
            assert sorted(os.listdir(folder)) == ["a.jpg", "a.png"]


@settings(max_examples=8, deadline=None)
@given(STEPS)
def test_whatever_happens_the_persons_words_stay_and_nothing_is_doubled(
    writer: Writer, steps: list[tuple[object, ...]]
) -> None:
    lived_through(writer, steps)


@pytest.mark.slow
@settings(max_examples=100, derandomize=True, deadline=None)
@given(STEPS)
def test_whatever_happens_many_times_over(
    writer: Writer, steps: list[tuple[object, ...]]
) -> None:
    lived_through(writer, steps)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(write, min_size=1, max_size=5))
def test_any_number_of_runs_undone_in_reverse_leave_no_trace(
    writer: Writer, steps: list[tuple[object, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in small_photos(Path(folder)):
            person_writes(path, "-XMP-dc:Subject=mine", "-EXIF:Artist=Ann")
            was = support_metadata.as_told(path)
            library = Library(writer, path, said=[(fields.SUBJECT, "mine")])
            for _, *given_to in steps:
                library.write(*given_to)  # type: ignore[arg-type]
            for intent in reversed(library.intents):
                assert restored(writer, path, intent)[0].refused == {}
            now = support_metadata.as_told(path)
            assert {**now, "System:FileModifyDate": 0} == {
                **was,
                "System:FileModifyDate": 0,
            }
