"""From a model's reply to words we keep: the one place that reads what a model wrote.

A reply is a stranger's text. It may hold control characters, halves of surrogate pairs,
text that runs backwards, endless lists. What is kept has none of these; what does not
have the agreed form raises `Unfit`, whose sentence goes back to the model.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

LONGEST_TAG = 64
LONGEST_TEXT = 2_000
MOST_SENTENCES = 3
MOST_TAGS_READ = 500

_JOINERS = "\u200c\u200d"  # invisible, yet part of Persian and Indic words and of emoji
_REPLACED = "\ufffd"
_DROPPED = {"Cc", "Cf", "Cs", "Co", "Cn"}
_SEPARATORS = re.compile(r"[,;\n]")
# An end mark after a word of three letters and before a capital: not "St. Ives".
_SENTENCE_END = re.compile(
    r"(?:(?<=\w\w\w[.!?])|(?<=\w\w\w[.!?][\"')]))\s+(?=[^\Wa-z_])"
)
_WIDE_SENTENCE_END = re.compile("(?<=[\u3002\uff01\uff1f])")  # Chinese, Japanese


class Unfit(ValueError):
    """The reply does not have the agreed form; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a reply said, cleaned."""

    description: str
    tags: tuple[str, ...]
    text: str | None


def parse(reply: str, *, tags_max: int) -> Words:
    """The words of a reply that is one JSON object; raises `Unfit`.

    More than `tags_max` tags are cut. `text` may be missing: not every server holds
    its model to the schema, and it is the one property an answer can do without.
    """
    fields = _object(reply)
    return Words(
        description=_description(fields.get("description")),
        tags=_tags(fields.get("tags"))[:tags_max],
        text=_seen_text(fields.get("text")),
    )


def clean(text: str) -> str:
    """One line of visible characters in NFC, without space at either end."""
    spaced = "".join(" " if char.isspace() else char for char in text)
    kept = "".join(char for char in spaced if _keeps(char))
    return " ".join(unicodedata.normalize("NFC", kept).split())


def clean_tag(text: str) -> str:
    """A tag as it is stored; empty when nothing is left or it is no tag by its length.

    `#golden_retriever` is how some models write `golden retriever`.
    """
    tag = clean(clean(text.replace("_", " ")).lstrip("#").lower())
    return tag if len(tag) <= LONGEST_TAG else ""


def shortened(text: str, *, most: int = LONGEST_TEXT) -> str:
    """`text` with at most `most` characters, cut between words."""
    if len(text) <= most:
        return text
    head, space, _ = text[:most].rpartition(" ")
    return f"{(head if space else text[: most - 1]).rstrip()[: most - 1]}…"


def _object(reply: str) -> dict[str, Any]:
    try:
        value = json.loads(reply)
    except RecursionError:
        raise Unfit("it is nested too deeply") from None
    except ValueError as error:
        raise Unfit(f"it is not valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise Unfit("it is JSON, but not an object")
    return value


def _description(value: object) -> str:
    if not isinstance(value, str):
        raise Unfit("`description` must be a string")
    if not (text := clean(value[: 10 * LONGEST_TEXT])):
        raise Unfit("`description` is empty")
    return shortened(_sentences(text))


def _sentences(text: str) -> str:
    """At most the first three sentences."""
    for end in (_SENTENCE_END, _WIDE_SENTENCE_END):
        found = list(end.finditer(text))
        if len(found) >= MOST_SENTENCES:
            text = text[: found[MOST_SENTENCES - 1].start()]
    return text


def _tags(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise Unfit("`tags` must be a list of strings")
    parts = [part for tag in value[:MOST_TAGS_READ] for part in _SEPARATORS.split(tag)]
    tags = tuple(dict.fromkeys(tag for part in parts if (tag := clean_tag(part))))
    if not tags:
        raise Unfit("`tags` is empty")
    return tags


def _seen_text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise Unfit("`text` must be a string")
    return shortened(clean(value[: 10 * LONGEST_TEXT])) or None if value else None


def _keeps(char: str) -> bool:
    if char in _JOINERS:
        return True
    return char != _REPLACED and unicodedata.category(char) not in _DROPPED
