"""The shipped nginx configuration, in a real nginx: what passes, and what does not."""

import json
import socket
import ssl
import time
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.support_nginx import Proxy, nginx
from tests.support_web import served

METHODS = ["GET", "POST"]


async def echo(request: Request) -> JSONResponse:
    """What an app behind the proxy gets to know."""
    return JSONResponse(
        {
            "client": request.scope["client"],
            "scheme": request.scope["scheme"],
            "headers": dict(request.headers),
            "bytes": len(await request.body()),
        }
    )


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy before an app that answers what it was asked."""
    app = Starlette(routes=[Route("/{path:path}", echo, methods=METHODS)])
    with (
        served(app) as upstream,
        nginx(tmp_path_factory.mktemp("proxy") / "nginx", str(upstream.base_url)) as it,
    ):
        yield it


def test_the_app_learns_who_asks_and_how(proxy: Proxy) -> None:
    with proxy.client() as client:
        told = client.get("/").json()
    assert told["headers"]["host"] == f"localhost:{proxy.port}"
    assert told["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert told["headers"]["x-forwarded-proto"] == "https"
    assert told["headers"]["x-forwarded-host"] == f"localhost:{proxy.port}"


def test_the_server_puts_the_client_in_the_proxys_place_and_leaves_the_headers(
    proxy: Proxy,
) -> None:
    """What the guard builds on: uvicorn believes a proxy on this machine."""
    with proxy.client() as client:
        told = client.get("/").json()
    assert told["client"] == ["127.0.0.1", 0]
    assert told["scheme"] == "https"
    assert "x-forwarded-for" in told["headers"]


def test_what_a_client_says_of_itself_stops_at_the_proxy(proxy: Proxy) -> None:
    lies = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Host": "elsewhere",
        "X-Forwarded-User": "admin",
        "X-Real-IP": "127.0.0.1",
        "Forwarded": "for=127.0.0.1",
    }
    with proxy.client(**lies) as client:
        told = client.get("/").json()["headers"]
    assert told["x-forwarded-for"] == "127.0.0.1"
    assert told["x-forwarded-proto"] == "https"
    assert told["x-forwarded-host"] == f"localhost:{proxy.port}"
    assert not {"x-forwarded-user", "x-real-ip", "forwarded"} & set(told)


def test_plain_http_leads_to_https_and_https_stays(proxy: Proxy) -> None:
    plain = httpx.get(f"http://127.0.0.1:{proxy.plain_port}/search?q=dog")
    assert plain.status_code == 301
    assert plain.headers["location"] == "https://localhost/search?q=dog"
    with proxy.client() as client:
        for path in ("/", "/api/events", "/sign-in"):
            answer = client.get(path)
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
            assert "/" not in answer.headers["server"]


def test_other_names_get_not_even_a_certificate(proxy: Proxy) -> None:
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as plain,
        pytest.raises(ssl.SSLError),
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname="elsewhere")


@pytest.mark.parametrize(
    ("path", "too_large_bytes"),
    [("/api/edits/tags", 33 << 20), ("/api/signin", 65 << 10), ("/sign-in", 65 << 10)],
)
def test_bodies_have_a_size(proxy: Proxy, path: str, too_large_bytes: int) -> None:
    with proxy.client() as client:
        assert client.post(path, content=b"x" * 1000).json()["bytes"] == 1000
        assert client.post(path, content=b"x" * too_large_bytes).status_code == 413


def test_a_picture_may_be_as_large_as_the_app_takes_it(proxy: Proxy) -> None:
    size = 40 << 20
    with proxy.client() as client:
        assert client.post("/api/tag", content=b"x" * size).json()["bytes"] == size


def test_who_tries_to_sign_in_too_often_is_told_to_wait(proxy: Proxy) -> None:
    with proxy.client() as client:
        looked = {client.get("/sign-in").status_code for _ in range(20)}
        tried = [client.post("/sign-in").status_code for _ in range(20)]
    assert looked == {200}
    assert tried[-1] == 429
    assert tried.count(200) <= 6


@pytest.mark.slow
def test_a_client_that_does_not_get_on_with_its_request_is_cut_off(
    proxy: Proxy,
) -> None:
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as plain,
        proxy.tls.wrap_socket(plain, server_hostname="localhost") as slow,
    ):
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        began = time.monotonic()
        assert b"200" not in slow.recv(4096)
        assert time.monotonic() - began < 20
    # Others are answered all the while, and after it.
    with proxy.client() as client:
        assert json.loads(client.get("/").text)["scheme"] == "https"
