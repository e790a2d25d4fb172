"""A rebuild gives what photos taken in one by one give, and a kill leaves either."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tagger.catalogue import intake, schema
from tagger.catalogue.compare import differences
from tagger.catalogue.questions import Wanted, counts, page, tag_counts
from tagger.catalogue.store import Catalogue
from tagger.records import ImageState, StatKey
from tagger.tracking import changes, edits, files, folders, vocabulary
from tagger.tracking.database import Database
from tagger.tracking.files import Seen
from tests.support_catalogue import (
    Photo,
    add_folder,
    many,
    open_catalogue,
    path_of,
    tagged,
    vanish,
)

Step = Callable[[Database, dict[str, int]], object]


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with open_catalogue(tmp_path) as opened:
        yield opened


PHOTOS = {
    "plain": Photo(name="in/plain.jpg", description="A dog runs.", tags=["dog", "sea"]),
    "file": Photo(
        name="in/file.jpg",
        tags=["dog"],
        found_tags=["Rex", "Dog"],
        found_description="My Rex.",
        text="STOP",
        taken_at="2024-05-01T10:00:00",
        camera="Canon",
        gps=(-45.5, 12.25),
    ),
    "edited": Photo(name="in/edited.jpg", tags=["cat", "bar code"]),
    "taken out": Photo(name="in/out.jpg", tags=["cat", "only here"]),
    "undone": Photo(name="in/undone.jpg", tags=["undone word"], found_tags=["kept"]),
    "moved": Photo(name="away/moved.jpg", tags=["lake"], size_bytes=77),
    "failed": Photo(name="in/failed.jpg", failed="it is empty"),
    "not written": Photo(name="in/locked.jpg", tags=["lock"]),
    "odd": Photo(name=b"d\xe9/\xff.jpg", description="", tags=["Café", "CAFE\u0301"]),
    "waits": Photo(name="in/waits.jpg", tags=["seen already"]),
    "synonym": Photo(name="in/synonym.jpg", tags=["puppy", "spam"]),
}


def _sql(statement: str, name: str) -> Step:
    def step(db: Database, ids: dict[str, int]) -> None:
        with db.write() as connection:
            connection.execute(text(f"{statement} WHERE id = :id"), {"id": ids[name]})
            changes.record(connection, changes.IMAGE, [ids[name]])

    return step


def _move(db: Database, ids: dict[str, int]) -> None:
    with db.read() as connection:
        was = connection.execute(
            text("SELECT * FROM files WHERE id = :id"), {"id": ids["moved"]}
        ).one()
    stat = StatKey(was.dev, was.ino, was.size_bytes, was.mtime_ns, was.ctime_ns)
    here = path_of(db, was.folder_id, Photo(name="new/moved.jpg"))
    outcome = files.apply_scan(
        db, was.folder_id, [Seen(here, stat)], within=[was.path, here]
    )
    assert outcome.moved == 1


def _find(db: Database, ids: dict[str, int]) -> None:
    folder_id = folders.every(db)[0].id
    new = path_of(db, folder_id, Photo(name="in/found.jpg"))
    files.apply_scan(db, folder_id, [Seen(new, StatKey(1, 5, 9, 1, 1))], within=[new])


def _lose(db: Database, ids: dict[str, int]) -> None:
    gone = add_folder(db, db.path.parent.parent / "gone")
    tagged(db, gone, Photo(name="gone.jpg", tags=["ghost"]))
    vanish(db, gone)


def _remove(db: Database, ids: dict[str, int]) -> None:
    other = add_folder(db, db.path.parent.parent / "other")
    tagged(db, other, Photo(name="x.jpg", tags=["nowhere else"]))
    folders.remove(db, other)


def _rename_tag(db: Database, ids: dict[str, int]) -> None:
    with db.write() as connection:
        statement = "UPDATE tags SET name = 'SEA' WHERE key = 'sea' RETURNING id"
        renamed = connection.scalars(text(statement)).all()
        changes.record(connection, changes.TAG, renamed)


STEPS: dict[str, Step] = {
    "a tag added": lambda db, ids: edits.tag(db, ids=[ids["edited"]], add=["mine"]),
    "a model's tag confirmed": lambda db, ids: edits.tag(
        db, ids=[ids["edited"]], add=["Cat"]
    ),
    "tags taken out": lambda db, ids: edits.tag(
        db, ids=[ids["taken out"]], remove=["only here"]
    ),
    "a tag renamed everywhere": lambda db, ids: edits.replace(
        db, ["bar code"], "stripes"
    ),
    "a description given": lambda db, ids: edits.change(
        db, ids=[ids["edited"]], description="Mine."
    ),
    "a description taken out": _sql(
        "UPDATE files SET description_removed = 1", "plain"
    ),
    "an answer undone": _sql(
        "UPDATE files SET undone_result_id = result_id, result_id = NULL", "undone"
    ),
    "a file moved": _move,
    "a file not written": _sql(
        f"UPDATE files SET state = '{ImageState.NOT_WRITTEN}', reason = 'read-only'",
        "not written",
    ),
    "an answer waiting": _sql(
        f"UPDATE files SET state = '{ImageState.REVIEW}', result_id = NULL, "
        "proposed_result_id = result_id",
        "waits",
    ),
    "a synonym": lambda db, ids: vocabulary.add_synonym(
        db, "puppy", "hound", past=True
    ),
    "a ban": lambda db, ids: vocabulary.add_ban(db, "spam", past=True),
    "a file found": _find,
    "a folder's photos missing": _lose,
    "a folder removed": _remove,
    "another spelling of a tag": _rename_tag,
}


def test_a_rebuild_and_photos_taken_in_one_by_one_leave_the_same_rows(
    catalogue: Catalogue, db: Database, tmp_path: Path
) -> None:
    folder_id = add_folder(db, tmp_path / "photos")
    intake.take(catalogue, db)
    ids = {}
    for name, photo in PHOTOS.items():
        (ids[name],) = tagged(db, folder_id, photo)
        intake.take(catalogue, db, batch_rows=1)
    for name, step in STEPS.items():
        before = changes.latest(db)
        step(db, ids)
        assert changes.latest(db) > before, name
        intake.take(catalogue, db, batch_rows=1)
    assert differences(catalogue, db) == []

    with Catalogue.open(tmp_path / "new.duckdb", tmp_path / "new") as rebuilt:
        intake.rebuild(rebuilt, db)
        for table in schema.FROM_TRACKING:
            assert _rows(rebuilt, table) == _rows(catalogue, table), table.name
        assert {row[7] for row in _rows(rebuilt, schema.IMAGES)} >= set(ImageState) - {
            ImageState.NEW
        }
        for query in (
            "dog",
            "fo*",
            "source:human",
            "tag:hound",
            "state:missing",
            "stop",
        ):
            wanted = Wanted(query=query)
            assert page(rebuilt, wanted).images == page(catalogue, wanted).images
            assert tag_counts(rebuilt, wanted) == tag_counts(catalogue, wanted)


def _rows(catalogue: Catalogue, table: schema.Table) -> list[tuple[object, ...]]:
    with catalogue.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table.name} ORDER BY ALL")
        return cursor.fetchall()


REBUILDER = """
import sys, time
from pathlib import Path
from tagger.catalogue import intake
from tagger.catalogue.store import Catalogue
from tagger.tracking.database import Database

