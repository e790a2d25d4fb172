"""Which model is asked: the servers of the settings, or the built-in one, and why."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pydantic import ValidationError

from tagger.config import Config, Model, Server
from tagger.errors import UsageError
from tagger.records import ServerState
from tagger.vision.builtin import Builtin
from tagger.vision.ollama import Ollama
from tagger.vision.openai import OpenAI
from tagger.vision.protocol import Backend

_MAKERS: Mapping[str, Callable[[Server, Model], Backend]] = {
    "ollama": Ollama,
    "openai": OpenAI,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Who will be asked. `reason` is a sentence for the screen and the log.

    `states` tell of every server that was considered. `usable` is False when servers
    were asked for by name and none of them can answer now: `backends` then holds them
    all the same, for whoever wants to wait.
    """

    backends: tuple[Backend, ...]
    reason: str
    states: tuple[ServerState, ...] = ()
    usable: bool = True

    def close(self) -> None:
        for backend in self.backends:
            backend.close()


def choose(
    config: Config,
    *,
    backend: str | None = None,
    urls: Sequence[str] = (),
    model: str | None = None,
) -> Choice:
    """The backends to use; arguments stand before the settings.

    `auto` takes the servers that answer, have the model and can see, else the built-in
    model. A kind asked for by name takes the servers of that kind, and only the usable
    ones of them if there are any.
    """
    kind = backend or config.model.backend
    if kind == "builtin":
        return Choice((Builtin(),), "Using the built-in model, as asked")
    candidates = _made(config.model, _servers(config, kind, urls, model))
    states = _checked(candidates)
    usable = [b for b, state in zip(candidates, states, strict=True) if state.usable]
    waiting = [] if usable or kind == "auto" else candidates
    for candidate in candidates:
        if candidate not in (*usable, *waiting):
            candidate.close()
    problems = " | ".join(state.problem for state in states if state.problem)
    if usable:
        unused = f" (not used: {problems})" if problems else ""
        return Choice(tuple(usable), f"Asking {_named(usable)}{unused}", states)
    if kind == "auto":
        reason = f"Using the built-in model, because {problems}"
        return Choice((Builtin(),), reason, states)
    reason = f"No model can answer: {problems}"
    return Choice(tuple(waiting), reason, states, usable=False)


def states(config: Config) -> tuple[ServerState, ...]:
    """What stands with each configured server; for settings and `doctor`."""
    candidates = _made(config.model, config.servers)
    try:
        return _checked(candidates)
    finally:
        for candidate in candidates:
            candidate.close()


def _servers(
    config: Config, kind: str, urls: Sequence[str], model: str | None
) -> list[Server]:
    """The servers to consider. An address given takes its other settings from the
    configured server with the same address, else from the first of the kind."""
    servers = [server for server in config.servers if kind in ("auto", server.kind)]
    if urls:
        base = servers[0] if servers else _server(kind, urls[0])
        known = {server.url: server for server in servers}
        given = [_server(kind, url) for url in urls]
        servers = [
            known.get(new.url, base.model_copy(update={"url": new.url}))
            for new in given
        ]
    if not servers:
        raise UsageError(
            f"no server of kind {kind} is configured; "
            "add one under [[servers]], or name one with --server"
        )
    if model:
        servers = [server.model_copy(update={"model": model}) for server in servers]
    return servers


def _server(kind: str, url: str) -> Server:
    """A server with the defaults; `url` comes from a command line."""
    known = {} if kind == "auto" else {"kind": kind}
    try:
        return Server.model_validate({**known, "url": url})
    except ValidationError as error:
        raise UsageError(f"{url}: {error.errors()[0]['msg']}") from error


def _made(model: Model, servers: Sequence[Server]) -> list[Backend]:
    return [_MAKERS[server.kind](server, model) for server in servers]


def _checked(candidates: Sequence[Backend]) -> tuple[ServerState, ...]:
    """Side by side, so that ten dead servers take no longer than one."""
    with ThreadPoolExecutor(max_workers=max(len(candidates), 1)) as pool:
        return tuple(pool.map(lambda candidate: candidate.check(), candidates))


def _named(backends: Sequence[Backend]) -> str:
    return ", ".join(f"{backend.model} on {backend.url}" for backend in backends)
