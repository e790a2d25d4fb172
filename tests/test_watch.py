"""Watching: hints lead to what changed, to nothing else, and never end the process."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tagger.imaging.look import look
from tagger.pipeline.discover import Scanner
from tagger.pipeline.metadata.writing import Writer
from tagger.pipeline.scouts import Scouts
from tagger.pipeline.watch import Watcher
from tagger.pipeline.workshop import Workshop, opened
from tagger.records import ImageState, StatKey, WantedWords, Watching, WriteMode
from tagger.tracking import filesystems, folders, snapshots, status
from tagger.tracking.database import Database
from tests.support_pipeline import numbered, settings
from tests.support_tracking import add_folder

ROOT = Path(__file__).resolve().parent.parent


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


def states(db: Database, *, limit: int = 100) -> dict[str, ImageState]:
    return {
        os.path.basename(image.shown_path): image.state
        for image in snapshots.after(db, 0, limit=limit)
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


def test_our_own_writes_start_nothing(tmp_path: Path, photos: Path) -> None:
    config = settings(tmp_path)
    for name in ("1.jpg", "deep/2.jpg", "raw.bmp"):
        numbered(photos / name, len(name))
    with opened(config) as shop:
        folder = folders.add(
            shop.db,
            os.fsencode(photos),
            recursive=True,
            write_mode=WriteMode.FILE,
            data_dir=config.data_dir,
        )
        watcher = Watcher()
        watcher.start()
        watcher.follow([folder])
        shop.scanner.scan(folder)
        watcher.hints()
        watcher.forget(folder.id)
        for mode in (WriteMode.FILE, WriteMode.SIDECAR):
            write_words(shop, photos / "1.jpg", mode)
            write_words(shop, photos / "deep" / "2.jpg", mode)
        assert (photos / "1.jpg.xmp").exists()
        time.sleep(2)
        assert watcher.hints() == {}
        watcher.stop()


def write_words(shop: Workshop, photo: Path, mode: WriteMode) -> None:
    """As the tagger writes: exiftool, a temporary file, and one replacement."""
    path = os.fsencode(photo)
    wanted = WantedWords(description=f"Written {mode}.", tags=(f"dog {mode}",))
    found = look(path, side_px=224, max_megapixels=50)
    written = Writer(shop.writing, shop.config.metadata).write(
        path,
        wanted,
        mode=mode,
        expect=StatKey.of(os.stat(path)),
        identity=found.identity,
        on_intent=lambda intent: None,
    )
    assert written.changed


# -- what is not watched, and what is lost --------------------------------------------


def test_lost_events_are_noticed_said_and_made_up_for(
    db: Database, watcher: Watcher, photos: Path
) -> None:
    folder_id = followed(db, watcher, photos)
    # While it holds its lock nobody reads: the kernel's queue, of 16,384, runs over.
    with watcher._observer._inotify_fd._lock:
        make = "i=0; while [ $i -lt 12000 ]; do : > n$i.jpg; i=$((i+1)); done"
        subprocess.run(["sh", "-c", make], cwd=photos, check=True)
    end = time.monotonic() + 20
    while (hints := watcher.hints()) != {folder_id: None}:
        assert time.monotonic() < end, hints
        time.sleep(0.05)
    assert "more happened in" in (watcher.problem or "")
    outcome = scanner(db).scan(folders.get(db, folder_id))
    watcher.caught_up(folder_id)
    assert outcome is not None
    assert outcome.new == 12_000
    assert watcher.problem is None
    (photos / "after.jpg").write_bytes(b"x")  # it goes on being watched
    take(db, watcher)
    assert "after.jpg" in states(db, limit=20_000)


def test_a_folder_watched_in_part_says_how_much_and_what_to_do(
    db: Database, photos: Path
) -> None:
    watcher = Watcher(interval_min=7)
    fd = watcher._observer._inotify_fd
    add, left = fd.add_callback, [3]

    def limited(*arguments: object) -> object:
        if not left[0]:
            raise OSError(28, "inotify watch limit reached")
        left[0] -= 1
        return add(*arguments)  # type: ignore[arg-type]

    fd.add_callback = limited  # type: ignore[method-assign, assignment]
    for number in range(8):
        (photos / f"{number}").mkdir()
        (photos / ".hidden" / f"{number}").mkdir(parents=True)
    folder_id = add_folder(db, photos)
    watcher.start()
    watcher.follow(folders.every(db))
    said = watcher.problem or ""
    assert "watching 3 of 10 folders" in said  # the folder itself, `deep`, and eight
    assert "the rest is looked through every 7 min" in said
    assert "raise fs.inotify.max_user_watches" in said
    assert watcher.watching()[folder_id] == Watching(watched=3, of=10, note=said)
    left[0] = 1000
    watcher._limit = 1  # as if somebody had raised it since
    watcher.follow(folders.every(db))
    assert watcher.problem is None
    assert watcher.watching()[folder_id] == Watching(watched=10, of=10)
    watcher.stop()


@pytest.mark.slow
def test_the_kernels_own_limit_is_noticed(tmp_path: Path, photos: Path) -> None:
    for number in range(60):
        (photos / f"{number}").mkdir()
    code = (
        "import sys; from tagger.pipeline.watch import Watcher\n"
        "from tagger.records import Folder, WriteMode\n"
        "folder = Folder(id=1, path=sys.argv[1].encode(), recursive=True, active=True,"
        " write_mode=WriteMode.NONE, added_at='')\n"
        "watcher = Watcher(); watcher.start(); watcher.follow([folder])\n"
        "sys.stdout.write(watcher.problem or 'none'); watcher.stop()"
    )
    # A limit of its own, in a user namespace: that of the machine is not touched.
    limit = 'echo 20 > /proc/sys/user/max_inotify_watches && exec "$@"'
    answer = subprocess.run(
        [
            *("unshare", "-Ur", "sh", "-c", limit, "sh"),
            *(sys.executable, "-c", code, str(photos)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert "watching 20 of 62 folders" in answer.stdout, answer.stderr
    assert "(it is 20)" in answer.stdout


def test_a_network_share_is_looked_through_and_not_watched(
    db: Database, photos: Path
) -> None:
    folder_id = add_folder(db, photos)
    for shares, note in ((False, "on a network share (nfs4)"), (True, None)):
        watcher = Watcher(interval_min=15, shares=shares, share_of=lambda path: "nfs4")
        watcher.start()
        watcher.follow(folders.every(db))
        found = watcher.watching()[folder_id]
        assert watcher.problem is None  # it is no fault
        if note:
            assert (found.watched, watcher._watches) == (0, {})
            assert "looked through every 15 min" in (found.note or "")
            assert note in (found.note or "")
        else:
            assert found == Watching(watched=2, of=2)
        watcher.stop()


def test_the_kind_of_file_system_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    known = dict(filesystems.mounts())
    assert filesystems.kind_of(Path("/proc/self/fd")) == known[Path("/proc")]
    assert filesystems.kind_of(tmp_path) not in filesystems.UNTELLING


@contextmanager
def scouting(tmp_path: Path, photos: Path, **scan: object) -> Iterator[Database]:
    """Scouts at work on an active folder."""
    config = settings(tmp_path, scan={"settle_s": 0.0, **scan})
    with opened(config) as shop:
        add_folder(shop.db, photos)
        stop = threading.Event()
        scouts = Scouts(shop, stop)
        thread = threading.Thread(target=scouts.work)
        thread.start()
        try:
            yield shop.db
        finally:
            stop.set()
            thread.join()


def wait_for(db: Database, count: int, *, within_s: float) -> float:
    began = time.monotonic()
    while (found := status.read(db).total) != count:
        assert time.monotonic() - began < within_s, f"{found} of {count}"
        time.sleep(0.2)
    return time.monotonic() - began


def test_what_no_hint_told_of_is_found_within_the_interval(
    tmp_path: Path, photos: Path
) -> None:
    with scouting(tmp_path, photos, watch="never", interval_min=0.03) as db:
        wait_for(db, 2, within_s=10)
        (photos / "c.jpg").write_bytes(b"c")
        wait_for(db, 3, within_s=10)


@pytest.mark.slow
def test_fifty_thousand_files_dropped_at_once_all_arrive(
    tmp_path: Path, photos: Path
) -> None:
    # An hour between scans: hints alone must do it, or say that some were lost.
    with scouting(tmp_path, photos, interval_min=60.0) as db:
        wait_for(db, 2, within_s=10)
        time.sleep(2)
        make = (
            "mkdir -p burst && for d in $(seq 500); do mkdir -p many/$d; done; "
            "seq 25000 | sed 's/.*/burst\\/&.jpg/' | xargs touch; "
            'seq 25000 | awk \'{print "many/" (1 + $1 % 500) "/" $1 ".jpg"}\' '
            "| xargs touch"
        )
        subprocess.run(["sh", "-c", make], cwd=photos, check=True)
        wait_for(db, 50_002, within_s=120)
