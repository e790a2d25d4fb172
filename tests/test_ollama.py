"""Asking Ollama: what is sent, what is kept, and how failures are told apart.

The double that stands for the server is itself held against the official client.
"""

import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import ollama
import pytest

from tagger.errors import (
    ConfigError,
    ModelMissing,
    ModelUnavailable,
    RequestRefused,
    UnusableAnswer,
)
from tagger.sections import Model
from tagger.vision.ollama import keep_alive
from tests.ollama_double import Fault, OllamaDouble
from tests.support_vision import GOOD, ollama_at, plain_picture, shade_of


@pytest.fixture
def server() -> Iterator[OllamaDouble]:
    with OllamaDouble(GOOD) as double:
        yield double


@pytest.fixture
def client(server: OllamaDouble) -> Iterator[ollama.Client]:
    with ollama.Client(server.url, trust_env=False) as official:
        yield official


# The double, as the official client sees it.


def test_the_official_client_lists_the_models(client: ollama.Client) -> None:
    assert [model.model for model in client.list().models] == ["gemma3:4b"]
    assert [model.model for model in client.ps().models] == ["gemma3:4b"]


def test_the_official_client_sees_what_a_model_can_do(client: ollama.Client) -> None:
    assert client.show("gemma3:4b").capabilities == ["completion", "vision"]


@pytest.mark.parametrize("stream", [False, True])
def test_the_official_client_gets_an_answer_about_a_picture(
    client: ollama.Client, server: OllamaDouble, stream: bool
) -> None:
    message = {"role": "user", "content": "?", "images": [plain_picture(77).jpeg()]}

    got: Any = client.chat("gemma3:4b", [message], stream=stream, format="json")
    text = "".join(p.message.content for p in got) if stream else got.message.content

    assert "A dog on a beach." in text
    assert shade_of(server.asked[0].image) == 77


def test_the_official_client_is_told_of_a_missing_model(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="'gone' not found") as caught:
        client.chat("gone", [{"role": "user", "content": "?"}])

    assert caught.value.status_code == 404


def test_the_double_takes_no_more_than_its_slots() -> None:
    four_refused = threading.Event()

    def wait_for_it(_: bytes, __: Mapping[str, Any]) -> Mapping[str, Any]:
        four_refused.wait(20)
        return GOOD

    with (
        OllamaDouble(wait_for_it, slots=2) as server,
        ollama_at(server.url) as it,
        ThreadPoolExecutor(6) as pool,
    ):
        asked = [pool.submit(it.describe, plain_picture(), b"a.jpg") for _ in range(6)]
        done = as_completed(asked)
        errors = [next(done).exception() for _ in range(4)]
        four_refused.set()
        answers = [future.result() for future in done]

    assert all(isinstance(error, ModelUnavailable) for error in errors)
    assert (len(answers), server.refused, server.count) == (2, 4, 6)
    assert 0 < server.busy_share() <= 1


# Our backend.


def test_an_answer_carries_words_and_where_they_are_from(server: OllamaDouble) -> None:
    with ollama_at(server.url) as it:
        answer = it.describe(plain_picture(), b"dog.jpg")

    assert answer.description == "A dog on a beach."
    assert [tag.name for tag in answer.tags] == ["dog", "beach"]
    assert answer.text is None
    assert (answer.backend, answer.model) == ("ollama", "gemma3:4b")
    assert (answer.server, answer.prompt_version) == (server.url, it.prompt_version)
    assert (answer.tokens_in, answer.tokens_out) == (300, 40)


def test_the_request_is_the_agreed_one(server: OllamaDouble) -> None:
    model = Model(temperature=0.3, max_tokens=99, tags_max=9)
    with ollama_at(server.url, model=model, keep_alive="10m") as it:
        it.describe(plain_picture(200), b"dog.jpg")
    body = server.asked[0].body

    assert body["think"] is False
    assert body["stream"] is False
    assert body["keep_alive"] == "10m"
    assert body["options"] == {"temperature": 0.3, "num_predict": 99}
    assert body["format"]["properties"]["tags"]["maxItems"] == 9
    assert len(body["messages"]) == 1
    assert shade_of(server.asked[0].image) == 200


@pytest.mark.parametrize(
    ("setting", "sent"), [("5m", "5m"), ("-1", -1), (" 0 ", 0), ("1h30m", "1h30m")]
)
def test_a_bare_number_is_sent_as_one(setting: str, sent: str | int) -> None:
    assert keep_alive(setting) == sent


