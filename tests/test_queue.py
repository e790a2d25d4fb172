"""The queue as people steer it: nothing is lost, and what they say holds."""

import os
from pathlib import Path

import pytest

from tagger.errors import UsageError
from tagger.records import ImageSnapshot, ImageState
from tagger.tracking import (
    bound,
    cancelling,
    controls,
    edits,
    folders,
    jobs,
    reasons,
    results,
    returns,
    runs,
    snapshots,
    status,
    upgrades,
    waiting,
)
from tagger.tracking.database import Database
from tests.support_tracking import add_folder, looked, said, scan
from tests.test_tracking import counted_statements


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for name in ("old/a.jpg", "old/b.jpg", "new/c.jpg", "new/d.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture
def folder(db: Database, photos: Path) -> int:
    """The folder, with its four photos in the queue."""
    added = add_folder(db, photos)
    scan(db, added)
    return added


def image(db: Database, name: str) -> ImageSnapshot:
    [found] = [
        one for one in snapshots.after(db, 0, limit=99) if one.shown_path.endswith(name)
    ]
    return found


def states(db: Database) -> dict[str, ImageState]:
    return {
        os.path.basename(one.shown_path): one.state
        for one in snapshots.after(db, 0, limit=99)
    }


def line(db: Database, *, newest_first: bool = False) -> str:
    """The letters of the photos that wait, in their order."""
    found = waiting.upcoming(db, limit=99, newest_first=newest_first)
    return "".join(os.path.basename(one.path)[:1].decode() for one in found)


def tagged(db: Database, job: jobs.Job) -> None:
    looked(db, job)
    results.record(db, job, f"t1:{os.path.basename(job.path).decode()}", said("dog"))
    jobs.finish(db, job, ImageState.TAGGED)


# -- pause ----------------------------------------------------------------------------


def test_a_pause_outlives_every_process_and_says_how_it_ends(db: Database) -> None:
    first = controls.pause(db)
    assert controls.pause(db).paused_at == first.paused_at
    with Database.open(db.path) as again:
        found = status.read(again)
        assert (found.state, found.paused_at) == ("stopped", first.paused_at)
        assert "paused by you at " in (found.message or "")
        assert "python -m tagger queue resume" in (found.message or "")
    assert controls.resume(db)
    assert not controls.resume(db)
    assert status.read(db).message is None


def test_a_pause_shows_before_the_tagger_has_heard_of_it(db: Database) -> None:
    run = runs.begin(db, "run")
    runs.report(db, run, state="working", message=None, backend="x", servers=())
    controls.pause(db)
    assert status.read(db).state == "paused"


# -- order ----------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_the_newest_files_go_first_where_that_is_wanted(
    db: Database, photos: Path
) -> None:
    assert line(db) == "cdab"  # as the folder was looked through
    for age, name in enumerate(("old/b.jpg", "new/d.jpg", "old/a.jpg", "new/c.jpg")):
        os.utime(photos / name, (1e9 - age, 1e9 - age))
    scan(db, 1)
    assert line(db, newest_first=True) == "bdac"
    claimed = jobs.claim(db, limit=2, newest_first=True)
    assert [os.path.basename(job.path) for job in claimed] == [b"b.jpg", b"d.jpg"]


@pytest.mark.usefixtures("folder")
def test_no_order_of_the_queue_needs_sorting(db: Database) -> None:
    for options, index in (
        ({"newest_first": True}, "jobs_newest"),
        ({"only_now": True}, "jobs_next"),
    ):
        with counted_statements() as sent:
            jobs.claim(db, limit=1, **options)  # type: ignore[arg-type]
        first = next(s for s in sent if "ORDER BY jobs.priority DESC" in s)
        with db.read() as connection:
            values = tuple(1 for _ in range(first.count("?")))
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {first}", values)
            steps = [row[-1] for row in plan]
        assert not [step for step in steps if "TEMP B-TREE" in step], steps
        assert any(index in step for step in steps), steps


@pytest.mark.usefixtures("folder")
def test_a_chosen_folder_goes_first_now_and_later(db: Database, photos: Path) -> None:
    place = os.fsencode(photos / "old")
    assert controls.put_first(db, place) == 2
    assert line(db) == "abcd"
    (photos / "old" / "e.jpg").write_bytes(b"e")
    (photos / "older").mkdir()
    (photos / "older" / "f.jpg").write_bytes(b"f")
    scan(db, 1)
    assert line(db) == "abecdf"
    with Database.open(db.path) as again:
        assert controls.read(again).first == place
    assert controls.put_first(db, None) == 0
    assert line(db) == "cdabef"
    assert controls.read(db).first is None


