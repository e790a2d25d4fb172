"""The tracking database: nothing lost, nothing doubled, ids never reused."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tagger.errors import DataError, DataFull, UsageError
from tagger.records import (
    FileWords,
    ImageState,
    Intent,
    StatKey,
    WriteMode,
    Written,
)
from tagger.tracking import (
    bound,
    changes,
    edits,
    folders,
    jobs,
    reasons,
    results,
    returns,
    runs,
    snapshots,
    status,
    underway,
    writes,
)
from tagger.tracking.database import Database
from tests.support_tracking import add_folder, looked, said, scan


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (folder / name).write_bytes(name.encode())
    return folder


def only(db: Database) -> jobs.Job:
    [job] = jobs.claim(db, limit=1)
    return job


def image(db: Database, name: str) -> snapshots.ImageSnapshot:
    [found] = [
        i for i in snapshots.after(db, 0, limit=100) if i.shown_path.endswith(name)
    ]
    return found


def test_a_scan_queues_new_photos_once(db: Database, photos: Path) -> None:
    folder = add_folder(db, photos)
    assert scan(db, folder).new == 3
    assert scan(db, folder).new == 0
    assert len(jobs.claim(db, limit=10)) == 3


def test_a_deleted_photo_is_missing_and_comes_back(db: Database, photos: Path) -> None:
    folder = add_folder(db, photos)
    scan(db, folder)
    before = image(db, "a.jpg")
    os.rename(photos / "a.jpg", photos.parent / "a.jpg")
    assert scan(db, folder).missing == 1
    assert image(db, "a.jpg").state is ImageState.MISSING
    os.rename(photos.parent / "a.jpg", photos / "a.jpg")
    assert scan(db, folder).returned == 1
    assert image(db, "a.jpg").id == before.id


def test_a_renamed_photo_keeps_its_id(db: Database, photos: Path) -> None:
    folder = add_folder(db, photos)
    scan(db, folder)
    before = image(db, "a.jpg")
    os.rename(photos / "a.jpg", photos / "z.jpg")
    outcome = scan(db, folder)
    assert (outcome.moved, outcome.new, outcome.missing) == (1, 0, 0)
    assert image(db, "z.jpg").id == before.id


def test_a_hard_link_is_a_photo_of_its_own(db: Database, photos: Path) -> None:
    folder = add_folder(db, photos)
    scan(db, folder)
    os.link(photos / "a.jpg", photos / "z.jpg")
    assert scan(db, folder).moved == 0
    assert image(db, "a.jpg").id != image(db, "z.jpg").id


def test_nothing_below_an_unreadable_subfolder_is_missing(
    db: Database, photos: Path
) -> None:
    (photos / "sub").mkdir()
    (photos / "sub" / "d.jpg").write_bytes(b"d")
    folder = add_folder(db, photos)
    scan(db, folder)
    os.rename(photos / "sub", photos.parent / "sub")
    outcome = scan(db, folder, unreadable=[os.fsencode(photos / "sub")])
    assert outcome.missing == 0
    assert image(db, "d.jpg").state is ImageState.QUEUED
    assert {j.path for j in jobs.claim(db, limit=10)} == {
        os.fsencode(photos / name) for name in ("a.jpg", "b.jpg", "c.jpg")
    }


def test_a_changed_photo_is_looked_at_again(db: Database, photos: Path) -> None:
    folder = add_folder(db, photos)
    scan(db, folder)
    for job in jobs.claim(db, limit=10):
        looked(db, job)
        jobs.finish(db, job, ImageState.TAGGED)
    (photos / "a.jpg").write_bytes(b"longer than before")
    assert scan(db, folder).changed == 1
    assert not only(db).looked


def test_a_photo_that_changed_while_worked_on_is_not_done(
    db: Database, photos: Path
) -> None:
    folder = add_folder(db, photos)
    scan(db, folder)
    job = jobs.claim(db, limit=1)[0]
    looked(db, job)
    Path(os.fsdecode(job.path)).write_bytes(b"edited meanwhile")
    scan(db, folder)
    jobs.finish(db, job, ImageState.TAGGED)
    assert image(db, "a.jpg").state is ImageState.QUEUED


def test_a_late_holder_changes_nothing(db: Database, photos: Path) -> None:
    scan(db, add_folder(db, photos))
    late = jobs.claim(db, limit=1, lease_s=-1.0)[0]
    now = next(j for j in jobs.claim(db, limit=9) if j.id == late.id)
    with pytest.raises(jobs.LeaseLost):
        results.record(db, late, "t1:x", said("late"))
    with pytest.raises(jobs.LeaseLost):
        jobs.finish(db, late, ImageState.TAGGED)
    jobs.finish(db, now, ImageState.TAGGED)


def test_two_taggers_never_hold_one_job(db: Database, photos: Path) -> None:
    for n in range(60):
        (photos / f"{n}.jpg").write_bytes(b"x" * n)
    scan(db, add_folder(db, photos))
    held: list[int] = []

    def work() -> None:
        while batch := jobs.claim(db, limit=3):
            held.extend(job.id for job in batch)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == len(set(held)) == 63


def test_changes_are_numbered_without_gaps(db: Database, photos: Path) -> None:
    folder = add_folder(db, photos)

    def rescan() -> None:
        for _ in range(5):
            folders.request_scan(db, folder)
            folders.set_write_mode(db, folder, WriteMode.NONE)

    threads = [threading.Thread(target=rescan) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [c.number for c in changes.after(db, 0, limit=1000)]
    assert numbers == list(range(1, changes.latest(db) + 1))


def test_tags_of_a_person_and_of_a_model_are_told_apart(
    db: Database, photos: Path
) -> None:
    scan(db, add_folder(db, photos))
    job = jobs.claim(db, limit=1)[0]
    looked(db, job, tags=["Dog", "Rex"], description="My dog")
    results.record(db, job, "t1:a.jpg", said("dog", "grass", description="A dog."))
    found = image(db, "a.jpg")
    assert [(t.name, t.source) for t in found.tags] == [
        ("Dog", "file"),
        ("Rex", "file"),
        ("grass", "m"),
    ]
    assert (found.description, found.description_source) == ("My dog", "file")


def put_words(db: Database, job: jobs.Job, *, tags: tuple[str, ...]) -> Intent:
    """An announced write of `tags` to the job's photo."""
    return Intent(
        target=job.path,
        mode=WriteMode.FILE,
        expect=job.stat,
        before={"XMP-dc:Subject": ()},
        intended={"XMP-dc:Subject": tags},
        added_tags=tags,
        wrote_description="A photo.",
        after_hash="hash after",
    )


