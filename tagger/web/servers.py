"""Model servers on screen: what stands with each, and a test before one is saved."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tagger.config import ROOT, Config
from tagger.errors import UsageError
from tagger.imaging.look import look
from tagger.records import Answer, ServerState
from tagger.sections import BUILTIN, Server
from tagger.vision import choose
from tagger.web import here, runtime

SAMPLE = ROOT / "data" / "samples" / "friends.jpg"


def states() -> tuple[ServerState, ...]:
    """What stands with each server of the settings, asked now."""
    return choose.states(runtime.current().config)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a server said of the sample photograph, which is here as JPEG."""

    jpeg: bytes
    answer: Answer


def check(values: Mapping[str, Any]) -> ServerState:
    """Ask a server that need not be among the settings.

    `values` are keys of one `[[servers]]` table. Raises `UsageError` on a bad one.
    """
    config = runtime.current().config
    server = _checked(values, config)
    return choose.states(config.model_copy(update={"servers": (server,)}))[0]


def try_out(values: Mapping[str, Any]) -> Tried:
    """Have a server describe a photograph that comes with the program.

    Raises `UsageError` on bad values, and what asking a server raises.
    """
    config = runtime.current().config
    server = _checked(values, config)
    if not SAMPLE.is_file():
        raise UsageError(f"{SAMPLE} is missing; it comes with the program")
    path = os.fsencode(SAMPLE)
    picture = look(path, side_px=config.model.image_side_px).picture
    return Tried(picture.jpeg(), choose.ask_once(config, server, picture, path))


def _checked(values: Mapping[str, Any], config: Config) -> Server:
    try:
        server = Server.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{key} = {first['input']!r}: {first['msg']}") from error
    here.refuse_key(server.model_dump(), [one.model_dump() for one in config.servers])
    return server


def names(config: Config) -> list[str]:
    """The servers that a photo can be asked about with, the built-in model last."""
    return [*dict.fromkeys(one.called for one in config.servers), BUILTIN]


def chosen(name: str) -> str:
    """The name of a server there is. Raises `UsageError`."""
    known = names(runtime.current().config)
    if name not in known:
        raise UsageError(f"there is no server {name}; there are {', '.join(known)}")
    return name


def like(config: Config, *, url: str | None) -> Server:
    """The configured server at this address; its key never goes to another one."""
    if url is None:
        return config.servers[0]
    wanted = url.rstrip("/")
    known = (server for server in config.servers if server.url == wanted)
    return next(known, Server.model_construct(url=wanted))