@pytest.mark.usefixtures("folder")
def test_a_place_that_is_in_no_folder_cannot_go_first(
    db: Database, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="in no folder"):
        controls.put_first(db, os.fsencode(tmp_path / "elsewhere"))
    assert controls.put_first(db, os.fsencode(tmp_path)) == 4  # around it


@pytest.mark.usefixtures("folder")
def test_a_photo_wanted_now_goes_ahead_of_all(db: Database, photos: Path) -> None:
    controls.put_first(db, os.fsencode(photos / "old"))
    assert controls.want_now(db, [image(db, "d.jpg").id]) == 1
    assert line(db) == "dabc"
    [job] = jobs.claim(db, limit=9, only_now=True)
    assert job.path.endswith(b"d.jpg")
    tagged(db, job)
    assert controls.want_now(db, [job.file_id]) == 0
    assert controls.want_now(db, [job.file_id], ask_again=True) == 1
    [again] = jobs.claim(db, limit=9, only_now=True)
    assert again.ask_again


@pytest.mark.usefixtures("folder")
def test_a_photo_nobody_would_come_to_is_not_promised(
    db: Database, photos: Path
) -> None:
    wanted = [image(db, "d.jpg").id]
    folders.set_active(db, 1, False)
    with pytest.raises(UsageError, match="switched off; `python -m tagger tag "):
        controls.want_now(db, wanted)
    folders.set_active(db, 1, True)
    (photos / "new" / "d.jpg").unlink()
    scan(db, 1)
    with pytest.raises(UsageError, match="is missing"):
        controls.want_now(db, wanted)


@pytest.mark.usefixtures("folder")
def test_a_photo_whose_write_was_put_off_is_not_ahead_for_ever(db: Database) -> None:
    controls.want_now(db, [image(db, "d.jpg").id])
    [job] = jobs.claim(db, limit=9, only_now=True)
    looked(db, job)
    returns.postpone(db, job, reason="the disk is read-only", delay_s=0)
    assert jobs.claim(db, limit=9, only_now=True) == []


# -- cancel ---------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_cancelled_photos_stand_as_they_were(db: Database) -> None:
    done, broken = jobs.claim(db, limit=2)
    tagged(db, done)
    jobs.finish(db, broken, ImageState.FAILED, reason="it is broken")
    jobs.retag(db, [done.file_id])
    reasons.retry(db)
    assert set(states(db).values()) == {ImageState.QUEUED}
    assert cancelling.cancel(db) == 4
    assert states(db) == {
        "c.jpg": ImageState.TAGGED,
        "d.jpg": ImageState.FAILED,
        "a.jpg": ImageState.NEW,
        "b.jpg": ImageState.NEW,
    }
    assert image(db, "d.jpg").reason == "it is broken"
    assert [tag.name for tag in image(db, "c.jpg").tags] == ["dog"]
    found = status.read(db)
    assert (found.new, found.queued, found.total) == (2, 0, 4)
    assert jobs.claim(db, limit=9) == []


@pytest.mark.usefixtures("folder")
def test_cancelled_photos_come_back_when_asked_for_and_not_by_a_scan(
    db: Database, photos: Path
) -> None:
    cancelling.cancel(db)
    scan(db, 1)
    assert line(db) == ""
    assert cancelling.put_back(db, os.fsencode(photos / "new")) == 2
    assert line(db) == "cd"
    run = runs.begin(db, "tag")
    place = os.fsencode(photos / "old" / "a.jpg")
    assert len(bound.bind(db, run, [place], limit=None, ask_again=False)) == 1
    (photos / "old" / "b.jpg").write_bytes(b"another picture")
    scan(db, 1)
    assert set(states(db).values()) == {ImageState.QUEUED}


@pytest.mark.usefixtures("folder")
def test_only_what_lies_there_is_cancelled(db: Database, photos: Path) -> None:
    assert cancelling.cancel(db, os.fsencode(photos / "old")) == 2
    assert line(db) == "cd"
    assert cancelling.cancel(db, os.fsencode(photos / "new" / "c.jpg")) == 1
    assert line(db) == "d"


@pytest.mark.usefixtures("folder")
def test_work_under_way_answers_edits_and_a_tag_command_are_left_alone(
    db: Database, photos: Path
) -> None:
    held, answered = jobs.claim(db, limit=2)
    looked(db, answered)
    results.record(db, answered, "t1:d.jpg", said("dog"))
    returns.put_back(db, answered)
    edit = edits.tag(db, [os.fsencode(photos / "old" / "a.jpg")], add=["Oma"])
    assert edit.photos == 1
    run = runs.begin(db, "tag")
    place = os.fsencode(photos / "old" / "b.jpg")
    bound.bind(db, run, [place], limit=None, ask_again=False)
    assert cancelling.cancel(db) == 0
    runs.end(db, run)
    assert cancelling.cancel(db) == 1  # what the command left
    assert states(db)["b.jpg"] is ImageState.NEW
    tagged(db, held)
    assert line(db) == "ad"  # what a person changed goes first


