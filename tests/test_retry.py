"""A server that may come back is waited for; what cannot pass is not asked again."""

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.config import Retry
from tagger.errors import ModelMissing, ModelUnavailable, RequestRefused, UnusableAnswer
from tagger.records import Answer
from tagger.vision.http import retry_after_s
from tagger.vision.ollama import Ollama
from tagger.vision.retry import describe_with_retry, pause_s
from tests.ollama_double import Fault, OllamaDouble
from tests.support_vision import GOOD, ollama_at, plain_picture

AT_ONCE = Retry(attempts=5, wait_base_s=0, wait_max_s=0)


def ask(
    backend: Ollama, *, retry: Retry = AT_ONCE, stop: threading.Event | None = None
) -> Answer:
    return describe_with_retry(
        backend,
        plain_picture(),
        b"dog.jpg",
        retry=retry,
        stop=stop or threading.Event(),
    )


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429),
        Fault(500),
        Fault(502, "<html>bad gateway</html>"),
        Fault(503),
        Fault(504),
        Fault(close=True),
    ],
    ids=["429", "500", "502", "503", "504", "hung up"],
)
def test_a_failure_that_may_pass_is_asked_again(fault: Fault) -> None:
    with OllamaDouble(GOOD, script=[fault] * 4) as server, ollama_at(server.url) as it:
        answer = ask(it)

    assert answer.description == "A dog on a beach."
    assert server.count == 5


def test_a_server_that_stays_away_is_asked_as_often_as_set() -> None:
    script = [Fault(503)] * 9
    with (
        OllamaDouble(GOOD, script=script) as server,
        ollama_at(server.url) as it,
        pytest.raises(ModelUnavailable, match=f"{server.url} is busy"),
    ):
        ask(it)

    assert server.count == 5


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(400, {"error": "invalid image"}), RequestRefused),
        (Fault(413, {"error": "too large"}), RequestRefused),
        (Fault(404, {"error": "model 'gemma3:4b' not found"}), ModelMissing),
        (Fault(401, {"error": "who are you"}), ModelUnavailable),
        (Fault(301, "", {"Location": "/elsewhere"}), ModelUnavailable),
        (Fault(200, "<html>sign in to the hotel</html>"), ModelUnavailable),
    ],
    ids=["400", "413", "404", "401", "301", "captive portal"],
)
def test_a_failure_that_cannot_pass_is_asked_once(
    fault: Fault, error: type[Exception]
) -> None:
    with (
        OllamaDouble(GOOD, script=[fault]) as server,
        ollama_at(server.url) as it,
        pytest.raises(error),
    ):
        ask(it)

    assert server.count == 1


def test_an_unusable_answer_is_not_asked_for_a_fourth_time() -> None:
    with (
        OllamaDouble("no JSON") as server,
        ollama_at(server.url) as it,
        pytest.raises(UnusableAnswer),
    ):
        ask(it)

    assert server.count == 3


def test_a_stop_ends_a_pause_at_once() -> None:
    stop = threading.Event()
    hours = Retry(attempts=5, wait_base_s=3_600, wait_max_s=3_600)
    caught: list[Exception] = []
    with (
        OllamaDouble(GOOD, script=[Fault(503)] * 9) as server,
        ollama_at(server.url) as it,
    ):

        def wait_for_it() -> None:
            try:
                ask(it, retry=hours, stop=stop)
            except ModelUnavailable as error:
                caught.append(error)

        waiting = threading.Thread(target=wait_for_it)
        waiting.start()
        stop.set()
        waiting.join()

    assert len(caught) == 1
    assert server.count == 1


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_a_pause_is_never_longer_than_set(attempt: int, chance: float) -> None:
    retry = Retry(wait_base_s=5, wait_max_s=30)
    longest = min(30.0, 5.0 * 2.0 ** min(attempt - 1, 10))

    assert longest / 2 <= pause_s(attempt, retry, None, chance) <= longest


def test_pauses_double_up_to_the_longest() -> None:
    retry = Retry(wait_base_s=5, wait_max_s=30)

    pauses = [pause_s(attempt, retry, None, 0.0) for attempt in range(1, 6)]

    assert pauses == [5, 10, 20, 30, 30]


def test_a_server_that_names_its_pause_gets_it() -> None:
    retry = Retry(wait_base_s=5, wait_max_s=30)

    assert pause_s(1, retry, 90.0, 0.5) == 90.0
    assert pause_s(4, retry, 1.0, 0.0) == 30.0


def test_the_pause_a_server_names_reaches_the_error() -> None:
    fault = Fault(503, headers={"Retry-After": "7"})
    with (
        OllamaDouble(GOOD, script=[fault]) as server,
        ollama_at(server.url) as it,
        pytest.raises(ModelUnavailable) as caught,
    ):
        it.describe(plain_picture(), b"dog.jpg")

    assert caught.value.retry_after_s == 7.0


def test_a_named_pause_is_seconds_or_a_date_and_has_an_end() -> None:
    past = format_datetime(datetime.now(UTC) - timedelta(hours=1))

    assert retry_after_s("12") == 12.0
    assert retry_after_s(past) == 0.0
    assert retry_after_s("999999") == 600.0
    assert retry_after_s("nan") is None
    assert retry_after_s("soon") is None
    assert retry_after_s("") is None
