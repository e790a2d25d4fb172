"""Words and names made to give commands come in at every door, and are only text.

`test_injection` shows it of the writer. Here they come as a model's answer, as a
person's edits on the command line, as words for words, as names of files, as questions
to the API and on the screens; and go to exiftool, SQL, the search, CSV and Markdown.
"""

import csv
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pages.parts import wording
from tagger import config, logs
from tagger.texts import escaped, printable
from tagger.tracking import tagnames, vocabulary
from tagger.tracking.database import Database
from tagger.web import runtime
from tests import support_pages as screens
from tests.ollama_double import OllamaDouble
from tests.support_metadata import as_told, content, everything, field
from tests.support_pipeline import as_environment, known_images, numbered, settings
from tests.support_web import SECRET, Library, library, served, settings_file
from tests.test_cli import said, tagger
from tests.test_tagging import run

ATTACKS = (
    'x\n-execute\n-if\nsystem("touch {pwned}")||1\n{victim}',
    "x\n-execute\n-all=\n-overwrite_original\n{victim}",
    "<={secret}",
    "-XMP-dc:Title<={secret}",
    "-all=",
    "$(touch {pwned}) `touch {pwned}`",
    "'); DROP TABLE files; --",
    '" OR 1=1 --',
    "%_{{chosen}}",
    "=cmd|' /C touch {pwned}'!A1",
    "@SUM(1+1)",
    "+1-1",
    "<img src=x onerror=alert(1)><script>alert(1)</script>",
    "[a](javascript:alert(1)) ![b](http://evil.example/x.png) :smile: $x^2$",
    "](http://evil.example",
    "tag:dog OR *:* -snow ~2 ^9 [a TO z]",
    "../../../etc/passwd",
    "#[CSTR]\\n-all=",
    "&#10;-all=",
)
# Names of files and folders; a `/` cannot be in one, and a line break is refused.
NAMES = (
    *("-all=", "-execute", "@args", "#c", "|id", "`touch pwned`", "$(touch pwned)"),
    *("%d%f.%e", "[ab]*?", "&amp;&#10;", "<=x", "=1+1", "+1", " lead", "trail "),
    *("'); DROP TABLE files; --", '" OR 1=1', "{chosen}", "<img src=x>", "[a](b)"),
    *("\x1b]0;owned\x07", "\u202egpj", "日本 😀", "x..", "~", "\x9b31m"),
)


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    answer = {"description": "A dog.", "tags": ["dog"], "text": ""}
    with OllamaDouble(answer) as double:
        yield double


@pytest.fixture
def attacks(tmp_path: Path) -> list[str]:
    """The attacks, aimed at files of this test."""
    (tmp_path / "secret").write_text("top secret")
    numbered(tmp_path / "victim" / "v.jpg", 5)
    aims = {
        "pwned": tmp_path / "pwned",
        "secret": tmp_path / "secret",
        "victim": tmp_path / "victim" / "v.jpg",
    }
    return [attack.format(**aims) for attack in ATTACKS]


@pytest.fixture(autouse=True)
def _nothing_is_done(tmp_path: Path, attacks: list[str]) -> Iterator[None]:
    """No attack reaches the file it is aimed at, or runs a command."""
    victim = tmp_path / "victim" / "v.jpg"
    untouched = content(victim)
    yield
    assert content(victim) == untouched
    assert not (tmp_path / "pwned").exists()
    assert not Path("pwned").exists()
    for photo in (tmp_path / "photos").rglob("*"):
        assert photo.is_dir() or b"top secret" not in photo.read_bytes()


def other_fields(photo: Path) -> dict[str, object]:
    """What is in a photo besides words: no attack may put anything there."""
    told = everything(photo)
    ours = ("imagetagger", "Subject", "TagsList", "Keywords", "Description")
    more = ("Caption-Abstract", "Digest", "CodedCharacterSet", "RecordVersion")
    around = ("IFD0", "File", "JFIF", "XMPToolkit", "ByteOrder")
    return {
        name: value
        for name, value in told.items()
        if not any(part in name for part in (*ours, *more, *around))
    }