def stop(done, total):
    print(done, total, flush=True)
    time.sleep(600)

data = Path(sys.argv[1])
db = Database.open(data / "tracking.db")
with Catalogue.open(data / "catalogue.duckdb", data / "search", wait_s=10) as catalogue:
    intake.rebuild(catalogue, db, stop)
"""


@pytest.mark.slow
def test_a_kill_in_the_middle_of_a_rebuild_leaves_the_catalogue_from_before(
    db: Database, tmp_path: Path
) -> None:
    folder_id = add_folder(db, tmp_path / "photos")
    many(db, folder_id, 300)
    with open_catalogue(tmp_path) as catalogue:
        intake.take(catalogue, db)
    many(db, folder_id, 5000, start=300)
    child = subprocess.Popen(
        [sys.executable, "-c", REBUILDER, str(tmp_path / "data")],
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    done, total = map(int, child.stdout.readline().split())
    assert 300 < done < total == 5300
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()

    with open_catalogue(tmp_path) as catalogue:
        assert counts(catalogue).total == 300
        assert page(catalogue, Wanted(query="number15")).total == 1
        with catalogue.cursor() as cursor:
            assert schema.names(cursor) == {table.name for table in schema.EVERY}
        assert intake.take(catalogue, db) == 5000
        assert page(catalogue, Wanted(query="number4321")).total == 1
        assert differences(catalogue, db) == []
