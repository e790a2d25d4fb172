"""Comparisons for tests: photos on record, servers that see each in their own way."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tagger.config import Config
from tagger.pipeline.comparing import carry_out
from tagger.tracking import comparisons, snapshots
from tagger.tracking.contested import Answered, Outcome, Whole, Wish
from tagger.tracking.database import Database
from tagger.web import comparing
from tests.support_pipeline import number_in


def terse(jpeg: bytes, _request: Mapping[str, Any]) -> Mapping[str, Any]:
    """A model that says little."""
    number = number_in(jpeg)
    tags = ["bar code", f"number {number}"]
    return {"description": f"Number {number}.", "tags": tags, "text": ""}


def wordy(jpeg: bytes, _request: Mapping[str, Any]) -> Mapping[str, Any]:
    """One that says more, and half of it otherwise."""
    number = number_in(jpeg)
    tags = ["Bar code", f"number {number}", "stripes", "noise"]
    return {"description": f"A picture of {number}.", "tags": tags, "text": ""}


def wishes(config: Config, *asked: str | Mapping[str, Any]) -> list[Wish]:
    """Contenders by their servers' names, or by all that is said of them."""
    given = [{"server": a} if isinstance(a, str) else dict(a) for a in asked]
    return [comparing.wish(config, **one) for one in given]


def photo_ids(db: Database) -> list[int]:
    return [image.id for image in snapshots.after(db, 0, limit=1000)]


def compared(
    config: Config, db: Database, asked: Sequence[Wish], *, photos: Sequence[int] = ()
) -> Whole:
    """A comparison, carried out right here."""
    made = comparisons.make(
        db, name="A test", photos=photos or photo_ids(db), wishes=asked
    )
    carry_out(config, db, made)
    return comparisons.whole(db, made)


def of(whole: Whole, position: int) -> list[Answered]:
    """What one contender said, by the order of the photos."""
    contender = whole.comparison.contenders[position]
    said = {a.file_id: a for a in whole.answers if a.contender_id == contender.id}
    return [said[photo] for photo in whole.comparison.photos if photo in said]


def outcomes(whole: Whole, position: int) -> list[Outcome]:
    return [one.outcome for one in of(whole, position)]


def hashes(folder: Path) -> dict[str, str]:
    """What every file below a folder holds, to the last byte, and when it changed."""
    return {
        str(path.relative_to(folder)): hashlib.blake2b(path.read_bytes()).hexdigest()
        + str(path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
