"""The API's bench measures what it says, on a library small enough for a test."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from scripts.bench_api import watching
from scripts.bench_api.wire import Answer, Broken, Line, Waking, run

ROOT = Path(__file__).resolve().parent.parent
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HOST = "127.0.0.1"


@pytest.mark.slow
def test_the_bench_of_the_api_measures_everybody(tmp_path: Path) -> None:
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "scripts.bench_api", "--photos", "300"),
            *("--readers", "3", "--searchers", "3", "--exporters", "2"),
            *("--seconds", "8", "--keep", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    figures = json.loads(answer.stdout)
    assert figures["clients"]["readers"] == 3
    for phase in ("as_people_do", "pauses_halved"):
        found = figures[phase]
        assert found["errors"] == 0, found["first_errors"]
        assert found["tagged_meanwhile"] > 0
        assert set(found["goals_met"]) == {"no_error", "thumbnail", "search"}
        kinds = ("thumbnail", "page", "search", "facets", "completion", "export_begins")
        for kind in kinds:
            assert 0 < found[kind]["p50_ms"] <= found[kind]["p95_ms"]
        assert found["generator"]["percent_of_a_core"] > 0
        assert found["rss_mib"]["first_mean"] <= found["rss_mib"]["max"]
        assert found["app_percent_of_a_core"] > 0


def test_what_a_process_holds_is_told_by_how_it_begins_ends_and_leans() -> None:
    growing = [(float(second), 100.0 + second) for second in range(121)]

    found = watching.memory(growing)

    assert found["first_mean"] == pytest.approx(110, abs=1)
    assert found["last_mean"] == pytest.approx(210, abs=1)
    assert found["max"] == 220
    assert found["slope_a_minute"] == pytest.approx(60)


def asked(answer: list[bytes], times: int = 1) -> list[Answer]:
    """What a line makes of what a server sends, piece by piece, to each request."""
    waking, found = Waking(), list[Answer]()
    with socket.create_server((HOST, 0)) as server:
        thread = threading.Thread(target=serve, args=(server, answer, times))
        thread.start()

        async def ask() -> None:
            line = Line(waking)
            try:
                for _ in range(times):
                    request = b"GET / HTTP/1.1\r\n\r\n"
                    found.append(await line.ask(*server.getsockname(), request))
                    await asyncio.sleep(0.05)
            finally:
                line.close()

        try:
            run(ask(), waking)
        finally:
            thread.join()
    return found


def serve(server: socket.socket, answer: list[bytes], times: int) -> None:
    for _ in range(times):
        connection, _ = server.accept()
        with connection:
            connection.recv(1000)
            for piece in answer:
                connection.sendall(piece)
                time.sleep(0.01)


@pytest.mark.parametrize("cut", range(1, 20))
def test_an_answer_in_chunks_is_whole_however_it_comes_in_pieces(cut: int) -> None:
    sent = CHUNKED + b"5\r\nabcde\r\nb\r\nfghijklmnop\r\n0\r\n\r\n"
    pieces = [sent[:-cut], sent[-cut:]]

    (answer,) = asked(pieces)

    assert answer.body == b"abcdefghijklmnop"
    assert answer.took_s > 0


def test_a_line_whose_server_hung_up_while_it_rested_asks_again() -> None:
    sent = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    assert [answer.body for answer in asked([sent], times=3)] == [b"ok"] * 3


@pytest.mark.parametrize(
    "sent",
    [b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"],
)
def test_half_an_answer_is_an_error(sent: bytes) -> None:
    with pytest.raises(Broken):
        asked([sent])
