"""The REST API through a real server on a real port, and what the guard keeps out."""

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow.parquet as parquet
import pytest

from tagger import config
from tagger.errors import ConfigError, DataError, ModelUnavailable, TaggerError
from tagger.records import Cost, ImageState, Watching
from tagger.tracking import jobs, runs, snapshots
from tagger.web import appfile, problems
from tests.support_tracking import scan
from tests.support_web import (
    SECRET,
    Library,
    free_port,
    handshake,
    library,
    served,
    settings_file,
)

TRUSTED = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    with library(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    with served() as client:
        yield client


@pytest.fixture
def api(server: httpx.Client, photos: Library) -> httpx.Client:
    """The one server, now for this test's photos."""
    return server


def own_origin(api: httpx.Client) -> str:
    return str(api.base_url).rstrip("/")


def is_problem(response: httpx.Response, status: int) -> bool:
    body = response.json()
    return (
        response.status_code == status == body["status"]
        and response.headers["content-type"] == problems.MEDIA_TYPE
        and bool(body["detail"])
    )


# What is not there, and what the guard refuses


@pytest.mark.parametrize(
    "path", ["/api/nope", "/api/", "/api/images/1/nope", "/api/images/999", "/api/v1/x"]
)
def test_what_is_not_there_is_a_json_404(api: httpx.Client, path: str) -> None:
    assert is_problem(api.get(path), 404)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost@evil", "0.0.0.0", "", "a b"],
)
def test_a_foreign_host_is_refused_everywhere(api: httpx.Client, host: str) -> None:
    for path in ("/api/health", "/thumbnails/1.jpg", "/anything"):
        assert is_problem(api.get(path, headers={"Host": host}), 403)
    assert handshake(own_origin(api), Host=host) == 403


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "[::1]:8501", "127.0.0.1"]
)
def test_the_names_of_this_machine_are_let_in(api: httpx.Client, host: str) -> None:
    assert api.get("/api/health", headers={"Host": host}).is_success


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_origin_can_change_nothing(
    api: httpx.Client, photos: Library, headers: dict[str, str]
) -> None:
    folder = f"/api/folders/{photos.folder_id}"
    for method, path in [("POST", "/api/folders/scan"), ("DELETE", folder)]:
        assert is_problem(api.request(method, path, headers=headers), 403)
    assert handshake(own_origin(api), **headers) == 403
    assert len(api.get("/api/folders", headers=headers).json()) == 1


def test_the_apps_own_pages_are_let_in(api: httpx.Client) -> None:
    own = {"Origin": own_origin(api), "Sec-Fetch-Site": "same-origin"}

    assert api.post("/api/folders/scan", headers=own).status_code == 202
    assert handshake(own_origin(api), **own) == 101


def test_a_body_that_a_form_could_send_is_refused(api: httpx.Client) -> None:
    answer = api.post("/api/folders", data={"path": "/tmp"})

    assert is_problem(answer, 415)


def test_the_secret_stands_in_for_an_origin_and_a_wrong_one_is_told(
    api: httpx.Client,
) -> None:
    foreign = {"Origin": "https://evil.example"}
    wrong = {"Authorization": "Bearer of another life"}

    assert api.post("/api/folders/scan", headers={**foreign, **TRUSTED}).is_success
    assert is_problem(api.post("/api/folders/scan", headers=wrong), 401)
    assert is_problem(api.get("/api/folders", headers={**TRUSTED, "Host": "x"}), 403)


def test_every_answer_carries_the_security_headers(api: httpx.Client) -> None:
    for path in ("/api/health", "/api/nope", "/thumbnails/1.jpg", "/api/docs"):
        headers = api.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'self'" in headers["content-security-policy"]


def test_the_documentation_asks_nothing_of_the_internet(api: httpx.Client) -> None:
    page = api.get("/api/docs").text

    assert "http://" not in page
    assert "https://" not in page
    assert api.get("/api/assets/swagger-ui-bundle.js").is_success
    assert "/images/{image_id}" in api.get("/api/openapi.json").json()["paths"]


# Service


def test_health_proves_who_it_is_without_telling_the_secret(api: httpx.Client) -> None:
    answer = api.get("/api/health", params={"nonce": "n"}).json()

    assert answer["proof"] == appfile.proof(SECRET, "n")
    assert api.get("/api/health").json()["proof"] is None


