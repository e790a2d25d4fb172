"""Killed at any moment while it writes: no file damaged, no word lost or doubled.

Most moments are drawn evenly over the time in which a tagger writes; the others come
before that, while it starts, puts right what the last kill left, looks and asks.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tagger.config import Config
from tagger.imaging.identity import identity
from tagger.pipeline.tagging import tag
from tagger.pipeline.undo import undo
from tagger.records import ImageState
from tagger.tracking import writes
from tagger.tracking.database import Database
from tagger.tracking.history import Which
from tagger.tracking.jobs import Job
from tagger.vision.choose import choose
from tests import support_imaging
from tests.ollama_double import OllamaDouble
from tests.support_metadata import as_told, many_told, person_writes, pixels
from tests.support_pipeline import as_environment, known_images, settings, strays

ROOT = Path(__file__).resolve().parent.parent
KILLS_WHILE_WRITING, KILLS_BEFORE = 200, 30
# What was interrupted comes first in the next run, so a few writes reach all photos.
WRITES = 5
SEED = int(os.environ.get("TEST_SEED", "20261125"))
SIDE_PX = 240

KINDS = (
    *("jpeg", "jpeg-progressive", "mpo", "png", "png16", "apng", "tiff", "tiff-pages"),
    *("heic", "webp", "webp-animated", "gif", "gif-animated", "avif", "bmp"),
)
# Both answers share a tag with each other, and one with the person.
ANSWERS = (
    {"description": "A dog.", "tags": ["dog", "beach", "oma", "both"], "text": ""},
    {
        "description": "A puppy; 1e5 & more.",
        "tags": ["both", "puppy", "zürich"],
        "text": "",
    },
)
PERSON = ("Oma", "Ferien 2024", "東京")
TITLE, RATING = "Bei Oma & Opa", 4

KEYWORD_LISTS = ("XMP-dc:Subject", "XMP-digiKam:TagsList", "IPTC:Keywords")
DESCRIPTIONS = ("XMP-dc:Description", "IFD0:ImageDescription", "IPTC:Caption-Abstract")
# What a write may change besides the words.
FOLLOWING = (
    *("XMP-x:XMPToolkit", "XMP-imagetagger:", "QuickTime:MediaDataSize", "RIFF:"),
    *("File:FileType", "File:CurrentIPTCDigest", "Photoshop:IPTCDigest"),
)


def in_turns() -> Any:
    """Answers to each picture with the one answer and the other, again and again."""
    asked: Counter[str] = Counter()

    def answer(jpeg: bytes, _request: Mapping[str, Any]) -> Mapping[str, Any]:
        picture = hashlib.sha256(jpeg).hexdigest()
        asked[picture] += 1
        return ANSWERS[asked[picture] % 2]

    return answer


@dataclass(frozen=True, kw_only=True)
class Before:
    """A photo as it was before the tagger first saw it."""

    path: Path
    identity: str
    pixels: str
    told: Mapping[str, object]
    undone: Mapping[str, object]
    stat: os.stat_result


def album(folder: Path) -> list[Before]:
    """Photos of all formats, each with words of a person's, one with its sidecar."""
    folder.mkdir()
    paths = []
    for number, kind in enumerate(KINDS):
        name = f"{number} {support_imaging.KINDS[kind][0]}"
        pixels_of = support_imaging.painted(SIDE_PX, SIDE_PX)
        made = support_imaging.make(kind, folder, pixels_of, name=name)
        path = Path(os.fsdecode(made))
        target = path.with_name(path.name + ".xmp") if kind == "bmp" else path
        person_writes(target, *_words_of_a_person(kind))
        os.setxattr(path, b"user.album", b"summer")
        os.chmod(path, 0o640)
        os.utime(path, ns=(10**18, 10**18 + 123_456_789 + number))
        paths.append(path)
    told = told_of(paths)
    return [
        Before(
            path=path,
            identity=identity(os.fsencode(path)),
            pixels=pixels(path),
            told=told[path],
            undone=as_told(path),
            stat=path.stat(),
        )
        for path in paths
    ]


def _words_of_a_person(kind: str) -> list[str]:
    words = [f"-XMP-dc:Subject={word}" for word in PERSON]
    if kind in ("jpeg", "tiff"):
        words += ["-IPTC:CodedCharacterSet=UTF8"]
        words += [f"-IPTC:Keywords={word}" for word in PERSON]
        words += ["-XMP-dc:Description=Von Oma", "-IPTC:City=Kyoto"]
    return [*words, f"-XMP-dc:Title={TITLE}", f"-XMP-xmp:Rating={RATING}"]


def told_of(photos: Sequence[Path]) -> dict[Path, dict[str, object]]:
    """What exiftool says of each photo and its sidecar, if it has one."""
    beside = [path.with_name(path.name + ".xmp") for path in photos]
    there = [path for path in beside if path.exists()]
    told = many_told([*photos, *there])
    return {
        path: told[path] | told.get(sidecar, {})
        for path, sidecar in zip(photos, beside, strict=True)
    }


def assert_nothing_lost(album: Sequence[Before]) -> None:
    """Each photo is the one it was, with the person's words and one whole answer."""
    told = told_of([before.path for before in album])
    for before in album:
        assert identity(os.fsencode(before.path)) == before.identity, before.path
        assert pixels(before.path) == before.pixels, before.path
        _assert_attributes_kept(before)
        _assert_words(before, told[before.path])


def _assert_attributes_kept(before: Before) -> None:
    now = before.path.stat()
    assert (now.st_mode, now.st_mtime_ns, now.st_uid) == (
        before.stat.st_mode,
        before.stat.st_mtime_ns,
        before.stat.st_uid,
    )
    assert os.getxattr(before.path, b"user.album") == b"summer"


