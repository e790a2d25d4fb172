"""Signing in at another provider: a real one, the whole app, and the way there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from tagger import config
from tagger.acting import Role
from tagger.tracking import users
from tagger.tracking.database import Database
from tests.oidc_provider import CLIENT, SECRET, Provider, provider
from tests.support_web import AppProcess, app_process, free_port

SETTINGS = {"TAGGER_AUTH__MODE": "oidc"}


@pytest.fixture(scope="module")
def there() -> Iterator[Provider]:
    with provider(free_port()) as made:
        yield made


@pytest.fixture(scope="module")
def app(
    tmp_path_factory: pytest.TempPathFactory, there: Provider
) -> Iterator[AppProcess]:
    tmp_path = tmp_path_factory.mktemp("oidc")
    port = free_port()
    secrets_file = tmp_path / "secrets.toml"
    secrets_file.write_text(
        f"""[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "a secret that signs cookies, and is long enough"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
server_metadata_url = "{there.url}/.well-known/openid-configuration"
"""
    )
    flag = f"--secrets.files={secrets_file}"
    with pytest.MonkeyPatch.context() as patch:
        # What every test gets comes too late for a module.
        patch.setenv("TAGGER_DATA_DIR", str(tmp_path / "data"))
        with Database.of(config.load()) as db:
            users.add(db, "anna@example.org", role=Role.ADMIN, password=None)
            users.add(db, "Ben@example.org", role=Role.VIEWER, password=None)
        with app_process(tmp_path, flag, environment=SETTINGS, port=port) as made:
            yield made


@contextmanager
def come_back(app: AppProcess) -> Iterator[httpx.Client]:
    """A browser that went to the provider and came back as somebody."""
    with httpx.Client(base_url=app.url, trust_env=False, timeout=30) as browser:
        answer = browser.get("/", headers={"Accept": "text/html"})
        assert answer.headers["location"] == "/signin?next=%2F"
        assert 'href="/signin/provider"' in browser.get("/signin").text
        place = f"{app.url}/signin/provider"
        for _ in range(4):
            answer = browser.get(place)
            place = urljoin(place, answer.headers["location"])
        assert httpx.URL(place).path == "/"
        yield browser


def test_whom_the_provider_vouches_for_is_the_user_of_that_address(
    app: AppProcess, there: Provider
) -> None:
    there.claims = {"email": "ben@example.org", "email_verified": True}
    with come_back(app) as browser:
        page = browser.get("/", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert browser.get("/api/folders").is_success
        assert browser.get("/api/audit").status_code == 403

        kept = dict(browser.cookies)
        out = browser.post("/signout", headers={"Origin": app.url})
        assert out.headers["location"] == "/auth/logout"
        browser.get("/auth/logout")
        assert browser.get("/api/folders").status_code == 401
    assert "_streamlit_user" in kept

    there.claims = {"email": "ANNA@example.org", "email_verified": True}
    with come_back(app) as browser:
        assert browser.get("/api/audit").is_success


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "stranger@example.org", "email_verified": True},
        {"email": "anna@example.org"},
        {"email": "anna@example.org", "email_verified": False},
        {"email": "anna@example.org", "email_verified": "true"},
        {"name": "anna@example.org", "email_verified": True},
        {"email": ["anna@example.org"], "email_verified": True},
    ],
)
def test_nobody_else_is_let_in(
    app: AppProcess, there: Provider, claims: dict[str, Any]
) -> None:
    there.claims = claims
    with come_back(app) as browser:
        assert browser.get("/api/folders").status_code == 401


def test_a_provider_that_is_not_set_up_is_told_at_the_start(tmp_path: Path) -> None:
    with app_process(tmp_path, environment=SETTINGS) as app:
        assert app.process.wait(30) != 0
        assert 'auth.mode = "oidc" cannot be used' in app.said()
        assert "Traceback" not in app.said()
