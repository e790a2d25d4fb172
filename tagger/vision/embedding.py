"""Ask a model what texts mean: vectors, near to those of texts that mean the same.

Through Ollama's `/api/embed` or the `/v1/embeddings` that most servers share. Numbers
are kept a signed byte each, in proportion to the largest, which is as good for ranking.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tagger.errors import ModelMissing
from tagger.sections import Semantic, Server
from tagger.texts import without_password
from tagger.vision.http import Http, Refused
from tagger.vision.numbers import as_bytes

RULES = "1"  # raise it when the same text may give other numbers than before
MOST_NUMBERS = 8_192
LONGEST_TEXT = 8_000  # characters; descriptions have a few hundred


class TextRefused(Exception):
    """The server is well, and does not take this text."""


class Embedder:
    """One model for texts on one server. Threads may share it."""

    def __init__(self, settings: Semantic) -> None:
        self._settings = settings
        self._http = Http(
            Server(
                url=settings.url,
                kind=settings.kind,
                model=settings.model,
                timeout_s=settings.timeout_s,
                api_key_env=settings.api_key_env,
            )
        )

    @property
    def method(self) -> str:
        """Vectors of another model cannot be compared with these."""
        return f"{RULES} {self._settings.kind} {self._settings.model}"

    def vectors(self, texts: Sequence[str]) -> list[bytes]:
        """What each text means. Raises `ModelUnavailable`, and `TextRefused`."""
        asked = {
            "model": self._settings.model,
            "input": [text[:LONGEST_TEXT] for text in texts],
        }
        try:
            found = self._asked(asked)
        except Refused as error:
            if error.status == 404 and "model" in error.message:
                raise ModelMissing(self._missing(), may_pass=False) from error
            if error.status in (404, 405):
                raise self._http.not_understood() from error
            raise TextRefused(
                f"{without_password(self._settings.url)} refuses it: {error}"
            ) from error
        if found is None or len(found) != len(texts):
            raise self._http.not_understood()
        return found

    def close(self) -> None:
        self._http.close()

    def _asked(self, asked: Mapping[str, Any]) -> list[bytes] | None:
        if self._settings.kind == "ollama":
            listed = self._http.post("/api/embed", asked).get("embeddings")
        else:
            # People write the address with /v1 and without; both are understood.
            root = "" if self._settings.url.endswith("/v1") else "/v1"
            listed = _of_openai(self._http.post(f"{root}/embeddings", asked))
        if not isinstance(listed, list):
            return None
        found = [_vector(numbers) for numbers in listed]
        return None if None in found else [one for one in found if one is not None]

    def _missing(self) -> str:
        return (
            f"{without_password(self._settings.url)} does not have the model "
            f"{self._settings.model} "
            f"(setting semantic.model); run `ollama pull {self._settings.model}`"
        )


def _of_openai(answer: Mapping[str, Any]) -> object:
    """The vectors in the order of the texts, whatever order they came in."""
    entries = answer.get("data")
    if not isinstance(entries, list):
        return None
    known = [entry for entry in entries if isinstance(entry, dict)]
    known.sort(key=lambda entry: _index(entry.get("index")))
    return [entry.get("embedding") for entry in known]


def _index(value: object) -> int:
    return value if isinstance(value, int) else 0


def _vector(numbers: object) -> bytes | None:
    if not isinstance(numbers, list) or not 0 < len(numbers) <= MOST_NUMBERS:
        return None
    if not all(isinstance(one, int | float) and math.isfinite(one) for one in numbers):
        return None
    return as_bytes(np.asarray(numbers, np.float64))