def _assert_words(before: Before, now: Mapping[str, object]) -> None:
    lists = {name: _texts(now.get(name)) for name in KEYWORD_LISTS if name in now}
    if "IFD0:XPKeywords" in now:
        lists["XPKeywords"] = str(now["IFD0:XPKeywords"]).split(";")
    answers = {_answer_in(before, name, words) for name, words in lists.items()}
    assert len(answers) == 1, (before.path, lists)
    [answer] = answers
    for name in DESCRIPTIONS:
        if name in before.told or name not in now:
            assert now.get(name) == before.told.get(name), (before.path, name)
        else:
            assert now[name] == ANSWERS[answer]["description"], (before.path, name)
    kept = {
        name: told
        for name, told in before.told.items()
        if name not in (*KEYWORD_LISTS, *DESCRIPTIONS, "IFD0:XPKeywords")
        and not name.startswith(FOLLOWING)
        and not name.endswith(("Offset", "Offsets", "Start", "GIFVersion"))
    }
    assert {name: now.get(name) for name in kept} == kept, before.path


def _answer_in(before: Before, name: str, words: list[str]) -> int:
    """Which answer stands in a list besides the person's words; -1 is none yet."""
    theirs = [word for word in words if word in PERSON]
    assert theirs == list(PERSON), (before.path, name, words)
    said = Counter(word for word in words if word not in PERSON)
    for number, answer in enumerate(ANSWERS):
        if said == Counter(set(answer["tags"]) - {"oma"}):
            return number
    assert not said, (before.path, name, words)
    return -1


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(text) for text in values if text is not None]


class Nursery:
    """Starts taggers, and kills them."""

    def __init__(self, config: Config, folder: Path, log: Path) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.writing_child", str(folder)],
                cwd=ROOT,
                env=as_environment(config) | {"OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )

    def kill(self, *, writes: int, after_s: float) -> None:
        """Let a tagger announce so many writes, work on a while, and kill it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        lines = self._process.stdout
        pid = int(lines.readline())
        said = [lines.readline() for _ in range(writes)]
        time.sleep(after_s)
        os.kill(pid, signal.SIGKILL)
        said += iter(lines.readline, f"{-signal.SIGKILL}\n")
        assert {*said} <= {"write\n"}, self._log.read_text()

    def close(self) -> None:
        self._process.communicate()


@contextmanager
def nursery(config: Config, folder: Path, log: Path) -> Iterator[Nursery]:
    taggers = Nursery(config, folder, log)
    try:
        yield taggers
    finally:
        taggers.close()


def verified(config: Config) -> Mapping[str, Any]:
    """What `python -m tagger verify` says to a person who runs it."""
    done = subprocess.run(
        [sys.executable, "-m", "tagger", "verify", "--json"],
        cwd=ROOT,
        env=as_environment(config),
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long a run takes to its first write, and then for each."""

    start_s: float
    write_s: float


def first_run(config: Config, folder: Path) -> Pace:
    """Tag the folder; returns how fast that went."""
    announced: list[float] = []

    def observe(step: str, _job: Job) -> None:
        if step == "intended":
            announced.append(time.monotonic())

    began = time.monotonic()
    outcome = tag(config, [os.fsencode(folder)], choose(config), observer=observe)
    assert outcome.failed == []
    each_s = (announced[-1] - announced[0]) / (len(announced) - 1)
    return Pace(start_s=announced[0] - began, write_s=each_s)


def moments(chance: random.Random, pace: Pace) -> list[tuple[int, float]]:
    """When to kill: after how many announced writes, and how long after that."""
    before = [(0, chance.uniform(0, pace.start_s)) for _ in range(KILLS_BEFORE)]
    writing = [
        (chance.randint(1, WRITES), chance.uniform(0, pace.write_s))
        for _ in range(KILLS_WHILE_WRITING)
    ]
    return chance.sample([*before, *writing], len(before) + len(writing))


@pytest.mark.slow
def test_kills_while_photos_are_written_lose_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    photos = album(folder)
    chance = random.Random(SEED)
    half_written = 0
    with OllamaDouble(in_turns()) as ollama:
        # One question at a time, so that little is asked ahead of the writing.
        server = {"url": ollama.url, "parallel": 1}
        config = settings(tmp_path, servers=[server], model={"backend": "ollama"})
        pace = first_run(config, folder)
        assert_nothing_lost(photos)
        with nursery(config, folder, tmp_path / "log") as taggers:
            for number, (count, after_s) in enumerate(moments(chance, pace)):
                taggers.kill(writes=count, after_s=after_s)
                half_written += is_half_written(config, folder)
                try:
                    assert_nothing_lost(photos)
                except AssertionError:
                    print(f"TEST_SEED={SEED}: kill {number}, {after_s} s after {count}")
                    raise
        outcome = tag(config, [os.fsencode(folder)], choose(config))
    assert outcome.failed == []
    assert strays(folder) == []
    assert_nothing_lost(photos)
    states = {image.state for image in known_images(config).values()}
    assert states == {ImageState.TAGGED}
    with Database.of(config) as db:
        assert writes.open_intents(db) == []
    assert verified(config) == {"photos": len(photos), "out_of_reach": 0, "faults": []}
    # Otherwise the kills met no write, and nothing was proven.
    assert half_written > KILLS_WHILE_WRITING // 4
    for before in chance.sample(photos, 3):
        undo(config, Which(place=os.fsencode(before.path)))
        assert as_told(before.path) == before.undone, before.path


def is_half_written(config: Config, folder: Path) -> bool:
    """Whether a tagger was killed between the first byte of a copy and its record."""
    with Database.of(config) as db:
        return bool(strays(folder) or writes.open_intents(db))