@pytest.mark.usefixtures("folder")
def test_a_changed_photo_that_is_cancelled_is_not_called_tagged(
    db: Database, photos: Path
) -> None:
    [job] = jobs.claim(db, limit=1)
    tagged(db, job)
    (photos / "new" / "c.jpg").write_bytes(b"another picture")
    scan(db, 1)
    cancelling.cancel(db)
    assert states(db)["c.jpg"] is ImageState.NEW


@pytest.mark.usefixtures("folder")
def test_words_that_wait_to_be_written_still_do_after_a_cancel(db: Database) -> None:
    [job] = jobs.claim(db, limit=1)
    looked(db, job)
    results.record(db, job, "t1:c.jpg", said("dog"))
    returns.postpone(db, job, reason="read-only", delay_s=0)
    jobs.retag(db, [job.file_id])
    cancelling.cancel(db)
    assert image(db, "c.jpg").state is ImageState.NOT_WRITTEN
    assert image(db, "c.jpg").reason == "read-only"
    [again] = jobs.claim(db, limit=9)
    assert (again.file_id, again.ask_again) == (job.file_id, False)


@pytest.mark.usefixtures("folder")
def test_a_better_model_does_not_ask_about_what_was_cancelled(db: Database) -> None:
    for job in jobs.claim(db, limit=2):
        tagged(db, job)
    assert upgrades.ask_again(db, "ollama") == 2
    cancelling.cancel(db)
    assert upgrades.ask_again(db, "ollama") == 0
    jobs.retag(db, [image(db, "c.jpg").id])
    [job] = jobs.claim(db, limit=1)
    tagged(db, job)
    assert upgrades.ask_again(db, "ollama") == 1


def test_cancelling_many_asks_no_query_for_each(db: Database, photos: Path) -> None:
    for number in range(600):
        (photos / f"{number}.jpg").write_bytes(b"%d" % number)
    scan(db, add_folder(db, photos))
    with counted_statements() as sent:
        assert cancelling.cancel(db) == 604
        assert cancelling.put_back(db) == 604
    assert len(sent) < 40


# -- reasons --------------------------------------------------------------------------


def test_one_trouble_is_one_row_however_many_photos_it_befell(
    db: Database, photos: Path
) -> None:
    for number in range(40):
        (photos / f"IMG_{number:04d} (2).jpg").write_bytes(b"%d" % number)
    scan(db, add_folder(db, photos))
    for number, job in enumerate(jobs.claim(db, limit=99)):
        name = os.path.basename(job.path).decode()
        reason = (
            f"Error: {name} has {number},{number:03d} bad bytes at 0x{number:08x} - "
            f"{job.path.decode()}"
        )
        if number < 4:
            reason = f"http://10.0.0.{number}:1234/v1 answered HTTP 500: 'x{number}'"
        jobs.finish(db, job, ImageState.FAILED, reason=reason)
    many, few = reasons.groups(db)
    assert (many.photos, few.photos) == (40, 4)
    assert many.kind == "Error: … has … bad bytes at … - …"
    assert many.reason.startswith("Error: IMG_0")
    assert "HTTP 500" in few.kind
    assert reasons.retry(db, kind=few.kind) == 4
    assert [group.photos for group in reasons.groups(db)] == [40]
    assert len(jobs.claim(db, limit=99)) == 4
    assert reasons.retry(db, kind="no such trouble") == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTP 400: bad picture", "HTTP 500: bad picture"),
        ("it is empty", "it is no picture"),
        ("its sidecar cannot be read: Permission denied", "it cannot be read"),
    ],
)
def test_different_troubles_stay_apart(one: str, other: str) -> None:
    assert reasons.kind_of(one, b"/a.jpg") != reasons.kind_of(other, b"/a.jpg")


@pytest.mark.usefixtures("folder")
def test_what_could_not_be_written_is_tried_again_by_reason(db: Database) -> None:
    [job] = jobs.claim(db, limit=1)
    looked(db, job)
    returns.postpone(db, job, reason="no room on /photos", delay_s=600)
    [group] = reasons.groups(db)
    assert group.state is ImageState.NOT_WRITTEN
    assert reasons.retry(db, kind=group.kind) == 1
    assert job.file_id in [one.file_id for one in jobs.claim(db, limit=9)]


def test_a_hostile_reason_takes_no_time_to_compare() -> None:
    for reason in ("'" * 50_000, "/" * 50_000, "a/" * 25_000, '"' + "x" * 100_000):
        assert reasons.kind_of(reason, b"/a.jpg")
