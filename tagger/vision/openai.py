"""Ask a model through the protocol most servers share (`/v1/chat/completions`).

llama.cpp, vLLM, LM Studio, OpenAI and Ollama itself speak it. Pictures go as data URIs,
never as addresses: a server must not be made to fetch anything.
"""

import base64
from collections.abc import Sequence
from typing import Any

from tagger.errors import ModelMissing, ModelUnavailable, RequestRefused
from tagger.imaging.picture import Picture
from tagger.records import Answer, ServerState
from tagger.sections import Model, Server
from tagger.texts import without_password
from tagger.vision.asking import Asker, Reply, Turn
from tagger.vision.http import Http, Refused, ServerFault
from tagger.vision.prompt import Prompt

KIND = "openai"
# llama.cpp's words, with HTTP 500, when a model's output ran out of its grammar: mostly
# because max_tokens cut it off. Asking the same again and again would not help.
_OUT_OF_FORM = "does not match the expected"


class OpenAI:
    """A `Backend`: one model on one server that speaks OpenAI's protocol."""

    kind = KIND

    def __init__(self, server: Server, model: Model) -> None:
        self.name = server.called
        self.model = server.model
        self.url = server.url
        self.parallel = server.parallel
        self.weight = server.weight
        self.side_px = model.image_side_px
        self._prompt = Prompt.from_settings(model)
        self._max_tokens = model.max_tokens
        self._http = Http(server)
        # People write the address with /v1 and without; both are understood.
        self._root = "" if server.url.endswith("/v1") else "/v1"
        self._asker = Asker(
            KIND, server.model, server.url, self._prompt, model.max_tokens
        )

    @property
    def prompt_version(self) -> str:
        return self._prompt.version

    def describe(self, picture: Picture, path: bytes) -> Answer:
        jpeg = base64.b64encode(picture.jpeg()).decode("ascii")
        try:
            return self._asker.ask(lambda turns: self._send(turns, jpeg), path)
        except Refused as error:
            if error.status == 404 and "model" in error.message:
                raise ModelMissing(self._missing(()), may_pass=False) from error
            if error.status in (404, 405):
                raise self._http.not_understood() from error
            raise RequestRefused(
                path, f"{without_password(self.url)} refuses it: {error}"
            ) from error

    def check(self) -> ServerState:
        try:
            answer = self._http.get(f"{self._root}/models")
        except ModelUnavailable as error:
            return self._state(problem=str(error))
        except Refused as error:
            if error.status == 404:  # some servers have no list; asking will tell
                return self._state(reachable=True, has_model=True)
            return self._state(problem=str(self._http.not_understood()))
        entries = _entries(answer.get("data"))
        models = tuple(entry["id"] for entry in entries)
        serves_any = any(entry.get("owned_by") == "llamacpp" for entry in entries)
        has_model = not models or serves_any or self.model in models
        can_see = _can_see(answer)
        return self._state(
            reachable=True,
            has_model=has_model,
            can_see=can_see,
            models=models,
            problem=self._problem(models, has_model=has_model, can_see=can_see),
        )

    def hang_up(self) -> None:
        self._http.hang_up()

    def close(self) -> None:
        self._http.close()

    def _send(self, turns: Sequence[Turn], jpeg: str) -> Reply:
        try:
            answer = self._http.post(
                f"{self._root}/chat/completions", self._body(turns, jpeg)
            )
        except ServerFault as fault:
            if _OUT_OF_FORM not in fault.message:
                raise
            return Reply("", unread=self._out_of_form())
        choice = _first(answer.get("choices"))
        message = choice.get("message")
        if not isinstance(message, dict):
            raise self._http.not_understood()
        usage = answer.get("usage")
        counts = usage if isinstance(usage, dict) else {}
        return Reply(
            str(message.get("content") or ""),
            cut_off=choice.get("finish_reason") == "length",
            tokens_in=_count(counts.get("prompt_tokens")),
            tokens_out=_count(counts.get("completion_tokens")),
        )

    def _body(self, turns: Sequence[Turn], jpeg: str) -> dict[str, Any]:
        schema = {"name": "answer", "strict": True, "schema": self._prompt.schema}
        return {
            "model": self.model,
            "messages": [_message(turn, jpeg) for turn in turns],
            "response_format": {"type": "json_schema", "json_schema": schema},
            "temperature": self._prompt.temperature,
            "max_tokens": self._max_tokens,
            "stream": False,
        }

    def _out_of_form(self) -> str:
        return (
            "it did not keep to the JSON schema or was cut off at "
            f"max_tokens = {self._max_tokens}; be shorter"
        )

    def _missing(self, models: Sequence[str]) -> str:
        has = f"; it has {', '.join(models[:5])}" if models else ""
        return f"{without_password(self.url)} does not have the model {self.model}{has}"

    def _problem(
        self, models: Sequence[str], *, has_model: bool, can_see: bool | None
    ) -> str | None:
        if not has_model:
            return self._missing(models)
        if can_see is False:
            return f"{self.model} on {without_password(self.url)} cannot see pictures"
        return None

    def _state(self, *, reachable: bool = False, **facts: Any) -> ServerState:
        return ServerState(
            url=self.url, kind=KIND, model=self.model, reachable=reachable, **facts
        )


def _message(turn: Turn, jpeg: str) -> dict[str, Any]:
    if not turn.with_picture:
        return {"role": turn.role, "content": turn.text}
    picture = {"url": f"data:image/jpeg;base64,{jpeg}"}
    return {
        "role": turn.role,
        "content": [
            {"type": "text", "text": turn.text},
            {"type": "image_url", "image_url": picture},
        ],
    }


def _entries(listed: object) -> list[dict[str, Any]]:
    """The models of a list that have a name."""
    entries = listed if isinstance(listed, list) else []
    return [
        entry
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    ]


def _can_see(answer: dict[str, Any]) -> bool | None:
    """Only llama.cpp tells: its list has the capabilities of its one model."""
    capabilities = _first(answer.get("models")).get("capabilities")
    return "multimodal" in capabilities if isinstance(capabilities, list) else None


def _first(listed: object) -> dict[str, Any]:
    """The first entry of a list, if it is an object."""
    if isinstance(listed, list) and listed and isinstance(listed[0], dict):
        return listed[0]
    return {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
