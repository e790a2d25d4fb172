"""Numbered photographs, and a model that reads the number: mix-ups cannot hide."""

import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tagger import config
from tagger.config import Config
from tagger.records import ImageSnapshot
from tagger.tracking import snapshots
from tagger.tracking.database import Database
from tests.support_metadata import all_fields, person_writes

BITS = 12
GOOD_PAUSES = {"attempts": 2, "wait_base_s": 0.05, "wait_max_s": 0.1}


def numbered(
    path: Path, number: int, *, width_px: int = 480, kind: str = "jpg"
) -> Path:
    """A photo whose upper half is a bar code of `number`, its lower half noise.

    `kind` is `jpg`, `progressive` or `png`.
    """
    height_px = width_px * 3 // 4
    noise = np.random.default_rng(number).integers(
        60, 200, (height_px // 8, width_px // 8, 3)
    )
    pixels = noise.astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    pixels = np.pad(
        pixels,
        ((0, height_px - pixels.shape[0]), (0, width_px - pixels.shape[1]), (0, 0)),
        mode="edge",
    )
    for bit in range(BITS):
        left, right = bit * width_px // BITS, (bit + 1) * width_px // BITS
        pixels[: height_px // 2, left:right] = 255 if number >> bit & 1 else 0
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    if kind == "png":
        image.save(path, "PNG", compress_level=1)
    else:
        image.save(path, "JPEG", quality=88, progressive=kind == "progressive")
    return path


def three_numbered(folder: Path, *keywords: str) -> Path:
    """A folder with photos of the numbers 1 to 3; the first has these keywords."""
    for number in range(1, 4):
        numbered(folder / f"{number}.jpg", number)
    put_keywords(folder / "1.jpg", *keywords)
    return folder


def number_in(jpeg: bytes) -> int:
    """The number that a picture of `numbered` shows, at any size."""
    with Image.open(io.BytesIO(jpeg)) as image:
        grey = np.asarray(image.convert("L"))
    height_px, width_px = grey.shape
    row = grey[height_px // 8 : height_px * 3 // 8].mean(axis=0)
    centres = [(2 * bit + 1) * width_px // (2 * BITS) for bit in range(BITS)]
    return sum(1 << bit for bit, x in enumerate(centres) if row[x] > 128)


def reads_number(jpeg: bytes, _request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the double answers: the number it sees."""
    number = number_in(jpeg)
    return {
        "description": f"This is picture {number}.",
        "tags": [f"number {number}", "bar code"],
        "text": "",
    }


def settings(tmp_path: Path, *urls: str, **sections: Mapping[str, Any]) -> Config:
    """Settings with a data folder below `tmp_path`, asking these Ollama servers."""
    values: dict[str, Any] = {
        "data": {"dir": str(tmp_path / "data")},
        "tracking": {"url": os.environ.get("TAGGER_TRACKING__URL", "")},
        "retry": GOOD_PAUSES,
        "scan": {"settle_s": 0.0, "interval_min": 0.05},
        **sections,
    }
    if urls:
        values["servers"] = [{"url": url, "parallel": 4} for url in urls]
        values["model"] = {"backend": "ollama"}
    return config.check(values)


def in_file(path: Path) -> dict[str, list[str]]:
    """The keywords and description that exiftool finds in a file, as text."""
    fields = ("XMP-dc:Subject", "XMP-dc:Description", "IPTC:Keywords")
    return all_fields(path, fields)


def put_keywords(path: Path, *keywords: str, description: str | None = None) -> None:
    """What a person does with another program."""
    said = [f"-XMP-dc:Subject={keyword}" for keyword in keywords]
    if description:
        said.append(f"-XMP-dc:Description={description}")
    person_writes(path, *said)


def known_images(config: Config) -> dict[str, ImageSnapshot]:
    """Every image on record, by file name."""
    with Database.of(config) as db:
        found = snapshots.after(db, 0, limit=10_000)
    return {os.path.basename(image.shown_path): image for image in found}


def as_environment(config: Config) -> dict[str, str]:
    """The environment in which a child process sees these settings."""
    servers = [json.loads(server.model_dump_json()) for server in config.servers]
    return os.environ | {
        "TAGGER_DATA_DIR": config.data.dir,
        "TAGGER_MODEL__BACKEND": config.model.backend,
        "TAGGER_SERVERS": json.dumps(servers),
        "TAGGER_RETRY__ATTEMPTS": str(config.retry.attempts),
        "TAGGER_RETRY__WAIT_BASE_S": str(config.retry.wait_base_s),
        "TAGGER_RETRY__WAIT_MAX_S": str(config.retry.wait_max_s),
        "TAGGER_SCAN__SETTLE_S": str(config.scan.settle_s),
        "TAGGER_SCAN__INTERVAL_MIN": str(config.scan.interval_min),
    }


def strays(folder: Path) -> Sequence[Path]:
    """Temporary files of ours, or of exiftool's, that were left behind."""
    return [
        path
        for path in folder.rglob("*")
        if path.name.startswith(".tagger-") or path.name.endswith("_exiftool_tmp")
    ]
