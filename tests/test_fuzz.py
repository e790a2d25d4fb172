"""Requests made up from the API's own document: no 5xx, no answer it does not tell of.

Schemathesis asks each route as each role and as nobody. Besides, every value of every
body is replaced by what no schema can say: halves of characters, numbers beyond all.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tagger import config
from tagger.acting import Role
from tagger.tracking import comparisons, edits
from tagger.web import api as api_room
from tagger.web import saved, searches
from tests.support_comparing import wishes
from tests.support_fuzz import BODIES, IN_PATH, IN_QUERY, Fuzzed, fuzz, spoilt
from tests.support_people import Someone, everyone
from tests.support_web import Library, library, served, settings_file

DOCUMENT = api_room.make().openapi()
# Endless; it has a test of its own.
ASKED = {
    **DOCUMENT,
    "paths": {
        path: routes for path, routes in DOCUMENT["paths"].items() if path != "/events"
    },
}
# A body of each route that takes one, with all it can have in it.
WHOLE: dict[tuple[str, str], Any] = {
    ("PATCH", "/images/{image_id}"): {
        "description": "Changed.",
        "add_tags": ["a"],
        "remove_tags": ["b"],
    },
    ("POST", "/edits/tags"): {"image_ids": [1], "add": ["a"], "remove": ["b"]},
    ("POST", "/edits/import"): {"csv": "path,tags\n"},
    ("PATCH", "/tags/{tag_id}"): {"name": "changed"},
    ("POST", "/tags/merge"): {"tags": [1, 2], "into": 1},
    ("POST", "/tags/suggestions/dismissed"): {"one": "a", "other": "b"},
    ("POST", "/bans"): {"tag": "cat", "past": False},
    ("POST", "/synonyms"): {"word": "dog", "tag": "hound", "past": False},
    ("POST", "/settings/config"): {"config": {"model": {"language": "English"}}},
    ("POST", "/settings/test-ollama"): {
        "url": "http://127.0.0.1:9",
        "model": "m",
        "kind": "ollama",
    },
    ("PUT", "/searches"): {"name": "mine", "query": "dog", "sort": ""},
    ("POST", "/searches/rename"): {"name": "mine", "to": "other"},
    ("PUT", "/sql/saved"): {"name": "mine", "sql": "SELECT 1"},
    ("POST", "/sql"): {"sql": "SELECT 1"},
    ("POST", "/sql/file"): {"sql": "SELECT 1", "format": "csv", "formula_safe": True},
    ("POST", "/restore"): {"path": "/nowhere.zip", "with_settings": False},
    ("POST", "/queue/cancel"): {"path": "/a"},
    ("POST", "/queue/add"): {"folder_id": 1},
    ("PUT", "/queue/first"): {"folder_id": 1},
    ("POST", "/queue/now"): {"image_ids": [1], "ask_again": True, "server": "x"},
    ("POST", "/queue/retry"): {"image_ids": [1]},
    ("POST", "/jobs/retry"): {"image_ids": [1]},
    ("POST", "/review"): {
        **{"image_id": 1, "answer": 1, "decision": "correct", "add": ["a"]},
        **{"remove": ["b"], "description": "d", "undo_within_s": 1.0},
    },
    ("POST", "/review/many"): {"decision": "accept", "query": "a", "folder_id": 1},
    ("POST", "/folders"): {
        **{"path": "FOLDER/new", "mirror": "FOLDER/mirror", "write_mode": "mirror"},
        **{"recursive": True, "active": True, "review": True},
    },
    ("PATCH", "/folders/{folder_id}"): {
        **{"write_mode": "mirror", "mirror": "FOLDER/other", "review": True},
    },
    ("PUT", "/folders/{folder_id}/activate"): {"active": True},
    ("PUT", "/folders/{folder_id}/servers"): {"servers": ["a"]},
    ("PUT", "/folders/{folder_id}/schedule"): {
        **{"hours": "22:00-07:00", "scan_interval_min": 10},
    },
    ("POST", "/comparisons"): {
        "contenders": [
            {
                **{"server": "builtin", "model": "m", "language": "English"},
                **{"tags_min": 1, "tags_max": 3, "extra_instruction": "x"},
            },
            {"server": "builtin"},
        ],
        **{"image_ids": [1], "query": "", "count": 3},
    },
    ("PUT", "/comparisons/{comparison_id}/choices/{image_id}"): {
        **{"choice": 1, "blind": True},
    },
    ("POST", "/comparisons/{comparison_id}/setting"): {"contender": 1},
}
ROUTES = [
    (method.upper(), path, operation)
    for path, operations in ASKED["paths"].items()
    for method, operation in operations.items()
]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """A small library with something of everything, all of it to be thrown away."""
    settings = settings_file(tmp_path, f"[library]\nroots = ['{tmp_path}']\n")
    monkeypatch.setenv("TAGGER_CONFIG", str(settings))
    assert config.config_path() == settings  # what the requests below write to
    assert config.load().data_dir.is_relative_to(tmp_path)
    with library(tmp_path) as made:
        made.photo("one.jpg", "dog", "beach")
        made.photo("two.jpg", "dog", "dogs", colour="blue")
        opened = made.opened
        asked = ("builtin", {"server": "http://127.0.0.1:11434", "model": "m"})
        compared = wishes(opened.config, *asked)
        for name in ("A", "B"):
            comparisons.make(opened.db, name=name, photos=[1, 2], wishes=compared)
        edits.change(opened.db, ids=[1], add=["sea"], remove=[], description=None)
        searches.save(opened.config.data_dir, "dogs", "dog", "")
        saved.save(opened.config.data_dir, "all", "SELECT * FROM photos")
        opened.take()
        yield made


@pytest.fixture
def people(photos: Library) -> dict[Role, Someone]:
    return everyone(photos.opened)


@pytest.fixture
def api(photos: Library, people: dict[Role, Someone]) -> Iterator[httpx.Client]:
    with served() as client:
        yield client


def _only(role: Role) -> dict[str, Any]:
    """The document with the paths at which no lesser role may do everything."""
    least = {
        path: max((Role(one["x-role"]) for one in known.values()), key=[*Role].index)
        for path, known in ASKED["paths"].items()
    }
    paths = {
        path: known for path, known in ASKED["paths"].items() if least[path] is role
    }
    return {**ASKED, "paths": paths}


def told(found: Fuzzed) -> str:
    return "\n\n".join(f"{what}\n{why}" for what, why in found.failures.items())


def test_a_viewer_gets_only_answers_that_are_documented(
    api: httpx.Client, photos: Library, people: dict[Role, Someone]
) -> None:
    viewer = people[Role.VIEWER].token
    found = fuzz(api, ASKED, viewer, photos.root, examples=1, edges=False)

    assert not found.failures, told(found)
    assert {200, 403, 422} <= found.statuses
    assert len(found.answers) == len(ROUTES)


@pytest.mark.slow
@pytest.mark.parametrize("role", [None, *Role])
def test_every_answer_is_one_that_is_documented(
    api: httpx.Client,
    photos: Library,
    people: dict[Role, Someone],
    role: Role | None,
) -> None:
    shown = {} if role is None else people[role].token
    found = fuzz(api, ASKED, shown, photos.root, examples=2, edges=False)

    assert not found.failures, told(found)
    assert len(found.answers) == len(ROUTES)
    read = {label for label, statuses in found.answers.items() if 200 in statuses}
    if role is None:
        public = found.answers.pop("GET /health")
        assert 200 in public
        assert found.statuses <= {401, 405}
        return
    # What the role is for, to its edges.
    found = fuzz(api, _only(role), shown, photos.root, examples=4)

    assert not found.failures, told(found)
    reads = [label for label in found.answers if label.startswith("GET ")]
    read |= {label for label in reads if 200 in found.answers[label]}
    assert read.issuperset(reads)


@pytest.mark.slow
def test_no_value_breaks_a_route(
    api: httpx.Client, photos: Library, people: dict[Role, Someone]
) -> None:
    admin = {**people[Role.ADMIN].token, "Content-Type": "application/json"}
    broken: dict[str, str] = {}
    asked = 0
    for method, path, operation in ROUTES:
        for where, body in _odd(method, path, operation, photos):
            answer = api.request(method, f"/api{where}", headers=admin, content=body)
            asked += 1
            if not _is_in_words(answer):
                sent = f"{method} {where[:200]} {body and body[:200]!r}"
                broken.setdefault(f"{method} {path} {answer.text[:200]}", sent)
        for listed in ("/audit", "/edits", "/folders", "/searches", "/sql/saved"):
            answer = api.get(f"/api{listed}", headers=admin)
            assert answer.status_code == 200, f"after {method} {path}: {listed}"

    assert not broken, json.dumps(broken, indent=1)
    assert asked > 5000


def _odd(
    method: str, path: str, operation: dict[str, Any], photos: Library
) -> Iterator[tuple[str, bytes | None]]:
    """Addresses and bodies of a route that nobody in their senses would send."""
    known = operation.get("parameters", [])
    ones = {one["name"]: "1" for one in known if one["in"] == "path"}
    plain = path.format(**ones)
    base = WHOLE.get((method, path))
    whole = json.dumps(base).replace("FOLDER", str(photos.root))
    if method != "GET":
        yield from ((plain, body) for body in BODIES)
    if base is not None:
        yield from ((plain, body) for body in spoilt(json.loads(whole)))
    needed = [
        f"{one['name']}=1" for one in known if one["in"] == "query" and one["required"]
    ]
    body = None if base is None else whole.encode()
    for one in known:
        if one["in"] == "query":
            for odd in IN_QUERY:
                yield f"{plain}?{'&'.join([*needed, one['name'] + '=' + odd])}", body
        elif one["in"] == "path":
            for odd in IN_PATH:
                yield path.format(**{**ones, one["name"]: odd}), body


def _is_in_words(answer: httpx.Response) -> bool:
    """Whether it went well, or was refused as the document says."""
    if answer.status_code < 400:
        return True
    is_problem = answer.headers["content-type"] == "application/problem+json"
    return answer.status_code < 500 and is_problem and len(answer.json()["detail"]) > 10


def test_a_path_says_which_methods_it_takes(
    api: httpx.Client, people: dict[Role, Someone]
) -> None:
    viewer = people[Role.VIEWER].token
    for path, operations in ASKED["paths"].items():
        takes = {method.upper() for method in operations}
        where = "/api" + path.replace("{", "").replace("}", "")
        for method in {"GET", "HEAD", "PUT", "PATCH", "OPTIONS", "TRACE"} - takes:
            answer = api.request(method, where, headers=viewer)
            assert answer.status_code == 405, (method, path)
            assert set(answer.headers["allow"].split(", ")) == takes
            if method != "HEAD":
                assert answer.headers["content-type"] == "application/problem+json"


def test_events_are_documented_as_they_come(
    api: httpx.Client, people: dict[Role, Someone]
) -> None:
    [kind] = DOCUMENT["paths"]["/events"]["get"]["responses"]["200"]["content"]
    for last in ("0", "x" * 20, "٣", "-1", "9" * 20):
        headers = [
            *people[Role.VIEWER].token.items(),
            ("Last-Event-ID", last.encode()),
        ]
        with api.stream("GET", "/api/events", headers=headers) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].partition(";")[0] == kind
            assert next(answer.iter_lines()).startswith("event: ")
    refused = api.get(
        "/api/events", headers={**people[Role.VIEWER].token, "Last-Event-ID": "9" * 21}
    )
    assert refused.headers["content-type"] == "application/problem+json"


def test_a_part_of_a_file_that_there_is_not_is_a_problem(
    api: httpx.Client, people: dict[Role, Someone]
) -> None:
    viewer = people[Role.VIEWER].token
    for view in ("file", "browser"):
        where = f"/api/images/1/original?view={view}"
        for part, status in (("bytes=0-3", 206), ("bytes=x", 400), ("x", 400)):
            answer = api.get(where, headers={**viewer, "Range": part})
            assert answer.status_code == status
        beyond = api.get(where, headers={**viewer, "Range": "bytes=99999999-"})
        assert beyond.status_code == 416
        assert beyond.headers["content-type"] == "application/problem+json"
        assert beyond.headers["content-range"].startswith("bytes */")
