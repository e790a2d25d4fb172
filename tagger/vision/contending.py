"""Contending: a model asked just as it would be if it were the setting.

A contender is a server of the settings, or the built-in model, with a model and a
prompt of its own; everything else is as for tagging.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tagger.config import Config
from tagger.errors import UsageError
from tagger.sections import BUILTIN, Model, Server
from tagger.vision.builtin import Builtin
from tagger.vision.choose import maker
from tagger.vision.protocol import Backend


def backend(
    config: Config, *, server: str, model: str, asked: Mapping[str, Any]
) -> Backend:
    """Whom to ask; `asked` are keys of `[model]` that are to be different.

    Raises `UsageError` if there is no such server any more, or a value is no good.
    """
    if server == BUILTIN:
        return Builtin()
    found = server_called(config, server)
    return maker(found.kind)(
        found.model_copy(update={"model": model}), settings(config.model, asked)
    )


def server_called(config: Config, name: str) -> Server:
    """The server of this name. Raises `UsageError`."""
    for one in config.servers:
        if one.called == name:
            return one
    known = ", ".join(config.server_names)
    raise UsageError(
        f"there is no server called {name} in the settings; there are {known}"
    )


def settings(model: Model, asked: Mapping[str, Any]) -> Model:
    """What is asked, with these keys in place of the settings'. Raises `UsageError`."""
    try:
        return Model.model_validate({**model.model_dump(), **asked})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "tags_min, tags_max"
        raise UsageError(f"{key}: {first['msg']}") from error
