"""Databases of earlier versions come out in the present shape, with all they held."""

import sqlite3
from pathlib import Path

from tagger.records import ImageState
from tagger.tracking import cancelling, jobs, snapshots
from tagger.tracking.database import Database

FIRST = (Path(__file__).parent / "shapes" / "first.sql").read_text()
NOW = "'2026-01-01T00:00:00.000Z'"


def first_shape(path: Path, photo: Path) -> None:
    """A database as the first version left it, with one photo in its queue."""
    path.parent.mkdir(parents=True)
    photo.write_bytes(b"x")
    connection = sqlite3.connect(path)
    connection.executescript(FIRST)
    connection.executescript(
        f"""INSERT INTO migrations VALUES ('m001_initial', {NOW});
        INSERT INTO meta VALUES ('database_id', 'abc');
        INSERT INTO counters VALUES ('changes', 0);
        INSERT INTO folders (id, path, recursive, active, write_mode, added_at,
            made_by_tag) VALUES (1, CAST('{photo.parent}' AS BLOB), 1, 1, 'file',
            {NOW}, 0);
        INSERT INTO files (id, folder_id, path, dev, ino, size_bytes, mtime_ns,
            ctime_ns, state, unreachable, added_at)
            VALUES (7, 1, CAST('{photo}' AS BLOB), 1, 2, 3, 41, 42, 'queued', 0, {NOW});
        INSERT INTO jobs (file_id, ask_again, priority, wanted, attempts,
            server_failures, created_at) VALUES (7, 0, 0, 1, 0, 0, {NOW});"""
    )
    connection.commit()
    connection.close()


def shape(path: Path) -> dict[str, set[tuple[object, ...]]]:
    """Every table with its columns and indexes, however they were made."""
    connection = sqlite3.connect(path)
    names = [
        row[0]
        for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        )
    ]
    found = {
        name: {row[1:] for row in connection.execute(f"PRAGMA table_info({name})")}
        | {row[1:3] for row in connection.execute(f"PRAGMA index_list({name})")}
        for name in names
    }
    connection.close()
    return {
        name: {tuple(str(cell).upper() for cell in row) for row in rows}
        for name, rows in found.items()
    }


def test_the_first_version_comes_to_the_present_shape(tmp_path: Path) -> None:
    old = tmp_path / "old" / "tracking.db"
    first_shape(old, tmp_path / "a.jpg")
    Database.open(old).close()
    Database.open(tmp_path / "new.db").close()
    assert shape(old) == shape(tmp_path / "new.db")


def test_what_waited_in_the_first_version_can_be_steered(tmp_path: Path) -> None:
    old = tmp_path / "old" / "tracking.db"
    first_shape(old, tmp_path / "a.jpg")
    with Database.open(old) as db:
        [job] = jobs.claim(db, limit=5, newest_first=True)
        assert job.file_id == 7
        jobs.release_all(db)
        assert cancelling.cancel(db) == 1
        [image] = snapshots.after(db, 0, limit=5)
        assert image.state is ImageState.NEW
