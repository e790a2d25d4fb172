"""A database saved and loaded again is the same database, of either kind."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tagger.acting import Person, Role
from tagger.catalogue import intake
from tagger.catalogue.compare import differences
from tagger.errors import DataError
from tagger.records import ImageState
from tagger.tracking import (
    archive,
    audit,
    changes,
    edits,
    folders,
    jobs,
    signins,
    snapshots,
    tokens,
    users,
)
from tagger.tracking.database import Database
from tagger.tracking.schema import meta, metadata
from tests import support_postgres
from tests.support_catalogue import (
    Photo,
    add_folder,
    open_catalogue,
    tagged,
)

# What loading changes on purpose.
LEFT_OUT = {"migrations", "changes", "counters", "taggers"}


def rows(db: Database) -> dict[str, list[dict[str, Any]]]:
    """All that a database holds, but for its identity."""
    found = {}
    with db.read() as connection:
        for table in metadata.sorted_tables:
            if table.name not in LEFT_OUT:
                query = select(table)
                if table is meta:
                    query = query.where(meta.c.key != "database_id")
                listed = [dict(row) for row in connection.execute(query).mappings()]
                found[table.name] = sorted(listed, key=repr)
    return found


@pytest.fixture
def filled(db: Database, tmp_path: Path) -> Database:
    folder = add_folder(db, tmp_path / "photos")
    one, two, three = tagged(
        db,
        folder,
        Photo(name="a.jpg", tags=["dog", "Café"], found_tags=["Rex"], text="STOP"),
        Photo(name="b.jpg", tags=["dog"], found_description="Mine."),
        Photo(name=b"d\xe9/\xff.jpg", tags=["cat"]),
    )
    edits.tag(db, ids=[one, two], add=["mine"], remove=["dog"])
    edits.change(db, ids=[three], description="😀 A cat.")
    edits.replace(db, ["cat"], "lion")
    return db


def test_what_is_loaded_is_what_was_saved(filled: Database, tmp_path: Path) -> None:
    before, identity = rows(filled), filled.id
    archive.save(filled, tmp_path / "saved.db")
    saved_at = changes.latest(filled)
    edits.tag(filled, ids=[1], add=["later"])
    folders.remove(filled, 1)

    assert archive.load(filled, tmp_path / "saved.db") == 3

    assert rows(filled) == before
    assert filled.id != identity
    assert changes.latest(filled) > saved_at
    assert [path.name for path in tmp_path.glob("saved.db*")] == ["saved.db"]


def test_a_catalogue_follows_what_was_loaded(filled: Database, tmp_path: Path) -> None:
    with open_catalogue(tmp_path / "catalogue") as catalogue:
        intake.take(catalogue, filled)
        archive.save(filled, tmp_path / "saved.db")
        folders.remove(filled, 1)
        intake.take(catalogue, filled)

        archive.load(filled, tmp_path / "saved.db")
        intake.take(catalogue, filled)

        assert differences(catalogue, filled) == []
        assert len(snapshots.after(filled, 0, limit=10)) == 3


def test_nobody_holds_a_job_that_was_loaded_and_ids_are_new(
    filled: Database, tmp_path: Path
) -> None:
    taken = jobs.claim(filled, limit=10)
    assert taken
    archive.save(filled, tmp_path / "saved.db")
    (later,) = tagged(filled, 1, Photo(name="e.jpg"))
    archive.load(filled, tmp_path / "saved.db")
    with pytest.raises(jobs.LeaseLost):
        jobs.finish(filled, taken[0], ImageState.TAGGED)

    assert [job.id for job in jobs.claim(filled, limit=10)] == [j.id for j in taken]
    (newest,) = tagged(filled, 1, Photo(name="f.jpg"))
    assert newest > later


def test_a_restore_erases_no_tracks_and_signs_nobody_in(
    filled: Database, tmp_path: Path
) -> None:
    anna = users.add(filled, "Anna", role=Role.ADMIN, password="kept")
    signins.begin(filled, anna.id, hours=1)
    audit.note(filled, Person("Anna", Role.ADMIN, "screen"), "before")
    archive.save(filled, tmp_path / "saved.db")
    users.add(filled, "Eve", role=Role.ADMIN, password="kept")
    mark = audit.begin(filled, Person("Eve", Role.ADMIN, "screen"), "after", {})

    archive.load(filled, tmp_path / "saved.db")
    audit.close(filled, mark, audit.DONE)

    assert [user.name for user in users.every(filled)] == ["Anna", "Eve"]
    assert signins.open_of(filled, anna.id) == 0
    found = [(one.what, one.outcome) for one in audit.read(filled, limit=9)]
    assert found == [("after", "done"), ("before", "done")]


def test_a_restore_lets_in_who_is_let_in_now(filled: Database, tmp_path: Path) -> None:
    archive.save(filled, tmp_path / "none.db")
    anna = users.add(filled, "Anna", role=Role.ADMIN, password="kept")
    kept, _ = tokens.make(filled, "Anna", "a script", days=1)
    users.add(filled, "Eve", role=Role.ADMIN, password="kept")
    revoked, _ = tokens.make(filled, "Anna", "a lost laptop", days=1)
    archive.save(filled, tmp_path / "both.db")
    users.remove(filled, "Eve")
    tokens.revoke(filled, revoked.id)

    for saved in ("none.db", "both.db"):
        archive.load(filled, tmp_path / saved)
        assert users.every(filled) == [anna]
        assert tokens.every(filled) == [kept]


def test_where_nobody_is_known_users_come_out_of_the_backup(
    filled: Database, tmp_path: Path
) -> None:
    anna = users.add(filled, "Anna", role=Role.ADMIN, password="kept")
    archive.save(filled, tmp_path / "saved.db")

    with Database.open(tmp_path / "new" / "tracking.db") as new:
        archive.load(new, tmp_path / "saved.db")
        assert users.every(new) == [anna]


@pytest.mark.parametrize("spoil", ["empty", "cut", "text", "pages"])
def test_a_damaged_file_changes_nothing(
    filled: Database, tmp_path: Path, spoil: str
) -> None:
    saved = tmp_path / "saved.db"
    archive.save(filled, saved)
    data, before = saved.read_bytes(), rows(filled)
    saved.write_bytes(
        {
            "empty": b"",
            "cut": data[: len(data) // 2],
            "text": b"no database at all" * 100,
            "pages": data[:4096] + b"\xff" * 8192 + data[12288:],
        }[spoil]
    )
    with pytest.raises(DataError, match="nothing was changed"):
        archive.load(filled, saved)
    assert rows(filled) == before


@pytest.mark.slow
def test_a_library_goes_to_postgresql_and_back(tmp_path: Path) -> None:
    with (
        support_postgres.Postgres() as server,
        Database.open(tmp_path / "own" / "tracking.db") as own,
        Database.open(tmp_path / "shared", url=server.fresh()) as shared,
        Database.open(tmp_path / "back" / "tracking.db") as back,
    ):
        folder = add_folder(own, tmp_path / "photos")
        tagged(own, folder, Photo(name="a.jpg", tags=["dog"], found_tags=["Rex"]))
        archive.save(own, tmp_path / "one.db")
        archive.load(shared, tmp_path / "one.db")
        assert rows(shared) == rows(own)
        (newest,) = tagged(shared, folder, Photo(name="b.jpg", tags=["cat"]))
        assert newest == 2
        edits.tag(shared, ids=[1], add=["mine"])

        archive.save(shared, tmp_path / "two.db")
        archive.load(back, tmp_path / "two.db")
        assert rows(back) == rows(shared)
