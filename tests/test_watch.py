"""Watching: hints lead to what changed, to nothing else, and never end the process."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.pipeline.discover import Scanner
from tagger.pipeline.watch import Watcher
from tagger.records import ImageState
from tagger.tracking import folders, snapshots
from tagger.tracking.database import Database
from tests.support_tracking import add_folder


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    one = Watcher()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.jpg", "deep/b.jpg"):
        (folder / name).write_bytes(b"x")
    return folder


def followed(db: Database, watcher: Watcher, photos: Path) -> int:
    """The folder, watched and looked through, with no hint left."""
    folder_id = add_folder(db, photos)
    watcher.follow(folders.every(db))
    scanner(db).scan(folders.get(db, folder_id))
    watcher.forget(folder_id)
    return folder_id


def scanner(db: Database) -> Scanner:
    return Scanner(db, data_dir=db.path.parent, settle_s=0.0)


def take(db: Database, watcher: Watcher) -> None:
    """Wait for the next hints and look at what they name."""
    end = time.monotonic() + 15
    while not (hints := watcher.hints()):
        assert time.monotonic() < end, "there was no hint"
        time.sleep(0.05)
    for folder_id, paths in hints.items():
        assert paths is not None
        scanner(db).look_at(folders.get(db, folder_id), paths)


def states(db: Database) -> dict[str, ImageState]:
    return {
        os.path.basename(image.shown_path): image.state
        for image in snapshots.after(db, 0, limit=100)
    }


def test_a_folder_moved_in_and_one_moved_out(
    db: Database, watcher: Watcher, photos: Path, tmp_path: Path
) -> None:
    followed(db, watcher, photos)
    shutil.move(photos / "deep", tmp_path / "out")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "c.jpg").write_bytes(b"c")
    shutil.move(tmp_path / "in", photos / "in")
    take(db, watcher)
    assert states(db) == {
        "a.jpg": ImageState.QUEUED,
        "b.jpg": ImageState.MISSING,
        "c.jpg": ImageState.QUEUED,
    }


def test_a_deleted_folder_leaves_its_photos_missing(
    db: Database, watcher: Watcher, photos: Path
) -> None:
    followed(db, watcher, photos)
    shutil.rmtree(photos / "deep")
    take(db, watcher)
    assert states(db)["b.jpg"] is ImageState.MISSING


def test_a_folder_made_anew_under_its_old_name_is_watched_again(
    db: Database, watcher: Watcher, photos: Path, tmp_path: Path
) -> None:
    followed(db, watcher, photos)
    os.rename(photos, tmp_path / "old")
    photos.mkdir()
    (photos / "a.jpg").write_bytes(b"x")
    watcher.follow(folders.every(db))
    (photos / "new.jpg").write_bytes(b"new")
    take(db, watcher)
    assert states(db)["new.jpg"] is ImageState.QUEUED


@pytest.mark.slow
def test_hints_come_also_where_it_is_never_quiet(
    db: Database, watcher: Watcher, photos: Path
) -> None:
    folder_id = followed(db, watcher, photos)
    end = time.monotonic() + 20
    while not (hints := watcher.hints()):
        assert time.monotonic() < end, "it was never quiet enough"
        (photos / "busy.jpg").write_bytes(b"x")
        time.sleep(0.1)
    assert os.fsencode(photos / "busy.jpg") in (hints[folder_id] or [])


def test_a_burst_becomes_one_look_at_the_whole_folder(
    db: Database, watcher: Watcher, photos: Path
) -> None:
    folder_id = followed(db, watcher, photos)
    for n in range(2_500):
        watcher.note(folder_id, b"%d.jpg" % n)
    watcher._last_event = watcher._first_event = 0.0
    assert watcher.hints() == {folder_id: None}


def test_a_folder_that_cannot_be_watched_is_tried_again_only_later(
    db: Database, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = Watcher()
    refusals = 0

    def refuse(*_: object, **__: object) -> None:
        nonlocal refusals
        refusals += 1
        raise OSError(28, "inotify watch limit reached")

    watcher._observer.schedule = refuse  # type: ignore[method-assign]
    add_folder(db, photos)
    for _ in range(5):
        watcher.follow(folders.every(db))
    assert refusals == 1
    assert len(caplog.records) == 1
    assert "looked through at intervals" in (watcher.problem or "")
    [folder] = folders.every(db)
    folders.remove(db, folder.id)
    watcher.follow(folders.every(db))
    assert watcher.problem is None


def test_our_own_writes_give_no_hint(
    db: Database, watcher: Watcher, photos: Path
) -> None:
    followed(db, watcher, photos)
    temporary = photos / ".tagger-1-0.tmp"
    temporary.write_bytes(b"with our words")
    os.replace(temporary, photos / "a.jpg")
    time.sleep(1.5)
    assert watcher.hints() == {}