def test_status_tells_counts_and_notices(api: httpx.Client, photos: Library) -> None:
    photos.photo("a.jpg", "dog")
    photos.opened.notices.set("disk", "The disk is nearly full.")

    said = api.get("/api/status").json()

    assert (said["tagged"], said["total"]) == (1, 1)
    assert said["notices"] == ["The disk is nearly full."]


def test_rebuild_is_for_the_command_line_and_tells_its_progress(
    api: httpx.Client, photos: Library
) -> None:
    image_id = photos.photo("a.jpg", "dog")
    thumbnail = api.get(f"/api/images/{image_id}").json()["thumbnail"]
    for jpeg in photos.opened.thumbnails.dir.rglob("*.jpg"):
        jpeg.unlink()

    assert is_problem(api.post("/api/rebuild"), 403)
    answer = api.post("/api/rebuild", headers=TRUSTED)
    lines = [json.loads(line) for line in answer.text.splitlines()]

    assert {"done": 1, "total": 1} in lines
    assert lines[-1] == {"message": "rebuilt"}
    assert len(list(photos.opened.thumbnails.dir.rglob("*.jpg"))) == 1
    assert api.get(thumbnail).is_success
    assert api.get("/api/search", params={"q": "dog"}).json()["total"] == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigError("x"), 422),
        (DataError("x"), 503),
        (ModelUnavailable("x"), 502),
        (TaggerError("x"), 500),
    ],
)
def test_the_status_says_who_has_to_react(error: TaggerError, status: int) -> None:
    assert problems.status_of(error) == status


# Photos


def test_pages_of_photos_follow_one_another_without_gap(
    api: httpx.Client, photos: Library
) -> None:
    made = [photos.photo(f"{n}.jpg", colour=f"#0000{50 * n:02x}") for n in range(5)]

    first = api.get("/api/images", params={"limit": 2}).json()
    second = api.get("/api/images", params={"limit": 2, "after": first["next"]}).json()
    third = api.get("/api/images", params={"limit": 2, "after": second["next"]}).json()

    pages = [first, second, third]
    assert [image["id"] for page in pages for image in page["images"]] == made[::-1]
    assert (first["total"], third["next"]) == (5, None)


def test_photos_are_filtered_by_tag_folder_and_state(
    api: httpx.Client, photos: Library
) -> None:
    dog = photos.photo("dog.jpg", "dog", "park, city", colour="red")
    photos.photo("cat.jpg", "cat", colour="blue")

    def ids(**asked: str | int) -> list[int]:
        return [i["id"] for i in api.get("/api/images", params=asked).json()["images"]]

    assert ids(tags="dog") == ids(tag="park, city") == [dog]
    assert ids(tags="dog,cat") == ids(state="failed") == ids(folder=99) == []
    assert len(ids(folder=photos.folder_id, state="tagged")) == 2


def test_search_answers_photos_with_their_tags_best_first(
    api: httpx.Client, photos: Library
) -> None:
    photos.photo("a.jpg", "cat", description="A cat on a sofa.", colour="red")
    found = photos.photo("b.jpg", "dog", description="A dog.", colour="blue")

    answer = api.get("/api/search", params={"q": "dog", "limit": 50}).json()

    (image,) = answer["images"]
    assert (image["id"], image["path"]) == (found, str(photos.root / "b.jpg"))
    assert [tag["name"] for tag in image["tags"]] == ["dog"]
    assert api.get(image["thumbnail"]).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/api/search", {"q": '"open'}),
        ("/api/export", {"q": '"open'}),
        ("/api/images", {"query": "misspelt filter"}),
        ("/api/images", {"after": "no mark"}),
        ("/api/images", {"month": "May"}),
        ("/api/images", {"limit": "0"}),
        ("/api/images/0", {}),
        (f"/api/images/{2**70}", {}),
    ],
)
def test_a_question_that_is_no_good_is_refused_with_a_sentence(
    api: httpx.Client, path: str, asked: dict[str, str]
) -> None:
    assert is_problem(api.get(path, params=asked), 422)


def test_a_mistake_in_a_search_is_pointed_at(api: httpx.Client) -> None:
    answer = api.get("/api/search", params={"q": "dog -colour:red"})

    assert is_problem(answer, 422)
    said = answer.json()
    assert (said["query"], said["column"]) == ("dog -colour:red", 6)
    assert said["advice"].startswith("there is no field colour:")


