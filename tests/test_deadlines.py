"""A model server that hangs, trickles or floods costs its time-out, and no more."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tagger.errors import ModelUnavailable
from tests.ollama_double import Fault, OllamaDouble
from tests.support_vision import GOOD, ollama_at, openai_at, plain_picture

TIMEOUT_S = 1.0


@pytest.fixture
def server() -> Iterator[OllamaDouble]:
    with OllamaDouble(GOOD) as double:
        yield double


@pytest.mark.parametrize("how", ["hang", "trickle", "drip"])
def test_a_server_that_never_comes_to_an_end_is_ended_at_its_time(
    server: OllamaDouble, how: str
) -> None:
    """A byte now and then keeps any time-out for one read from running out."""
    server.script.append(Fault(how=how, pause_s=0.2))
    with ollama_at(server.url, timeout_s=TIMEOUT_S) as it:
        began = time.monotonic()
        with pytest.raises(ModelUnavailable, match="not answer within 1 s"):
            it.describe(plain_picture(), b"dog.jpg")
        assert TIMEOUT_S * 0.9 < time.monotonic() - began < TIMEOUT_S + 3
        assert it.describe(plain_picture(), b"dog.jpg").description


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("cut", "broke off the connection"),
        ("flood", "sent more than 16 MB"),
        ("garbage", "broke off the connection"),
    ],
)
def test_what_is_no_answer_is_named_and_the_next_question_is_answered(
    server: OllamaDouble, how: str, says: str
) -> None:
    server.script.append(Fault(how=how))
    with ollama_at(server.url) as it:
        with pytest.raises(ModelUnavailable, match=says):
            it.describe(plain_picture(), b"dog.jpg")
        assert it.describe(plain_picture(), b"dog.jpg").description


def test_a_server_that_takes_no_question_in_is_ended_at_its_time() -> None:
    """Its system accepts the connection, and nobody ever reads what comes."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        large = plain_picture(side_px=64)
        large.jpeg = lambda quality=85: b"x" * (32 << 20)  # type: ignore[method-assign]
        with openai_at(url, timeout_s=TIMEOUT_S) as it:
            began = time.monotonic()
            with pytest.raises(ModelUnavailable, match="not answer within 1 s"):
                it.describe(large, b"dog.jpg")
            assert time.monotonic() - began < TIMEOUT_S + 4


def test_the_time_to_connect_is_a_setting_of_its_own() -> None:
    # A full line of connections that nobody accepts lets no further one in.
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(busy.getsockname())
            url = f"http://127.0.0.1:{busy.getsockname()[1]}"
            with ollama_at(url, connect_timeout_s=0.3, timeout_s=60) as it:
                began = time.monotonic()
                with pytest.raises(ModelUnavailable, match="does not answer"):
                    it.describe(plain_picture(), b"dog.jpg")
                assert time.monotonic() - began < 5
        finally:
            for one in waiting:
                one.close()


def test_hanging_up_ends_the_questions_under_way_at_once(server: OllamaDouble) -> None:
    server.delay_s = 30.0
    caught: list[Exception] = []
    with ollama_at(server.url) as it:

        def ask() -> None:
            try:
                it.describe(plain_picture(), b"dog.jpg")
            except ModelUnavailable as error:
                caught.append(error)

        asking = [threading.Thread(target=ask) for _ in range(3)]
        for thread in asking:
            thread.start()
        while server.busy < 3:
            time.sleep(0.01)
        began = time.monotonic()
        it.hang_up()
        for thread in asking:
            thread.join(10)
        assert time.monotonic() - began < 5
        assert len(caught) == 3
