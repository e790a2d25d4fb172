"""Discover: each photo once, and absence believed only when it is certain."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tagger.pipeline.discover import Scanner, is_photo, walk
from tagger.records import ImageState
from tagger.tracking import files, folders, snapshots
from tagger.tracking.database import Database
from tests.support_tracking import add_folder


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
    found = walk(os.fsencode(root), recursive=recursive)
    return names([one.path for one in found.seen])


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
    found = walk(os.fsencode(photos), recursive=True)
    assert len({one.path for one in found.seen}) == 4


def test_a_nested_folder_has_its_own_settings(db: Database, photos: Path) -> None:
    outer, inner = add_folder(db, photos), add_folder(db, photos / "deep")
    for folder in folders.every(db):
        scanner(db).scan(folder)
    assert len(files.paths(db, outer, limit=9)) == 2
    assert len(files.paths(db, inner, limit=9)) == 2


def test_a_folder_nested_later_takes_its_photos_over(
    db: Database, photos: Path
) -> None:
    outer = add_folder(db, photos)
    scanner(db).scan(folders.get(db, outer))
    before = {i.shown_path: i.id for i in snapshots.after(db, 0, limit=9)}
    inner = add_folder(db, photos / "deep")
    scanner(db).scan(folders.get(db, inner))
    scanner(db).scan(folders.get(db, outer))
    assert len(files.paths(db, inner, limit=9)) == 2
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
from tagger.pipeline.discover import walk
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
found = walk(os.fsencode(sys.argv[1]), recursive=True)
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
    found = walk(os.fsencode(photos), recursive=True, data_dir=inside)
    assert "t.jpg" not in names([one.path for one in found.seen])


def test_left_over_temporary_files_go_when_no_other_tagger_works(
    db: Database, photos: Path
) -> None:
    folder = folders.get(db, add_folder(db, photos))
    later = scanner(db)
    later.scan(folder, alone=False)
    assert (photos / ".tagger-1.jpg").exists()
    later.scan(folder, alone=True)
    assert not (photos / ".tagger-1.jpg").exists()


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
