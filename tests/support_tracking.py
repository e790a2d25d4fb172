"""Short ways to fill a real tracking database in tests."""

import os
from collections.abc import Sequence
from pathlib import Path

from tagger.records import Answer, Facts, FileWords, StatKey, Tag, WriteMode
from tagger.tracking import files, folders, jobs, looks
from tagger.tracking.database import Database
from tagger.tracking.files import ScanOutcome, Seen

IMAGE_SUFFIXES = (".jpg", ".png")


def add_folder(
    db: Database, path: Path, *, write_mode: WriteMode = WriteMode.FILE
) -> int:
    """Add `path`, made if need be; returns the folder's id."""
    path.mkdir(parents=True, exist_ok=True)
    folder = folders.add(
        db,
        os.fsencode(path),
        recursive=True,
        write_mode=write_mode,
        data_dir=db.path.parent,
    )
    return folder.id


def scan(db: Database, folder_id: int, **options: object) -> ScanOutcome:
    """Hand over everything in the folder as a scan would."""
    root = folders.get(db, folder_id).path
    seen = [
        Seen(path, StatKey.of(os.stat(path)))
        for directory, _, names in os.walk(root)
        for path in (os.path.join(directory, name) for name in sorted(names))
        if os.fsdecode(path).endswith(IMAGE_SUFFIXES)
    ]
    return files.apply_scan(db, folder_id, seen, **options)  # type: ignore[arg-type]


def said(*names: str, description: str = "A photo.", model: str = "m") -> Answer:
    """An answer with these tags."""
    return Answer(
        description=description,
        tags=tuple(Tag(name, 0.9) for name in names),
        backend="ollama",
        model=model,
        prompt_version="p1",
    )


def looked(
    db: Database,
    job: jobs.Job,
    *,
    identity: str | None = None,
    content_hash: str | None = None,
    tags: Sequence[str] = (),
    description: str | None = None,
) -> int:
    """Record a look at the job's photo that found these words."""
    return looks.record(
        db,
        job,
        stat=StatKey.of(os.stat(job.path)),
        identity=identity or f"t1:{os.fsdecode(os.path.basename(job.path))}",
        content_hash=content_hash or f"hash of {job.path!r}",
        dhash=1,
        facts=Facts(format="JPEG", width_px=8, height_px=8),
        words=FileWords(description=description, tags=tuple(tags)),
        note=None,
    )
