"""Fills a real tracking database with photos for the catalogue to take in."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert

from tagger.catalogue.store import Catalogue
from tagger.records import Answer, Facts, FileWords, ImageState, StatKey, Tag, WriteMode
from tagger.tracking import changes, files, folders, jobs, looks, results, tagnames
from tagger.tracking.database import Database
from tagger.tracking.files import Seen
from tagger.tracking.schema import files as file_table
from tagger.tracking.schema import result_tags
from tagger.tracking.schema import results as result_table

WORDS = (
    *("beach", "mountain", "river", "child", "market", "window", "train", "harbour"),
    *("bridge", "garden", "snow", "forest", "bicycle", "kitchen", "sunset"),
    *("lighthouse", "crowd", "statue", "meadow", "cathedral"),
)


def open_catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue.open(
        tmp_path / "data" / "catalogue.duckdb", tmp_path / "data" / "search"
    )


@dataclass(frozen=True, kw_only=True)
class Photo:
    """What a test says of a photo; the rest does not matter to it."""

    name: str | bytes = "a.jpg"
    description: str = "A photo."
    tags: Sequence[str] = ()
    text: str | None = None
    taken_at: str | None = None
    camera: str | None = None
    gps: tuple[float, float] | None = None
    found_tags: Sequence[str] = ()
    found_description: str | None = None
    size_bytes: int = 1000
    failed: str | None = None
    model: str = "gemma3:4b"


def add_folder(db: Database, path: Path) -> int:
    path.mkdir(parents=True, exist_ok=True)
    folder = folders.add(
        db,
        os.fsencode(path),
        recursive=True,
        write_mode=WriteMode.FILE,
        data_dir=db.path.parent,
    )
    return folder.id


def tagged(db: Database, folder_id: int, *photos: Photo) -> list[int]:
    """Take the photos through scan, look, answer and end; returns their ids."""
    return [_one(db, folder_id, photo) for photo in photos]


def path_of(db: Database, folder_id: int, photo: Photo) -> bytes:
    return os.path.join(folders.get(db, folder_id).path, os.fsencode(photo.name))


def vanish(db: Database, folder_id: int) -> None:
    """A scan that finds nothing left in the folder."""
    files.apply_scan(db, folder_id, [])


def _one(db: Database, folder_id: int, photo: Photo) -> int:
    path = path_of(db, folder_id, photo)
    stat = StatKey(1, hash(path) % 2**31, photo.size_bytes, 1, 1)
    files.apply_scan(db, folder_id, [Seen(path, stat)], within=[path])
    (job,) = jobs.claim(db, limit=1)
    if photo.failed:
        jobs.finish(db, job, ImageState.FAILED, reason=photo.failed)
        return job.file_id
    looks.record(
        db,
        job,
        stat=stat,
        identity=f"j1:{path.hex()[-32:]}",
        content_hash=path.hex(),
        dhash=7,
        facts=Facts(
            format="JPEG",
            width_px=400,
            height_px=300,
            taken_at=photo.taken_at,
            camera=photo.camera,
            gps=photo.gps,
        ),
        words=FileWords(
            description=photo.found_description, tags=tuple(photo.found_tags)
        ),
        note=None,
    )
    answer = Answer(
        description=photo.description,
        tags=tuple(Tag(tag, 0.5) for tag in photo.tags),
        text=photo.text,
        backend="ollama",
        model=photo.model,
        prompt_version="p1",
        tokens_in=10,
        tokens_out=20,
    )
    results.record(db, job, f"j1:{path.hex()[-32:]}", answer)
    jobs.finish(db, job, ImageState.TAGGED)
    return job.file_id


def many(db: Database, folder_id: int, count: int, *, start: int = 0) -> None:
    """Photos by the thousand, put into tracking in one transaction.

    Descriptions and tags follow from the number, and so do dates, sizes and names.
    """
    root = folders.get(db, folder_id).path
    numbers = range(start, start + count)
    with db.write() as connection:
        ids = tagnames.ids(connection, WORDS)
        answers = connection.scalars(
            insert(result_table).returning(result_table.c.id),
            [_answer(number) for number in numbers],
        ).all()
        connection.execute(
            insert(result_tags),
            [
                {"result_id": answer, "position": position, "tag_id": ids[word]}
                for number, answer in zip(numbers, answers, strict=True)
                for position, word in enumerate(words_of(number)[:4])
            ],
        )
        made = connection.scalars(
            insert(file_table).returning(file_table.c.id),
            [
                _file(folder_id, root, number, answer)
                for number, answer in zip(numbers, answers, strict=True)
            ],
        ).all()
        changes.record(connection, changes.IMAGE, made)


def words_of(number: int) -> list[str]:
    """Eight different words, the same for the same number."""
    first, step = number % len(WORDS), 1 + 2 * (number // len(WORDS) % 4)
    return [WORDS[(first + step * n) % len(WORDS)] for n in range(8)]


def size_of(number: int) -> int:
    return 1000 + number * 7919 % 5000


def rating_of(number: int) -> int | None:
    return (None, -1, 1, 2, 3, 4, 5)[number % 7]


def quality_of(number: int) -> int | None:
    return number * 31 % 101 if number % 11 else None


def _answer(number: int) -> dict[str, object]:
    return {
        "identity": f"j1:{number:032x}",
        "backend": "ollama",
        "model": "gemma3:4b",
        "prompt_version": "p1",
        "server": "",
        "description": " ".join(words_of(number)) + f" number{number}",
        "seconds": 0.5,
        "created_at": "2026-01-01T00:00:00.000Z",
    }


def _file(folder_id: int, root: bytes, number: int, answer: int) -> dict[str, object]:
    return {
        "folder_id": folder_id,
        "path": root + b"/%d/img%d.jpg" % (number % 20, number),
        "dev": 1,
        "ino": number,
        "size_bytes": size_of(number),
        "mtime_ns": 1,
        "ctime_ns": 1,
        "state": ImageState.TAGGED.value,
        "unreachable": False,
        "added_at": "2026-01-01T00:00:00.000Z",
        "identity": f"j1:{number:032x}",
        "dhash": number,
        "rating": rating_of(number),
        "quality": quality_of(number),
        "format": "JPEG",
        "width_px": 400,
        "height_px": 300,
        "orientation": 1,
        "frames": 1,
        # Months repeat, and every tenth photo has no date: ties and gaps to page over.
        "taken_at": None
        if number % 10 == 0
        else f"2024-{number % 12 + 1:02d}-01T10:00:00",
        "result_id": answer,
    }
