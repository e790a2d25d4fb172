"""What is on record of the pictures our writes found."""

import sqlite3
from pathlib import Path

import pytest

from tagger.records import FileWords, Intent, StatKey, WriteMode, Written
from tagger.tracking import jobs, pictures, results, writes
from tagger.tracking.database import Database
from tests.support_tracking import add_folder, looked, said, scan

COLUMNS = ("identity", "after_size_bytes", "after_mtime_ns")


class Library:
    """One photo that is written to, bytes and picture being what a test says."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db, self.path = db, folder / "a.jpg"
        self.folder_id = add_folder(db, folder)
        self.path.write_bytes(b"a")
        scan(db, self.folder_id)
        [self.job] = jobs.claim(db, limit=1)

    def write(
        self, *, picture: str, found: str, leaves: str, at: tuple[int, int]
    ) -> None:
        """A write that finds a picture in bytes of hash `found`, and leaves others."""
        looked(self.db, self.job, identity=picture, content_hash=found)
        result = results.record(self.db, self.job, picture, said("dog"))
        before = StatKey(1, 1, *at, 1)
        intent = Intent(
            target=self.job.path,
            mode=WriteMode.FILE,
            expect=before,
            before={},
            intended={},
            added_tags=("dog",),
            wrote_description=None,
            after_hash=leaves,
            after_size_bytes=at[0] + 10,
            after_mtime_ns=at[1],
        )
        write_id = writes.intend(
            self.db, self.job, result, intent, run_id=None, before_hash=found
        )
        written = Written(
            target=self.job.path,
            mode=WriteMode.FILE,
            changed=True,
            stat=before,
            words=FileWords(),
        )
        writes.done(self.db, self.job, result, written, write_id=write_id)

    @property
    def before_writes(self) -> str:
        [picture] = pictures.before_writes(self.db, [self.job.file_id]).values()
        return picture.identity


@pytest.fixture
def library(db: Database, tmp_path: Path) -> Library:
    return Library(db, tmp_path / "photos")


def test_writes_upon_writes_are_held_to_the_picture_before_the_first(
    library: Library,
) -> None:
    library.write(picture="p1:whole", found="h0", leaves="h1", at=(100, 7))
    library.write(picture="p1:damaged", found="h1", leaves="h2", at=(110, 7))
    assert library.before_writes == "p1:whole"


def test_bytes_that_changed_under_the_same_size_and_time_are_no_other_file(
    library: Library,
) -> None:
    library.write(picture="p1:whole", found="h0", leaves="h1", at=(100, 7))
    library.write(picture="p1:damaged", found="rot", leaves="h2", at=(110, 7))
    assert library.before_writes == "p1:whole"


@pytest.mark.parametrize("at", [(111, 7), (110, 8)], ids=["size", "time"])
def test_a_picture_put_there_by_somebody_else_counts_from_then_on(
    library: Library, at: tuple[int, int]
) -> None:
    library.write(picture="p1:whole", found="h0", leaves="h1", at=(100, 7))
    library.write(picture="p1:edited", found="other", leaves="h2", at=at)
    assert library.before_writes == "p1:edited"


def test_an_older_database_takes_the_pictures_from_the_answers_it_wrote(
    tmp_path: Path,
) -> None:
    path = tmp_path / "data" / "tracking.db"
    with Database.open(path) as db:
        library = Library(db, tmp_path / "photos")
        library.write(picture="p1:whole", found="h0", leaves="h1", at=(100, 7))
        file_id = library.job.file_id
    with sqlite3.connect(path) as plain:  # as it was before
        for column in COLUMNS:
            plain.execute(f"ALTER TABLE writes DROP COLUMN {column}")
        plain.execute("DELETE FROM migrations WHERE name = 'm008_pictures_of_writes'")
    plain.close()
    with Database.open(path) as db:
        [picture] = pictures.before_writes(db, [file_id]).values()
    assert picture.identity == "p1:whole"
    assert picture.content_hash == "h1"
    assert picture.size_bytes is None
