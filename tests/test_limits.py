"""Limits: what a client sends, or does not take, is bounded on a real port."""

import itertools
import json
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tagger.web import assembly, limits, promptness, turns
from tagger.web.limits import MIB, Limits, Times
from tagger.web.promptness import send_at_once
from tests.support_web import handshake, library, served, until
from tests.test_turns import large, parts_on_disk, unread

SOON = Times(pause_s=0.4, body_s=2.0, send_s=0.5)


async def size(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


async def asked_wrong(request: Request) -> Response:
    """An app that answers before it has read what was sent."""
    return JSONResponse({"detail": "no"}, 403)


async def quiet(request: Request) -> Response:
    async def pieces() -> AsyncIterator[str]:
        yield ": hello\n\n"
        await request.receive()
        yield "never"

    return StreamingResponse(pieces(), media_type="text/event-stream")


async def endless(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * MIB

    return StreamingResponse(pieces())


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


@pytest.fixture(scope="module")
def web() -> Iterator[httpx.Client]:
    app = Starlette(
        routes=[
            Route("/size", size, methods=["POST"]),
            Route("/no", asked_wrong, methods=["POST"]),
            Route("/quiet", quiet),
            WebSocketRoute("/_stcore/stream", echo),
        ],
        middleware=[Middleware(Limits, most_bytes=lambda _: MIB, times=SOON)],
    )
    with served(app) as client:
        yield client


def sent(
    web: httpx.Client, head: str, *pieces: bytes, pause_s: float = 0
) -> tuple[int, bytes]:
    """What is answered to a request in pieces; status 0: nothing."""
    place = (web.base_url.host, web.base_url.port or 80)
    with socket.create_connection(place, timeout=20) as plain:
        start = f"{head}\r\nHost: {place[0]}:{place[1]}\r\n"
        plain.sendall(start.encode() + b"Content-Type: application/json\r\n\r\n")
        for piece in pieces:
            plain.sendall(piece)
            if select.select([plain], [], [], pause_s)[0]:
                break  # it is answered already
        answer = b""
        while (piece := plain.recv(65536)) and b'"}' not in answer:
            answer += piece
            if answer.endswith(b"}"):
                break
    return int(answer.split()[1]) if answer else 0, answer


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


POST = "POST /size HTTP/1.1"
CHUNKED = f"{POST}\r\nTransfer-Encoding: chunked"


def test_a_body_up_to_the_limit_comes_through_whole(web: httpx.Client) -> None:
    assert web.post("/size", content=b"x" * MIB).json() == {"bytes": MIB}
    pieces = [chunk(b"x" * 1024) for _ in range(1024)]
    status, answer = sent(web, CHUNKED, *pieces, b"0\r\n\r\n")
    assert status == 200
    assert answer.endswith(b'{"bytes":1048576}')


def test_a_body_announced_too_large_is_refused_before_it_is_sent(
    web: httpx.Client,
) -> None:
    status, answer = sent(web, f"{POST}\r\nContent-Length: {MIB + 1}")
    assert status == 413
    assert b"application/problem+json" in answer
    assert b"at most 1 MiB" in answer
    assert b"connection: close" in answer.lower()
    assert b"100 Continue" not in answer
    expecting = f"{POST}\r\nExpect: 100-continue\r\nContent-Length: {10**15}"
    assert sent(web, expecting)[0] == 413


def test_a_body_that_is_not_announced_is_counted_as_it_comes(
    web: httpx.Client,
) -> None:
    pieces = [chunk(b"x" * 65536) for _ in range(17)]
    status, answer = sent(web, CHUNKED, *pieces)
    assert status == 413
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 413


def test_a_client_in_the_middle_of_sending_gets_to_read_why(
    web: httpx.Client,
) -> None:
    for _ in range(5):
        answer = web.post("/size", content=iter([b"x" * 65536] * 200))
        assert answer.status_code == 413
        assert "in several parts" in answer.json()["detail"]


def test_a_body_without_end_takes_no_memory(web: httpx.Client) -> None:
    before = psutil.Process().memory_info().rss
    place = (web.base_url.host, web.base_url.port or 80)
    with socket.create_connection(place, timeout=20) as plain:
        plain.sendall(f"{CHUNKED}\r\nHost: x\r\n\r\n".encode())
        endless = itertools.repeat(chunk(b"x" * 65536), 100_000)
        with pytest.raises(OSError, match=r"reset|pipe|aborted"):
            deque(map(plain.sendall, endless), maxlen=0)
    assert psutil.Process().memory_info().rss - before < 100 * MIB


@pytest.mark.parametrize("head", [CHUNKED, f"{POST}\r\nContent-Length: 100"])
def test_a_body_that_stops_coming_is_given_up(web: httpx.Client, head: str) -> None:
    status, answer = sent(web, head, chunk(b"x"))
    assert status == 408
    assert b"within 0.4 s" in answer
    assert b"connection: close" in answer.lower()


def test_a_body_that_comes_in_drops_is_given_up_in_the_end(web: httpx.Client) -> None:
    drops = [chunk(b"x")] * 12
    status, answer = sent(web, CHUNKED, *drops, pause_s=0.2)
    assert (status, b"all of it within 2 s" in answer) == (408, True)


def test_a_body_that_pauses_for_less_comes_through(web: httpx.Client) -> None:
    pieces = [chunk(b"x")] * 4
    status, answer = sent(web, CHUNKED, *pieces, b"0\r\n\r\n", pause_s=0.2)
    assert (status, answer.endswith(b'{"bytes":4}')) == (200, True)


def test_what_the_app_says_before_it_reads_the_body_is_said(web: httpx.Client) -> None:
    assert web.post("/no", content=b"x" * 1000).json() == {"detail": "no"}
    assert web.post("/size", content=b"x").json() == {"bytes": 1}


def test_a_stream_that_has_nothing_to_say_is_left_alone(web: httpx.Client) -> None:
    place = (web.base_url.host, web.base_url.port or 80)
    with socket.create_connection(place, timeout=2 * SOON.body_s) as plain:
        plain.sendall(b"GET /quiet HTTP/1.1\r\nHost: x\r\n\r\n")
        said = b""
        while b": hello" not in said:
            said += plain.recv(4096)
        with pytest.raises(TimeoutError):  # neither more nor an end
            plain.recv(4096)


def test_websockets_are_let_through(web: httpx.Client) -> None:
    assert handshake(str(web.base_url)) == 101


def test_an_export_that_nobody_reads_lets_go_of_its_cursors_and_files(
    tmp_path: Path,
) -> None:
    app = Starlette(
        routes=assembly.routes(), middleware=[Middleware(Limits, times=SOON)]
    )
    with library(tmp_path) as photos, served(app) as client:
        large(photos)
        stalled = [unread(client, "/api/export?format=jsonl") for _ in range(2)]
        until(lambda: len(parts_on_disk(photos)) == 2)
        until(lambda: turns.EXPORTS.on() == 0)
        assert parts_on_disk(photos) == []
        for plain in stalled:
            plain.close()


def stalled_connections(*, hung_up_on: bool) -> int:
    """How many connections are left of a client that takes nothing of its answer."""
    app = Starlette(
        routes=[Route("/endless", endless)],
        middleware=[Middleware(Limits, times=SOON)],
    )
    with served(app) as client:
        port = client.base_url.port or 80
        if hung_up_on:
            assert send_at_once(port) == 1
        plain = unread(client, "/endless")
        until(lambda: connections(port) == 1)
        time.sleep(6 * SOON.send_s)
        left = connections(port)
        plain.close()
    return left


def connections(port: int) -> int:
    """Connections that the server has at this port."""
    known = psutil.Process().net_connections("tcp")
    return sum(
        one.laddr[1] == port and one.status == psutil.CONN_ESTABLISHED for one in known
    )


def test_a_client_that_takes_nothing_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(promptness, "STANDS_STILL_S", 1)
    assert stalled_connections(hung_up_on=False) == 1
    assert stalled_connections(hung_up_on=True) == 0


def test_a_thousand_idle_connections_leave_descriptors_for_files() -> None:
    code = (
        "import resource; limit = resource.RLIMIT_NOFILE;"
        "resource.setrlimit(limit, (256, 9000));"
        "from tagger.web.promptness import allow_connections as allow; allow();"
        "import sys; sys.stdout.write(str(resource.getrlimit(limit)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert said.stdout == "(9000, 9000)", said.stderr


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/folders", limits.JSON_BYTES),
        ("/api/sql", limits.JSON_BYTES),
        ("/api/edits/import", limits.SHEET_BYTES),
        ("/api/tag", limits.PICTURE_BYTES),
        ("/_stcore/health", limits.JSON_BYTES),
        ("/_stcore/upload_file/session/file", None),
    ],
)
def test_each_address_has_its_limit(path: str, most: int | None) -> None:
    assert limits.most_bytes(path) == most


def test_the_longest_list_of_photos_fits_and_more_is_refused_by_the_api(
    tmp_path: Path,
) -> None:
    ids = {"image_ids": [10**9 + number for number in range(1_000_000)]}
    body = json.dumps({**ids, "add": ["x"]})
    assert len(body) < limits.JSON_BYTES
    with library(tmp_path), served() as client:
        header = {"content-type": "application/json"}
        url = "/api/edits/tags?dry_run=true"
        fits = client.post(url, content=body, headers=header)
        more = body + " " * limits.JSON_BYTES
        refused = client.post(url, content=more, headers=header)
        pieces = (more[at : at + 2**20].encode() for at in range(0, len(more), 2**20))
        streamed = client.post(url, content=pieces, headers=header)
    assert fits.status_code in (200, 404, 422)
    for one in (refused, streamed):
        assert one.status_code == 413
        assert one.headers["content-type"] == "application/problem+json"
        assert "32 MiB" in one.json()["detail"]


@pytest.mark.parametrize("head", ["long name", "long value", "many"])
def test_a_head_without_end_is_refused_by_the_server(
    web: httpx.Client, head: str
) -> None:
    lines = {
        "long name": "x" * 2_000_000 + ": y",
        "long value": "x: " + "y" * 2_000_000,
        "many": "\r\n".join(f"x{number}: y" for number in range(200_000)),
    }[head]
    place = (web.base_url.host, web.base_url.port or 80)
    with socket.create_connection(place, timeout=20) as plain:
        answer = b""
        try:
            plain.sendall(f"GET /quiet HTTP/1.1\r\nHost: x\r\n{lines}".encode())
            answer = plain.recv(4096)
        except OSError:
            return  # hung up on in the middle of it
    assert answer.split()[1:2] == [b"400"]