# --- words ---


def test_words_of_answers_only_become_words(
    tmp_path: Path, attacks: list[str], ollama: OllamaDouble
) -> None:
    numbered(tmp_path / "photos" / "a.jpg", 1)
    ollama.answer = {
        "description": " ".join(attacks)[:1_500],
        "tags": [attack[:60] for attack in attacks],
        "text": attacks[0],
    }
    made = settings(tmp_path, ollama.url)

    assert run(made, tmp_path / "photos").failed == []

    photo = tmp_path / "photos" / "a.jpg"
    image = known_images(made)["a.jpg"]
    assert sorted(field(photo, "XMP-dc:Subject")) == sorted(t.name for t in image.tags)
    assert field(photo, "XMP-dc:Description") == [image.description]
    assert other_fields(photo) == {}


@pytest.mark.slow
def test_words_of_edits_on_the_command_line_only_become_words(
    tmp_path: Path, attacks: list[str], ollama: OllamaDouble
) -> None:
    photo = numbered(tmp_path / "photos" / "a.jpg", 1)
    by_hand = as_environment(settings(tmp_path, ollama.url))
    was = as_told(photo)
    said(tagger(by_hand, "tag", str(photo), "--json"))

    said(
        tagger(by_hand, "tags", "add", "--json", "--image", str(photo), "--", *attacks)
    )
    tags = [tagnames.tidy(attack) for attack in attacks]  # as they are typed in
    said(tagger(by_hand, "describe", "--json", "--", str(photo), attacks[0]))

    assert sorted(field(photo, "XMP-dc:Subject")) == sorted(["dog", *tags])
    assert field(photo, "XMP-dc:Description") == [attacks[0]]
    assert other_fields(photo) == {}
    assert tagger(by_hand, "verify").returncode == 0
    check_exports(tmp_path, by_hand, tags, attacks[0])
    for tag in tags[6:9]:
        found = said(tagger(by_hand, "search", "--json", "--", f"-cat {quoted(tag)}"))
        assert isinstance(found, list)
        assert len(found) == 1

    said(tagger(by_hand, "tags", "rename", "--json", "--", tags[6], tags[7] + "2"))
    said(tagger(by_hand, "tags", "delete", "--json", "--", tags[4]))
    tagger(by_hand, "synonyms", "add", "--past", "--", "dog", tags[8])
    tagger(by_hand, "bans", "add", "--past", "--", tags[8])
    left = {*tags, tags[7] + "2"} - {tags[6], tags[4]}
    assert {*field(photo, "XMP-dc:Subject")} == left
    assert other_fields(photo) == {}

    undone = tagger(by_hand, "undo", "--json", "--image", str(photo))
    assert undone.returncode == 0, undone.stderr
    now = as_told(photo)
    assert {name for name in was | now if was.get(name) != now.get(name)} == set()


def quoted(attack: str) -> str:
    """A question for exactly this tag; a quote cannot be asked for, nor ends it."""
    return f'tag:"{attack}"' if '"' not in attack else '"OR 1=1"'


