"""The bench's photos: text that reads like a model's, put straight into tracking.

Words, tags and cameras are as unevenly common as in real libraries (Zipf), so that a
search meets words of half the photos and of a handful. The same seed gives the same
library.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.records import WriteMode
from tagger.tracking import changes, folders, tagnames
from tagger.tracking.database import Database

TAGS_A_PHOTO = 8
VOCABULARY = 40_000
TAG_NAMES = 20_000
PART = 10_000


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMED = _words(
    """
    dog cat sunset beach mountain person woman man child street car bicycle
    river forest snow window table portrait night city bridge flower boat sky
    cloud tree building field horse bird water train market garden church
    umbrella guitar kitchen coffee bread lamp mirror harbour lighthouse
    waterfall statue meadow cathedral crowd hat dress smile road grass hill lake
    island castle tower festival
    """
)
LINKS = _words(
    """
    the a of and in with on is are under beside near behind over their its
    """
)
LOOKS = _words(
    """
    red blue green old small large bright dark wooden golden calm busy quiet
    wide narrow distant sunny misty empty colourful weathered modern rustic
    """
)
SYLLABLES = _words(
    """
    ba ke lo mi ru ta shi gra pol ven der lan tor wes cri nu fay hol jen zu quo
    pri san mor del vi ro ne
    """
)
CAMERAS = (
    *("Canon EOS 5D Mark IV", "NIKON D850", "SONY ILCE-7M3", "FUJIFILM X-T4"),
    *("Apple iPhone 13", "Apple iPhone 15 Pro", "samsung SM-S911B", "Google Pixel 8"),
    *("LEICA Q2", "OLYMPUS E-M1", "Panasonic DC-G9", "Canon PowerShot G7"),
)
LENSES = (
    "EF24-70mm f/2.8L",
    "XF35mmF1.4 R",
    "FE 50mm F1.8",
    "iPhone back camera",
    None,
)
FORMATS = ("JPEG", "JPEG", "JPEG", "HEIC", "HEIC", "PNG", "NEF", "TIFF")
SIZES = ((6000, 4000), (4000, 6000), (4032, 3024), (3024, 4032), (3000, 3000))
MODELS = ("gemma3:4b", "gemma3:4b", "llava:13b", "builtin")


@dataclass(frozen=True)
class Words:
    """The vocabulary with how common each word is, and the names of tags."""

    words: NDArray[Any]
    shares: NDArray[np.float64]
    tags: NDArray[Any]
    tag_shares: NDArray[np.float64]


def vocabulary() -> Words:
    dice = np.random.default_rng(1)
    made = list(dict.fromkeys([*LINKS, *NAMED, *LOOKS]))
    known = set(made)
    while len(made) < VOCABULARY:
        word = "".join(dice.choice(SYLLABLES, dice.integers(2, 5)))
        if word not in known:
            known.add(word)
            made.append(word)
    pairs = [f"{look} {name}" for look in LOOKS for name in NAMED]
    tags = list(dict.fromkeys([*NAMED, *pairs, *made[len(LINKS) :]]))[:TAG_NAMES]
    return Words(
        np.array(made, dtype=object),
        _zipf(len(made), 1.05),
        np.array(tags, dtype=object),
        _zipf(len(tags), 0.95),
    )


class Library:
    """A tracking database that ever more photos are put into."""

    def __init__(self, folder: Path) -> None:
        root = folder / "photos"
        root.mkdir(parents=True, exist_ok=True)
        self.data = folder / "data"
        self._root = os.fsencode(root)
        self._db = Database.open(database(self.data))
        self._folder_id = self._folder()
        self._words = vocabulary()
        with self._db.write() as connection:
            ids = tagnames.ids(connection, [str(tag) for tag in self._words.tags])
        self._tag_ids = np.array([ids[tagnames.key(str(t))] for t in self._words.tags])
        self.count = self._counted()

    def _folder(self) -> int:
        known = folders.every(self._db)
        if known:
            return known[0].id
        return folders.add(
            self._db,
            self._root,
            recursive=True,
            write_mode=WriteMode.FILE,
            data_dir=self.data,
        ).id

    def _counted(self) -> int:
        with closing(sqlite3.connect(self._db.path)) as plain:
            return int(plain.execute("SELECT count(*) FROM files").fetchone()[0])

    def add(self, photos: int, *, marker: str = "") -> None:
        """Put more photos into tracking; `marker` stands in each description."""
        end = self.count + photos
        with closing(sqlite3.connect(self._db.path, isolation_level=None)) as plain:
            plain.execute("PRAGMA synchronous = OFF")
            while self.count < end:
                numbers = range(self.count, min(self.count + PART, end))
                plain.execute("BEGIN IMMEDIATE")
                self._part(plain, numbers, marker)
                plain.execute("COMMIT")
                with self._db.write() as connection:
                    changes.record(connection, changes.IMAGE, (n + 1 for n in numbers))
                self.count = numbers.stop

    def _part(self, plain: sqlite3.Connection, numbers: range, marker: str) -> None:
        dice = np.random.default_rng(numbers.start + 7)
        texts = [
            f"{text} {marker}".strip()
            for text in _texts(dice, self._words, len(numbers))
        ]
        tags = _tags(dice, self._words, len(numbers))
        plain.executemany(
            "INSERT INTO results (id, identity, backend, model, prompt_version, "
            "server, description, seconds, tokens_in, tokens_out, created_at) "
            "VALUES (?, ?, 'ollama', ?, 'p1', '', ?, 1.5, 900, 120, ?)",
            [
                (n + 1, identity(n), MODELS[n % len(MODELS)], text, _utc(n))
                for n, text in zip(numbers, texts, strict=True)
            ],
        )
        plain.executemany(
            "INSERT INTO result_tags (result_id, position, tag_id, score) "
            "VALUES (?, ?, ?, 0.9)",
            [
                (n + 1, position, int(self._tag_ids[tag]))
                for n, row in zip(numbers, tags, strict=True)
                for position, tag in enumerate(row)
            ],
        )
        plain.executemany(
            _FILE, [_file(dice, n, self._folder_id, self._root) for n in numbers]
        )


_FILE = """INSERT INTO files (id, folder_id, path, dev, ino, size_bytes, mtime_ns,
    ctime_ns, state, unreachable, added_at, identity, content_hash, dhash,
    rating, quality, format,
    width_px, height_px, orientation, frames, taken_at, camera, lens, latitude,
    longitude, result_id, written_result_id, written_mode, written_at, finished_at)
    VALUES (?, ?, ?, 1, ?, ?, 1, 1, 'tagged', 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1, ?, ?,
    ?, ?, ?, ?, ?, 'file', ?, ?)"""


def identity(n: int) -> str:
    """The identity of the picture of the photo made as number `n`, from 0."""
    return f"j1:{n:032x}"


def _file(
    dice: np.random.Generator, n: int, folder_id: int, root: bytes
) -> tuple[object, ...]:
    camera = int(dice.zipf(1.6)) % len(CAMERAS)
    width, height = SIZES[n % len(SIZES)]
    moment = np.datetime64("2004-01-01T08:00:00") + int(dice.integers(0, 680_000_000))
    taken = None if dice.random() < 0.06 else str(moment)
    here = dice.random() < 0.4
    return (
        n + 1,
        folder_id,
        root + b"/%d/%02d/IMG_%07d.jpg" % (2004 + n % 22, n // 22 % 200, n),
        n + 1,
        int(dice.integers(800_000, 14_000_000)),
        _utc(n),
        identity(n),
        f"{n:064x}",
        n * 2_654_435_761 % 2**62,
        None if n % 7 else n // 7 % 5 + 1,
        n * 7_919 % 101,
        FORMATS[n % len(FORMATS)],
        width,
        height,
        taken,
        CAMERAS[camera],
        LENSES[n % len(LENSES)],
        float(dice.normal(47, 6)) if here else None,
        float(dice.normal(10, 9)) if here else None,
        n + 1,
        n + 1,
        *(_utc(n), _utc(n)),
    )


def _texts(dice: np.random.Generator, words: Words, count: int) -> Iterator[str]:
    lengths = dice.integers(60, 101, count)
    drawn = _drawn(dice, words.shares, int(lengths.sum()))
    at = 0
    for length in lengths:
        picked: Sequence[str] = words.words[drawn[at : at + length]].tolist()
        at += length
        half = length // 2
        sentences = (" ".join(picked[:half]), " ".join(picked[half:]))
        yield " ".join(f"{text[:1].upper()}{text[1:]}." for text in sentences)


def _tags(dice: np.random.Generator, words: Words, count: int) -> list[list[int]]:
    drawn = _drawn(dice, words.tag_shares, count * 2 * TAGS_A_PHOTO)
    rows = drawn.reshape(count, -1).tolist()
    return [list(dict.fromkeys(row))[:TAGS_A_PHOTO] for row in rows]


def _zipf(count: int, power: float) -> NDArray[np.float64]:
    shares = 1 / np.arange(1, count + 1) ** power
    return np.cumsum(shares / shares.sum())


def _drawn(
    dice: np.random.Generator, shares: NDArray[np.float64], count: int
) -> NDArray[Any]:
    return np.minimum(np.searchsorted(shares, dice.random(count)), len(shares) - 1)


def _utc(n: int) -> str:
    moment = np.datetime64("2026-01-01T00:00:00") + n
    return f"{moment}.000Z"


def database(folder: Path) -> Path:
    return folder / "tracking.db"
