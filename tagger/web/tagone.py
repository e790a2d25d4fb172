"""Tag one: a picture that is sent in is described and forgotten.

It goes the way of every photo: decoded by a child process with the same limits, shown
to the same models. Neither the picture nor the answer is kept.
"""

import os
from pathlib import Path

from tagger.config import Config
from tagger.errors import ImageError, ModelUnavailable, UsageError
from tagger.imaging.darkroom import DARKROOM
from tagger.records import Answer
from tagger.sections import BUILTIN
from tagger.vision import choose, contending
from tagger.vision.protocol import Backend
from tagger.web import servers


def answer(config: Config, file: Path, *, server: str | None = None) -> Answer:
    """What a model says of the picture in a file: that of a named server, or the best.

    Raises `UsageError` for a picture that cannot be read, or described, and for an
    unknown server, and `ModelUnavailable`.
    """
    backends = _backends(config, server)
    try:
        return _asked(config, backends[0], os.fsencode(file))
    except ImageError as error:
        # Nobody knows the name that the file had here.
        raise UsageError(f"the picture that was sent: {error.reason}") from error
    finally:
        for one in backends:
            one.close()


def _asked(config: Config, backend: Backend, path: bytes) -> Answer:
    picture = DARKROOM.look(
        path,
        side_px=backend.side_px,
        max_megapixels=config.tagger.max_megapixels,
        with_pixels=backend.kind == BUILTIN,
    ).picture
    return backend.describe(picture, path)


def _backends(config: Config, server: str | None) -> list[Backend]:
    """Whom to ask first; the others are only to be closed."""
    if server is not None:
        model = _model_of(config, servers.chosen(server))
        return [contending.backend(config, server=server, model=model, asked={})]
    choice = choose.choose(config)
    usable = [one for one in choice.members if one.is_open and not one.problem]
    if not usable:
        raise ModelUnavailable(f"no model can be asked: {choice.reason}")
    rest = [one for one in choice.members if one is not usable[0]]
    return [usable[0].backend, *(one.backend for one in rest)]


def _model_of(config: Config, server: str) -> str:
    known = {one.called: one.model for one in config.servers}
    return known.get(server, "")
