"""Asking over OpenAI's protocol, held against the real llama.cpp server.

Its model is made of random numbers: it talks nonsense, in the agreed form.
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tagger.errors import ModelMissing, ModelUnavailable, RequestRefused, UnusableAnswer
from tagger.imaging.picture import Picture
from tagger.sections import Model
from tests import llama_server
from tests.ollama_double import OllamaDouble
from tests.support_vision import ollama_at, openai_at, plain_picture

CHATTY = Model(temperature=1.0)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llama_server.running(tmp_path_factory.mktemp("llama")) as url:
        yield url


class Undecodable(Picture):
    """A picture whose JPEG is none, for what a server says of that."""

    def jpeg(self, quality: int = 85) -> bytes:
        return b"no jpeg"


def undecodable() -> Picture:
    return Undecodable(plain_picture().pixels)


def test_a_real_server_answers_in_the_agreed_form(llama: str) -> None:
    with openai_at(llama, model=CHATTY) as it:
        answer = it.describe(plain_picture(), b"dog.jpg")

    assert answer.description
    assert 1 <= len(answer.tags) <= 25
    assert (answer.backend, answer.model, answer.server) == ("openai", "tiny", llama)
    assert answer.tokens_in is not None
    assert answer.tokens_in > 64  # the picture alone is 64
    assert answer.tokens_out


def test_an_address_may_end_in_v1(llama: str) -> None:
    with openai_at(f"{llama}/v1", model=CHATTY) as it:
        assert it.check().usable
        assert it.describe(plain_picture(), b"dog.jpg").description


def test_a_check_finds_the_model_and_that_it_can_see(llama: str) -> None:
    with openai_at(llama) as it:
        state = it.check()

    assert state.usable
    assert state.can_see is True
    assert state.models == ("tiny",)
    assert state.problem is None


def test_an_answer_cut_off_fails_the_photo_and_names_the_setting(llama: str) -> None:
    few = Model.model_construct(**{**CHATTY.model_dump(), "max_tokens": 12})
    with (
        openai_at(llama, model=few) as it,
        pytest.raises(UnusableAnswer, match=r"dog\.jpg: .*max_tokens = 12"),
    ):
        it.describe(plain_picture(), b"dog.jpg")


def test_a_model_that_breaks_the_servers_grammar_fails_the_photo(
    tmp_path: Path,
) -> None:
    """llama.cpp answers 500 to that, which must not pass for a server that is down."""
    with (
        llama_server.running(tmp_path, clumsy=True) as url,
        openai_at(url, model=Model(temperature=1.0, max_tokens=64)) as it,
        pytest.raises(UnusableAnswer, match="cut off"),
    ):
        it.describe(plain_picture(), b"dog.jpg")


def test_a_picture_the_server_cannot_read_is_refused_for_good(llama: str) -> None:
    with (
        openai_at(llama) as it,
        pytest.raises(RequestRefused, match=r"dog\.jpg: .*Failed to load image"),
    ):
        it.describe(undecodable(), b"dog.jpg")


def test_a_server_of_another_kind_blames_no_photo() -> None:
    with (
        OllamaDouble() as ollama,
        openai_at(ollama.url) as it,
        pytest.raises(ModelUnavailable, match="not as a model server of this kind"),
    ):
        it.describe(plain_picture(), b"dog.jpg")


def test_the_real_server_is_not_taken_for_ollama(llama: str) -> None:
    with ollama_at(llama) as it:
        state = it.check()
        with pytest.raises(ModelUnavailable, match="not as a model server"):
            it.describe(plain_picture(), b"dog.jpg")

    assert not state.usable
    assert state.problem is not None
    assert "kind of the server" in state.problem


class _Hosted(BaseHTTPRequestHandler):
    """A hosted service: wants a key, knows one model by name."""

    def do_GET(self) -> None:
        self._answer(200, b'{"data": [{"id": "big-one", "owned_by": "them"}]}')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(404, b'{"error": {"message": "The model `x` does not exist"}}')

    def _answer(self, status: int, content: bytes) -> None:
        if self.headers.get("Authorization") != "Bearer sesame":
            status, content = 401, b'{"error": {"message": "no key"}}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def hosted() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hosted) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_the_key_comes_from_the_variable_named(
    hosted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTED_KEY", " sesame\n")

    with openai_at(hosted, named="big-one", api_key_env="HOSTED_KEY") as it:
        assert it.check().usable


def test_a_refused_key_names_the_variable_and_blames_no_photo(hosted: str) -> None:
    with openai_at(hosted, api_key_env="HOSTED_KEY") as it:
        state = it.check()
        with pytest.raises(ModelUnavailable, match="HOSTED_KEY") as caught:
            it.describe(plain_picture(), b"dog.jpg")

    assert caught.value.may_pass is False
    assert state.problem is not None
    assert "HOSTED_KEY" in state.problem


def test_a_model_the_server_does_not_have_is_missing(
    hosted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTED_KEY", "sesame")

    with openai_at(hosted, api_key_env="HOSTED_KEY") as it:
        state = it.check()
        with pytest.raises(ModelMissing, match="does not have the model tiny"):
            it.describe(plain_picture(), b"dog.jpg")

    assert not state.has_model
    assert state.problem is not None
    assert "it has big-one" in state.problem
