"""What a failure of a server is called, and how long the pauses are after it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.errors import (
    ModelBusy,
    ModelMissing,
    ModelUnavailable,
    RequestRefused,
    UnusableAnswer,
)
from tagger.sections import Retry
from tagger.vision.http import retry_after_s
from tagger.vision.retry import pause_s
from tests.ollama_double import Fault, OllamaDouble
from tests.support_vision import GOOD, ollama_at, plain_picture


@pytest.mark.parametrize(
    ("fault", "error", "may_pass"),
    [
        (Fault(429), ModelBusy, True),
        (Fault(503), ModelBusy, True),
        (Fault(500), ModelUnavailable, True),
        (Fault(502, "<html>bad gateway</html>"), ModelUnavailable, True),
        (Fault(504), ModelUnavailable, True),
        (Fault(close=True), ModelUnavailable, True),
        (Fault(404, {"error": "model 'gemma3:4b' not found"}), ModelMissing, False),
        (Fault(401, {"error": "who are you"}), ModelUnavailable, False),
        (Fault(301, "", {"Location": "/elsewhere"}), ModelUnavailable, False),
        (Fault(200, "<html>sign in to the hotel</html>"), ModelUnavailable, False),
    ],
    ids=[
        *("429", "503", "500", "502", "504", "hung up"),
        *("404", "401", "301", "captive portal"),
    ],
)
def test_a_failure_says_who_has_to_react_and_whether_it_may_pass(
    fault: Fault, error: type[ModelUnavailable], may_pass: bool
) -> None:
    with (
        OllamaDouble(GOOD, script=[fault]) as server,
        ollama_at(server.url) as it,
        pytest.raises(ModelUnavailable) as caught,
    ):
        it.describe(plain_picture(), b"dog.jpg")

    assert type(caught.value) in (error, *error.__subclasses__())
    assert isinstance(caught.value, ModelBusy) == (error is ModelBusy)
    assert caught.value.may_pass is may_pass
    assert server.count == 1


@pytest.mark.parametrize("status", [400, 413])
def test_a_request_the_server_will_never_take_is_the_photos_own(status: int) -> None:
    script = [Fault(status, {"error": "invalid image"})]
    with (
        OllamaDouble(GOOD, script=script) as server,
        ollama_at(server.url) as it,
        pytest.raises(RequestRefused),
    ):
        it.describe(plain_picture(), b"dog.jpg")


def test_an_unusable_answer_is_not_asked_for_a_fourth_time() -> None:
    with (
        OllamaDouble("no JSON") as server,
        ollama_at(server.url) as it,
        pytest.raises(UnusableAnswer),
    ):
        it.describe(plain_picture(), b"dog.jpg")

    assert server.count == 3


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