def test_our_own_words_are_not_taken_for_the_persons(
    db: Database, photos: Path
) -> None:
    scan(db, add_folder(db, photos))
    job = jobs.claim(db, limit=1)[0]
    looked(db, job, tags=["rex"])
    result = results.record(db, job, "t1:a.jpg", said("dog"))
    write_id = writes.intend(
        db, job, result, put_words(db, job, tags=("dog",)), run_id=None
    )
    writes.done(
        db,
        job,
        result,
        Written(
            target=job.path,
            mode=WriteMode.FILE,
            changed=True,
            stat=job.stat,
            words=FileWords(description="A photo.", tags=("rex", "dog")),
            added_tags=("dog",),
            wrote_description="A photo.",
        ),
        write_id=write_id,
    )
    assert results.wanted(db, job.file_id) is None
    looked(db, job, tags=["rex", "dog"], description="A photo.")
    assert {t.name: t.source for t in image(db, "a.jpg").tags} == {
        "rex": "file",
        "dog": "m",
    }
    results.record(db, job, "t1:a.jpg", said("puppy", model="better"))
    wanted = results.wanted(db, job.file_id)
    assert wanted is not None
    assert wanted.tags == ("puppy",)
    assert wanted.retired == ("dog",)
    assert wanted.own_description == "A photo."