def test_a_misspelt_search_says_which_query_was_answered(
    api: httpx.Client, photos: Library
) -> None:
    photos.photo("a.jpg", "lighthouse")

    answer = api.get("/api/search", params={"q": "lighthose"}).json()

    assert (answer["query"], answer["total"]) == ("lighthouse", 1)
    assert api.get("/api/export", params={"q": "lighthose"}).text.count("\n") == 1


def test_a_search_is_completed_at_the_caret(api: httpx.Client, photos: Library) -> None:
    photos.photo("a.jpg", "red car")

    answer = api.get("/api/complete", params={"q": "x tag:re y", "at": 8}).json()

    assert (answer["start"], answer["end"]) == (2, 8)
    assert [option["text"] for option in answer["options"]] == ['tag:"red car"']


def test_a_photo_tells_all_that_is_known_of_it(
    api: httpx.Client, photos: Library
) -> None:
    image_id = photos.photo("a.jpg", "dog", description="A dog.")

    said = api.get(f"/api/images/{image_id}").json()

    assert (said["description"], said["model"]) == ("A dog.", "gemma3:4b")
    assert (said["width_px"], said["height_px"], said["format"]) == (64, 48, "JPEG")
    assert [(tag["name"], tag["source"]) for tag in said["tags"]] == [
        ("dog", "gemma3:4b")
    ]


def test_tags_are_counted(api: httpx.Client, photos: Library) -> None:
    photos.photo("a.jpg", "dog", "park", colour="red")
    photos.photo("b.jpg", "dog", colour="blue")

    counted = api.get("/api/tags").json()

    assert [(tag["name"], tag["count"]) for tag in counted] == [("dog", 2), ("park", 1)]


def test_an_export_is_the_whole_table_in_each_format(
    api: httpx.Client, photos: Library
) -> None:
    photos.photo("a.jpg", "dog", colour="red")
    photos.photo("b.jpg", "cat", colour="blue")

    csv = api.get("/api/export", params={"q": "dog"})
    lines = api.get("/api/export", params={"format": "jsonl"}).text.splitlines()
    table = api.get("/api/export", params={"format": "parquet"}).content

    assert csv.text.count("\n") == 2
    assert 'filename="image-tagger-' in csv.headers["content-disposition"]
    assert [json.loads(line)["tags"] for line in lines] == [["dog"], ["cat"]]
    assert parquet.read_table(io.BytesIO(table)).num_rows == 2


# Folders


