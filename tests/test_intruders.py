"""Intruders: what somebody tries who is let in for less, or not at all."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tagger.acting import Role
from tagger.tracking import audit
from tagger.web import signin
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
    if "nested too deeply" in answer.text:
        return
    (entry,) = log.json()["entries"]
    assert entry["detail"]["tag_id"] == "77"
    assert len(log.content) < 20_000
    with photos.opened.db.read() as connection:
        kept = connection.exec_driver_sql("SELECT detail FROM audit").scalar_one()
    assert "NaN" not in kept
    assert "Infinity" not in kept
    assert "\\u0000" not in kept
