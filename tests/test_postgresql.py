"""One library, several machines: a tracking database in a real PostgreSQL server.

Each machine has a data folder of its own; photos are where all of them find them. That
PostgreSQL does what SQLite does is shown by the suites that `make test-slow` repeats
with `--postgresql`.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from tagger.acting import Role
from tagger.catalogue import compare, intake
from tagger.config import Config
from tagger.errors import ConfigError, DataError
from tagger.records import ImageState
from tagger.tracking import changes, folders, jobs, queueing, reviewing, users
from tagger.tracking.database import Database
from tests.ollama_double import OllamaDouble
from tests.support_catalogue import add_folder, many, open_catalogue
from tests.support_pipeline import (
    as_environment,
    in_file,
    known_images,
    number_in,
    numbered,
    reads_number,
    settings,
)
from tests.support_postgres import Postgres

ROOT = Path(__file__).resolve().parent.parent
COUNT = 24
LEASE_S = 3.0


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as running:
        yield running


@pytest.fixture
def url(server: Postgres) -> str:
    return server.fresh()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(1, COUNT + 1):
        numbered(tmp_path / "photos" / f"{number}.jpg", number, width_px=240)
    return tmp_path / "photos"


def machine(tmp_path: Path, name: str, url: str, server: str) -> Config:
    home = tmp_path / name
    home.mkdir()
    return settings(home, server, tracking={"url": url})


def tagging(config: Config, photos: Path) -> subprocess.Popen[bytes]:
    """A `tag` command on one machine, whose leases are short."""
    words = ("-", "1", str(LEASE_S), str(photos.parent / "go"), str(photos))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.late_child", *words],
        cwd=ROOT,
        env=as_environment(config) | {"TAGGER_TRACKING__URL": config.tracking.url},
    )


def asked(double: OllamaDouble) -> list[int]:
    return [number_in(one.image) for one in double.asked]


@pytest.mark.slow
def test_two_machines_share_one_queue_and_each_photo_is_asked_about_once(
    tmp_path: Path, photos: Path, url: str
) -> None:
    with (
        OllamaDouble(reads_number, delay_s=0.6) as one,
        OllamaDouble(reads_number, delay_s=0.6) as two,
    ):
        for number in range(COUNT + 1, 3 * COUNT + 1):
            numbered(photos / f"{number}.jpg", number, width_px=240)
        first = machine(tmp_path, "first", url, one.url)
        second = machine(tmp_path, "second", url, two.url)
        with Database.of(first) as db:
            add_folder(db, photos)
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "tagger", "run"],
                cwd=ROOT,
                env=as_environment(config) | {"TAGGER_TRACKING__URL": url},
            )
            for config in (first, second)
        ]
        states: set[str] = set()
        end = time.monotonic() + 80
        while states != {"tagged"}:
            assert time.monotonic() < end
            assert [process.poll() for process in running] == [None, None]
            time.sleep(0.2)
            known = known_images(first)
            states = {image.state for image in known.values()}
        for process in running:
            process.terminate()
        assert [process.wait(30) for process in running] == [0, 0]
        assert sorted(asked(one) + asked(two)) == list(range(1, 3 * COUNT + 1))
        assert one.asked
        assert two.asked
    for number in range(1, COUNT + 1):
        words = in_file(photos / f"{number}.jpg")
        assert words["XMP-dc:Subject"] == [f"number {number}", "bar code"]
    assert not (tmp_path / "first" / "data" / "tracking.db").exists()


@pytest.mark.slow
def test_what_a_machine_that_dies_had_taken_is_done_by_the_other_one(
    tmp_path: Path, photos: Path, url: str
) -> None:
    with OllamaDouble(reads_number, delay_s=0.3) as double:
        dying = machine(tmp_path, "dying", url, double.url)
        other = machine(tmp_path, "other", url, double.url)
        process = tagging(dying, photos)
        while len(double.asked) < 3:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        answered = set(asked(double))
        assert tagging(other, photos).wait(90) == 0
        # Only what was being asked, or not yet recorded, when it died is asked again.
        assert set(asked(double)) == set(range(1, COUNT + 1))
        assert len(double.asked) <= COUNT + 8
        assert answered
    states = {image.state for image in known_images(other).values()}
    assert states == {ImageState.TAGGED.value}


def test_a_living_machine_keeps_its_leases_when_another_one_starts(
    tmp_path: Path, photos: Path, url: str
) -> None:
    with Database.open(tmp_path / "a" / "t.db", url=url) as db:
        assert db.is_shared
        folder_id = add_folder(db, photos)
        many(db, folder_id, 3)
        with db.write() as connection:
            connection.execute(text("UPDATE files SET state = 'queued'"))
        with db.write() as connection:
            queueing.enqueue(connection, {1: None, 2: None, 3: None})
        held = jobs.claim(db, limit=2)
        with Database.open(tmp_path / "b" / "t.db", url=url) as elsewhere:
            jobs.release_dead(elsewhere)
            taken = jobs.claim(elsewhere, limit=5)
        assert len(held) == 2
        assert {job.file_id for job in held}.isdisjoint({j.file_id for j in taken})


def test_changes_are_numbered_as_they_are_committed_however_late_that_is(
    tmp_path: Path, url: str
) -> None:
    """Four writers that commit late, and one reader that goes by the number it saw."""
    writers, rounds = 4, 25
    seen: list[int] = []
    done = threading.Event()

    def write(name: int) -> None:
        with Database.open(tmp_path / f"w{name}" / "t.db", url=url) as db:
            for turn in range(rounds):
                with db.write() as connection:
                    changes.record(connection, changes.IMAGE, [name, turn])
                    time.sleep((name * turn % 5) / 400)

    def read() -> None:
        with Database.open(tmp_path / "r" / "t.db", url=url) as db:
            while not done.is_set() or changes.latest(db) > len(seen):
                found = changes.after(db, seen[-1] if seen else 0, limit=7)
                seen.extend(change.number for change in found)

    Database.open(tmp_path / "first" / "t.db", url=url).close()
    threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    reader = threading.Thread(target=read)
    for thread in (*threads, reader):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    assert seen == list(range(1, 2 * writers * rounds + 1))


def test_the_catalogue_takes_in_what_four_machines_record_at_once(
    tmp_path: Path, url: str
) -> None:
    with (
        Database.open(tmp_path / "app" / "t.db", url=url) as db,
        open_catalogue(tmp_path / "app") as catalogue,
    ):
        folder_id = add_folder(db, tmp_path / "photos")
        intake.take(catalogue, db)

        def record(name: int) -> None:
            with Database.open(tmp_path / f"m{name}" / "t.db", url=url) as own:
                for start in range(0, 60, 20):
                    many(own, folder_id, 20, start=name * 1000 + start)

        threads = [threading.Thread(target=record, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            intake.take(catalogue, db)
        intake.take(catalogue, db)
        assert compare.differences(catalogue, db) == []
        with catalogue.cursor() as cursor:
            count = cursor.execute("SELECT count(*) FROM images").fetchone()
        assert count == (240,)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("mysql://x@h/d", "is no address of a PostgreSQL database"),
        ("postgresql://h", "is no address of a PostgreSQL database"),
        ("nonsense", "is no address of a PostgreSQL database"),
        ("postgresql://u:hush@h/d", "holds a password.*PGPASSWORD"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_words(
    tmp_path: Path, bad: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        Database.open(tmp_path / "t.db", url=bad)
    assert "hush" not in str(refused.value)


def test_a_server_that_is_away_is_named(tmp_path: Path) -> None:
    away = "postgresql://u@127.0.0.1:9/photos"
    with pytest.raises(DataError, match=r"127\.0\.0\.1:9/photos: .*refused"):
        Database.open(tmp_path / "t.db", url=away)


@pytest.mark.slow
def test_commands_work_on_the_shared_database(
    tmp_path: Path, photos: Path, url: str
) -> None:
    environment = {
        **os.environ,
        "TAGGER_DATA_DIR": str(tmp_path / "own"),
        "TAGGER_TRACKING__URL": url,
        "TAGGER_MODEL__BACKEND": "builtin",
    }

    def said(*words: str) -> str:
        answer = subprocess.run(
            [sys.executable, "-m", "tagger", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout + answer.stderr

    some = [str(photos / f"{number}.jpg") for number in (1, 2)]
    assert "2 of 2 photos tagged" in said("tag", *some)
    said("tags", "add", "holiday", "--image", *some)
    assert "2" in said("search", "tag:holiday", "--json")
    assert in_file(photos / "1.jpg")["XMP-dc:Subject"].count("holiday") == 1
    said("runs")
    said("verify")
    said("folders", "list")
    said("status")


def test_folders_of_an_older_database_there_are_not_reviewed(
    tmp_path: Path, url: str
) -> None:
    config = machine(tmp_path, "one", url, "http://127.0.0.1:9")
    (tmp_path / "photos").mkdir(exist_ok=True)
    with Database.of(config) as db:
        folder_id = add_folder(db, tmp_path / "photos")
        with db.write() as connection:
            for statement in (
                "ALTER TABLE folders DROP COLUMN review",
                "ALTER TABLE files DROP COLUMN proposed_result_id",
                "DELETE FROM migrations WHERE name = 'm015_review'",
            ):
                connection.execute(text(statement))
    with Database.of(config) as db:
        assert not folders.get(db, folder_id).review
        folders.set_review(db, folder_id, True)
        assert folders.get(db, folder_id).review
        assert reviewing.waiting(db) == []


NEWEST_TABLES = (
    *("tokens", "signins", "users", "audit"),
    *("choices", "compared_answers", "contenders", "comparisons"),
)


def test_a_database_there_without_the_newest_tables_gets_them(
    tmp_path: Path, url: str
) -> None:
    """They come to be as they are in a new one, but for the names of constraints."""
    config = machine(tmp_path, "one", url, "http://127.0.0.1:9")
    with Database.of(config) as db:
        new = shape(db)
        with db.write() as connection:
            for table in NEWEST_TABLES:
                connection.execute(text(f"DROP TABLE {table}"))
            connection.execute(
                text(
                    "DELETE FROM migrations WHERE name IN "
                    "('m016_comparisons', 'm019_people')"
                )
            )
    with Database.of(config) as db:
        assert shape(db) == new
        user = users.add(db, "Anna", role=Role.ADMIN, password=None)
        assert users.every(db) == [user]


def shape(db: Database) -> dict[str, Any]:
    with db.read() as connection:
        looked = inspect(connection)
        return {
            table: (
                sorted(
                    (one["name"], str(one["type"]), one["nullable"])
                    for one in looked.get_columns(table)
                ),
                looked.get_pk_constraint(table)["constrained_columns"],
                sorted(one["column_names"] for one in looked.get_indexes(table)),
                sorted(
                    (one["constrained_columns"], one["referred_table"])
                    for one in looked.get_foreign_keys(table)
                ),
            )
            for table in NEWEST_TABLES
        }
