"""Believing: how much of what a file says of its own words is taken for true.

Anybody can write anything there. What no answer of ours can have been, such as a model
that goes by the name of a person, or text without end, is not believed: then the words
in the file are a person's, which no model ever takes out.
"""

import re
from dataclasses import fields, replace
from datetime import datetime

from tagger.records import FileWords, Provenance

LONGEST_NAME = 200
LONGEST_TAG = 500
LONGEST_DESCRIPTION = 20_000
# Who says a tag goes by the model's name; these two are the person's.
NOT_A_MODEL = frozenset({"file", "person"})

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


def checked(words: FileWords) -> FileWords:
    """The words with what can be believed of where they come from."""
    said = words.provenance
    return words if said is None else replace(words, provenance=_believed(said))


def _believed(said: Provenance) -> Provenance | None:
    model = _name(said.model)
    if not model or model.casefold() in NOT_A_MODEL:
        return None
    lists = {
        field.name: tuple(text for text in value if text.split())
        for field in fields(said)
        if isinstance(value := getattr(said, field.name), tuple)
    }
    lists["tags"] = tuple(tag for tag in lists["tags"] if len(tag) <= LONGEST_TAG)
    description = said.description or ""
    return replace(
        said,
        **lists,
        program=_name(said.program),
        model=model,
        prompt_version=_name(said.prompt_version),
        tagged_at=said.tagged_at if _is_time(said.tagged_at) else "",
        description=said.description
        if len(description) <= LONGEST_DESCRIPTION
        else None,
    )


def _name(text: str) -> str:
    """One short line without characters that steer a terminal or a page."""
    return " ".join(_CONTROL.sub(" ", text[: 2 * LONGEST_NAME]).split())[:LONGEST_NAME]


def _is_time(text: str) -> bool:
    try:
        return len(text) < LONGEST_NAME and datetime.fromisoformat(text) is not None
    except ValueError:
        return False
