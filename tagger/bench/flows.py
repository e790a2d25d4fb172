"""Flows: photos all the way, from a folder to words in their files.

What model servers can do is the limit: the places they have, and how long an answer
takes. A server that answers at once shows what the program itself can do; there the
limit is decoding and resizing the photos alone. Every flow runs three times.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from tagger.bench.boxes import Box, Ran, tagged
from tagger.bench.figures import ROUNDS, Figure, median, per_cpu_s
from tagger.config import Config
from tagger.imaging import decode, made
from tagger.imaging.colours import resized
from tagger.imaging.render import THUMBNAIL_PX, thumbnail_of

PHOTOS = 160
SLOTS = 4
ANSWER_MS = 500.0
# Two servers need a longer run: while the slow one gives its last answer, the places of
# the fast one are free, and that is to be a small part.
LONGER = 3


def measure(
    folder: Path,
    config: Config,
    *,
    megapixels: float,
    photos: int = PHOTOS,
    slots: int = SLOTS,
    answer_ms: float = ANSWER_MS,
) -> Iterator[Figure]:
    """How busy a fast server is kept, a slow one of a single place, and both together.

    And how many photos a processor second does where no server is waited for.
    """
    library = folder / "photos"
    library.mkdir()
    for number in range(LONGER * photos):
        made.save(library, number, format="JPEG", megapixels=megapixels)
    name = f"JPEG of {megapixels:g} megapixels"
    fast = Box(slots=slots, answer_ms=answer_ms)
    slow = Box(slots=1, answer_ms=4 * answer_ms)
    for box, count in ((fast, photos), (slow, max(photos // slots, 2))):
        runs = _runs(folder, config, [box], count)
        yield _busy(f"{count} {name}", box, runs)
    runs = _runs(folder, config, [fast, slow], LONGER * photos)
    yield _rate(f"{LONGER * photos} {name}", [fast, slow], runs)
    yield _work(folder, config, name, photos, slots=slots)


def _busy(name: str, box: Box, runs: Sequence[Ran]) -> Figure:
    return Figure(
        part="flow",
        name=name,
        value=median([run.busy_places for run in runs]),
        unit="places busy, first to last question",
        limit_name=str(box),
        limit=box.slots,
    )


def _rate(name: str, boxes: Sequence[Box], runs: Sequence[Ran]) -> Figure:
    return Figure(
        part="flow",
        name=name,
        value=median([run.answers_a_second for run in runs]),
        unit="answers a second, first to last",
        limit_name=" and ".join(map(str, boxes)),
        limit=sum(box.limit for box in boxes),
    )


def _work(
    folder: Path, config: Config, name: str, photos: int, *, slots: int
) -> Figure:
    """Photos a processor second, all told but for the server's own."""
    runs, limits = [], []
    paths = [bytes(path) for path in _some(folder, photos)]
    for _ in range(ROUNDS):
        limits.append(per_cpu_s(photos, lambda: _resized(paths, config)))
        runs += _runs(folder, config, [Box(slots=slots, answer_ms=0)], photos, rounds=1)
    return Figure(
        part="flow",
        name=f"{photos} {name}",
        value=median([photos / run.cpu_s for run in runs]),
        unit="photos a CPU-second, answered at once",
        limit_name="decoding and resizing alone",
        limit=median(limits),
    )


def _resized(paths: Sequence[bytes], config: Config) -> None:
    """What a photo needs at least: its pixels at the model's size and a thumbnail's."""
    most_px = config.tagger.max_megapixels
    side_px = config.model.image_side_px
    base_px = max(side_px, THUMBNAIL_PX)
    for path in paths:
        with (
            decode.open_photo(path, max_megapixels=most_px) as photo,
            decode.decoded(photo, side_px=base_px) as pixels,
        ):
            base = decode.shrunk(pixels, base_px)
        resized(base, side_px)
        thumbnail_of(base, THUMBNAIL_PX)


def _runs(
    folder: Path,
    config: Config,
    boxes: Sequence[Box],
    photos: int,
    *,
    rounds: int = ROUNDS,
) -> list[Ran]:
    """A `tag` of some photos, a few times; each on copies, which nobody knows yet."""
    found = []
    for _ in range(rounds):
        home = folder / "run"
        (home / "photos").mkdir(parents=True)
        for path in _some(folder, photos):
            shutil.copy2(path, home / "photos")
        # What is still to be put on the disk would be waited for in the run.
        os.sync()
        found.append(tagged(home, config, boxes))
        shutil.rmtree(home)
    return found


def _some(folder: Path, photos: int) -> list[Path]:
    return list(islice(sorted((folder / "photos").iterdir()), photos))
