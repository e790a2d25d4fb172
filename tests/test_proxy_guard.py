"""Without users an app behind a proxy lets nobody in.

Whoever sits at the machine may do everything, and a proxy sits there, too; those it
speaks for do not.
"""

from pathlib import Path

import httpx

from tests.support_nginx import bare_nginx, nginx, photo, screens
from tests.support_web import app_process, handshake

APART = {"TAGGER_TAGGER__WITH_APP": "false"}
FIRST_ADMIN = "python -m tagger users add NAME --role admin"


def test_a_proxy_before_an_app_without_users_makes_nobody_an_admin(
    tmp_path: Path,
) -> None:
    thumbnail = photo(tmp_path)
    change = {"query": "tag:dog", "add": ["cat"]}
    paths = ("/", thumbnail, "/api/images", "/api/events", "/api/folders")
    lie = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-User": "admin"}
    with (
        app_process(tmp_path, environment=APART) as app,
        nginx(tmp_path / "nginx", app.url) as proxy,
        proxy.client() as client,
    ):
        for path in paths:
            for headers in ({}, lie):
                refused = client.get(path, headers=headers)
                assert refused.status_code == 403
                assert FIRST_ADMIN in refused.text
            # So is a proxy that is not set up as the shipped one.
            other = httpx.get(
                f"{app.url}{path}", headers={"Forwarded": "for=192.0.2.7"}
            )
            assert other.status_code == 403
        assert screens(proxy, {"Origin": proxy.url}) == 403
        added = client.post("/api/edits/tags", json=change)
        assert added.status_code == 403

        for path in ("/", thumbnail, "/api/images", "/api/folders"):
            assert httpx.get(f"{app.url}{path}").status_code == 200
        assert handshake(app.url, Origin=app.url) == 101


def test_nor_does_a_proxy_that_says_nothing_of_whom_it_speaks_for(
    tmp_path: Path,
) -> None:
    """A bare `proxy_pass` of nginx puts the app's own address for the Host."""
    change = {"query": "tag:dog", "add": ["cat"]}
    with (
        app_process(tmp_path, environment=APART) as app,
        bare_nginx(tmp_path / "nginx", app.url) as url,
    ):
        assert httpx.get(f"{url}/api/images").status_code == 403
        assert httpx.post(f"{url}/api/edits/tags", json=change).status_code == 403
        assert httpx.get(f"{app.url}/api/images").status_code == 200
