"""The words and the schema a model is asked with, and the version that names them."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tagger.sections import Model

_REQUEST = """\
You tag photographs for a searchable archive. Look at the picture; answer in {language}.

description: one to three plain sentences saying what the picture shows: who or what,
doing what, where. No guesses about names, no opinion, no "the image shows".
tags: {count} tags, most important first, lower case. Singular nouns first (what is in
the picture), then place, season or time of day, activity, mood, colours. One idea a
tag, no sentences, no duplicates.
text: writing that can be read in the picture, word for word; empty if there is none.
"""
_PREFERRED = (
    "Where they fit, use these tags rather than other words for the same: {}.\n"
)
_CLOSING = "Answer with one JSON object and nothing else."


@dataclass(frozen=True)
class Prompt:
    """What is asked of a model about every picture.

    `temperature` and `side_px` are here because they are part of the question: they
    change what is answered. Time-outs and token limits are not: they only decide
    whether an answer arrives.
    """

    text: str
    schema: dict[str, Any]
    tags_max: int
    temperature: float
    side_px: int

    @classmethod
    def from_settings(cls, model: Model) -> "Prompt":
        return cls(
            text=_text(model),
            schema=_schema(model.tags_max),
            tags_max=model.tags_max,
            temperature=model.temperature,
            side_px=model.image_side_px,
        )

    @cached_property
    def version(self) -> str:
        """A short hash over everything of ours that changes the answer."""
        parts = [self.text, self.schema, self.temperature, self.side_px]
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _text(model: Model) -> str:
    fewest = min(model.tags_min, model.tags_max)
    count = f"{fewest} to {model.tags_max}" if fewest else f"at most {model.tags_max}"
    text = _REQUEST.format(language=model.language, count=count)
    if model.preferred_tags:
        text += _PREFERRED.format(", ".join(model.preferred_tags))
    if model.extra_instruction.strip():
        text += model.extra_instruction.strip() + "\n"
    return sendable(text + _CLOSING)


def sendable(text: str) -> str:
    """`text` without lone surrogates, which no JSON request can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _schema(tags_max: int) -> dict[str, Any]:
    """Only what all servers understand: no length limits, every property required."""
    return {
        "type": "object",
        "properties": {
            "description": {"type": "string"},
            "tags": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "maxItems": tags_max,
            },
            "text": {"type": "string"},
        },
        "required": ["description", "tags", "text"],
        "additionalProperties": False,
    }
