"""Which model is asked: servers that can answer, else the built-in one, and why."""

import socket
from collections.abc import Iterator

import pytest

from tagger.config import Config
from tagger.errors import UsageError
from tagger.sections import Model, Server
from tagger.vision.choose import Choice, choose, states
from tests.ollama_double import OllamaDouble
from tests.support_vision import GOOD


def settings(*servers: Server, backend: str = "auto") -> Config:
    model = Model.model_validate({"backend": backend})
    return Config(servers=servers or (Server(),), model=model)


def kinds(choice: Choice) -> list[str]:
    choice.close()
    return [backend.kind for backend in choice.backends]


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(GOOD) as double:
        yield double


@pytest.fixture
def nobody() -> str:
    """An address where no one listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_auto_takes_a_server_that_can_answer(ollama: OllamaDouble) -> None:
    choice = choose(settings(Server(url=ollama.url)))

    assert kinds(choice) == ["ollama"]
    assert choice.reason == f"Asking gemma3:4b on {ollama.url}"


def test_auto_without_a_server_takes_the_built_in_model(nobody: str) -> None:
    choice = choose(settings(Server(url=nobody)))

    assert kinds(choice) == ["builtin"]
    assert choice.usable
    assert f"Using the built-in model, because {nobody} does not" in choice.reason


def test_auto_says_which_model_would_have_to_be_pulled(ollama: OllamaDouble) -> None:
    choice = choose(settings(Server(url=ollama.url, model="llava:7b")))

    assert kinds(choice) == ["builtin"]
    assert "`ollama pull llava:7b`" in choice.reason


def test_all_servers_that_can_answer_are_used(
    ollama: OllamaDouble, nobody: str
) -> None:
    with OllamaDouble(GOOD) as other:
        servers = [Server(url=url) for url in (ollama.url, nobody, other.url)]
        choice = choose(settings(*servers))

    assert [backend.url for backend in choice.backends] == [ollama.url, other.url]
    assert f"not used: {nobody} does not answer" in choice.reason
    assert [state.usable for state in choice.states] == [True, False, True]
    choice.close()


def test_a_server_asked_for_by_name_is_kept_though_it_is_away(nobody: str) -> None:
    choice = choose(settings(Server(url=nobody), backend="ollama"))

    assert kinds(choice) == ["ollama"]
    assert not choice.usable
    assert f"No model can answer: {nobody} does not answer" in choice.reason


def test_the_built_in_model_can_be_asked_for(ollama: OllamaDouble) -> None:
    choice = choose(settings(Server(url=ollama.url)), backend="builtin")

    assert kinds(choice) == ["builtin"]
    assert ollama.count == 0


def test_an_address_and_a_model_given_stand_before_the_settings(
    ollama: OllamaDouble, nobody: str
) -> None:
    ollama.models.append("llava:7b")
    configured = Server(url=nobody, timeout_s=7, parallel=3)
    choice = choose(settings(configured), urls=[ollama.url + "/"], model="llava:7b")

    (backend,) = choice.backends
    assert (backend.url, backend.model, backend.parallel) == (ollama.url, "llava:7b", 3)
    choice.close()


def test_a_kind_that_is_not_configured_is_asked_for_with_its_address(
    nobody: str,
) -> None:
    with pytest.raises(UsageError, match="no server of kind openai"):
        choose(settings(), backend="openai")
    with pytest.raises(UsageError, match="must be an address"):
        choose(settings(), urls=["localhost"])

    choice = choose(settings(), backend="openai", urls=[nobody], model="any")

    assert kinds(choice) == ["openai"]


def test_every_configured_server_can_be_looked_at(
    ollama: OllamaDouble, nobody: str
) -> None:
    found = states(settings(Server(url=ollama.url), Server(url=nobody)))

    assert [(state.url, state.usable) for state in found] == [
        (ollama.url, True),
        (nobody, False),
    ]
