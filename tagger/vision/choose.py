"""Which model is asked: the servers of the settings, or the built-in one, and why."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pydantic import ValidationError

from tagger.config import Config
from tagger.errors import UsageError
from tagger.imaging.picture import Picture
from tagger.records import Answer, ServerState
from tagger.sections import BUILTIN, Model, Server
from tagger.texts import without_password
from tagger.vision.builtin import Builtin
from tagger.vision.ollama import Ollama
from tagger.vision.openai import OpenAI
from tagger.vision.protocol import Backend

_MAKERS: Mapping[str, Callable[[Server, Model], Backend]] = {
    "ollama": Ollama,
    "openai": OpenAI,
}


@dataclass(frozen=True, slots=True)
class Member:
    """One of those who may be asked.

    `is_open`: about any photo; else only about those of folders bound to it. `problem`
    says why it cannot be asked now, as far as that is known.
    """

    backend: Backend
    is_open: bool = True
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Who will be asked. `reason` is a sentence for the screen and the log.

    `members` are all who may be, also those that are away now and may come back, and
    those kept for folders that are bound to them. `states` tell of every server that
    was considered. `usable` is False when servers were asked for by name and none of
    them can answer now.
    """

    members: tuple[Member, ...]
    reason: str
    states: tuple[ServerState, ...] = ()
    usable: bool = True

    @property
    def backends(self) -> tuple[Backend, ...]:
        """Those that any photo may go to now or, if there is none, later."""
        able = [member for member in self.members if member.is_open]
        there = [member for member in able if member.problem is None]
        return tuple(member.backend for member in there or able)

    def close(self) -> None:
        for member in self.members:
            member.backend.close()


def choose(
    config: Config,
    *,
    backend: str | None = None,
    urls: Sequence[str] = (),
    model: str | None = None,
) -> Choice:
    """Who to ask; arguments stand before the settings.

    `auto` takes the servers that answer, have the model and can see, else the built-in
    model. A kind asked for by name takes the servers of that kind. Where nothing is
    asked for by an argument, folders have the servers that they are bound to besides.
    """
    kind = backend or config.model.backend
    by_settings = not backend and not urls
    servers = [] if kind == BUILTIN else _servers(config, kind, urls, model)
    kept = _kept(config, servers) if by_settings else []
    if not servers:
        asked = "as asked" if kind == BUILTIN else "because no server has a weight"
        members = (Member(Builtin()), *kept)
        return Choice(members, f"Using the built-in model, {asked}")
    candidates = _made(config.model, servers)
    states = _checked(candidates)
    usable = [b for b, state in zip(candidates, states, strict=True) if state.usable]
    stands_in = not usable and kind == "auto"
    members = tuple(
        Member(b, is_open=not stands_in, problem=state.problem)
        for b, state in zip(candidates, states, strict=True)
    )
    members += tuple(kept)
    if stands_in or by_settings:
        members += (Member(Builtin(), is_open=stands_in),)
    return Choice(
        members,
        _reason(usable, states, stands_in=stands_in),
        states,
        usable=bool(usable) or stands_in,
    )


def _reason(
    usable: Sequence[Backend], states: Sequence[ServerState], *, stands_in: bool
) -> str:
    problems = " | ".join(state.problem for state in states if state.problem)
    if usable:
        unused = f" (not used: {problems})" if problems else ""
        return f"Asking {_named(usable)}{unused}"
    if stands_in:
        return f"Using the built-in model, because {problems}"
    return f"No model can answer: {problems}"


def _kept(config: Config, servers: Sequence[Server]) -> list[Member]:
    """The other servers of the settings, for folders that are bound to them."""
    names = {server.called for server in servers}
    others = [server for server in config.servers if server.called not in names]
    return [Member(b, is_open=False) for b in _made(config.model, others)]


def ask_once(config: Config, server: Server, picture: Picture, path: bytes) -> Answer:
    """What one server says of one picture, which it need not be configured for.

    Raises what asking raises: see `Backend.describe`.
    """
    [backend] = _made(config.model, [server])
    try:
        return backend.describe(picture, path)
    finally:
        backend.close()


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
    servers = [
        server
        for server in config.servers
        if kind in ("auto", server.kind) and (server.weight or urls)
    ]
    if urls:
        base = servers[0] if servers else _server(kind, urls[0])
        known = {server.url: server for server in servers}
        given = [_server(kind, url) for url in urls]
        servers = [
            # A name stays at its address, and what is bound to it with it.
            known.get(new.url, base.model_copy(update={"url": new.url, "name": ""}))
            for new in given
        ]
    if not servers and kind != "auto":
        raise UsageError(
            f"no server of kind {kind} is configured for photos of any folder; "
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


def maker(kind: str) -> Callable[[Server, Model], Backend]:
    """What makes the way to a server of this kind."""
    return _MAKERS[kind]


def _made(model: Model, servers: Sequence[Server]) -> list[Backend]:
    return [_MAKERS[server.kind](server, model) for server in servers]


def _checked(candidates: Sequence[Backend]) -> tuple[ServerState, ...]:
    """Side by side, so that ten dead servers take no longer than one."""
    with ThreadPoolExecutor(max_workers=max(len(candidates), 1)) as pool:
        return tuple(pool.map(lambda candidate: candidate.check(), candidates))


def _named(backends: Sequence[Backend]) -> str:
    return ", ".join(
        f"{backend.model} on {without_password(backend.url)}" for backend in backends
    )