def test_every_picture_gets_its_own_answer() -> None:
    def by_shade(image: bytes, _: Mapping[str, Any]) -> Mapping[str, Any]:
        shade = shade_of(image)
        return {"description": f"Shade {shade}.", "tags": [f"shade {shade}"]}

    shades = range(20, 220, 5)
    with (
        OllamaDouble(by_shade) as server,
        ollama_at(server.url) as it,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = pool.map(
            lambda shade: it.describe(plain_picture(shade), b"x.jpg"), shades
        )

    assert [a.description for a in answers] == [f"Shade {s}." for s in shades]


def test_an_answer_out_of_form_is_asked_again_with_the_fault_named() -> None:
    def worse_then_good(_: bytes, body: Mapping[str, Any]) -> Mapping[str, Any] | str:
        said = body["messages"][-1]["content"]
        if "`tags` is empty" in said:
            return GOOD
        if "not valid JSON" in said:
            return {"description": "A dog.", "tags": [], "text": ""}
        return "A dog, I \ud800 think"

    with OllamaDouble(worse_then_good) as server, ollama_at(server.url) as it:
        answer = it.describe(plain_picture(), b"dog.jpg")

    assert answer.description == "A dog on a beach."
    assert server.count == 3
    assert answer.tokens_out == 120
    roles = [message["role"] for message in server.asked[-1].body["messages"]]
    assert roles == ["user", "assistant", "user"]
    assert all(asked.image for asked in server.asked)


def test_three_answers_out_of_form_fail_the_photo() -> None:
    with (
        OllamaDouble({"description": "A dog."}) as server,
        ollama_at(server.url) as it,
        pytest.raises(UnusableAnswer, match=r"dog\.jpg.*`tags` must be") as caught,
    ):
        it.describe(plain_picture(), b"/photos/dog.jpg")

    assert caught.value.path == b"/photos/dog.jpg"
    assert server.count == 3


def test_an_answer_cut_off_says_which_setting_was_too_small() -> None:
    with (
        OllamaDouble('{"description": "A d', done_reason="length") as server,
        ollama_at(server.url, model=Model(max_tokens=64)) as it,
        pytest.raises(UnusableAnswer, match="cut off at max_tokens = 64"),
    ):
        it.describe(plain_picture(), b"dog.jpg")


def test_a_missing_model_says_how_to_get_it(server: OllamaDouble) -> None:
    with ollama_at(server.url) as it:
        server.models.clear()
        with pytest.raises(ModelMissing, match="ollama pull gemma3:4b"):
            it.describe(plain_picture(), b"dog.jpg")


def test_a_refused_request_names_the_photo_and_the_reason() -> None:
    fault = Fault(400, {"error": "image: \x1b[31munknown format"})
    with (
        OllamaDouble(GOOD, script=[fault]) as server,
        ollama_at(server.url) as it,
        pytest.raises(RequestRefused, match=r"dog.jpg: .*HTTP 400: image: "),
    ):
        it.describe(plain_picture(), b"dog.jpg")


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with ollama_at(url) as it:
        with pytest.raises(ModelUnavailable, match=f"{url} does not answer"):
            it.describe(plain_picture(), b"dog.jpg")
        state = it.check()

    assert not state.usable
    assert state.problem is not None
    assert "does not answer" in state.problem


def test_a_server_that_takes_too_long_is_given_up() -> None:
    with (
        OllamaDouble(GOOD, delay_s=2) as server,
        ollama_at(server.url, timeout_s=0.2) as it,
        pytest.raises(ModelUnavailable, match=r"not answer within 0\.2 s"),
    ):
        it.describe(plain_picture(), b"dog.jpg")


def test_a_proxy_for_the_internet_does_not_catch_this_machine(
    server: OllamaDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")

    with ollama_at(server.url) as it:
        assert it.check().usable


def test_a_key_no_header_can_carry_is_a_setting_to_mend(
    server: OllamaDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "s\u00e9cret")
    with pytest.raises(ConfigError, match="MY_KEY"):
        ollama_at(server.url, api_key_env="MY_KEY").__enter__()


def test_an_address_that_is_none_is_a_setting_to_mend() -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:99999"):
        ollama_at("http://127.0.0.1:99999").__enter__()


# The check before anything is asked.


def test_a_check_of_a_good_server_finds_no_problem(server: OllamaDouble) -> None:
    with ollama_at(server.url) as it:
        state = it.check()

    assert state.usable
    assert state.problem is None
    assert (state.models, state.version) == (("gemma3:4b",), "0.12.0")
    assert server.count == 0


def test_a_check_names_the_model_to_pull() -> None:
    with (
        OllamaDouble(GOOD, models=["llama3:8b"]) as server,
        ollama_at(server.url) as it,
    ):
        state = it.check()

    assert state.reachable
    assert not state.usable
    assert state.models == ("llama3:8b",)
    assert state.problem is not None
    assert "`ollama pull gemma3:4b`" in state.problem


def test_a_check_finds_a_model_without_eyes() -> None:
    with (
        OllamaDouble(GOOD, capabilities=["completion"]) as server,
        ollama_at(server.url) as it,
    ):
        state = it.check()

    assert state.can_see is False
    assert not state.usable
    assert state.problem is not None
    assert "cannot see pictures" in state.problem


def test_a_server_too_old_to_tell_is_used() -> None:
    with OllamaDouble(GOOD, capabilities=None) as server, ollama_at(server.url) as it:
        state = it.check()

    assert state.can_see is None
    assert state.usable


def test_a_model_without_a_tag_is_the_latest() -> None:
    with (
        OllamaDouble(GOOD, models=["llava:latest"]) as server,
        ollama_at(server.url, named="llava") as it,
    ):
        assert it.check().usable
        assert it.describe(plain_picture(), b"x.jpg").model == "llava"
