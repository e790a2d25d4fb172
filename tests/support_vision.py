"""Small things several vision tests need: pictures, settings, a backend for a URL."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tagger.imaging.picture import Picture
from tagger.sections import Model, Server
from tagger.vision.ollama import Ollama
from tagger.vision.openai import OpenAI

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"
GOOD = {"description": "A dog on a beach.", "tags": ["dog", "beach"], "text": ""}


def plain_picture(shade: int = 128, *, side_px: int = 64) -> Picture:
    """A picture of one grey; the shade comes back with `shade_of` after JPEG."""
    return Picture(np.full((side_px, side_px, 3), shade, np.uint8))


def shade_of(jpeg: bytes) -> int:
    with Image.open(io.BytesIO(jpeg)) as image:
        return int(np.asarray(image).mean().round())


@contextmanager
def ollama_at(
    url: str, *, model: Model | None = None, named: str = "gemma3:4b", **server: Any
) -> Iterator[Ollama]:
    backend = Ollama(Server(url=url, model=named, **server), model or Model())
    try:
        yield backend
    finally:
        backend.close()


@contextmanager
def openai_at(
    url: str, *, model: Model | None = None, named: str = "tiny", **server: Any
) -> Iterator[OpenAI]:
    settings = Server(url=url, kind="openai", model=named, **server)
    backend = OpenAI(settings, model or Model())
    try:
        yield backend
    finally:
        backend.close()
