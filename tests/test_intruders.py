"""Intruders: what somebody tries who is let in for less, or not at all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tagger import acting
from tagger.acting import Person, Role
from tagger.records import ServerReport
from tagger.texts import holdable
from tagger.tracking import audit, runs, tokens, users
from tagger.vision import choose
from tagger.web import signin, tries
from tagger.web.api.recording import TOO_DEEP
from tagger.web.people import by_token
from tests.support_people import everyone
from tests.support_web import Library, library, served, settings_file

PROXIED = '[auth]\nmode = "proxy"\ntrusted_proxies = ["{}"]\ndefault_role = "{}"'


@pytest.fixture
def settings() -> str:
    return ""


@pytest.fixture
def photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str
) -> Iterator[Library]:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path, settings)))
    signin.forget_tries()
    with library(tmp_path) as made:
        yield made


@pytest.fixture
def api(photos: Library) -> Iterator[httpx.Client]:
    with served() as client:
        yield client


def status_from(api: httpx.Client, address: str, **headers: str) -> int:
    """What a connection from another address of this machine is answered."""
    way = httpx.HTTPTransport(local_address=address)
    with httpx.Client(base_url=api.base_url, transport=way, timeout=30) as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get("/api/audit", headers=named).status_code


# Proxies that sign people in


@pytest.mark.parametrize("settings", [PROXIED.format("127.0.0.1", "")])
def test_nobody_becomes_the_proxy_of_this_machine_by_naming_themselves(
    api: httpx.Client, photos: Library
) -> None:
    everyone(photos.opened)
    lie = "127.0.0.2"
    for told in (lie, f"{lie}, 1.2.3.4", f"1.2.3.4, {lie}", f"{lie}:80", f"[{lie}]:1"):
        shown = {"X_Forwarded_User": "admin", "X_Forwarded_For": told}
        assert status_from(api, lie, **shown) == 401
        assert status_from(api, "127.0.0.1", **shown) == (
            200 if ":" not in told else 401
        )


@pytest.mark.parametrize("settings", [PROXIED.format("10.9.8.7", "")])
@pytest.mark.parametrize("port", ["", ":80", ":+80", ": 8_0", ":0"])
def test_nobody_here_becomes_a_proxy_somewhere_else_by_naming_it(
    api: httpx.Client, photos: Library, port: str
) -> None:
    everyone(photos.opened)
    shown = {"X_Forwarded_User": "admin", "X_Forwarded_For": f"10.9.8.7{port}"}
    assert status_from(api, "127.0.0.1", **shown) == 401


# The audit log


def entries(photos: Library) -> list[audit.Entry]:
    return audit.read(photos.opened.db, limit=50)


def test_the_log_says_what_was_changed_whatever_else_was_sent(
    api: httpx.Client, photos: Library
) -> None:
    one, other = photos.photo("one.jpg", "dog"), photos.photo("two.jpg", "cat")
    known = everyone(photos.opened)
    headers = {**known[Role.EDITOR].cookie, "Content-Type": "application/json"}
    path = f"/api/images/{one}"

    api.patch(path, headers=headers, json={"description": "A cat."})
    assert entries(photos)[0].detail == {"image_id": str(one), "description": "A cat."}
    api.patch(path, headers=headers, json={"image_id": other, "tags": ["cat"]})
    detail = entries(photos)[0].detail
    assert (detail["image_id"], detail["image_id (body)"]) == (str(one), other)
    api.patch(
        f"{path}?description=Nothing.&image_id={other}",
        headers=headers,
        json={"description": "A cow."},
    )
    detail = entries(photos)[0].detail
    assert (detail["image_id"], detail["description"]) == (str(one), "A cow.")

    # A route that takes no body sees none; nor may the log believe it.
    api.request("DELETE", "/api/tags/77", headers=headers, json={"tag_id": 1, "a": 1})
    assert entries(photos)[0].detail == {"tag_id": "77"}
    api.put(path, headers=headers, json={})
    api.put("/api/queue/first", headers=headers, json={"\u0001a": 1, "a": 2})
    assert entries(photos)[0].detail == {"a": 1, "a'": 2}


HOSTILE = {
    "half a character": '{"\\ud800": 1, "a": "\\udfff"}',
    "a zero": '{"a\\u0000b": "c\\u0000d"}',
    "no number": '{"a": NaN, "b": [Infinity, -Infinity]}',
    "a long number": '{"a": ' + "9" * 4000 + "}",
    "deep": '{"a": ' + "[" * 900 + "]" * 900 + "}",
    "wide": "{" + ",".join(f'"{n}": "{"x" * 900}"' for n in range(2000)) + "}",
    "nested": '{"a": ' + '{"b": [' * 3 + '"' + "x" * 5000 + '"' + "]}" * 3 + "}",
    "a long key": '{"' + "k" * 900_000 + '": 1}',
    "many long": '{"a": [' + ",".join(['"' + "x" * 2000 + '"'] * 300) + "]}",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_that_is_sent_spoils_or_fills_the_log(
    api: httpx.Client, photos: Library, body: str
) -> None:
    known = everyone(photos.opened)
    headers = {**known[Role.EDITOR].cookie, "Content-Type": "application/json"}

    answer = api.patch("/api/tags/77", headers=headers, content=body)
    assert answer.status_code in (400, 422)
    log = api.get("/api/audit", headers=known[Role.ADMIN].cookie)
    assert log.is_success
    if TOO_DEEP in answer.text:
        return
    (entry,) = log.json()["entries"]
    assert entry["detail"]["tag_id"] == "77"
    assert len(log.content) < 20_000
    with photos.opened.db.read() as connection:
        kept = connection.exec_driver_sql("SELECT detail FROM audit").scalar_one()
    assert "NaN" not in kept
    assert "Infinity" not in kept
    assert "\\u0000" not in kept


# Names


@pytest.mark.parametrize("settings", [PROXIED.format("127.0.0.1", "viewer")])
def test_a_proxy_names_people_in_any_script_but_nobody_with_what_is_no_name(
    api: httpx.Client, photos: Library
) -> None:
    everyone(photos.opened)
    users.add(photos.opened.db, "Žofie Kim", role=Role.ADMIN, password=None)

    def status(name: bytes) -> int:
        shown = {"X-Forwarded-User": name}
        return api.get("/api/audit", headers=shown).status_code

    for admin in ("Admin", "ADMIN", "Žofie Kim", "žOFIE KIM"):
        assert status(admin.encode()) == 200
    for guest in ("Jürgen".encode(), "Jürgen".encode("latin-1"), b"admin2"):
        assert status(guest) == 403
    # Written almost like somebody: a provider may well give such a name to another.
    for alike in ("\uff21dmin", "\u24d0dmin", "\u017dofie \uff2bim", "v\u0131ewer"):
        assert status(alike.encode()) == (403 if "\u0131" in alike else 401)
    assert status(b"\xaadmin") == 401
    for none in ("x" * 65, "a\u202eb", "a\u0085b", "this machine", "Command Line"):
        assert status(none.encode()) == 401


def test_a_name_that_no_database_holds_signs_nobody_in(
    api: httpx.Client, photos: Library
) -> None:
    everyone(photos.opened)
    for name in (b"%00", b"a%00%1Fb", b"%ED%A0%80", "ﷺ".encode() * 2000):
        body = b"password=wrong&name=" + name
        assert api.post("/signin", content=body).status_code == 401
    for entry in entries(photos):
        assert entry.who == holdable(entry.who)
        assert len(entry.who) <= users.LONGEST_NAME


# Tries


def test_somebody_with_many_addresses_of_version_six_tries_no_more_for_it() -> None:
    counted = tries.Tries()
    for n in range(tries.MOST_FROM_NETWORK):
        assert counted.begin(f"2001:db8:1:2:{n:x}::{n:x}", f"name {n}") == 0

    assert counted.begin("2001:db8:1:2::99", "another") > 0
    assert counted.begin("2001:db8:1:3::1", "another") == 0
    for n in range(tries.MOST_FROM_NETWORK):
        assert counted.begin(f"::ffff:10.0.0.{n}", f"mapped {n}") == 0
        assert counted.begin(f"10.0.1.{n}", f"four {n}") == 0


def test_wrong_passwords_of_others_keep_nobody_out_who_was_in_from_there() -> None:
    counted = tries.Tries()
    assert counted.begin("10.0.0.1", "anna") == 0
    counted.forgive("10.0.0.1", "anna")
    for n in range(tries.MOST_FOR_NAME):
        assert counted.begin(f"10.9.{n}.1", "anna") == 0

    assert counted.begin("10.8.8.8", "anna") > 0
    assert counted.begin("10.0.0.1", "anna") == 0
    for _ in range(tries.MOST_FROM_ADDRESS - 1):
        counted.begin("10.0.0.1", "anna")
    assert counted.begin("10.0.0.1", "anna") > 0
    assert counted.begin("10.0.0.1", "berta") > 0


# What goes on after somebody was let in


def test_events_end_for_who_is_let_in_no_more(
    api: httpx.Client, photos: Library
) -> None:
    known = everyone(photos.opened)
    for headers in (known[Role.VIEWER].cookie, known[Role.EDITOR].token):
        with api.stream("GET", "/api/events", headers=headers) as answer:
            told = answer.iter_text()
            assert "progress" in next(told)
            who = "viewer" if "Cookie" in headers else "editor"
            users.remove(photos.opened.db, who)
            assert "".join(told) == ""


def test_a_token_lets_in_while_its_use_cannot_be_put_down(
    api: httpx.Client, photos: Library
) -> None:
    known = everyone(photos.opened)
    with photos.opened.db.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE UPDATE OF used_at ON tokens "
            "BEGIN SELECT there_is_no_room(); END"
        )
    headers = known[Role.VIEWER].token
    assert api.get("/api/images", headers=headers).is_success


def test_that_a_token_is_used_is_put_down_whoever_asks(photos: Library) -> None:
    known = everyone(photos.opened)
    secret = known[Role.VIEWER].token["Authorization"].removeprefix("Bearer ")
    with acting.as_person(Person("viewer", Role.VIEWER, "api")):
        found = photos.opened.people.person(by_token(secret), "api")
    assert found is not None
    assert tokens.every(photos.opened.db, "viewer")[0].used_at is not None


def test_who_asks_is_never_mixed_up_with_who_asks_meanwhile(
    api: httpx.Client, photos: Library
) -> None:
    photos.photo("one.jpg", "dog")
    known = everyone(photos.opened)
    admin, viewer = known[Role.ADMIN].cookie, known[Role.VIEWER].token

    def ask(n: int) -> bool:
        if n % 3 == 0:
            return api.get("/api/audit", headers=admin).status_code == 200
        if n % 3 == 1:
            return api.get("/api/audit", headers=viewer).status_code == 403
        body = {"query": "dog", "add": ["cat"]}
        answer = api.post("/api/edits/tags", headers=viewer, json=body)
        return answer.status_code == 403

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(ask, range(300)))
    assert {entry.who for entry in entries(photos)} <= {"admin"}


# Files


def test_the_tracking_database_is_its_owners_alone(photos: Library) -> None:
    everyone(photos.opened)
    folder = photos.opened.config.data_dir
    modes = {
        file.name: file.stat().st_mode & 0o077 for file in folder.glob("tracking.db*")
    }
    assert "tracking.db" in modes
    assert not any(modes.values())


SECRETIVE = """
[[servers]]
url = "http://anna:hush@127.0.0.1:9"
[semantic]
model = "m"
url = "http://anna:hush@127.0.0.1:9"
"""


@pytest.mark.parametrize("settings", [SECRETIVE])
def test_no_password_of_a_server_is_told_to_anybody(
    api: httpx.Client, photos: Library
) -> None:
    photos.photo("one.jpg", "dog")
    known, db = everyone(photos.opened), photos.opened.db
    address = "http://anna:hush@127.0.0.1:9"
    seen = ServerReport(
        url=address, kind="ollama", model="m", usable=False, problem=f"{address}: off"
    )
    runs.report(
        *(db, runs.begin(db, "run")),
        state="waiting",
        message=None,
        backend=f"m on {address}",
        servers=(seen,),
    )
    # Also on the way to photos' failures, answers and the log.
    config = photos.opened.config
    assert "hush" not in str([state.problem for state in choose.states(config)])
    assert "hush" not in choose.choose(config).reason
    assert config.servers[0].called == "http://anna:***@127.0.0.1:9"
    headers = known[Role.ADMIN].cookie
    paths = [
        path
        for path, operations in api.get("/api/openapi.json", headers=headers)
        .json()["paths"]
        .items()
        if "get" in operations and path != "/events"
    ]
    for path in paths:
        where = "/api" + path.replace("{image_id}", "1").replace("{folder_id}", "1")
        assert "hush" not in api.get(where, headers=headers).text, path
    asked = {"url": "http://anna:***@127.0.0.1:9"}
    for body in (None, asked, {"url": "http://other:hush@127.0.0.1:9"}):
        answer = api.post("/api/settings/test-ollama", headers=headers, json=body)
        assert "hush" not in answer.text
    assert "hush" not in api.get("/api/audit", headers=headers).text
