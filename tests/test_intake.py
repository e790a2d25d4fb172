"""The catalogue follows the tracking database, whatever happens to either."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from tagger.catalogue import intake, schema
from tagger.catalogue.compare import differences
from tagger.catalogue.questions import (
    NotFound,
    Wanted,
    counts,
    image,
    page,
    tag_counts,
)
from tagger.catalogue.store import Catalogue
from tagger.records import ImageState, ImageTag
from tagger.tracking import changes, folders, snapshots
from tagger.tracking.database import Database
from tests.support_catalogue import (
    Photo,
    add_folder,
    many,
    open_catalogue,
    path_of,
    tagged,
    vanish,
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with open_catalogue(tmp_path) as opened:
        yield opened


@pytest.fixture
def folder_id(db: Database, tmp_path: Path) -> int:
    return add_folder(db, tmp_path / "photos")


def found(catalogue: Catalogue, query: str) -> int:
    return page(catalogue, Wanted(query=query)).total


def test_an_answer_arrives_whole(
    catalogue: Catalogue, db: Database, folder_id: int, tmp_path: Path
) -> None:
    photo = Photo(
        name="a.jpg",
        description="A dog.",
        tags=["dog", "grass"],
        found_tags=["Rex"],
        text="STOP",
        taken_at="2024-05-01T10:00:00",
        camera="Canon",
        gps=(-45.5, 12.25),
    )
    (image_id,) = tagged(db, folder_id, photo)
    intake.take(catalogue, db)

    (snapshot,) = snapshots.images(db, [image_id])
    stored = image(catalogue, image_id)
    for field in ("identity", "dhash", "facts", "description", "text", "model"):
        assert getattr(stored, field) == getattr(snapshot, field)
    assert stored.shown_path == str(tmp_path / "photos" / "a.jpg")
    assert stored.folder_path == str(tmp_path / "photos")
    assert [(tag.name, tag.source) for tag in stored.tags] == [
        ("Rex", "file"),
        ("dog", "gemma3:4b"),
        ("grass", "gemma3:4b"),
    ]
    assert isinstance(stored.tags[0], ImageTag)


def test_taking_twice_adds_nothing(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    tagged(db, folder_id, Photo(name="a.jpg", tags=["dog"]), Photo(name="b.jpg"))

    assert intake.take(catalogue, db) > 0
    assert intake.take(catalogue, db) == 0
    assert counts(catalogue).total == 2
    assert [(tag.name, tag.count) for tag in tag_counts(catalogue)] == [("dog", 1)]
    assert differences(catalogue, db) == []


def test_changes_come_in_small_batches_all_the_same(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    intake.take(catalogue, db)
    many(db, folder_id, 25)

    assert intake.take(catalogue, db, batch_rows=4) == 25
    assert found(catalogue, "number24") == 1
    assert differences(catalogue, db) == []


def test_a_change_is_seen_everywhere(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    (image_id,) = tagged(db, folder_id, Photo(description="A dog.", tags=["dog"]))
    intake.take(catalogue, db)
    with db.write() as connection:
        connection.execute(text("UPDATE results SET description = 'A cat.'"))
        connection.execute(text("DELETE FROM result_tags"))
        changes.record(connection, changes.IMAGE, [image_id])
    intake.take(catalogue, db)

    assert found(catalogue, "dog") == 0
    assert found(catalogue, "cat") == 1
    assert tag_counts(catalogue) == []
    assert differences(catalogue, db) == []


def test_photos_of_a_removed_folder_go(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    (image_id,) = tagged(db, folder_id, Photo(description="A dog.", tags=["dog"]))
    intake.take(catalogue, db)
    folders.remove(db, folder_id)
    intake.take(catalogue, db)

    with pytest.raises(NotFound, match=f"number {image_id}"):
        image(catalogue, image_id)
    assert found(catalogue, "dog") == 0
    assert counts(catalogue).folders == 0
    assert differences(catalogue, db) == []


def test_a_renamed_tag_is_found_by_its_new_name(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    tagged(db, folder_id, Photo(tags=["puppy"]), Photo(name="b.jpg", tags=["cat"]))
    intake.take(catalogue, db)
    with db.write() as connection:
        connection.execute(
            text("UPDATE tags SET name = 'hound', key = 'hound' WHERE key = 'puppy'")
        )
        tag_id = connection.scalar(text("SELECT id FROM tags WHERE key = 'hound'"))
        changes.record(connection, changes.TAG, [tag_id])
    intake.take(catalogue, db)

    assert found(catalogue, "hound") == found(catalogue, "tag:hound") == 1
    assert found(catalogue, "puppy") == found(catalogue, "tag:puppy") == 0
    assert differences(catalogue, db) == []


def test_missing_photos_stay_but_are_not_counted(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    (image_id,) = tagged(db, folder_id, Photo(tags=["dog"]))
    vanish(db, folder_id)
    intake.take(catalogue, db)

    assert image(catalogue, image_id).state is ImageState.MISSING
    assert (counts(catalogue).total, counts(catalogue).missing) == (0, 1)
    assert tag_counts(catalogue) == []


def test_names_that_are_not_utf8_are_shown_and_kept_apart(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    photos = [Photo(name=b"d\xe9/\xff.jpg"), Photo(name=b"d\xe8/\xfe.jpg")]
    ids = tagged(db, folder_id, *photos)
    intake.take(catalogue, db)

    assert [image(catalogue, image_id).name for image_id in ids] == ["\ufffd.jpg"] * 2
    assert found(catalogue, "folder:d\ufffd/") == 2
    assert differences(catalogue, db) == []
    assert path_of(db, folder_id, photos[0]).endswith(b"d\xe9/\xff.jpg")


def test_a_rebuild_comes_out_equal(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    intake.take(catalogue, db)
    many(db, folder_id, 500)
    tagged(db, folder_id, Photo(name="f.jpg", failed="it is empty"))
    intake.take(catalogue, db, batch_rows=100)
    before = _everything(catalogue)
    seen: list[tuple[int, int]] = []

    def note(done: int, total: int) -> None:
        seen.append((done, total))

    assert intake.rebuild(catalogue, db, note) == 501

    assert _everything(catalogue) == before
    assert differences(catalogue, db) == []
    assert seen[-1] == (501, 501)
    assert intake.take(catalogue, db) == 0


def _everything(catalogue: Catalogue) -> list[object]:
    with catalogue.cursor() as cursor:
        tables = [
            sorted(cursor.execute(f"SELECT * FROM {table.name}").fetchall())
            for table in (schema.IMAGE_TAGS, schema.TAGS, schema.FOLDERS)
        ]
        images = cursor.execute("SELECT * FROM images ORDER BY id").fetchall()
    pages = [
        page(catalogue, Wanted(query=word)) for word in ("river", "number7", "fo*")
    ]
    return [tables, images, pages]


def test_readers_see_all_photos_while_the_catalogue_is_rebuilt(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    many(db, folder_id, 1500)
    intake.take(catalogue, db)
    done = threading.Event()
    totals: set[tuple[int, int, int]] = set()

    def read() -> None:
        while not done.is_set():
            listed = page(catalogue, Wanted(tags=("river",)))
            totals.add(
                (counts(catalogue).total, listed.total, found(catalogue, "river"))
            )

    tagged_river = page(catalogue, Wanted(tags=("river",))).total
    expected = {(1500, tagged_river, found(catalogue, "river"))}
    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(2):
            intake.rebuild(catalogue, db)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert totals == expected


def test_threads_read_while_one_takes_in(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    intake.take(catalogue, db)
    done = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        while not done.is_set():
            listed = page(catalogue, Wanted(sort="oldest"), limit=5)
            tags = sum(tag.count for tag in tag_counts(catalogue))
            if tags % 4 or any(len(card.tags) != 4 for card in listed.images):
                wrong.append(f"{tags} tags")

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for start in range(0, 1000, 100):
            many(db, folder_id, 100, start=start)
            intake.take(catalogue, db, batch_rows=40)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert counts(catalogue).total == 1000


def test_rows_without_their_index_are_made_good(
    db: Database, folder_id: int, tmp_path: Path
) -> None:
    """As after a kill between the commit of the rows and that of the index."""
    search_dir, old = tmp_path / "data" / "search", tmp_path / "old"
    with open_catalogue(tmp_path) as catalogue:
        many(db, folder_id, 10)
        intake.take(catalogue, db)
    shutil.copytree(search_dir, old)
    with open_catalogue(tmp_path) as catalogue:
        many(db, folder_id, 10, start=10)
        intake.take(catalogue, db)
    shutil.rmtree(search_dir)
    shutil.copytree(old, search_dir)

    with open_catalogue(tmp_path) as catalogue:
        assert found(catalogue, "number15") == 0
        intake.take(catalogue, db)
        assert found(catalogue, "number15") == 1
        assert differences(catalogue, db) == []


def test_an_index_ahead_of_its_rows_is_made_good(
    db: Database, folder_id: int, tmp_path: Path
) -> None:
    """As after a power cut that lost the last commit of the rows."""
    path, old = tmp_path / "data" / "catalogue.duckdb", tmp_path / "old.duckdb"
    with open_catalogue(tmp_path) as catalogue:
        many(db, folder_id, 10)
        intake.take(catalogue, db)
    shutil.copy(path, old)
    with open_catalogue(tmp_path) as catalogue:
        many(db, folder_id, 10, start=10)
        intake.take(catalogue, db)
    shutil.copy(old, path)

    with open_catalogue(tmp_path) as catalogue:
        assert found(catalogue, "number15") == 1
        assert page(catalogue, Wanted()).total == 10
        intake.take(catalogue, db)
        assert page(catalogue, Wanted()).total == 20
        assert differences(catalogue, db) == []


@pytest.mark.parametrize("damage", ["lost", "cut", "meta", "mark", "foreign"])
def test_a_damaged_index_is_made_again(
    db: Database, folder_id: int, tmp_path: Path, damage: str
) -> None:
    with open_catalogue(tmp_path) as catalogue:
        many(db, folder_id, 50)
        intake.take(catalogue, db)
    _damage(tmp_path / "data" / "search", damage)

    with open_catalogue(tmp_path) as catalogue:
        assert intake.take(catalogue, db) == 0
        assert found(catalogue, "number15") == 1
        assert differences(catalogue, db) == []


def _damage(search_dir: Path, how: str) -> None:
    index = search_dir / "index"
    if how == "lost":
        shutil.rmtree(search_dir)
    elif how == "cut":
        for path in index.glob("*.term"):
            os.truncate(path, path.stat().st_size // 2)
    elif how == "meta":
        (index / "meta.json").write_text("{")
    elif how == "mark":
        (search_dir / "mark.json").write_text("no mark")
    else:
        mark = json.loads((search_dir / "mark.json").read_text())
        mark["catalogue_id"] = "another"
        (search_dir / "mark.json").write_text(json.dumps(mark))


def test_another_tracking_database_replaces_everything(
    catalogue: Catalogue, db: Database, folder_id: int, tmp_path: Path
) -> None:
    many(db, folder_id, 30)
    intake.take(catalogue, db)
    with Database.open(tmp_path / "other" / "tracking.db") as other:
        tagged(other, add_folder(other, tmp_path / "q"), Photo(description="A fox."))
        intake.take(catalogue, other)

        assert page(catalogue, Wanted()).total == 1
        assert (found(catalogue, "fox"), found(catalogue, "number7")) == (1, 0)
        assert differences(catalogue, other) == []


@pytest.mark.sqlite
def test_a_restored_older_tracking_database_is_taken_over_whole(
    db: Database, folder_id: int, tmp_path: Path
) -> None:
    many(db, folder_id, 10)
    backup = tmp_path / "backup" / "tracking.db"
    backup.parent.mkdir()
    _copy_database(db, backup)
    with open_catalogue(tmp_path) as catalogue:
        many(db, folder_id, 10, start=10)
        intake.take(catalogue, db)
        with Database.open(backup) as restored:
            intake.take(catalogue, restored)
            assert page(catalogue, Wanted()).total == 10
            assert found(catalogue, "number15") == 0
            assert differences(catalogue, restored) == []


def _copy_database(db: Database, target: Path) -> None:
    with closing(sqlite3.connect(db.path)) as connection:
        connection.execute("VACUUM INTO ?", [str(target)])


def test_rows_are_put_back_in_order_after_much_change(
    catalogue: Catalogue, db: Database, folder_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "UNTIDY_ROWS", 100)
    intake.take(catalogue, db)
    many(db, folder_id, 120)
    intake.take(catalogue, db)
    with db.write() as connection:
        changes.record(connection, changes.IMAGE, range(120, 0, -1))
    intake.take(catalogue, db, batch_rows=50)

    with catalogue.cursor() as cursor:
        stored = cursor.execute("SELECT id FROM images").fetchall()
        tags = cursor.execute("SELECT tag_id, image_id FROM image_tags").fetchall()
    assert stored == sorted(stored)
    assert tags == sorted(tags)
    assert differences(catalogue, db) == []


TAKER = """
import sys
from pathlib import Path
from tagger.catalogue import intake
from tagger.catalogue.store import Catalogue
from tagger.tracking.database import Database

data = Path(sys.argv[1])
db = Database.open(data / "tracking.db")
catalogue = Catalogue.open(data / "catalogue.duckdb", data / "search", wait_s=10)
print("ready", flush=True)
intake.take(catalogue, db, batch_rows=25)
while True:
    intake.rebuild(catalogue, db)
"""


@pytest.mark.sqlite
def test_a_kill_at_any_moment_loses_and_doubles_nothing(
    db: Database, folder_id: int, tmp_path: Path
) -> None:
    with open_catalogue(tmp_path) as catalogue:
        intake.take(catalogue, db)
    moments = random.Random(7)
    for start in range(0, 2000, 400):
        many(db, folder_id, 400, start=start)
        child = subprocess.Popen(
            [sys.executable, "-c", TAKER, str(tmp_path / "data")],
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(moments.uniform(0, 0.6))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()

    with open_catalogue(tmp_path) as catalogue:
        intake.take(catalogue, db)
        assert differences(catalogue, db) == []
        assert page(catalogue, Wanted()).total == 2000
        assert found(catalogue, "number1234") == 1
        assert len(list((tmp_path / "data" / "search").iterdir())) <= 3