def check_exports(
    tmp_path: Path, by_hand: Mapping[str, str], tags: list[str], text: str
) -> None:
    for name in ("o.csv", "o.jsonl"):
        assert tagger(by_hand, "export", str(tmp_path / name)).returncode == 0
    with (tmp_path / "o.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    for column, cell in row.items():
        assert column is not None
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    (line,) = (tmp_path / "o.jsonl").read_text("utf-8").splitlines()
    assert {*json.loads(line)["tags"]} == {"dog", *tags}
    assert json.loads(line)["description"] == text


def one_line(text: str) -> str:
    """A tag that somebody types has no line ends."""
    return " ".join(text.split())


def test_words_for_words_only_become_words(
    tmp_path: Path, attacks: list[str], ollama: OllamaDouble
) -> None:
    numbered(tmp_path / "photos" / "a.jpg", 1)
    ollama.answer = {"description": "x.", "tags": ["dog", "cat", "cow"], "text": ""}
    made = settings(tmp_path, ollama.url)
    with Database.of(made) as db:
        vocabulary.add_synonym(db, "dog", attacks[0])
        vocabulary.add_synonym(db, "cat", attacks[6])
        vocabulary.add_synonym(db, attacks[7], attacks[8])
        vocabulary.add_ban(db, attacks[6])
        vocabulary.add_ban(db, attacks[7])

    assert run(made, tmp_path / "photos").failed == []

    photo = tmp_path / "photos" / "a.jpg"
    assert sorted(field(photo, "XMP-dc:Subject")) == sorted(
        [one_line(attacks[0]), "cow"]
    )
    assert other_fields(photo) == {}


# --- names ---


def test_names_of_files_and_folders_are_only_names(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    folder = tmp_path / "photos"
    for number, name in enumerate(NAMES):
        inside = folder / name
        numbered(inside / f"{name}.jpg", number + 10)
        if number % 3 == 0:
            numbered(inside / f"{name}.jpg.jpg", number + 110)
    odd = os.path.join(os.fsencode(folder), b"caf\xe9\xff.jpg")
    shutil.copyfile(folder / "=1+1" / "=1+1.jpg", odd)
    before = {path: as_told(path) for path in folder.rglob("*.jpg")}
    made = settings(tmp_path, ollama.url)

    outcome = run(made, folder)

    assert outcome.failed == []
    assert len(outcome.images) == len(before)
    for path in before:
        assert field(path, "XMP-dc:Subject") == ["dog"]
        assert other_fields(path) == {}
    assert {path for path in folder.rglob("*") if path.is_file()} == {*before}


# --- questions ---


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    with library(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    with served() as client:
        yield client


QUESTIONS = (
    *(("/api/search", name) for name in ("q",)),
    *(("/api/images", name) for name in ("tag", "tags", "after", "month", "sort")),
    *(("/api/images", name) for name in ("folder", "state", "limit", "q")),
    *(("/api/tags", name) for name in ("q", "limit", "starts")),
    *(("/api/export", name) for name in ("q", "format", "tag")),
)


def is_answered(answer: httpx.Response) -> bool:
    return answer.status_code == 200 or (
        400 <= answer.status_code < 500 and bool(answer.json()["detail"])
    )


def test_questions_of_any_kind_are_answered_or_refused(
    server: httpx.Client, photos: Library, attacks: list[str]
) -> None:
    photos.photo("a.jpg", "dog", *attacks[6:9])
    for path, name in QUESTIONS:
        for attack in (*attacks, "\x00", "a\x00b", "\ufffe", "1e5", "-1", "9" * 30):
            answer = server.get(path, params={name: attack})
            assert is_answered(answer), (path, name, attack, answer.text)
    for attack in attacks[6:9]:
        found = server.get("/api/images", params={"tag": attack}).json()
        assert found["total"] == 1
    assert server.get("/api/images").json()["total"] == 1


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    asked=st.sampled_from(QUESTIONS),
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40),
)
def test_any_question_at_all_is_answered_or_refused(
    server: httpx.Client, photos: Library, asked: tuple[str, str], text: str
) -> None:
    path, name = asked
    assert is_answered(server.get(path, params={name: text}))


def test_folders_and_settings_take_text_as_text(
    server: httpx.Client, photos: Library, tmp_path: Path, attacks: list[str]
) -> None:
    trusted = {"Authorization": f"Bearer {SECRET}"}
    for text in (*attacks, "/\x00", "/tmp/\x00", "/" + "x" * 3_000, "~", "/dev/null"):
        answer = server.post("/api/folders", json={"path": text}, headers=trusted)
        assert 400 <= answer.status_code < 500, (text, answer.text)
        assert answer.json()["detail"]
    for text in (*attacks, 'a"""b', "a'''b\\", "[data]\ndir = '/x'", "\x1b\x00\x7f"):
        wanted = {"config": {"model": {"extra_instruction": text}}}
        answer = server.post("/api/settings/config", json=wanted, headers=trusted)
        assert answer.status_code == 200, answer.text
        loaded = config.load()
        assert loaded.model.extra_instruction == text
        assert loaded.data_dir == photos.opened.config.data_dir
    assert len(server.get("/api/folders").json()) == 1


# --- screens and terminal ---


@pytest.fixture
def on_screen(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    attacks: list[str],
    ollama: OllamaDouble,
) -> Iterator[int]:
    """A library with every attack in it, tagged by the program; a photo's id."""
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    names = ("[a](b)", "<img src=x>", "=1+1", "日本 😀")
    for number, name in enumerate(names):
        numbered(tmp_path / "photos" / "](x) <b>" / f"{name}.jpg", number)
    broken = tmp_path / "photos" / "<script>[x](y).jpg"
    broken.write_text("no picture")
    os.utime(broken, (1, 1))
    ollama.answer = {
        "description": " ".join(attacks[12:15]),
        "tags": [attack[:60] for attack in attacks],
        "text": " ".join(attacks[12:15]),
    }
    made = settings(tmp_path, ollama.url)
    assert len(run(made, tmp_path / "photos").failed) == 1
    yield known_images(made)["=1+1.jpg"].id
    runtime.use(None)


@pytest.mark.parametrize("name", screens.EVERY)
@pytest.mark.usefixtures("on_screen")
def test_no_screen_takes_words_or_names_for_markup(name: str) -> None:
    test = screens.screen(name, q="](http://evil.example <b>", tag="<b>[a](b)")

    assert not test.exception
    for sentence in screens.said(test).splitlines():
        bare = sentence.replace("\\[", "").replace("\\<", "").replace("\\!", "")
        assert "](" not in bare, sentence
        for tag in ("<img", "<script", "<b>"):
            assert tag not in bare, sentence


def test_a_photo_on_screen_shows_words_and_names_as_they_are(on_screen: int) -> None:
    test = screens.screen("gallery", photo=str(on_screen))

    assert not test.exception
    names = {tag["name"] for tag in screens.given(test, "words")["tags"]}
    assert "drop table files" in names
    assert "<img src=x onerror=alert(1)><script>alert(1)</script>"[:60] in names
    assert "](http://evil.example" in screens.given(test, "words")["description"]


@given(st.text(max_size=60))
def test_a_label_has_no_character_that_markdown_would_take(text: str) -> None:
    label = wording.plain(text)
    bare = label.replace("\\\\", "")
    for mark in "*_`[]<>$:!#|~^":
        assert label.count(mark) == bare.count(f"\\{mark}")


def test_what_reaches_a_terminal_is_text(
    tmp_path: Path, ollama: OllamaDouble, capfd: pytest.CaptureFixture[str]
) -> None:
    by_hand = as_environment(settings(tmp_path, ollama.url))
    refused = tagger(by_hand, "tag", str(tmp_path / "\x1b]0;owned\x07\u202e"))
    assert (refused.returncode, "owned" in refused.stderr) == (2, True)
    for bad in ("\x1b", "\x07", "\u202e"):
        assert bad not in refused.stdout + refused.stderr
    assert tagger(by_hand, "search", "tag:\udcff").returncode in (1, 2)

    root = logging.getLogger()
    before = list(root.handlers)
    root.handlers[:] = []
    try:
        logs.begin()
        try:
            raise ValueError("\x1b[31m\nnew line")
        except ValueError:
            logging.getLogger("x").warning("%s\n", "a\x1b]0;b\x9b", exc_info=True)
    finally:
        root.handlers[:] = before
    logged = capfd.readouterr().err
    assert "a·]0;b··" in logged
    assert "ValueError: ·[31m\nnew line" in logged


@given(
    st.recursive(
        st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_for_programs_says_the_same_without_control_characters(
    value: object,
) -> None:
    text = escaped(json.dumps(value, ensure_ascii=False, indent=2))

    assert json.loads(text) == value
    assert all(printable(line) == line for line in text.split("\n"))
