"""Turns: what one client asks at once keeps nobody else from an answer."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.exceptions import HTTPException

from tagger.web import pictures, turns
from tagger.web.turns import Turns
from tests.support_web import Library, library, served, until

# Counts far more pairs than any machine can within the time of a question.
ENDLESS = (
    "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range < b.range"
)


def run(test: Callable[[Turns, list[str]], object], **how: float) -> list[str]:
    """What happened, in order, while tasks took turns."""
    told: list[str] = []
    made = Turns("things", **{"each": 2, "total": 3, "wait_s": 5.0, **how})  # type: ignore[arg-type]
    anyio.run(test, made, told)  # type: ignore[arg-type]
    assert made.on() == 0
    assert made.waiting() == 0
    return told


async def work(made: Turns, told: list[str], key: str, until_: anyio.Event) -> None:
    try:
        async with made.turn(key):
            told.append(key)
            await until_.wait()
    except HTTPException as error:
        told.append(f"{key} {error.status_code}")


def test_one_who_asks_for_much_leaves_room_for_others() -> None:
    async def test(made: Turns, told: list[str]) -> None:
        go_on = anyio.Event()
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(work, made, told, "noisy", go_on)
            await anyio.wait_all_tasks_blocked()
            assert (made.on("noisy"), made.waiting()) == (2, 18)
            group.start_soon(work, made, told, "quiet", go_on)
            await anyio.wait_all_tasks_blocked()
            assert made.on("quiet") == 1
            go_on.set()

    assert run(test)[:3] == ["noisy", "noisy", "quiet"]


def test_who_has_least_going_on_is_next_then_who_waited_longest() -> None:
    async def test(made: Turns, told: list[str]) -> None:
        ends = {name: anyio.Event() for name in "abcd"}
        async with anyio.create_task_group() as group:
            for name in ("a", "a", "b", "b", "a", "c", "d"):
                group.start_soon(work, made, told, name, ends[name])
                await anyio.wait_all_tasks_blocked()
            assert told == ["a", "a", "b"]
            ends["b"].set()
            await anyio.wait_all_tasks_blocked()
            for name in "acd":
                ends[name].set()

    assert run(test) == ["a", "a", "b", "b", "c", "d", "a"]


def test_who_waits_too_long_is_told_to_come_again() -> None:
    async def test(made: Turns, told: list[str]) -> None:
        go_on = anyio.Event()
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(work, made, told, "a", go_on)
            while len(told) < 3:
                await anyio.sleep(0.01)
            go_on.set()
        await work(made, told, "a", go_on)

    assert run(test, wait_s=0.05) == ["a", "a", "a 429", "a"]


def test_no_more_than_a_bounded_number_wait_for_one() -> None:
    async def test(made: Turns, told: list[str]) -> None:
        go_on = anyio.Event()
        async with anyio.create_task_group() as group:
            for _ in range(turns.MOST_WAITING + 12):
                group.start_soon(work, made, told, "a", go_on)
            await anyio.wait_all_tasks_blocked()
            assert told == ["a", "a"] + ["a 429"] * 10
            go_on.set()

    assert run(test).count("a") == turns.MOST_WAITING + 2


def test_a_turn_of_somebody_who_went_away_is_not_lost() -> None:
    async def test(made: Turns, told: list[str]) -> None:
        go_on = anyio.Event()
        async with anyio.create_task_group() as leaving:
            for _ in range(4):
                leaving.start_soon(work, made, told, "a", go_on)
            await anyio.wait_all_tasks_blocked()
            leaving.cancel_scope.cancel()
        assert (made.on(), made.waiting()) == (0, 0)
        go_on.set()
        await work(made, told, "b", go_on)

    assert run(test) == ["a", "a", "b"]


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (turns.EXPORTS, turns.QUESTIONS):
        monkeypatch.setattr(one, "wait_s", 2.0)
    monkeypatch.setenv("TAGGER_CATALOGUE__SQL_TIMEOUT_S", "5")


@pytest.fixture
def photos(tmp_path: Path, short_waits: None) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


@pytest.fixture
def web(photos: Library) -> Iterator[httpx.Client]:
    with served() as client:
        yield client


def unread(web: httpx.Client, target: str) -> socket.socket:
    """A request whose answer nobody takes."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect((web.base_url.host, web.base_url.port or 80))
    place = f"{web.base_url.host}:{web.base_url.port}"
    plain.sendall(f"GET {target} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
    return plain


def large(photos: Library) -> list[int]:
    """Photos whose export is larger than what connections keep for a slow client."""
    text = "x" * 1_000_000  # one word: the index is soon done with it
    return [
        photos.photo(f"{number}.jpg", "dog", description=f"{number} {text}")
        for number in range(10)
    ]


def test_twenty_questions_and_exports_of_one_client_hold_up_nobody(
    photos: Library, web: httpx.Client
) -> None:
    [first, *_] = large(photos)
    waiting = [unread(web, "/api/export?format=jsonl") for _ in range(20)]
    asked: list[Future[httpx.Response]] = []
    most = {"questions": 0, "exports": 0}
    with ThreadPoolExecutor(60) as pool:
        for _ in range(60):
            ask = {"sql": ENDLESS}
            asked.append(pool.submit(web.post, "/api/sql", json=ask, timeout=60))
        until(lambda: turns.QUESTIONS.on() + turns.QUESTIONS.waiting() > 40)
        until(lambda: turns.EXPORTS.on() == 2)
        image = pictures.find(photos.opened, first)
        assert image is not None
        for url in (
            "/api/search?q=dog",
            str(pictures.thumbnail_url(image)),
            pictures.original_url(first),
            "/api/images?limit=5",
        ):
            most["questions"] = max(most["questions"], turns.QUESTIONS.on())
            most["exports"] = max(most["exports"], turns.EXPORTS.on())
            # All of this comes before the first of those questions is answered.
            assert web.get(url).is_success, url
            assert not any(
                one.done() and one.result().status_code != 429 for one in asked
            )
        answers = [one.result() for one in asked]
    for one in waiting:
        one.close()
    until(lambda: turns.EXPORTS.on() == 0)
    assert most == {"questions": 2, "exports": 2}
    refused = [one for one in answers if one.status_code == 429]
    assert len(refused) >= 56
    assert all("retry-after" in one.headers for one in refused)
    assert refused[0].headers["content-type"] == "application/problem+json"
    assert "questions in SQL" in refused[0].json()["detail"]
    assert {one.status_code for one in answers} == {429, 422}
    assert web.post("/api/sql", json={"sql": "SELECT 1"}).is_success
    assert turns.QUESTIONS.on() == 0


def parts_on_disk(photos: Library) -> list[Path]:
    """What an export keeps there until it is sent, with its cursors."""
    return list(photos.opened.config.data_dir.rglob("000000"))


def test_a_client_that_goes_in_the_middle_of_an_export_leaves_nothing_open(
    photos: Library, web: httpx.Client
) -> None:
    large(photos)
    for format in ("jsonl", "csv"):
        plain = unread(web, f"/api/export?format={format}")
        until(lambda: turns.EXPORTS.on() == 1)
        assert plain.recv(1000).startswith(b"HTTP/1.1 200")
        assert parts_on_disk(photos) != []
        plain.close()
        until(lambda: turns.EXPORTS.on() == 0)
        assert parts_on_disk(photos) == []


def test_a_bad_question_or_export_gives_its_turn_back(
    photos: Library, web: httpx.Client
) -> None:
    for _ in range(5):
        assert web.get("/api/export?format=csv&q=tag:").status_code == 422
        assert web.get("/api/export?format=csv&selection=x").status_code == 404
        bad = {"sql": "SELECT nothing"}
        assert web.post("/api/sql", json=bad).status_code == 422
        assert web.post("/api/sql/file", json=bad).status_code == 422
    good = {"sql": "SELECT 1 AS one", "format": "csv"}
    assert web.post("/api/sql/file", json=good).text == "one\n1\n"
    assert web.get("/api/export?format=csv").is_success
    until(lambda: turns.EXPORTS.on() + turns.QUESTIONS.on() == 0)