@pytest.mark.parametrize("happened", [True, False])
def test_an_open_intent_is_settled_by_the_files_hash(
    db: Database, photos: Path, happened: bool
) -> None:
    scan(db, add_folder(db, photos))
    job = jobs.claim(db, limit=1)[0]
    looked(db, job)
    result = results.record(db, job, "t1:a.jpg", said("dog"))
    writes.intend(db, job, result, put_words(db, job, tags=("dog",)), run_id=None)
    [intent] = writes.open_intents(db)
    assert (
        writes.settle(db, intent, happened=lambda: happened, stat=job.stat) is happened
    )
    assert writes.open_intents(db) == []
    assert (results.wanted(db, job.file_id) is None) is happened


def test_a_file_is_not_read_as_changed_while_an_intent_is_open(
    db: Database, photos: Path
) -> None:
    folder = add_folder(db, photos)
    scan(db, folder)
    job = jobs.claim(db, limit=1)[0]
    looked(db, job)
    result = results.record(db, job, "t1:a.jpg", said("dog"))
    writes.intend(db, job, result, put_words(db, job, tags=("dog",)), run_id=None)
    Path(os.fsdecode(job.path)).write_bytes(b"our own new bytes")
    assert scan(db, folder).changed == 0


def test_a_copy_of_a_written_photo_shares_its_words(db: Database, photos: Path) -> None:
    scan(db, add_folder(db, photos))
    first, second, _ = jobs.claim(db, limit=3)
    looked(db, first, identity="t1:same")
    result = results.record(db, first, "t1:same", said("dog"))
    write_id = writes.intend(
        db, first, result, put_words(db, first, tags=("dog",)), run_id=None
    )
    writes.done(
        db,
        first,
        result,
        Written(
            target=first.path,
            mode=WriteMode.FILE,
            changed=True,
            stat=first.stat,
            words=FileWords(tags=("dog",)),
            added_tags=("dog",),
        ),
        write_id=write_id,
    )
    looked(db, second, identity="t1:same", content_hash="hash after", tags=["dog"])
    known = results.known(db, "t1:same")
    assert known is not None
    results.use(db, second, known.result_id)
    assert [(t.name, t.source) for t in image(db, "b.jpg").tags] == [("dog", "m")]
    assert results.wanted(db, second.file_id) is None


def test_a_photo_moved_to_another_disk_keeps_its_id(db: Database, photos: Path) -> None:
    folder = add_folder(db, photos)
    scan(db, folder)
    for job in jobs.claim(db, limit=9):
        looked(db, job, identity=f"t1:{job.file_id}")
        jobs.finish(db, job, ImageState.TAGGED)
    before = image(db, "a.jpg")
    (photos / "copy.jpg").write_bytes(b"the same picture, other inode")
    (photos / "a.jpg").unlink()
    scan(db, folder)
    job = only(db)
    assert looked(db, job, identity=f"t1:{before.id}") == before.id
    jobs.finish(db, job, ImageState.TAGGED)
    assert image(db, "copy.jpg").id == before.id
    assert jobs.claim(db, limit=9) == []


