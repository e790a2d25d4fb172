"""Believing: how much of what a file says of its own words is taken for true.

Anybody can write anything there. What no answer of ours can have been, such as a model
that goes by the name of a person, or text without end, is not believed: then the words
in the file are a person's, which no model ever takes out.
"""

import re
from dataclasses import replace
from datetime import datetime

from tagger.records import FileWords, Provenance
from tagger.texts import LONGEST_DESCRIPTION

LONGEST_NAME = 200
LONGEST_TAG = 500
# Who says a tag goes by the model's name; these two are the person's.
NOT_A_MODEL = frozenset({"file", "person"})

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


def checked(words: FileWords) -> FileWords:
    """The words with what can be believed of where they come from."""
    said = words.provenance
    return words if said is None else replace(words, provenance=_believed(said))


def _believed(said: Provenance) -> Provenance | None:
    model = _name(said.model)
    # Without a model the file tells what a person said in the program, and no more.
    if model.casefold() in NOT_A_MODEL or (said.model and not model):
        return None
    if not model:
        said = replace(said, tags=(), description=None)
    description = said.description or ""
    return replace(
        said,
        tags=_words(said.tags),
        found_tags=_words(said.found_tags),
        edited_tags=_words(said.edited_tags),
        removed_tags=_words(said.removed_tags),
        program=_name(said.program),
        model=model,
        prompt_version=_name(said.prompt_version),
        tagged_at=said.tagged_at if _is_time(said.tagged_at) else "",
        description=said.description
        if len(description) <= LONGEST_DESCRIPTION
        else None,
    )


def _words(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(tag for tag in tags if tag.split() and len(tag) <= LONGEST_TAG)


def _name(text: str) -> str:
    """One short line without characters that steer a terminal or a page."""
    return " ".join(_CONTROL.sub(" ", text[: 2 * LONGEST_NAME]).split())[:LONGEST_NAME]


def _is_time(text: str) -> bool:
    try:
        return len(text) < LONGEST_NAME and datetime.fromisoformat(text) is not None
    except ValueError:
        return False
