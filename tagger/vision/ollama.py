"""Ask a model through Ollama's own protocol (`/api/chat`)."""

import base64
from collections.abc import Sequence
from typing import Any

from tagger.errors import ModelMissing, ModelUnavailable, RequestRefused, shown
from tagger.imaging.picture import Picture
from tagger.records import Answer, ServerState
from tagger.sections import Model, Server
from tagger.texts import without_password
from tagger.vision.asking import Asker, Reply, Turn
from tagger.vision.http import CHECK_TIMEOUT_S, Http, Refused
from tagger.vision.prompt import Prompt

KIND = "ollama"


class Ollama:
    """A `Backend`: one model on one Ollama server."""

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
        self._keep_alive = keep_alive(server.keep_alive)
        self._http = Http(server)
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
                raise ModelMissing(self._missing(), may_pass=False) from error
            if error.status in (404, 405):
                raise self._http.not_understood() from error
            raise RequestRefused(
                path, f"{without_password(self.url)} refuses it: {error}"
            ) from error

    def check(self) -> ServerState:
        try:
            version = self._http.get("/api/version").get("version")
            listed = self._http.get("/api/tags").get("models")
            models = _names(listed)
            can_see = self._can_see() if self._listed(models) else None
        except ModelUnavailable as error:
            return self._state(problem=str(error))
        except Refused:
            return self._state(problem=str(self._http.not_understood()))
        return self._state(
            reachable=True,
            has_model=self._listed(models),
            can_see=can_see,
            models=models,
            version=version if isinstance(version, str) else None,
            problem=self._problem(models, can_see),
        )

    def hang_up(self) -> None:
        self._http.hang_up()

    def close(self) -> None:
        self._http.close()

    def _send(self, turns: Sequence[Turn], jpeg: str) -> Reply:
        answer = self._http.post("/api/chat", self._body(turns, jpeg))
        message = answer.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(content, str):
            raise self._http.not_understood()
        return Reply(
            content,
            cut_off=answer.get("done_reason") == "length",
            tokens_in=_count(answer.get("prompt_eval_count")),
            tokens_out=_count(answer.get("eval_count")),
        )

    def _body(self, turns: Sequence[Turn], jpeg: str) -> dict[str, Any]:
        return {
            "model": self.model,
            "messages": [_message(turn, jpeg) for turn in turns],
            "format": self._prompt.schema,
            "think": False,
            "stream": False,
            "keep_alive": self._keep_alive,
            "options": {
                "temperature": self._prompt.temperature,
                "num_predict": self._max_tokens,
            },
        }

    def _listed(self, models: Sequence[str]) -> bool:
        """Ollama calls a model without a tag `latest`."""
        full = self.model if ":" in self.model else f"{self.model}:latest"
        return self.model in models or full in models

    def _can_see(self) -> bool | None:
        """None from a server too old to tell."""
        body = {"model": self.model}
        known = self._http.post("/api/show", body, timeout_s=CHECK_TIMEOUT_S)
        capabilities = known.get("capabilities")
        return "vision" in capabilities if isinstance(capabilities, list) else None

    def _missing(self) -> str:
        return (
            f"{without_password(self.url)} does not have the model {self.model}; "
            f"run `ollama pull {self.model}`"
        )

    def _problem(self, models: Sequence[str], can_see: bool | None) -> str | None:
        if not self._listed(models):
            return self._missing()
        if can_see is False:
            return (
                f"{self.model} on {without_password(self.url)} cannot see pictures; "
                "choose one that can, for example `ollama pull gemma3:4b`"
            )
        return None

    def _state(self, *, reachable: bool = False, **facts: Any) -> ServerState:
        return ServerState(
            url=self.url, kind=KIND, model=self.model, reachable=reachable, **facts
        )


def keep_alive(setting: str) -> str | int:
    """Ollama takes `5m` as text, but a bare number (-1: for ever) as a number only."""
    text = setting.strip()
    return int(text) if text.lstrip("-").isdecimal() else text


def _message(turn: Turn, jpeg: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "content": turn.text}
    if turn.with_picture:
        message["images"] = [jpeg]
    return message


def _names(listed: object) -> tuple[str, ...]:
    entries = listed if isinstance(listed, list) else []
    names = [entry.get("name") for entry in entries if isinstance(entry, dict)]
    return tuple(shown(name) for name in names if isinstance(name, str))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