def test_a_folder_added_again_knows_its_photos(db: Database, photos: Path) -> None:
    folder = add_folder(db, photos)
    scan(db, folder)
    before = image(db, "a.jpg")
    folders.remove(db, folder)
    assert snapshots.after(db, 0, limit=9) == []
    assert add_folder(db, photos) == folder
    assert image(db, "a.jpg") == before


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: p / "gone", "no such folder"),
        (lambda p: p / "a.jpg", "is a file"),
        (lambda p: p.parent / "data", "data folder"),
        (lambda p: p / "x\ny", "line break"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_with_the_reason(
    db: Database, photos: Path, make, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        folders.add(
            db,
            os.fsencode(make(photos)),
            recursive=True,
            write_mode=WriteMode.FILE,
            data_dir=db.path.parent,
        )


def test_adding_a_folder_twice_is_refused(db: Database, photos: Path) -> None:
    add_folder(db, photos)
    with pytest.raises(UsageError, match="already"):
        add_folder(db, photos)


def test_file_names_that_are_not_utf8_are_kept_as_bytes(
    db: Database, photos: Path
) -> None:
    name = os.fsencode(photos) + b"/\xff\xfe.jpg"
    with open(name, "wb") as file:
        file.write(b"x")
    scan(db, add_folder(db, photos))
    assert name in [job.path for job in jobs.claim(db, limit=9)]


EDITS_SHAPE = "PRAGMA table_xinfo(edits)"


def test_a_newer_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "tracking.db"
    Database.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO migrations VALUES ('m999_future', 'later')")
    connection.commit()
    connection.close()
    with pytest.raises(DataError, match="newer version of Image Tagger"):
        Database.open(path)


def test_a_database_without_failed_edits_is_brought_up_to_date(tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    for path in (old, new):
        Database.open(path).close()
    connection = sqlite3.connect(old)
    connection.execute("ALTER TABLE edits DROP COLUMN failed")
    connection.execute("DELETE FROM migrations WHERE name = 'm007_failed_edits'")
    connection.execute(
        "INSERT INTO edits (kind, detail, photos, created_at) VALUES "
        "('tags', '{\"add\": [\"x\"], \"remove\": []}', 3, '2026-11-22T10:00:00.000Z')"
    )
    connection.commit()
    connection.close()
    with Database.open(old) as db:
        [edit] = underway.listed(db, limit=9)
        assert (edit.photos, edit.failed, edit.detail["add"]) == (3, 0, ["x"])
        underway.close(db)
        assert underway.listed(db, limit=9, unfinished=True) == []
    columns = [
        sorted(row[1:] for row in sqlite3.connect(p).execute(EDITS_SHAPE))
        for p in (old, new)
    ]
    assert columns[0] == columns[1]


@pytest.mark.sqlite
def test_edits_are_found_along_the_line_however_long_it_is(
    db: Database, photos: Path
) -> None:
    scan(db, add_folder(db, photos))
    ids = [job.file_id for job in jobs.claim(db, limit=9)]
    jobs.release_all(db)
    assert jobs.claim(db, limit=9, edits_only=True) == []
    edits.tag(db, ids=ids[-1:], add=["x"])
    [job] = jobs.claim(db, limit=9, edits_only=True)
    assert (job.file_id, job.is_edit) == (ids[-1], True)
    with db.read() as connection:
        where = "priority >= 100 AND edit_id IS NOT NULL"
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE {where} "
            "ORDER BY priority DESC, id LIMIT 8"
        ).all()
    assert "USING INDEX jobs_next (priority>?)" in str(plan)


def test_an_edit_is_over_once_its_words_are_written_and_the_photo_waits_on(
    db: Database, photos: Path
) -> None:
    scan(db, add_folder(db, photos))
    first = image(db, "a.jpg").id
    edit = edits.tag(db, ids=[first], add=["x"])
    [job] = jobs.claim(db, limit=9, edits_only=True)
    returns.postpone(db, job, reason="its folder is full", delay_s=0)
    assert underway.listed(db, limit=1)[0].not_written == 1
    [job] = jobs.claim(db, limit=9, edits_only=True)
    later = edits.tag(db, ids=[first], add=["y"])
    returns.go_on(db, job, bound=True)
    assert underway.left(db, later.id or 0) == {first}
    [job] = jobs.claim(db, limit=9, edits_only=True)
    returns.go_on(db, job, bound=True)
    assert [e.finished_at is not None for e in underway.listed(db, limit=9)] == [
        True
    ] * 2
    assert (image(db, "a.jpg").state, image(db, "a.jpg").reason) == ("queued", None)
    assert jobs.claim(db, limit=9, edits_only=True) == []
    assert {job.file_id for job in jobs.claim(db, limit=9)} >= {first}
    assert edit.photos == 1


def test_what_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "tracking.db"
    path.write_bytes(b"no database at all, but long enough to be read as one" * 99)
    with pytest.raises(DataError, match="damaged or no tracking database"):
        Database.open(path)


def test_status_counts_every_photo_once(db: Database, photos: Path) -> None:
    scan(db, add_folder(db, photos))
    first, second = jobs.claim(db, limit=2)
    looked(db, first)
    jobs.finish(db, first, ImageState.TAGGED)
    found = status.read(db)
    assert (found.total, found.tagged, found.working, found.queued) == (3, 1, 1, 1)
    assert found.state == "stopped"
    run = runs.begin(db, "run")
    runs.report(db, run, state="working", message=None, backend="x", servers=())
    assert status.read(db).state == "working"
    assert runs.is_alive(db, run)
    runs.end(db, run)
    assert not runs.is_alive(db, run)
    jobs.finish(db, second, ImageState.FAILED, reason="it is broken")
    assert image(db, "b.jpg").reason == "it is broken"
    assert reasons.retry(db) == 1


def test_the_next_due_time_tells_now_later_and_never(
    db: Database, photos: Path
) -> None:
    assert bound.next_due(db) is None
    scan(db, add_folder(db, photos))
    assert bound.next_due(db) == 0.0
    for job in jobs.claim(db, limit=9):
        returns.put_back(db, job, delay_s=50)
    due = bound.next_due(db)
    assert due is not None
    assert 40 < due <= 50


def test_a_photo_touched_a_moment_ago_waits_until_it_is_settled(
    db: Database, photos: Path
) -> None:
    folder = add_folder(db, photos)
    scan(db, folder, settle_s=2.0)
    assert jobs.claim(db, limit=9) == []
    time.sleep(2.1)
    assert len(jobs.claim(db, limit=9)) == 3


def test_stat_keys_compare_whole(photos: Path) -> None:
    one = StatKey.of(os.stat(photos / "a.jpg"))
    assert one == StatKey.of(os.stat(photos / "a.jpg"))
    (photos / "a.jpg").chmod(0o600)
    assert one != StatKey.of(os.stat(photos / "a.jpg"))


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Every statement sent to any database meanwhile."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_no_step_over_many_photos_asks_a_query_for_each(
    db: Database, photos: Path
) -> None:
    for n in range(1500):
        (photos / f"{n}.jpg").write_bytes(b"x")
    folder = add_folder(db, photos)
    run = runs.begin(db, "tag")
    steps = {
        "first scan": lambda: scan(db, folder),
        "rescan": lambda: scan(db, folder),
        "bind": lambda: bound.bind(
            db, run, [os.fsencode(photos)], limit=None, ask_again=False
        ),
        "status": lambda: status.read(db),
        "claim": lambda: jobs.claim(db, limit=4),
    }
    for name, step in steps.items():
        with counted_statements() as sent:
            step()
        assert len(sent) < 40, f"{name}: {len(sent)} statements"


@pytest.mark.sqlite
def test_a_claim_sorts_nothing_however_long_the_queue(
    db: Database, photos: Path
) -> None:
    scan(db, add_folder(db, photos))
    with counted_statements() as sent:
        jobs.claim(db, limit=1)
    [line] = {s for s in sent if "ORDER BY jobs.priority DESC" in s}
    with db.read() as connection:
        values = tuple(1 for _ in range(line.count("?")))
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {line}", values)
        steps = [row[-1] for row in plan]
    assert not [step for step in steps if "TEMP B-TREE" in step], steps
    assert any("jobs_next" in step for step in steps), steps


def test_a_photo_that_arrived_whole_while_its_half_failed_is_tried_again(
    db: Database, photos: Path
) -> None:
    folder = add_folder(db, photos)
    scan(db, folder)
    job = jobs.claim(db, limit=1)[0]
    (photos / "a.jpg").write_bytes(b"the whole of it")
    assert scan(db, folder).changed == 1
    assert not jobs.finish(db, job, ImageState.FAILED, reason="it is truncated")
    assert image(db, "a.jpg").state is ImageState.QUEUED
    assert job.id in [j.id for j in jobs.claim(db, limit=9)]


def test_a_wish_for_another_answer_outlives_the_work_under_way(
    db: Database, photos: Path
) -> None:
    scan(db, add_folder(db, photos))
    job = jobs.claim(db, limit=1)[0]
    looked(db, job)
    jobs.retag(db, [job.file_id])
    assert not jobs.finish(db, job, ImageState.TAGGED)
    [again] = [j for j in jobs.claim(db, limit=9) if j.file_id == job.file_id]
    assert again.ask_again
    assert jobs.finish(db, again, ImageState.TAGGED)


def test_a_photo_that_cannot_be_written_is_news_only_once(
    db: Database, photos: Path
) -> None:
    scan(db, add_folder(db, photos))
    job = jobs.claim(db, limit=1)[0]
    assert returns.postpone(db, job, reason="it is read-only", delay_s=0.001)
    seen = changes.latest(db)
    time.sleep(0.01)
    [job] = [j for j in jobs.claim(db, limit=9) if j.file_id == job.file_id]
    assert not returns.postpone(db, job, reason="it is read-only", delay_s=60)
    assert changes.latest(db) == seen
    assert image(db, "a.jpg").state is ImageState.NOT_WRITTEN
    assert bound.retry_not_written(db) == 1


def test_a_look_by_a_late_holder_is_not_kept(db: Database, photos: Path) -> None:
    scan(db, add_folder(db, photos))
    late = jobs.claim(db, limit=1, lease_s=-1.0)[0]
    jobs.claim(db, limit=9)
    with pytest.raises(jobs.LeaseLost):
        looked(db, late, tags=["dog"])
    assert image(db, "a.jpg").tags == ()


def test_a_limit_counts_failed_photos_too(db: Database, photos: Path) -> None:
    scan(db, add_folder(db, photos))
    for job in jobs.claim(db, limit=9):
        jobs.finish(db, job, ImageState.FAILED, reason="broken")
    run = runs.begin(db, "tag")
    ids = bound.bind(db, run, [os.fsencode(photos)], limit=2, ask_again=False)
    assert len(ids) == 2
    states = [i.state for i in snapshots.after(db, 0, limit=9)]
    assert states.count(ImageState.FAILED) == 1


def test_jobs_of_folders_that_are_switched_off_or_away_wait(
    db: Database, photos: Path
) -> None:
    folder = add_folder(db, photos)
    scan(db, folder)
    folders.set_active(db, folder, False)
    assert jobs.claim(db, limit=9) == []
    assert bound.next_due(db) is None
    run = runs.begin(db, "tag")
    bound.bind(db, run, [os.fsencode(photos)], limit=1, ask_again=False)
    assert len(jobs.claim(db, limit=9, run_id=run)) == 1
    folders.set_active(db, folder, True)
    folders.set_offline(db, folder, "its disk is away")
    assert jobs.claim(db, limit=9) == []
    folders.set_offline(db, folder, None)
    assert len(jobs.claim(db, limit=9)) == 2
    folders.remove(db, folder)
    assert reasons.retry(db) == 0
    assert status.read(db).total == 0


def test_a_tagger_is_known_to_others_from_its_first_moment(db: Database) -> None:
    run = runs.begin(db, "run")
    assert runs.is_alive(db, run)
    runs.end(db, run)
    assert not runs.is_alive(db, run)


@pytest.mark.sqlite
def test_a_full_disk_is_told_from_other_trouble(db: Database, photos: Path) -> None:
    """SQLite itself says it here: its file may not grow any more."""
    folder = add_folder(db, photos)

    def no_growth(connection: Any, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    db.close()
    event.listen(db._engine, "connect", no_growth)
    for n in range(3000):
        (photos / f"{n}.jpg").touch()
    with pytest.raises(DataFull, match="free some space"):
        scan(db, folder)
    event.remove(db._engine, "connect", no_growth)
    db.close()
    assert scan(db, folder).new == 3003
