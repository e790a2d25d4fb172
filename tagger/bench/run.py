"""Run: the parts that are wanted, one after the other, in a folder that goes again."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tagger.bench import flows, looks, scans, writes
from tagger.bench.figures import Figure
from tagger.config import Config
from tagger.errors import UsageError

PARTS = ("looks", "writes", "scan", "flow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured with. `photos` is for each format, or None: as usual."""

    megapixels: float = 12.0
    photos: int | None = None
    files: int = scans.FILES
    flow_photos: int = flows.PHOTOS
    slots: int = flows.SLOTS
    answer_ms: float = flows.ANSWER_MS


def run(
    config: Config, *, only: frozenset[str], size: Size, place: Path | None = None
) -> Iterator[Figure]:
    """The figures, each as soon as it is known. Works in a new folder in `place`."""
    if unknown := only - set(PARTS):
        raise UsageError(
            f"there is no part {', '.join(sorted(unknown))}; parts are "
            f"{', '.join(PARTS)}"
        )
    try:
        with tempfile.TemporaryDirectory(prefix="tagger-bench-", dir=place) as folder:
            for part in PARTS:
                if part in only:
                    home = Path(folder) / part
                    home.mkdir()
                    yield from _part(part)(home, config, size)
    except OSError as error:
        where = error.filename or place or tempfile.gettempdir()
        raise UsageError(
            f"{where}: {error.strerror}; --dir names a folder with room"
        ) from error


def _part(name: str) -> Callable[[Path, Config, Size], Iterator[Figure]]:
    return {"looks": _looks, "writes": _writes, "scan": _scan, "flow": _flow}[name]


def _looks(home: Path, config: Config, size: Size) -> Iterator[Figure]:
    return looks.measure(
        home,
        config,
        megapixels=size.megapixels,
        photos=size.photos or looks.PHOTOS,
    )


def _writes(home: Path, config: Config, size: Size) -> Iterator[Figure]:
    return writes.measure(
        home,
        config,
        megapixels=size.megapixels,
        photos=size.photos or writes.PHOTOS,
    )


def _scan(home: Path, _config: Config, size: Size) -> Iterator[Figure]:
    return scans.measure(home, files=size.files)


def _flow(home: Path, config: Config, size: Size) -> Iterator[Figure]:
    return flows.measure(
        home,
        config,
        megapixels=size.megapixels,
        photos=size.flow_photos,
        slots=size.slots,
        answer_ms=size.answer_ms,
    )
