"""Every route, asked by everyone in every way: who gets in, and what they may do."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tagger.acting import Role
from tagger.tracking import users
from tagger.web import api as api_room
from tests.support_people import Someone, bearer, everyone, signed_in
from tests.support_web import Library, library, served, settings_file

# What the founders want, written down once more, apart from the program's own table.
EVERYONE = {("GET", "/health")}
ADMIN_READS = {
    ("GET", "/audit"),
    ("GET", "/browse"),
    ("GET", "/metrics"),
    ("GET", "/settings/config"),
}
VIEWER_ASKS = {("POST", "/sql"), ("POST", "/sql/file")}
ADMIN_DOES = ("/folders", "/settings", "/rebuild", "/restore")
ADMIN_WORDS = ("/synonyms", "/bans")
# Only for the command line, which shows the secret.
SECRET_ONLY = {("POST", "/rebuild"), ("POST", "/restore")}
ENDLESS = {("GET", "/events")}

ROUTES = sorted(
    (method.upper(), path)
    for path, operations in api_room.make().openapi()["paths"].items()
    for method in operations
)
VALUES = {
    "image_id": "1",
    "folder_id": "1",
    "tag_id": "1",
    "edit_id": "1",
    "answer_id": "1",
    "comparison_id": "1",
}
BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "/images/{image_id}"): {"description": "Changed."},
    ("POST", "/edits/tags"): {"image_ids": [1], "add": ["changed"]},
    ("PATCH", "/tags/{tag_id}"): {"name": "changed"},
    ("POST", "/tags/merge"): {"tag_ids": [1, 2], "into": 1},
    ("POST", "/folders"): {"path": "/tmp"},
    ("POST", "/bans"): {"tag": "dog"},
    ("POST", "/synonyms"): {"word": "dog", "tag": "hound"},
    ("POST", "/settings/config"): {"config": {"model": {"tags_max": 3}}},
    ("PUT", "/searches"): {"name": "mine", "query": "dog"},
    ("PUT", "/sql/saved"): {"name": "mine", "sql": "SELECT 1"},
    ("POST", "/restore"): {"path": "/nowhere.zip"},
    ("POST", "/sql"): {"sql": "SELECT 1"},
    ("POST", "/sql/file"): {"sql": "SELECT 1"},
    ("POST", "/edits/import"): {"csv": "path,tags\n"},
    ("POST", "/queue/cancel"): {"all": True},
}


def wanted(method: str, path: str) -> Role:
    if (method, path) in ADMIN_READS or (method, path) in SECRET_ONLY:
        return Role.ADMIN
    if method == "GET" or (method, path) in VIEWER_ASKS:
        return Role.VIEWER
    if path.startswith(ADMIN_DOES) or path.startswith(ADMIN_WORDS):
        return Role.ADMIN
    return Role.ADMIN if path.endswith("/setting") else Role.EDITOR


@pytest.fixture(scope="module")
def library_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("roles")


@pytest.fixture(scope="module")
def photos(library_dir: Path) -> Iterator[Library]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAGGER_CONFIG", str(settings_file(library_dir)))
        patch.setenv("TAGGER_DATA_DIR", str(library_dir / "data"))
        with library(library_dir) as made:
            made.photo("one.jpg", "dog", "beach")
            made.photo("two.jpg", "dog", colour="blue")
            yield made


@pytest.fixture(scope="module")
def people(photos: Library) -> dict[Role, Someone]:
    return everyone(photos.opened)


@pytest.fixture(scope="module")
def api(photos: Library, people: dict[Role, Someone]) -> Iterator[httpx.Client]:
    with served() as client:
        yield client


def ask(
    api: httpx.Client, method: str, path: str, headers: dict[str, str], **more: Any
) -> int:
    """The status of a request; its answer is not waited for."""
    where = "/api" + path.format(**VALUES)
    body = BODIES.get((method, path), {} if method != "GET" else None)
    if path == "/tag":
        more["content"], headers = b"", {**headers, "Content-Type": "image/jpeg"}
    elif body is not None and method != "DELETE":
        more["json"] = body
    with api.stream(method, where, headers=headers, **more) as response:
        return response.status_code


def test_the_table_knows_every_route_of_the_promise() -> None:
    promised = {
        *(
            ("GET", "/folders"),
            ("POST", "/folders"),
            ("DELETE", "/folders/{folder_id}"),
        ),
        *(("PUT", "/folders/{folder_id}/activate"),),
        *(("POST", "/folders/{folder_id}/scan"), ("GET", "/images")),
        *(("GET", "/images/{image_id}"), ("GET", "/images/search")),
        *(("GET", "/images/stats"), ("PATCH", "/images/{image_id}")),
        *(("GET", "/images/{image_id}/original"), ("GET", "/search"), ("GET", "/tags")),
        *(("GET", "/tags/cloud"), ("GET", "/tags/{tag_id}/images")),
        *(("PATCH", "/tags/{tag_id}"), ("DELETE", "/tags/{tag_id}")),
        *(("POST", "/tags/merge"), ("GET", "/settings/config")),
        *(("POST", "/settings/config"), ("GET", "/settings/status")),
        *(("GET", "/settings/processing-status"), ("POST", "/settings/test-ollama")),
        *(("POST", "/settings/scan-all-folders"), ("GET", "/export")),
        *(("POST", "/settings/process-all-images"), ("GET", "/events")),
        *(("POST", "/tag"), ("GET", "/audit"), ("GET", "/health"), ("GET", "/metrics")),
    }
    assert promised <= set(ROUTES)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_gets_in_without_showing_who_they_are(
    api: httpx.Client,
    photos: Library,
    people: dict[Role, Someone],
    method: str,
    path: str,
) -> None:
    admin = people[Role.ADMIN]
    user = users.called(photos.opened.db, admin.name)
    assert user is not None
    over = signed_in(photos.opened, user.id, hours=-1.0)
    shown = admin.cookie["Cookie"]
    token, _, signature = shown.rpartition(".")
    # Not its last letter, some bits of which stand for nothing.
    other = ("A" if signature[0] != "A" else "B") + signature[1:]
    forged = {"Cookie": f"{token}.{other}"}
    unsigned = {"Cookie": token}
    twice = {"Cookie": f"{shown}; {shown}"}
    for headers in ({}, forged, unsigned, over, twice):
        expected = 200 if (method, path) in EVERYONE else 401
        assert ask(api, method, path, dict(headers)) == expected, headers
    for wrong in ("x", "imagetagger_wrong", admin.token["Authorization"][7:-1]):
        assert ask(api, method, path, bearer(wrong)) == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_an_admin_is_kept_out_by_another_host_or_origin(
    api: httpx.Client, people: dict[Role, Someone], method: str, path: str
) -> None:
    admin = people[Role.ADMIN]
    for shown in (admin.cookie, admin.token):
        assert ask(api, method, path, {**shown, "Host": "evil.example"}) == 403
    if method != "GET":
        for foreign in ({"Origin": "https://evil.example"}, {"Origin": "null"}):
            assert ask(api, method, path, {**admin.cookie, **foreign}) == 403


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_each_role_may_do_what_it_is_for(
    api: httpx.Client,
    people: dict[Role, Someone],
    method: str,
    path: str,
    role: Role,
) -> None:
    may = role.includes(wanted(method, path)) and (method, path) not in SECRET_ONLY
    if may and method != "GET":
        return  # it would be done; the suites of each route do so
    someone = people[role]
    for shown in (someone.cookie, someone.token):
        status = ask(api, method, path, dict(shown))
        assert (status not in (401, 403)) is may, status
        assert status < 500


def test_a_viewer_changes_nothing_whatever_is_asked_for(
    api: httpx.Client, photos: Library, people: dict[Role, Someone]
) -> None:
    viewer = people[Role.VIEWER]
    before = everything(photos)
    asked = 0
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in {path for _, path in ROUTES}:
            if (method, path) in VIEWER_ASKS:
                continue
            for shown in (viewer.cookie, viewer.token):
                status = ask(api, method, path, dict(shown))
                assert status in (403, 404, 405), (method, path, status)
                asked += 1

    assert asked > 500
    assert everything(photos) == before


def everything(photos: Library) -> dict[str, Any]:
    """All that tracking knows, and every file, but for the notes of who asked."""
    notes = {"audit", "signins", "tokens", "sqlite_sequence"}
    connection = sqlite3.connect(photos.opened.db.path)
    names = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        )
        if name not in notes
    ]
    tables: dict[str, Any] = {
        name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()
        for name in names
    }
    connection.close()
    files = {
        str(path): path.read_bytes()
        for folder in (photos.root, photos.opened.config.data_dir)
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".jpg", ".xmp", ".json", ".toml")
    }
    return {**tables, "files": files}
