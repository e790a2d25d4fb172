"""Real photos and their copies, taken in as the tagger takes them."""

import os
import shutil
from pathlib import Path

from PIL import Image, ImageEnhance

from tagger.imaging.identity import thumbnail_version
from tagger.imaging.look import look
from tagger.records import Answer, FileWords, ImageState, StatKey, Tag
from tagger.tracking import files, jobs, looks, results
from tagger.tracking.files import Seen
from tests.support_web import Library

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"
PHOTOS = sorted(path.name for path in SAMPLES.iterdir() if path.suffix != ".md")


def taken_in(shelf: Library, path: Path, *tags: str, description: str = "A.") -> int:
    """Look at a photo; a copy gets the answer that is there, as by the tagger."""
    db, name = shelf.opened.db, os.fsencode(path)
    stat, found = StatKey.of(os.stat(path)), look(name, side_px=224)
    files.apply_scan(db, shelf.folder_id, [Seen(name, stat)], within=[name])
    (job,) = (job for job in jobs.claim(db, limit=50) if job.path == name)
    looks.record(
        db,
        job,
        stat=stat,
        identity=found.identity,
        content_hash=found.content_hash,
        dhash=found.dhash,
        facts=found.facts,
        words=FileWords(),
        note=None,
    )
    version = thumbnail_version(found.identity, found.facts.orientation)
    shelf.opened.thumbnails.save(version, found.thumbnail)
    if known := results.known(db, found.identity):
        results.use(db, job, known.result_id)
    else:
        answer = Answer(
            description=description,
            tags=tuple(Tag(tag, 0.5) for tag in tags),
            backend="ollama",
            model="gemma3:4b",
            prompt_version="p1",
        )
        results.record(db, job, found.identity, answer)
    jobs.finish(db, job, ImageState.TAGGED)
    shelf.opened.take()
    return job.file_id


def sample(shelf: Library, name: str, copy: str = "", *tags: str) -> int:
    """One of the sample photographs, under a name of its own."""
    path = shelf.root / (copy or name)
    path.parent.mkdir(exist_ok=True)
    shutil.copy(SAMPLES / name, path)
    return taken_in(shelf, path, *tags)


def altered(shelf: Library, name: str, copy: str, change: str) -> int:
    """A sample as another program leaves it, `smaller` or `darker`."""
    path = shelf.root / copy
    with Image.open(SAMPLES / name) as opened:
        image = opened.convert("RGB")
    if change == "smaller":
        image = image.resize((image.width // 3, image.height // 3))
    if change == "darker":
        image = ImageEnhance.Brightness(image).enhance(0.8)
    image.save(path, quality=40)
    return taken_in(shelf, path)
