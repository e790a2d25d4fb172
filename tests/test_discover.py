"""Discover: each photo once, and absence believed only when it is certain."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from tagger.pipeline.discover import Scanner
from tagger.pipeline.territory import Territory
from tagger.pipeline.walking import Walk, is_photo, walk
from tagger.records import ImageState, StatKey, WriteMode
from tagger.tracking import files, folders, places, snapshots
from tagger.tracking.database import Database
from tagger.tracking.files import Seen
from tests.support_tracking import add_folder
from tests.test_tracking import counted_statements


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "deep" / "er").mkdir(parents=True)
    for name in ("a.jpg", "B.HEIC", "deep/c.png", "deep/er/d.webp"):
        (folder / name).write_bytes(b"x")
    for name in (".hidden.jpg", "notes.txt", "e.jpg_exiftool_tmp", ".tagger-1.jpg"):
        (folder / name).write_bytes(b"x")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "f.jpg").write_bytes(b"x")
    return folder


def scanner(db: Database) -> Scanner:
    return Scanner(db, data_dir=db.path.parent, settle_s=0.0)


def names(paths: list[bytes]) -> list[str]:
    return sorted(os.path.basename(os.fsdecode(path)) for path in paths)


def seen(root: Path, *, recursive: bool = True) -> list[str]:
    found = walked(root, recursive=recursive)
    return names([one.path for one in found.seen])


def walked(root: Path, *, recursive: bool = True, data_dir: Path | None = None) -> Walk:
    return walk(Territory(os.fsencode(root), recursive=recursive, data_dir=data_dir))


def states(db: Database) -> dict[str, ImageState]:
    return {
        os.path.basename(image.shown_path): image.state
        for image in snapshots.after(db, 0, limit=100)
    }


def test_photos_are_found_and_nothing_else(photos: Path) -> None:
    assert seen(photos) == ["B.HEIC", "a.jpg", "c.png", "d.webp"]
    assert seen(photos, recursive=False) == ["B.HEIC", "a.jpg"]


@pytest.mark.parametrize("name", [b"x.jpg", b"x.TIFF", b"\xff.avif"])
def test_known_endings_are_photos(name: bytes) -> None:
    assert is_photo(name)


def test_a_loop_of_links_ends_and_counts_each_photo_once(photos: Path) -> None:
    (photos / "deep" / "back").symlink_to(photos)
    (photos / "again.jpg").symlink_to(photos / "a.jpg")
    found = walked(photos)
    assert len({one.path for one in found.seen}) == 4


def test_a_nested_folder_has_its_own_settings(db: Database, photos: Path) -> None:
    outer, inner = add_folder(db, photos), add_folder(db, photos / "deep")
    for folder in folders.every(db):
        scanner(db).scan(folder)
    assert len(places.present(db, outer, limit=9)) == 2
    assert len(places.present(db, inner, limit=9)) == 2


def test_a_folder_nested_later_takes_its_photos_over(
    db: Database, photos: Path
) -> None:
    outer = add_folder(db, photos)
    scanner(db).scan(folders.get(db, outer))
    before = {i.shown_path: i.id for i in snapshots.after(db, 0, limit=9)}
    inner = add_folder(db, photos / "deep")
    scanner(db).scan(folders.get(db, inner))
    scanner(db).scan(folders.get(db, outer))
    assert len(places.present(db, inner, limit=9)) == 2
    assert {i.shown_path: i.id for i in snapshots.after(db, 0, limit=9)} == before
    assert ImageState.MISSING not in states(db).values()


def test_an_unreachable_folder_is_offline_and_nothing_is_missing(
    db: Database, photos: Path
) -> None:
    folder = add_folder(db, photos)
    scanner(db).scan(folders.get(db, folder))
    os.rename(photos, photos.with_name("unplugged"))
    assert scanner(db).scan(folders.get(db, folder)) is None
    assert "is its disk connected" in (folders.get(db, folder).offline or "")
    assert ImageState.MISSING not in states(db).values()
    os.rename(photos.with_name("unplugged"), photos)
    scanner(db).scan(folders.get(db, folder))
    assert folders.get(db, folder).offline is None


def test_a_folder_that_is_suddenly_empty_is_offline(db: Database, photos: Path) -> None:
    folder = add_folder(db, photos)
    scanner(db).scan(folders.get(db, folder))
    os.rename(photos, photos.with_name("unplugged"))
    photos.mkdir()
    assert scanner(db).scan(folders.get(db, folder)) is None
    assert "suddenly empty" in (folders.get(db, folder).offline or "")
    assert ImageState.MISSING not in states(db).values()


def test_another_disk_at_the_same_place_is_offline(db: Database, photos: Path) -> None:
    folder = add_folder(db, photos)
    scanner(db).scan(folders.get(db, folder))
    os.rename(photos, photos.with_name("unplugged"))
    photos.mkdir()
    (photos / "other.jpg").write_bytes(b"x")
    folders.set_root_device(db, folder, 1)
    assert scanner(db).scan(folders.get(db, folder)) is None
    assert "another disk" in (folders.get(db, folder).offline or "")


def test_a_disk_with_a_new_number_and_its_old_photos_is_the_same(
    db: Database, photos: Path
) -> None:
    folder = add_folder(db, photos)
    scanner(db).scan(folders.get(db, folder))
    folders.set_root_device(db, folder, 1)
    assert scanner(db).scan(folders.get(db, folder)) is not None
    assert folders.root_device(db, folder) == os.stat(photos).st_dev


# As root every folder can be read, so the walk is done by another user.
UNREADABLE = """
import os, sys
from tagger.pipeline.territory import Territory
from tagger.pipeline.walking import walk
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
found = walk(Territory(os.fsencode(sys.argv[1]), recursive=True))
print(len(found.seen), [os.path.basename(p) for p in found.unreadable])
"""


def test_an_unreadable_subfolder_is_told_from_an_empty_one() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder, closed = Path(place), Path(place, "closed")
        folder.chmod(0o755)
        closed.mkdir()
        for path in (folder / "a.jpg", closed / "b.jpg"):
            path.write_bytes(b"x")
        closed.chmod(0)
        answer = subprocess.run(
            [sys.executable, "-c", UNREADABLE, place],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parent.parent,
            check=True,
        )
        closed.chmod(0o755)
    assert answer.stdout.strip() == "1 [b'closed']"


def test_the_programs_own_data_is_never_searched(db: Database, photos: Path) -> None:
    inside = photos / "data"
    (inside / "thumbnails").mkdir(parents=True)
    (inside / "thumbnails" / "t.jpg").write_bytes(b"x")
    (inside / "samples").mkdir()
    (inside / "samples" / "s.jpg").write_bytes(b"x")
    found = walked(photos, data_dir=inside)
    assert "t.jpg" not in names([one.path for one in found.seen])


def test_left_over_temporary_files_go_when_no_other_tagger_works(
    db: Database, photos: Path
) -> None:
    with subprocess.Popen(["true"]) as gone:
        stray = photos / f".tagger-{gone.pid}-{'0' * 32}.tmp"
    ours = photos / f".tagger-{os.getppid()}-{'0' * 32}.tmp"
    for path in (stray, ours):
        path.write_bytes(b"half")
    folder = folders.get(db, add_folder(db, photos))
    later = scanner(db)
    later.scan(folder, alone=False)
    assert stray.exists()
    later.scan(folder, alone=True)
    assert not stray.exists()
    assert ours.exists()  # of a process at work


def test_a_hint_looks_at_what_it_names_only(db: Database, photos: Path) -> None:
    folder = folders.get(db, add_folder(db, photos))
    one = scanner(db)
    one.scan(folder)
    (photos / "new.jpg").write_bytes(b"x")
    (photos / "a.jpg").unlink()
    (photos / "deep" / "c.png").unlink()
    outcome = one.look_at(
        folder, [os.fsencode(photos / "new.jpg"), os.fsencode(photos / "a.jpg")]
    )
    assert outcome is not None
    assert (outcome.new, outcome.missing) == (1, 1)
    assert states(db)["c.png"] is ImageState.QUEUED
    outcome = one.look_at(folder, [os.fsencode(photos / "deep")])
    assert outcome is not None
    assert outcome.missing == 1


def test_hints_lead_into_no_hidden_folder(db: Database, photos: Path) -> None:
    folder = folders.get(db, add_folder(db, photos))
    scanner(db).scan(folder)
    before = states(db)
    scanner(db).look_at(
        folder,
        [
            os.fsencode(photos / path)
            for path in (".hidden/f.jpg", ".hidden", ".hidden.jpg")
        ],
    )
    assert states(db) == before


def test_a_hint_to_the_outer_folder_leaves_a_photo_with_the_inner_one(
    db: Database, photos: Path
) -> None:
    outer = add_folder(db, photos)
    inner = add_folder(db, photos / "deep", write_mode=WriteMode.NONE)
    for folder in folders.every(db):
        scanner(db).scan(folder)
    (photos / "deep" / "new.jpg").write_bytes(b"x")
    paths = [os.fsencode(photos / "deep"), os.fsencode(photos / "deep" / "new.jpg")]
    scanner(db).look_at(folders.get(db, outer), paths)
    assert len(places.present(db, outer, limit=9)) == 2
    scanner(db).look_at(folders.get(db, inner), paths)
    assert len(places.present(db, inner, limit=9)) == 3


def test_subfolders_of_a_flat_nested_folder_stay_with_the_outer_one(
    db: Database, photos: Path
) -> None:
    outer = add_folder(db, photos)
    inner = folders.add(
        db,
        os.fsencode(photos / "deep"),
        recursive=False,
        write_mode=WriteMode.NONE,
        data_dir=db.path.parent,
    )
    for folder in folders.every(db):
        scanner(db).scan(folder)
    assert names(places.present(db, inner.id, limit=9)) == ["c.png"]
    assert names(places.present(db, outer, limit=9)) == ["B.HEIC", "a.jpg", "d.webp"]
    (photos / "deep" / "er" / "new.jpg").write_bytes(b"x")
    hints = [os.fsencode(photos / "deep" / "er")]
    assert scanner(db).look_at(inner, hints) is None


def test_a_link_into_another_folder_does_not_bring_its_photos_here(
    db: Database, photos: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / "sub").mkdir(parents=True)
    (other / "sub" / "x.jpg").write_bytes(b"x")
    (photos / "link").symlink_to(other / "sub")
    (photos / "x.jpg").symlink_to(other / "sub" / "x.jpg")
    here, there = add_folder(db, photos), add_folder(db, other)
    for folder in folders.every(db) * 2:
        scanner(db).scan(folder)
    assert names(places.present(db, there, limit=9)) == ["x.jpg"]
    assert len(places.present(db, here, limit=9)) == 4


def test_a_link_upwards_does_not_bring_in_what_lies_around(
    photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "private.jpg").write_bytes(b"x")
    (photos / "up").symlink_to(tmp_path)
    assert seen(photos) == ["B.HEIC", "a.jpg", "c.png", "d.webp"]


def test_a_hinted_link_is_no_second_photo(db: Database, photos: Path) -> None:
    folder = folders.get(db, add_folder(db, photos))
    scanner(db).scan(folder)
    (photos / "again.jpg").symlink_to(photos / "a.jpg")
    scanner(db).look_at(folder, [os.fsencode(photos / "again.jpg")])
    assert len(states(db)) == 4


def test_a_hint_from_a_disk_that_went_away_makes_nothing_missing(
    db: Database, photos: Path
) -> None:
    folder = folders.get(db, add_folder(db, photos))
    scanner(db).scan(folder)
    os.rename(photos, photos.with_name("unplugged"))
    photos.mkdir()
    scanner(db).look_at(folder, [os.fsencode(photos / "a.jpg")])
    assert ImageState.MISSING not in states(db).values()
    assert folders.get(db, folder.id).offline is not None


def test_a_folder_taken_out_during_its_scan_stays_out(
    db: Database, photos: Path
) -> None:
    folder = folders.get(db, add_folder(db, photos))
    folders.remove(db, folder.id)
    scanner(db).scan(folder)
    scanner(db).look_at(folder, [os.fsencode(photos / "a.jpg")])
    assert places.present(db, folder.id, limit=9) == []


def test_photos_of_a_nested_folder_taken_out_come_back_under_the_outer_one(
    db: Database, photos: Path
) -> None:
    outer, inner = add_folder(db, photos), add_folder(db, photos / "deep")
    for folder in folders.every(db):
        scanner(db).scan(folder)
    assert folders.due(db, interval_s=3600) == []
    folders.remove(db, inner)
    [due] = folders.due(db, interval_s=3600)
    scanner(db).scan(due)
    assert len(places.present(db, outer, limit=9)) == 4


def test_one_file_reached_by_two_paths_counts_once(
    db: Database, photos: Path, tmp_path: Path
) -> None:
    """As through a bind mount: another path, the same inode, and but one name."""
    first, second = add_folder(db, photos), add_folder(db, tmp_path / "other")
    scanner(db).scan(folders.get(db, first))
    (tmp_path / "other" / "bound").symlink_to(photos / "deep")
    bound = os.fsencode(tmp_path / "other" / "bound" / "c.png")
    seen = [Seen(bound, StatKey.of(os.stat(bound)))]
    assert files.apply_scan(db, second, seen).new == 0
    assert len(states(db)) == 4
    os.link(photos / "deep" / "c.png", tmp_path / "other" / "linked.png")
    linked = os.fsencode(tmp_path / "other" / "linked.png")
    seen = [Seen(linked, StatKey.of(os.stat(linked)))]
    assert files.apply_scan(db, second, seen).new == 1


# -- a rescan -------------------------------------------------------------------------


def scanned(db: Database, photos: Path) -> int:
    folder_id = add_folder(db, photos)
    scanner(db).scan(folders.get(db, folder_id))
    return folder_id


def rescan(db: Database, folder_id: int) -> dict[str, int]:
    """What a scan changed, without what it did not."""
    outcome = scanner(db).scan(folders.get(db, folder_id))
    assert outcome is not None
    return {name: count for name, count in asdict(outcome).items() if count}


def test_a_rescan_makes_nothing_of_what_is_as_it_was(
    db: Database, photos: Path
) -> None:
    folder_id = scanned(db, photos)
    known = files.stamps(db, folder_id)
    assert len(known) == 4
    found = walk(Territory(os.fsencode(photos), recursive=True), known=known)
    assert (found.seen, found.unchanged, found.known) == ([], 4, {})
    assert rescan(db, folder_id) == {"seen": 4}


@pytest.mark.parametrize("seconds", [0, -5, 1, 1_700_000_000, 4_000_000_000])
def test_a_stamp_is_the_same_from_a_file_and_from_the_database(
    db: Database, photos: Path, seconds: int
) -> None:
    path = os.fsencode(photos / "a.jpg")
    os.utime(path, ns=(0, seconds * 1_000_000_000 + 7))
    known = files.stamps(db, scanned(db, photos))
    assert known[path] == files.stamp(os.stat(path))


def longer(path: Path) -> None:
    path.write_bytes(b"longer")


def other_bytes(path: Path) -> None:
    path.write_bytes(b"y")


def older(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns - 1))


def another_file(path: Path) -> None:
    stat = path.stat()
    path.with_name("new").write_bytes(b"z")
    os.utime(path.with_name("new"), ns=(stat.st_atime_ns, stat.st_mtime_ns))
    path.with_name("new").rename(path)


@pytest.mark.parametrize("change", [longer, other_bytes, older, another_file])
def test_every_kind_of_change_is_noticed(
    db: Database, photos: Path, change: Callable[[Path], None]
) -> None:
    folder_id = scanned(db, photos)
    change(photos / "deep" / "c.png")
    assert rescan(db, folder_id) == {"seen": 4, "changed": 1}
    assert rescan(db, folder_id) == {"seen": 4}


def gone(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_dead_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def a_link_to_another(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent.parent / "a.jpg")


@pytest.mark.parametrize("change", [gone, a_folder, a_dead_link, a_link_to_another])
def test_what_is_no_photo_any_more_is_missing_and_comes_back(
    db: Database, photos: Path, change: Callable[[Path], None]
) -> None:
    folder_id = scanned(db, photos)
    path = photos / "deep" / "c.png"
    change(path)
    assert rescan(db, folder_id)["missing"] == 1
    assert "missing" not in rescan(db, folder_id)
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        path.rmdir()
    path.write_bytes(b"back")
    assert rescan(db, folder_id)["returned"] == 1
    assert states(db)["c.png"] is ImageState.QUEUED


def test_a_rescan_asks_no_query_for_each_file_however_many_changed(
    db: Database, photos: Path
) -> None:
    for number in range(900):
        (photos / f"{number}.jpg").write_bytes(b"x")
    folder_id = scanned(db, photos)
    for number in range(300):
        (photos / f"{number}.jpg").unlink()
    for number in range(900, 1200):
        (photos / f"{number}.jpg").write_bytes(b"x")
    with counted_statements() as sent:
        assert rescan(db, folder_id) == {"seen": 904, "new": 300, "missing": 300}
        assert rescan(db, folder_id) == {"seen": 904}
    assert len(sent) < 100


@pytest.mark.slow
@pytest.mark.alone
def test_a_rescan_costs_at_most_twice_what_listing_the_files_does(
    db: Database, tmp_path: Path
) -> None:
    root = tmp_path / "photos"
    for number in range(1_000):
        (root / f"{number % 50}" / f"{number}").mkdir(parents=True)
        for photo in range(200):
            (root / f"{number % 50}" / f"{number}" / f"{photo}.jpg").touch()
    folder_id = scanned(db, root)
    ratios = []
    for _ in range(5):
        before, listed = cpu_s(lambda: listed_alone(root))
        after, outcome = cpu_s(lambda: rescan(db, folder_id))
        assert outcome == {"seen": listed}
        ratios.append(after / before)
    assert min(ratios) <= 2, ratios


def cpu_s(work: Callable[[], object]) -> tuple[float, object]:
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def listed_alone(root: Path) -> int:
    count, waiting = 0, [os.fsencode(root)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    count += 1
    return count