def test_a_folder_is_added_changed_and_removed(
    api: httpx.Client, photos: Library, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()

    added = api.post(
        "/api/folders", json={"path": str(other), "write_mode": "sidecar"}
    ).json()
    address = f"/api/folders/{added['id']}"

    assert (added["path"], added["write_mode"]) == (str(other), "sidecar")
    assert api.put(f"{address}/activate", json={"active": False}).json()["active"] is (
        False
    )
    assert api.put(f"{address}/activate").json()["active"] is True
    bound = api.put(f"{address}/servers", json={"servers": ["BUILTIN"]}).json()
    assert bound["servers"] == ["builtin"]
    assert is_problem(api.put(f"{address}/servers", json={"servers": ["x"]}), 422)
    free = api.put(f"{address}/servers", json={"servers": None}).json()
    assert free["servers"] is None
    assert api.post(f"{address}/scan").status_code == 202
    assert api.delete(address).is_success
    assert [folder["id"] for folder in api.get("/api/folders").json()] == [
        photos.folder_id
    ]
    assert is_problem(api.delete(address), 404)


def test_a_folder_gets_hours_and_a_pace_of_its_own(
    api: httpx.Client, photos: Library
) -> None:
    address = f"/api/folders/{photos.folder_id}/schedule"
    made = api.put(address, json={"hours": "22:00 - 07:00", "scan_interval_min": 1440})
    assert made.json()["hours"] == "22:00-07:00"
    kept = api.put(address, json={"scan_interval_min": None}).json()
    assert (kept["hours"], kept["scan_interval_min"]) == ("22:00-07:00", None)
    assert api.put(address, json={"hours": ""}).json()["hours"] is None
    wrong = api.put(address, json={"hours": "at night"})
    assert is_problem(wrong, 422)
    assert "22:00-07:00" in wrong.json()["detail"]
    assert is_problem(api.put(address, json={"scan_interval_min": 0}), 422)
    gone = api.put("/api/folders/99/schedule", json={"hours": ""})
    assert is_problem(gone, 404)


def test_where_a_folders_words_go_is_changed(
    api: httpx.Client, photos: Library, tmp_path: Path
) -> None:
    address = f"/api/folders/{photos.folder_id}"

    common = api.patch(address, json={"write_mode": "mirror"}).json()
    words = str(tmp_path / "words")
    own = api.patch(address, json={"write_mode": "mirror", "mirror": words}).json()
    back = api.patch(address, json={"write_mode": "mirror", "mirror": ""}).json()
    none = api.patch(address, json={"write_mode": "none"}).json()

    assert common["mirror"].endswith(f"/mirror{common['path']}")
    assert own["mirror"] == words
    assert back == common
    assert (none["write_mode"], none["mirror"]) == ("none", None)
    bad = api.patch(address, json={"write_mode": "mirror", "mirror": common["path"]})
    assert is_problem(bad, 422)
    assert "a folder of its own" in bad.json()["detail"]
    assert is_problem(api.patch(address, json={"write_mode": "nowhere"}), 422)
    unknown = api.patch("/api/folders/99", json={"write_mode": "none"})
    assert is_problem(unknown, 404)


def test_a_folder_that_cannot_be_added_is_refused_with_the_reason(
    api: httpx.Client, tmp_path: Path
) -> None:
    answer = api.post("/api/folders", json={"path": str(tmp_path / "gone")})

    assert is_problem(answer, 422)
    assert "no such folder" in answer.json()["detail"]
    assert is_problem(api.post("/api/folders", json={"path": ""}), 422)


def test_retrying_when_nothing_failed_reaches_nothing(api: httpx.Client) -> None:
    assert api.post("/api/jobs/retry").json() == {"count": 0}
    assert api.post("/api/jobs/retry", json={"image_ids": [1]}).json() == {"count": 0}


# Settings


def test_settings_are_read_and_edited(api: httpx.Client) -> None:
    wanted = {"config": {"model": {"temperature": 0.7}}}

    answer = api.post("/api/settings/config", json=wanted)
    now = api.get("/api/settings/config").json()

    assert "model.temperature" in answer.json()["message"]
    assert now["config"]["model"]["temperature"] == 0.7
    assert now["overridden"]["data.dir"] == "TAGGER_DATA_DIR"
    assert config.load().model.temperature == 0.7


def test_a_bad_setting_is_a_problem_that_names_it(api: httpx.Client) -> None:
    answer = api.post("/api/settings/config", json={"config": {"app": {"port": 0}}})

    assert is_problem(answer, 422)
    assert "app.port = 0" in answer.json()["detail"]


def test_a_test_of_a_server_that_is_away_says_so(api: httpx.Client) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    found = api.post("/api/settings/test-ollama", json={"url": url}).json()

    assert (found["reachable"], found["usable"]) == (False, False)
    assert url in found["problem"]
    assert is_problem(api.post("/api/settings/test-ollama", json={"url": "ftp:"}), 422)


# The queue


def waiting_photos(photos: Library, *names: str) -> dict[str, int]:
    for name in names:
        (photos.root / name).write_bytes(name.encode())
    scan(photos.opened.db, photos.folder_id)
    found = snapshots.after(photos.opened.db, 0, limit=99)
    return {Path(image.shown_path).name: image.id for image in found}


def test_the_queue_is_paused_and_goes_on(api: httpx.Client, photos: Library) -> None:
    waiting_photos(photos, "a.jpg", "b.jpg")
    queue = api.post("/api/queue/pause").json()
    assert queue["waiting"] == 2
    assert "paused by you at" in queue["message"]
    assert [Path(one["path"]).name for one in queue["next"]] == ["a.jpg", "b.jpg"]
    assert api.get("/api/status").json()["paused_at"] == queue["paused_at"]
    assert api.post("/api/queue/resume").json()["paused_at"] is None
    assert api.get("/api/status").json()["message"] is None


def test_photos_are_taken_out_of_the_queue_and_put_back(
    api: httpx.Client, photos: Library
) -> None:
    waiting_photos(photos, "a.jpg", "b.jpg")
    answer = api.post("/api/queue/cancel", json={"folder_id": photos.folder_id})
    assert answer.json() == {"count": 2}
    [place] = api.get("/api/queue").json()["folders"]
    assert (place["waiting"], place["new"]) == (0, 2)
    path = str(photos.root / "a.jpg")
    assert api.post("/api/queue/add", json={"path": path}).json() == {"count": 1}
    assert api.post("/api/queue/add", json={"all": True}).json() == {"count": 1}


def test_the_order_of_the_queue_is_changed(api: httpx.Client, photos: Library) -> None:
    ids = waiting_photos(photos, "a.jpg", "b.jpg", "c.jpg")
    where = {"path": str(photos.root / "b.jpg")}
    assert api.put("/api/queue/first", json=where).is_success
    assert api.post("/api/queue/now", json={"image_ids": [ids["c.jpg"]]}).json() == {
        "count": 1
    }
    queue = api.get("/api/queue").json()
    assert [Path(one["path"]).name[0] for one in queue["next"]] == ["c", "b", "a"]
    where = {"path": str(photos.root)}
    assert api.put("/api/queue/first", json=where).json() == {"count": 2}
    assert api.get("/api/queue").json()["first"] == str(photos.root)
    assert api.delete("/api/queue/first").is_success
    assert api.get("/api/queue").json()["first"] is None


def test_failures_are_told_and_tried_again_by_reason(
    api: httpx.Client, photos: Library
) -> None:
    waiting_photos(photos, "a.jpg", "b.jpg", "c.jpg")
    for number, job in enumerate(jobs.claim(photos.opened.db, limit=9)):
        reason = f"it has {number} bytes" if number else "it is a mystery"
        jobs.finish(photos.opened.db, job, ImageState.FAILED, reason=reason)
    many, one = api.get("/api/queue/reasons").json()
    assert (many["photos"], many["kind"]) == (2, "it has … bytes")
    assert Path(one["example"]).name == "a.jpg"
    answer = api.post("/api/queue/retry", json={"kind": many["kind"]})
    assert answer.json() == {"count": 2}
    assert api.post("/api/queue/retry").json() == {"count": 1}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "cancel", {}, 422),
        ("POST", "cancel", {"all": True, "folder_id": 1}, 422),
        ("POST", "cancel", {"folder_id": 999}, 404),
        ("POST", "cancel", {"path": "photos"}, 422),
        ("PUT", "first", {"path": "/nowhere/at/all"}, 422),
        ("POST", "now", {"image_ids": []}, 422),
        ("POST", "retry", {"kind": "x", "image_ids": [1]}, 422),
        ("POST", "retry", {"why": "x"}, 422),
    ],
)
@pytest.mark.usefixtures("photos")
def test_a_wish_that_cannot_be_met_is_a_problem(
    api: httpx.Client, method: str, path: str, body: dict[str, object], status: int
) -> None:
    assert is_problem(api.request(method, f"/api/queue/{path}", json=body), status)


