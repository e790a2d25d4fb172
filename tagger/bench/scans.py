"""Scans: a folder looked through the first time and again, against listing it alone."""

import os
from collections.abc import Iterator
from pathlib import Path

from tagger.bench.figures import ROUNDS, Figure, median, per_cpu_s, per_s
from tagger.pipeline.discover import Scanner
from tagger.records import WriteMode
from tagger.tracking import folders
from tagger.tracking.database import Database

FILES = 500_000
A_FOLDER = 200


def measure(folder: Path, *, files: int = FILES) -> Iterator[Figure]:
    """Files a second and a processor second, first and again."""
    root, data = folder / "library", folder / "data"
    _make(root, files)
    with Database.open(data / "tracking.db") as db:
        added = folders.add(
            db,
            bytes(root),
            recursive=True,
            write_mode=WriteMode.NONE,
            data_dir=data,
        )
        scanner = Scanner(db, data_dir=data, settle_s=0.0)

        def scan() -> None:
            scanner.scan(folders.get(db, added.id))

        def alone() -> None:
            listed_alone(bytes(root))

        alone()  # so that the system knows the folder either way
        limit = per_s(files, alone)
        yield _figure("first scan", per_s(files, scan), "files a second", limit)
        times = [(per_s(files, alone), per_s(files, scan)) for _ in range(ROUNDS)]
        yield _figure(
            "rescan",
            median([again for _, again in times]),
            "files a second",
            median([limit for limit, _ in times]),
        )
        spent = [
            (per_cpu_s(files, alone), per_cpu_s(files, scan)) for _ in range(ROUNDS)
        ]
        yield _figure(
            "rescan",
            median([again for _, again in spent]),
            "files a CPU-second",
            median([limit for limit, _ in spent]),
        )


def _figure(name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(
        part="scan",
        name=name,
        value=value,
        unit=unit,
        limit_name="os.scandir and stat alone",
        limit=limit,
    )


def _make(root: Path, files: int) -> None:
    """So many empty files, 200 a folder, two levels deep."""
    for first in range(0, files, A_FOLDER):
        number = first // A_FOLDER
        place = root / f"{number % 50:02d}" / f"{number:05d}"
        place.mkdir(parents=True)
        for photo in range(min(A_FOLDER, files - first)):
            descriptor = os.open(place / f"IMG_{photo:05d}.jpg", os.O_CREAT)
            os.close(descriptor)


def listed_alone(root: bytes) -> int:
    """How many files there are, each with its stat taken; nothing made of it."""
    count, waiting = 0, [root]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    count += 1
    return count
