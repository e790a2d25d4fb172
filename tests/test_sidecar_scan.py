"""Sidecars that change alone are noticed, by a scan that stays as cheap as it was."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tagger.pipeline.discover import Scanner
from tagger.pipeline.watch import Watcher
from tagger.records import FileWords, ImageState, PlaceWords, StatKey, WriteMode
from tagger.tracking import bound, folders, jobs, looks, sidecars
from tagger.tracking.database import Database
from tagger.tracking.sidecars import Beside, Stand
from tests.support_tracking import add_folder, looked
from tests.test_tracking import counted_statements, image

XMP = b"<rdf:RDF></rdf:RDF>"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg", "deep/c.jpg"):
        (folder / name).write_bytes(name.encode())
    for name in ("a.jpg.xmp", "b.xmp"):
        (folder / name).write_bytes(XMP)
    return folder


def scanner(db: Database, *, settle_s: float = 0.0) -> Scanner:
    return Scanner(db, data_dir=db.path.parent, settle_s=settle_s)


def done(db: Database, *, in_mirror: bool = False) -> None:
    """Every photo that waits is looked at and done, with the sidecars it has."""
    for job in jobs.claim(db, limit=9999):
        looked(db, job)
        names = [job.path + b".xmp", os.path.splitext(job.path)[0] + b".xmp"]
        if in_mirror:
            mirror = os.fsencode(db.path.parent / "mirror")
            names += [mirror + name for name in names]
        stands = [
            Stand(path=n, stat=StatKey.of(os.stat(n)), is_read=True, content_hash="h")
            for n in names
            if os.path.exists(n)
        ]
        beside = Beside(stands=tuple(stands), place=names[0])
        looks.record_words(db, job, FileWords(), beside=beside)
        jobs.finish(db, job, ImageState.TAGGED)


def scanned(db: Database, folder_id: int, **options: float) -> int:
    outcome = scanner(db, **options).scan(folders.get(db, folder_id))
    assert outcome is not None
    return outcome.changed


def waiting(db: Database) -> list[str]:
    return sorted(
        os.path.basename(os.fsdecode(job.path)) for job in jobs.claim(db, limit=99)
    )


@pytest.fixture
def folder(db: Database, photos: Path) -> int:
    folder_id = add_folder(db, photos, write_mode=WriteMode.SIDECAR)
    scanned(db, folder_id)
    done(db)
    return folder_id


def test_sidecars_that_are_as_they_were_are_no_news(db: Database, folder: int) -> None:
    assert scanned(db, folder) == 0
    assert waiting(db) == []


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda p: (p / "a.jpg.xmp").write_bytes(XMP + b" "), "a.jpg"),
        (lambda p: os.utime(p / "b.xmp", (1, 1)), "b.jpg"),
        (lambda p: (p / "b.xmp").unlink(), "b.jpg"),
        (lambda p: (p / "deep" / "c.jpg.xmp").write_bytes(XMP), "c.jpg"),
        (lambda p: (p / "deep" / "c.XMP").write_bytes(XMP), "c.jpg"),
        (lambda p: os.rename(p / "b.xmp", p / "b.jpg.xmp"), "b.jpg"),
        (lambda p: (p / "a.xmp").write_bytes(XMP), "a.jpg"),
    ],
    ids=["written", "touched", "gone", "new", "new by stem", "renamed", "a second"],
)
def test_a_change_of_a_sidecar_alone_is_a_change_of_its_photo(
    db: Database, photos: Path, folder: int, change: Callable[[Path], None], name: str
) -> None:
    before = image(db, name).id
    change(photos)
    assert scanned(db, folder) == 1
    assert image(db, name).id == before
    assert image(db, name).state is ImageState.QUEUED
    [job] = jobs.claim(db, limit=9)
    assert job.looked  # its pixels are as they were: only the words are read
    looks.record_words(db, job, FileWords())


@pytest.mark.parametrize(
    "name", ["ab.xmp", "a.xmp.xmp", "A.jpg.Xmp", "a.jpg.txt", ".a.jpg.xmp", "z.xmp"]
)
def test_what_is_nobodys_sidecar_troubles_nobody(
    db: Database, photos: Path, folder: int, name: str
) -> None:
    (photos / name).write_bytes(XMP)
    assert scanned(db, folder) == 0


def test_a_sidecar_that_is_still_being_written_is_waited_for(
    db: Database, photos: Path, folder: int
) -> None:
    (photos / "a.jpg.xmp").write_bytes(XMP + b" ")
    assert scanned(db, folder, settle_s=3.0) == 1
    assert waiting(db) == []
    due = bound.next_due(db)
    assert due is not None
    assert 0 < due <= 3


def test_nothing_below_an_unreadable_folder_was_taken_away(
    db: Database, photos: Path, folder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root reads every folder, so the system's refusal is what is made up here."""
    (photos / "deep" / "c.jpg.xmp").write_bytes(XMP)
    scanned(db, folder)
    done(db)
    (photos / "deep" / "c.jpg.xmp").unlink()
    scandir = os.scandir

    def refuse(path: bytes) -> object:
        if path == os.fsencode(photos / "deep"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert scanned(db, folder) == 0
    monkeypatch.undo()
    assert scanned(db, folder) == 1


def test_a_hint_about_a_sidecar_looks_at_its_photo_only(
    db: Database, photos: Path, folder: int
) -> None:
    (photos / "a.jpg.xmp").write_bytes(XMP + b" ")
    (photos / "b.xmp").unlink()
    one = scanner(db)
    hints = [os.fsencode(photos / "a.jpg.xmp")]
    outcome = one.look_at(folders.get(db, folder), hints)
    assert outcome is not None
    assert (outcome.changed, outcome.missing) == (1, 0)
    assert waiting(db) == ["a.jpg"]
    outcome = one.look_at(folders.get(db, folder), [os.fsencode(photos / "b.xmp")])
    assert outcome is not None
    assert (outcome.changed, outcome.missing) == (1, 0)


def test_a_sidecar_in_the_mirror_is_noticed_by_scan_and_hint(
    db: Database, photos: Path
) -> None:
    folder = add_folder(db, photos, write_mode=WriteMode.MIRROR)
    scanned(db, folder)
    done(db)
    mirror = Path(f"{db.path.parent}/mirror{photos}")
    (mirror / "deep").mkdir(parents=True)
    (mirror / "deep" / "c.jpg.xmp").write_bytes(XMP)
    (mirror / "deep" / "c.XMP").write_bytes(XMP)
    assert scanned(db, folder) == 1
    done(db, in_mirror=True)
    assert scanned(db, folder) == 0
    (mirror / "deep" / "c.jpg.xmp").write_bytes(XMP + b" ")
    (mirror / "a.jpg.xmp").write_bytes(XMP)
    one = scanner(db)
    for hint, name in ((mirror / "deep", "c.jpg"), (mirror / "a.jpg.xmp", "a.jpg")):
        outcome = one.look_at(folders.get(db, folder), [os.fsencode(hint)])
        assert outcome is not None
        assert outcome.changed == 1
        assert image(db, name).state is ImageState.QUEUED


def test_a_photo_that_was_moved_looks_for_its_sidecar(
    db: Database, photos: Path, folder: int
) -> None:
    os.rename(photos / "a.jpg", photos / "z.jpg")
    assert scanned(db, folder) == 0
    assert waiting(db) == ["z.jpg"]


def test_a_photo_that_comes_to_stand_beside_a_sidecar_reads_it(
    db: Database, photos: Path, folder: int
) -> None:
    """Though that one is on record for another photo, which is gone."""
    (photos / "a.jpg").unlink()
    scanned(db, folder)
    os.rename(photos / "deep" / "c.jpg", photos / "deep" / "d.jpg")
    (photos / "deep" / "d.jpg.xmp").write_bytes(XMP)
    scanned(db, folder)
    assert "d.jpg" in waiting(db)


def test_a_scan_asks_the_disk_and_the_database_nothing_for_each_photo(
    db: Database, photos: Path, folder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(100):
        (photos / f"{n}.jpg").write_bytes(b"x")
        (photos / f"{n}.jpg.xmp").write_bytes(XMP)
    scanned(db, folder)
    done(db)
    asked: list[object] = []
    stat = os.stat

    def count(path: object, **options: object) -> os.stat_result:
        asked.append(path)
        return stat(path, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(os, "stat", count)
    with counted_statements() as sent:
        assert scanned(db, folder) == 0
    assert len(asked) < 20
    assert len(sent) < 40
    (photos / "7.jpg.xmp").write_bytes(XMP + b" ")
    asked.clear()
    with counted_statements() as sent:
        assert scanned(db, folder) == 1
    assert len(asked) < 20
    assert len(sent) < 50


# --- hints ---


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    one = Watcher()
    one.start()
    yield one
    one.stop()


def hinted(watcher: Watcher) -> dict[int, list[bytes] | None]:
    end = time.monotonic() + 15
    while not (hints := watcher.hints()):
        assert time.monotonic() < end, "there was no hint"
        time.sleep(0.05)
    return hints


def test_a_sidecar_gives_a_hint_and_our_own_writes_of_one_do_not(
    db: Database, photos: Path, folder: int, watcher: Watcher, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    watcher.follow(folders.every(db), [(folder, os.fsencode(mirror))])
    watcher.forget(folder)
    temporary = mirror / ".tagger-1-0.xmp"
    temporary.write_bytes(XMP)
    os.replace(temporary, mirror / "a.jpg.xmp")
    time.sleep(1.5)
    assert watcher.hints() == {}
    (photos / "a.jpg.xmp").write_bytes(XMP + b" ")
    (mirror / "a.jpg.xmp").unlink()
    assert hinted(watcher) == {
        folder: sorted(os.fsencode(p / "a.jpg.xmp") for p in (photos, mirror))
    }


# --- the record ---


def test_what_a_sidecar_held_is_kept_while_it_cannot_be_read(
    db: Database, photos: Path, folder: int
) -> None:
    path = os.fsencode(photos / "a.jpg.xmp")
    stand = Stand(
        path=path, stat=StatKey.of(os.stat(path)), is_read=True, content_hash="whole"
    )
    words = FileWords(
        tags=("Rex",), description="x", sidecars={path: PlaceWords(tags=("Rex",))}
    )
    file_id = image(db, "a.jpg").id

    def record(words: FileWords, stand: Stand) -> list[sidecars.Known]:
        with db.write() as connection:
            jobs.queue(connection, [file_id])
        [job] = jobs.claim(db, limit=1)
        beside = Beside(stands=(stand,), place=path)
        looks.record_words(db, job, words, beside=beside)
        jobs.finish(db, job, ImageState.TAGGED)
        return sidecars.known(db, file_id)

    record(words, stand)
    (photos / "a.jpg.xmp").write_bytes(XMP[:5])
    half = Stand(
        path=path, stat=StatKey.of(os.stat(path)), is_read=True, content_hash="half"
    )
    [known] = record(FileWords(damaged=(path,)), half)
    assert (known.tags, known.content_hash) == (("Rex",), "whole")
    assert known.stat == half.stat
    assert [tag.name for tag in image(db, "a.jpg").tags] == ["Rex"]