def test_what_a_photo_cost_is_told(api: httpx.Client, photos: Library) -> None:
    waiting_photos(photos, "a.jpg")
    [job] = jobs.claim(photos.opened.db, limit=1)
    cost = Cost(
        looking_s=0.1, asking_s=2.5, server="http://x", model="m", asked_at=time.time()
    )
    jobs.finish(photos.opened.db, job, ImageState.TAGGED, cost=cost)
    told = api.get(f"/api/images/{job.file_id}").json()["cost"]
    assert (told["looking_s"], told["asking_s"], told["tokens_in"]) == (0.1, 2.5, None)
    [spent] = api.get("/api/queue/costs").json()
    assert (spent["server"], spent["photos"], spent["asking_s"]) == ("http://x", 1, 2.5)


def test_a_folder_says_how_its_changes_come_to_be_known(
    api: httpx.Client, photos: Library
) -> None:
    assert api.get("/api/folders").json()[0]["watching"] is None
    db = photos.opened.db
    runs.report(
        db,
        runs.begin(db, "run"),
        state="idle",
        message=None,
        backend=None,
        servers=(),
        watching={photos.folder_id: Watching(watched=3, of=9, note="watching 3 of 9")},
    )
    [folder] = api.get("/api/folders").json()
    assert folder["watching"] == {"watched": 3, "of": 9, "note": "watching 3 of 9"}
