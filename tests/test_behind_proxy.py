"""The whole app behind the shipped nginx configuration."""

import time
from pathlib import Path

from tagger.config import Config
from tests.support_nginx import nginx, photo, screens
from tests.support_web import app_process

APART = {"TAGGER_TAGGER__WITH_APP": "false"}
# Everybody may do everything: what is asked here is whether it passes the proxy.
OPEN = {"TAGGER_AUTH__MODE": "open"} if "auth" in Config.model_fields else {}


def test_pages_screens_pictures_and_events_pass_the_proxy(tmp_path: Path) -> None:
    thumbnail = photo(tmp_path)
    with (
        app_process(tmp_path, environment=APART | OPEN) as app,
        nginx(tmp_path / "nginx", app.url) as proxy,
        proxy.client() as client,
    ):
        assert "<html" in client.get("/").text
        assert client.get(thumbnail).content[:2] == b"\xff\xd8"
        assert "dog" in client.get("/api/export?format=csv").text

        assert screens(proxy, {"Origin": proxy.url}) == 101
        assert screens(proxy, {"Origin": "https://elsewhere.example"}) == 403
        change = {"query": "tag:dog", "add": ["cat"]}
        for origin, status in ((proxy.url, 200), ("https://elsewhere.example", 403)):
            headers = {"Origin": origin}
            path = "/api/edits/tags?dry_run=true"
            assert client.post(path, json=change, headers=headers).status_code == status

        began = time.monotonic()
        with client.stream("GET", "/api/events") as events:
            assert next(events.iter_lines()).startswith("event: ")
        assert time.monotonic() - began < 5
