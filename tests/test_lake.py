"""A lake says what the catalogue says, snapshot by snapshot, to any DuckDB."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tagger.catalogue import export, intake, lake
from tagger.catalogue.lake import Published, Target
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Wanted
from tagger.errors import DataError, UsageError
from tagger.tracking import edits, folders
from tagger.tracking.database import Database
from tests.support_catalogue import Photo, add_folder, many, open_catalogue, tagged
from tests.support_postgres import Postgres

ROOT = Path(__file__).resolve().parent.parent
HOSTILE = "'); DROP TABLE photos; -- =1+1 🐕"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    if request.param == "sqlite":
        (tmp_path / "it's").mkdir()
        return Target.parse(f"ducklake:sqlite:{tmp_path}/it's/meta.sqlite")
    server: Postgres = request.getfixturevalue("server")
    # One database for each test: they are all called `photos`.
    with _loaded("postgres_scanner") as pg:
        pg.execute(f"ATTACH '{server.dsn}' AS pg (TYPE postgres)")
        pg.execute("CALL postgres_execute('pg', 'DROP SCHEMA public CASCADE')")
        pg.execute("CALL postgres_execute('pg', 'CREATE SCHEMA public')")
    return Target.parse(f"ducklake:postgres:{server.dsn}")


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with open_catalogue(tmp_path / "own") as opened:
        yield opened


@pytest.fixture
def folder_id(db: Database, tmp_path: Path) -> int:
    return add_folder(db, tmp_path / "photos")


def publish(
    catalogue: Catalogue, db: Database, target: Target, tmp_path: Path
) -> Published:
    intake.take(catalogue, db)
    with lake.workplace(tmp_path) as folder:
        photos = folder / "photos.parquet"
        export.export(catalogue, Wanted(), photos, "parquet")
        return lake.publish(
            photos,
            target,
            library=db.id,
            data_path=None if target.kind == "sqlite" else tmp_path / "files",
        )


@contextmanager
def _loaded(*names: str) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for name in names:
            found = importlib.util.find_spec(f"duckdb_extension_{name}")
            assert found is not None
            assert found.submodule_search_locations
            folder = Path(found.submodule_search_locations[0]) / "extensions"
            file = folder / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
            connection.execute(f"LOAD '{file}'")
        yield connection


def read(target: Target, question: str) -> list[Any]:
    """What an analyst with a DuckDB of their own sees, under a name of their own."""
    with _loaded(*target.extensions) as analyst:
        address = target.address.replace("'", "''")
        analyst.execute(f"ATTACH '{address}' AS mine (READ_ONLY)")
        return analyst.execute(question).fetchall()


def test_a_snapshot_holds_each_photo_with_its_tags_and_who_gave_them(
    catalogue: Catalogue, db: Database, folder_id: int, target: Target, tmp_path: Path
) -> None:
    tagged(
        db,
        folder_id,
        Photo(name="a.jpg", description=HOSTILE, tags=["dog", HOSTILE], gps=(1.5, 2.5)),
        Photo(name="b.jpg", tags=["dog"], found_tags=["beach"]),
        Photo(name="c.jpg", failed="it does not decode"),
    )
    done = publish(catalogue, db, target, tmp_path)
    assert (done.added, done.changed, done.removed, done.photos) == (3, 0, 0, 3)
    found = read(
        target, "SELECT name, description, reason FROM mine.photos ORDER BY id"
    )
    assert found[0] == ("a.jpg", HOSTILE, None)
    assert found[2] == ("c.jpg", None, "it does not decode")
    tags = read(target, "SELECT id, tag, source FROM mine.photo_tags ORDER BY ALL")
    assert {(tag, source) for _, tag, source in tags} == {
        ("dog", "gemma3:4b"),
        (HOSTILE, "gemma3:4b"),
        ("beach", "file"),
    }
    assert ("dog", 2) in read(target, "SELECT tag, photos FROM mine.tags")


def test_the_next_snapshot_brings_what_changed_and_the_one_before_stays_readable(
    catalogue: Catalogue, db: Database, folder_id: int, target: Target, tmp_path: Path
) -> None:
    tagged(db, folder_id, *(Photo(name=f"{n}.jpg", tags=["dog"]) for n in range(5)))
    first = publish(catalogue, db, target, tmp_path)
    again = publish(catalogue, db, target, tmp_path)
    assert not again.is_news
    assert again.snapshot == first.snapshot
    tagged(db, folder_id, Photo(name="new.jpg", tags=["cat"]))
    edits.change(db, ids=[2], add=["hound"])
    second = publish(catalogue, db, target, tmp_path)
    assert (second.added, second.changed, second.removed) == (1, 1, 0)
    assert second.photos == 6
    before = f"SELECT count(*) FROM mine.photos AT (VERSION => {first.snapshot})"
    assert read(target, before) == [(5,)]
    assert read(target, "SELECT tags FROM mine.photos WHERE id = 2") == [
        (["hound", "dog"],)
    ]
    messages = read(target, "SELECT commit_message FROM mine.snapshots()")
    assert messages[-1] == ("1 added, 1 changed, 0 removed",)
    folders.remove(db, folder_id)
    third = publish(catalogue, db, target, tmp_path)
    assert (third.removed, third.photos) == (6, 0)
    assert read(target, "SELECT count(*) FROM mine.tags") == [(0,)]


def test_a_lake_of_another_library_is_refused_and_left_as_it_is(
    catalogue: Catalogue, db: Database, folder_id: int, target: Target, tmp_path: Path
) -> None:
    tagged(db, folder_id, Photo(name="a.jpg", tags=["dog"]))
    publish(catalogue, db, target, tmp_path)
    with (
        Database.open(tmp_path / "other" / "tracking.db") as other,
        open_catalogue(tmp_path / "other") as theirs,
        pytest.raises(DataError, match="holds the photos of another library"),
    ):
        publish(theirs, other, target, tmp_path)
    assert read(target, "SELECT name FROM mine.photos") == [("a.jpg",)]


@pytest.mark.slow
def test_a_publication_that_is_killed_leaves_the_snapshot_before_it(
    catalogue: Catalogue, db: Database, folder_id: int, target: Target, tmp_path: Path
) -> None:
    tagged(db, folder_id, Photo(name="a.jpg", tags=["dog"]))
    first = publish(catalogue, db, target, tmp_path)
    many(db, folder_id, 20_000)
    intake.take(catalogue, db)
    photos = tmp_path / "photos.parquet"
    export.export(catalogue, Wanted(), photos, "parquet")
    for wait_s in (0.1, 0.3, 0.5):
        child = _child(photos, target, db.id, tmp_path)
        time.sleep(wait_s)
        child.send_signal(signal.SIGKILL)
        child.wait()
        count = read(target, "SELECT count(*) FROM mine.photos")
        assert count in ([(1,)], [(20_001,)])
    done = publish(catalogue, db, target, tmp_path)
    assert done.photos == 20_001
    assert done.snapshot == first.snapshot + 1


def _child(
    photos: Path, target: Target, library: str, tmp_path: Path
) -> subprocess.Popen[str]:
    order = {
        "photos": str(photos),
        "address": target.address,
        "extensions": target.extensions,
        "library": library,
        "data_path": None,
        "spill": str(tmp_path / "spill"),
    }
    command = [sys.executable, "-m", "tagger.catalogue.lake_child"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdin is not None
    with child.stdin as told:
        json.dump(order, told)
    return child


def test_a_column_that_a_later_version_adds_comes_into_a_lake_that_is_there(
    target: Target, tmp_path: Path
) -> None:
    data_path = None if target.kind == "sqlite" else tmp_path / "files"
    base = "1 AS id, ['dog'] AS tags, ['model'] AS tag_sources"
    for columns in (base, f"{base}, 5 AS rating"):
        photos = tmp_path / "photos.parquet"
        duckdb.execute(f"COPY (SELECT {columns}) TO '{photos}' (FORMAT parquet)")
        lake.publish(photos, target, library="own", data_path=data_path)
    assert read(target, "SELECT id, rating FROM mine.photos") == [(1, 5)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("photos.sqlite", "give ducklake:sqlite:FILE"),
        ("ducklake:mysql:x", "give ducklake:sqlite:FILE"),
        ("ducklake:sqlite:", "give ducklake:sqlite:FILE"),
        ("postgres:password=hush dbname=x", "password=…"),
    ],
)
def test_what_is_no_lake_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        Target.parse(text)
    assert "hush" not in str(refused.value)


def test_a_lake_that_cannot_be_reached_is_named_without_its_password(
    tmp_path: Path,
) -> None:
    photos = tmp_path / "photos.parquet"
    duckdb.execute(f"COPY (SELECT 1 AS id) TO '{photos}' (FORMAT parquet)")
    away = Target.parse("ducklake:postgres:host=127.0.0.1 port=9 password='a b' user=u")
    with pytest.raises(DataError, match="Connection refused") as failed:
        lake.publish(photos, away, library="own", data_path=tmp_path / "files")
    assert "a b" not in str(failed.value)
    text = tmp_path / "text.sqlite"
    text.write_text("no database, but some text\n" * 100)
    with pytest.raises(DataError, match="not a database"):
        lake.publish(photos, Target("sqlite", str(text)), library="own")


def test_a_new_lake_in_postgresql_asks_where_its_files_go(
    server: Postgres, tmp_path: Path
) -> None:
    with _loaded("postgres_scanner") as pg:
        pg.execute(f"ATTACH '{server.dsn}' AS pg (TYPE postgres)")
        pg.execute("CALL postgres_execute('pg', 'DROP SCHEMA public CASCADE')")
        pg.execute("CALL postgres_execute('pg', 'CREATE SCHEMA public')")
    photos = tmp_path / "photos.parquet"
    duckdb.execute(f"COPY (SELECT 1 AS id) TO '{photos}' (FORMAT parquet)")
    target = Target.parse(f"ducklake:postgres:{server.dsn}")
    with pytest.raises(DataError, match="--data-path names the folder"):
        lake.publish(photos, target, library="own")


def test_the_command_publishes_what_was_tagged(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Database.open(data / "tracking.db") as db:
        tagged(db, add_folder(db, tmp_path / "photos"), Photo(tags=["dog"]))
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "tagger", "publish"),
            f"ducklake:sqlite:{tmp_path}/lake.sqlite",
        ],
        cwd=ROOT,
        env={**os.environ, "TAGGER_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert "1 added, 0 changed, 0 removed; photos in it: 1" in answer.stderr
    assert not list(data.glob("publish-*"))


def test_the_recipe_for_readers_works(
    catalogue: Catalogue, db: Database, folder_id: int, tmp_path: Path
) -> None:
    tagged(db, folder_id, Photo(name="a.jpg", tags=["dog", "sea"]))
    target = Target.parse(f"ducklake:sqlite:{tmp_path}/photos.sqlite")
    publish(catalogue, db, target, tmp_path)
    recipe = (ROOT / "docs" / "LAKE.md").read_text().split("```python\n")[1]
    recipe = recipe.split("```")[0].replace("/share", str(tmp_path))
    answer = subprocess.run(
        [sys.executable, "-c", recipe],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    tags, paths, count = answer.stdout.splitlines()
    assert "('dog', 1)" in tags
    assert "a.jpg" in paths
    assert count == "[(1,)]"
    with _loaded(*target.extensions) as owner:
        owner.execute(f"ATTACH '{target.address}' AS photos")
        for call in (ROOT / "docs" / "LAKE.md").read_text().split("`CALL ")[1:]:
            owner.execute(f"CALL {call.split('`')[0]}")
    assert read(target, "SELECT count(*) FROM mine.photos") == [(1,)]
