"""Writes: words put into photos, read back and verified, against a plain copy.

exiftool's processor time counts, its start does not: the tagger keeps it open.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from tagger.bench.figures import ROUNDS, Figure, median, per_cpu_s
from tagger.config import Config
from tagger.imaging import made
from tagger.imaging.look import look
from tagger.pipeline.metadata.exiftool import Exiftool
from tagger.pipeline.metadata.writing import Writer
from tagger.records import StatKey, WantedWords, WriteMode

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF")
SIDECAR = "sidecar"
PHOTOS = 8
WORDS = WantedWords(
    description="A dog runs along a beach in the evening light.",
    tags=("dog", "beach", "sea", "sand", "evening", "animal", "running", "sky"),
)


def measure(
    folder: Path, config: Config, *, megapixels: float, photos: int = PHOTOS
) -> Iterator[Figure]:
    """Writes a processor second, by format, and beside a photo."""
    with Exiftool(config.metadata) as exiftool:
        exiftool.version()  # it is up once it has answered
        writer = Writer(exiftool, config.metadata)
        for kind in (*FORMATS, SIDECAR):
            format = "JPEG" if kind == SIDECAR else kind
            place = folder / kind
            place.mkdir()
            original = made.save(place, 0, format=format, megapixels=megapixels)
            yield _figure(writer, original, kind, photos, megapixels)
            shutil.rmtree(place)


def _figure(
    writer: Writer, original: Path, kind: str, photos: int, megapixels: float
) -> Figure:
    found = look(bytes(original), side_px=224)
    mode = WriteMode.SIDECAR if kind == SIDECAR else WriteMode.FILE
    writes, copies = [], []
    for turn in range(ROUNDS):
        paths = [
            original.with_name(f"{turn}-{n}{original.suffix}") for n in range(photos)
        ]
        copies.append(per_cpu_s(photos, lambda p=paths: _copy(original, p)))  # type: ignore[misc]
        writes.append(
            per_cpu_s(photos, lambda p=paths: _write(writer, p, mode, found.identity))  # type: ignore[misc]
        )
    return Figure(
        part="writes",
        name=f"{kind} of {megapixels:g} megapixels",
        value=median(writes),
        unit="photos a CPU-second",
        limit_name="a plain copy",
        limit=median(copies),
    )


def _copy(original: Path, paths: Sequence[Path]) -> None:
    for path in paths:
        shutil.copyfile(original, path)


def _write(
    writer: Writer, paths: Sequence[Path], mode: WriteMode, identity: str
) -> None:
    for path in paths:
        writer.write(
            bytes(path),
            WORDS,
            mode=mode,
            expect=StatKey.of(os.stat(path)),
            identity=identity,
            on_intent=lambda intent: None,
        )
