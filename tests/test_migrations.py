"""A database of any earlier shape becomes what a new one is, and keeps its rows."""

import sqlite3
from pathlib import Path

import pytest

from tagger.records import ImageState
from tagger.tracking import cancelling, jobs, migrations, snapshots
from tagger.tracking.database import Database
from tests import support_shapes
from tests.support_shapes import SHAPES, made, shape_of

NOW = "2026-11-01T00:00:00.000Z"
ROWS = (
    f"""INSERT INTO folders (id, path, recursive, active, write_mode, added_at,
        made_by_tag) VALUES (7, X'2f70', 1, 1, 'sidecar', '{NOW}', 0)""",
    f"""INSERT INTO files (id, folder_id, path, dev, ino, size_bytes, mtime_ns,
        ctime_ns, state, unreachable, added_at, words_at, description_removed)
        VALUES (3, 7, X'2f702f61ff2e6a7067', 1, 2, 3, 4, 5, 'tagged', 0, '{NOW}',
        '{NOW}', 0)""",
    "INSERT INTO tags (id, name, key) VALUES (9, 'Dog', 'dog')",
    "INSERT INTO own_tags VALUES (3, 9, 'Dog')",
    f"""INSERT INTO writes (id, file_id, target, mode, state, kind, before, intended,
        added_tags, own_tags, after_hash, created_at) VALUES (4, 3, X'2f70', 'sidecar',
        'done', 'tag', '{{}}', '{{}}', '["Dog"]', '["Dog"]', 'h', '{NOW}')""",
)


def rows_of(path: Path) -> dict[str, list[dict[str, object]]]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    found = {
        name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]
        for name in ("folders", "files", "tags", "own_tags", "writes")
    }
    connection.close()
    return found


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.stem)
def test_an_earlier_database_becomes_what_a_new_one_is(
    tmp_path: Path, shape: Path
) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    made(old, shape, *ROWS)
    before = rows_of(old)

    for path in (old, new):
        Database.open(path).close()

    assert shape_of(old) == shape_of(new)
    after = rows_of(old)
    for table, rows in before.items():
        assert [
            {column: row[column] for column in rows[0]} for row in after[table]
        ] == rows
    Database.open(old).close()  # a second time there is nothing to do


def test_there_is_a_shape_for_each_step() -> None:
    assert len(SHAPES) == len(migrations.STEPS) - 1
    for number, shape in enumerate(SHAPES, start=1):
        assert shape.stem == f"{number:04d}"


def test_a_step_that_was_forgotten_would_show(tmp_path: Path) -> None:
    """The comparison sees a column, an index and a key that one of the two lacks."""
    whole = tmp_path / "whole.db"
    Database.open(whole).close()
    for change in (
        "ALTER TABLE folders DROP COLUMN mirror",
        "DROP INDEX sidecars_path",
        "CREATE INDEX more ON files (note)",
    ):
        other = tmp_path / "other.db"
        other.write_bytes(whole.read_bytes())
        connection = sqlite3.connect(other)
        connection.execute(change)
        connection.commit()
        connection.close()
        assert shape_of(other) != shape_of(whole)


def test_a_dump_makes_the_same_shape_again(tmp_path: Path) -> None:
    Database.open(tmp_path / "a.db").close()
    dump = tmp_path / "dump.sql"
    dump.write_text(support_shapes.dump_of(tmp_path / "a.db"))
    made(tmp_path / "b.db", dump)
    assert shape_of(tmp_path / "b.db") == shape_of(tmp_path / "a.db")


def test_what_waited_before_can_be_steered(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    waiting = (
        "UPDATE files SET state = 'queued'",
        "INSERT INTO jobs (file_id, ask_again, priority, wanted, attempts, "
        f"server_failures, created_at) VALUES (3, 0, 0, 1, 0, 0, '{NOW}')",
    )
    made(old, SHAPES[0], *ROWS, *waiting)
    with Database.open(old) as db:
        [job] = jobs.claim(db, limit=5, newest_first=True)
        assert job.file_id == 3
        jobs.release_all(db)
        assert cancelling.cancel(db) == 1
        [image] = snapshots.after(db, 0, limit=5)
        assert image.state is ImageState.NEW


def test_what_synonyms_and_bans_made_of_answers_stays_what_they_are(
    tmp_path: Path,
) -> None:
    old = tmp_path / "old.db"
    said = {10: "bar code", 11: "rain", 12: "wet", 13: "sun"}
    made(
        old,
        SHAPES[6],
        *ROWS,
        f"""INSERT INTO results (id, identity, backend, model, prompt_version, server,
            description, seconds, created_at) VALUES (5, 'i', 'ollama', 'm', 'p', 's',
            'd', 1, '{NOW}')""",
        *(f"INSERT INTO tags VALUES ({i}, '{n}', '{n}')" for i, n in said.items()),
        *(f"INSERT INTO result_tags VALUES (5, {i}, {i}, NULL)" for i in said),
        "INSERT INTO tags VALUES (14, 'stripes', 'stripes')",
        "INSERT INTO synonyms VALUES ('bar code', 'Stripes'), ('wet', 'rain')",
        "INSERT INTO bans VALUES ('rain', 'Rain')",
        "UPDATE files SET result_id = 5",
    )
    with Database.open(old) as db:
        [image] = snapshots.after(db, 0, limit=5)
    assert [tag.name for tag in image.tags] == ["Stripes", "sun"]


def test_edits_that_no_file_has_yet_are_owed_and_others_are_not(tmp_path: Path) -> None:
    for number, (statement, owed) in enumerate(
        {
            f"INSERT INTO person_tags VALUES (3, 9, 'Dog', 0, '{NOW}', NULL)": "none",
            f"INSERT INTO person_tags VALUES (3, 9, 'Dog', 1, '{NOW}', NULL)": None,
            "UPDATE files SET person_description = 'Rex'": "none",
            "UPDATE files SET person_description = 'R', own_description = 'R'": None,
        }.items()
    ):
        old = tmp_path / f"{number}.db"
        made(old, SHAPES[7], *ROWS, statement)
        Database.open(old).close()
        connection = sqlite3.connect(old)
        found = connection.execute("SELECT owed_in FROM files").fetchall()
        connection.close()
        assert found == [(owed,)], statement
