"""Recovery: a write whose end nobody recorded is never read as a person's words."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.pipeline import recover
from tagger.pipeline.tagging import Tagging, tag
from tagger.records import ImageState, Intent, WriteMode
from tagger.tracking import folders, jobs, ownwords, results, runs, writes
from tagger.tracking.database import Database
from tagger.tracking.schema import taggers
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import in_file, known_images, numbered, settings
from tests.support_tracking import add_folder, looked, said, scan

FIRST = {"description": "A dog.", "tags": ["dog"], "text": ""}
SECOND = {"description": "A puppy.", "tags": ["puppy"], "text": ""}


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(FIRST) as double:
        yield double


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return numbered(tmp_path / "photos" / "a.jpg", 1)


def run(config: Config, path: Path, **options: object) -> Tagging:
    return tag(config, [os.fsencode(path)], choose(config), **options)  # type: ignore[arg-type]


def another_tagger_is_alive(db: Database) -> None:
    """So that nobody settles at its start what was left open."""
    run_id = runs.begin(db, "run")
    with db.write() as connection:
        connection.execute(
            taggers.update()
            .where(taggers.c.run_id == run_id)
            .values(pid=os.getppid(), seen_at=taggers.c.seen_at + 3600)
        )


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("intended", marks=pytest.mark.slow),
        "replaced",
        pytest.param("noted", marks=pytest.mark.slow),
    ],
)
def test_a_lease_lost_around_a_write_leaves_our_words_ours(
    tmp_path: Path, photo: Path, ollama: OllamaDouble, step: str
) -> None:
    config = settings(tmp_path, ollama.url)
    with Database.of(config) as db:
        another_tagger_is_alive(db)
        stopped = run_until_lost(config, photo, step)
        assert stopped.images[0].state is ImageState.QUEUED
        jobs.release_all(db)
    assert run(config, photo.parent).failed == []
    [image] = known_images(config).values()
    assert image.state is ImageState.TAGGED
    assert {t.source for t in image.tags} == {"gemma3:4b"}
    assert image.description_source == "gemma3:4b"
    ollama.answer = SECOND
    run(config, photo.parent, retag=True)
    assert in_file(photo)["XMP-dc:Subject"] == ["puppy"]
    assert ollama.count == 2
    with Database.of(config) as db:
        assert writes.open_intents(db) == []


def run_until_lost(config: Config, photo: Path, step: str) -> Tagging:
    """A command that loses its job at a step; it would wait for the new holder."""
    stop = threading.Event()

    def observe(seen: str, job: jobs.Job) -> None:
        if seen == step:  # what another tagger's taking over looks like from here
            stop.set()
            raise jobs.LeaseLost(job.id)

    return run(config, photo.parent, observer=observe, stop=stop)


def intend(db: Database, job: jobs.Job, result_id: int, target: bytes, mode: WriteMode):
    return writes.intend(
        db,
        job,
        result_id,
        Intent(
            target=target,
            mode=mode,
            expect=None,
            before={},
            intended={},
            added_tags=("dog",),
            wrote_description="A photo.",
            after_hash=f"of {target!r}",
        ),
        run_id=None,
    )


def test_a_target_out_of_reach_leaves_its_intent_open(
    db: Database, tmp_path: Path
) -> None:
    folder = add_folder(db, tmp_path / "photos")
    (tmp_path / "photos" / "a.jpg").write_bytes(b"a")
    scan(db, folder)
    [job] = jobs.claim(db, limit=1)
    looked(db, job)
    result = results.record(db, job, "t1:a.jpg", said("dog"))
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    intend(db, job, result, os.fsencode(loop / "a.jpg"), WriteMode.FILE)
    recover.at_start(db)
    assert len(writes.open_intents(db)) == 1
    [job] = jobs.claim(db, limit=1)
    assert job.interrupted


def test_bytes_of_ours_are_known_even_if_nobody_saw_them_take_the_files_place(
    db: Database, tmp_path: Path
) -> None:
    folder = add_folder(db, tmp_path / "photos")
    photo = tmp_path / "photos" / "a.jpg"
    photo.write_bytes(b"a")
    scan(db, folder)
    [job] = jobs.claim(db, limit=1)
    looked(db, job)
    result = results.record(db, job, "t1:a.jpg", said("dog"))
    intend(db, job, result, job.path, WriteMode.FILE)
    photo.unlink()  # the disk is away while the tagger starts again
    recover.at_start(db)
    assert writes.open_intents(db) == []
    photo.write_bytes(b"a with our words")
    scan(db, folder)
    [job] = jobs.claim(db, limit=1)
    looked(
        db,
        job,
        identity="t1:a.jpg",
        content_hash=f"of {job.path!r}",
        tags=["dog"],
        description="A photo.",
    )
    assert results.wanted(db, job.file_id) is None
    with db.read() as connection:
        assert ownwords.names(connection, job.file_id) == ["dog"]


def test_of_two_announced_writes_the_one_that_was_done_counts(
    db: Database, tmp_path: Path
) -> None:
    """The file itself was refused after it was announced; its sidecar was made."""
    folder = add_folder(db, tmp_path / "photos")
    (tmp_path / "photos" / "a.jpg").write_bytes(b"a")
    scan(db, folder)
    [job] = jobs.claim(db, limit=1)
    looked(db, job)
    result = results.record(db, job, "t1:a.jpg", said("dog"))
    first = intend(db, job, result, job.path, WriteMode.FILE)
    second = intend(db, job, result, job.path + b".xmp", WriteMode.SIDECAR)
    for intent in writes.open_intents(db):
        writes.settle(
            db, intent, happened=lambda i=intent: i.id == second, stat=job.stat
        )
    assert first != second
    assert writes.open_intents(db) == []
    assert results.wanted(db, job.file_id) is None


def test_a_folder_taken_out_while_its_photo_is_asked_about_is_not_written_to(
    tmp_path: Path, photo: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    before = photo.read_bytes()

    def take_out(step: str, job: jobs.Job) -> None:
        if step == "answered":
            with Database.of(config) as db:
                folders.remove(db, job.folder_id)

    run(config, photo.parent, observer=take_out)
    assert photo.read_bytes() == before


def test_a_write_mode_changed_while_a_photo_is_asked_about_holds_for_it(
    tmp_path: Path, photo: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    before = photo.read_bytes()

    def change(step: str, job: jobs.Job) -> None:
        if step == "answered":
            with Database.of(config) as db:
                folders.set_write_mode(db, job.folder_id, WriteMode.NONE)

    run(config, photo.parent, observer=change)
    assert photo.read_bytes() == before
