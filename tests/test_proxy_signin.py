"""People sign in through the shipped nginx configuration."""

from pathlib import Path

import httpx
import pytest

from tagger import config, passwords
from tagger.acting import Role
from tagger.tracking import users
from tagger.tracking.database import Database
from tests.support_nginx import Proxy, nginx, photo, screens
from tests.support_web import app_process

PASSWORD = "correct horse battery staple"
BEHIND = {
    "TAGGER_TAGGER__WITH_APP": "false",
    "TAGGER_AUTH__TRUSTED_PROXIES": '["127.0.0.1"]',
}


def signed_in(proxy: Proxy, password: str = PASSWORD) -> httpx.Response:
    with proxy.client(Origin=proxy.url) as client:
        form = {"name": "anna", "password": password}
        return client.post("/signin", data=form)


@pytest.fixture
def thumbnail(tmp_path: Path) -> str:
    """A library of one photo and one user."""
    address = photo(tmp_path)
    with Database.of(config.load()) as db:
        users.add(
            db,
            "anna",
            role=Role.ADMIN,
            password=passwords.hashed(PASSWORD, name="anna"),
        )
    return address


def test_whoever_signs_in_through_the_proxy_is_let_in(
    tmp_path: Path, thumbnail: str
) -> None:
    with (
        app_process(tmp_path, environment=BEHIND) as app,
        nginx(tmp_path / "nginx", app.url) as proxy,
        proxy.client() as client,
    ):
        assert client.get(thumbnail).status_code == 401
        page = client.get("/", headers={"Accept": "text/html"})
        assert page.headers["location"].startswith("/signin")
        assert screens(proxy, {"Origin": proxy.url}) == 403
        assert signed_in(proxy, "something else").status_code == 401

        answer = signed_in(proxy)
        assert answer.status_code == 303
        # Over TLS, so the browser keeps it to TLS, though the app itself has none.
        assert "secure" in answer.headers["set-cookie"].lower()
        shown = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
        assert client.get(thumbnail, headers=shown).content[:2] == b"\xff\xd8"
        assert screens(proxy, {"Origin": proxy.url, **shown}) == 101


def test_a_client_cannot_say_who_the_proxy_let_in(
    tmp_path: Path, thumbnail: str
) -> None:
    named = BEHIND | {"TAGGER_AUTH__MODE": "proxy"}
    with (
        app_process(tmp_path, environment=named) as app,
        nginx(tmp_path / "nginx", app.url) as proxy,
        proxy.client() as client,
    ):
        lie = {"X-Forwarded-User": "anna", "Forwarded": "for=127.0.0.1"}
        assert client.get(thumbnail, headers=lie).status_code == 401
        # A proxy that does say so is believed: it is trusted.
        assert httpx.get(f"{app.url}{thumbnail}", headers=lie).status_code == 200
