"""Counts, clouds, events and figures of the API, through a real server on a port."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select, update

from tagger.records import utc_now
from tagger.tracking import cancelling, changes, schema
from tests.support_tracking import scan
from tests.support_web import Library, library, served, settings_file


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    with library(tmp_path) as made:
        made.photo("a.jpg", "dog", "beach", description="A dog.")
        made.photo("b.jpg", "dog", description="Another dog.", colour="blue")
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    with served() as client:
        yield client


@pytest.fixture
def api(server: httpx.Client, photos: Library) -> httpx.Client:
    return server


def said(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(page: dict[str, Any]) -> list[str]:
    return [image["name"] for image in page["images"]]


def untagged(photos: Library, name: str) -> None:
    """A photo that was found, and nothing more."""
    Image.new("RGB", (64, 48), "white").save(photos.root / name)
    scan(photos.opened.db, photos.folder_id)
    photos.opened.take()


def test_photos_are_searched_under_the_older_name_too(api: httpx.Client) -> None:
    asked = {"q": "dog", "tags": "beach", "limit": 50}
    found = said(api.get("/api/images/search", params=asked))

    assert names(found) == ["a.jpg"]
    assert found == said(api.get("/api/search", params=asked))
    assert {tag["name"] for tag in found["images"][0]["tags"]} == {"dog", "beach"}


def test_photos_are_counted_by_how_they_stand(
    api: httpx.Client, photos: Library
) -> None:
    untagged(photos, "c.jpg")
    stats = said(api.get("/api/images/stats"))
    assert (stats["total"], stats["tagged"], stats["tags"]) == (3, 2, 2)
    assert said(api.get("/api/images/stats", params={"q": "another"}))["total"] == 1


def test_the_cloud_is_tags_by_name_with_counts(api: httpx.Client) -> None:
    assert said(api.get("/api/tags/cloud")) == [
        {"name": "beach", "count": 1},
        {"name": "dog", "count": 2},
    ]
    assert said(api.get("/api/tags/cloud", params={"limit": 1})) == [
        {"name": "dog", "count": 2}
    ]


def test_the_photos_of_a_tag_are_listed_page_by_page(api: httpx.Client) -> None:
    ids = {tag["name"]: tag["id"] for tag in said(api.get("/api/tags"))}
    path = f"/api/tags/{ids['dog']}/images"
    first = said(api.get(path, params={"limit": 1}))
    second = said(api.get(path, params={"limit": 1, "after": first["next"]}))
    assert (first["total"], names(first), names(second)) == (2, ["b.jpg"], ["a.jpg"])
    assert second["next"] is None
    assert api.get("/api/tags/999/images").status_code == 404
    assert api.get(path, params={"sort": "name"}).status_code == 422


def test_progress_is_told_as_a_share(api: httpx.Client, photos: Library) -> None:
    untagged(photos, "c.jpg")
    photos.opened.forget_status()
    assert said(api.get("/api/settings/processing-status")) == {
        "is_processing": False,
        "current_task": photos.opened.status().message,
        "task_progress": 66.7,
        "completed_tasks": 2,
        "task_total": 3,
    }


def test_a_photo_that_waits_for_review_is_counted_and_completed(
    api: httpx.Client, photos: Library
) -> None:
    db = photos.opened.db
    with db.write() as connection:
        one = schema.files.c.id == 1
        connection.execute(update(schema.files).where(one).values(state="review"))
        changes.record(connection, changes.IMAGE, [1])
    photos.opened.take()
    photos.opened.forget_status()

    stats = said(api.get("/api/images/stats"))
    assert (stats["total"], stats["tagged"], stats["review"]) == (2, 1, 1)
    progress = said(api.get("/api/settings/processing-status"))
    assert (progress["completed_tasks"], progress["task_progress"]) == (2, 100.0)
    assert 'image_tagger_photos{state="review"} 1.0' in api.get("/api/metrics").text


def test_all_folders_are_scanned_and_all_photos_queued_on_request(
    api: httpx.Client, photos: Library
) -> None:
    db = photos.opened.db
    untagged(photos, "c.jpg")
    cancelling.cancel(db)
    asked_at = utc_now()
    header = {"origin": str(api.base_url).rstrip("/")}

    scanned = said(api.post("/api/settings/scan-all-folders", headers=header, json={}))
    queued = said(api.post("/api/settings/process-all-images", headers=header, json={}))

    assert scanned == {"message": "Active folders to be looked through: 1."}
    assert queued == {"message": "Photos put into the queue: 1; tried again: 0."}
    with db.read() as connection:
        wanted = select(schema.folders.c.scan_requested_at)
        assert connection.scalar(wanted) > asked_at


def told(lines: Iterator[str]) -> tuple[str, dict[str, Any], int]:
    """The next event: its name, its data and its id."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line and fields:
            break
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields["event"], json.loads(fields["data"]), int(fields["id"])


def test_events_tell_progress_and_photos_that_can_be_found(
    api: httpx.Client, photos: Library
) -> None:
    with api.stream("GET", "/api/events", timeout=30) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        name, status, before = told(lines)
        assert (name, status["tagged"]) == ("progress", 2)
        new = photos.photo("c.jpg", "cat", colour="green")
        name, news, after = told(lines)
        assert name == "results"
        assert news == {"image_ids": [new]}
        assert after > before
        assert names(said(api.get("/api/search", params={"q": "cat"}))) == ["c.jpg"]

    missed = {"last-event-id": str(before)}
    with api.stream("GET", "/api/events", headers=missed, timeout=30) as stream:
        assert told(stream.iter_lines())[:2] == ("results", {"image_ids": [new]})


@pytest.mark.parametrize("number", ["", "x", "-1", "99999999999999999999"])
def test_events_take_any_number_to_go_on_from(api: httpx.Client, number: str) -> None:
    header = {"last-event-id": number}
    with api.stream("GET", "/api/events", headers=header, timeout=30) as stream:
        assert stream.status_code == 200
        assert told(stream.iter_lines())[0] == "progress"


def test_figures_are_such_that_prometheus_reads_them(
    api: httpx.Client, photos: Library
) -> None:
    answer = api.get("/api/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["image_tagger_photos", "tagged"] == 2
    assert found["image_tagger_working",] == 0
    assert found["image_tagger_catalogue_behind",] == 0
    assert found["process_resident_memory_bytes",] > 0
    assert "a.jpg" not in answer.text
