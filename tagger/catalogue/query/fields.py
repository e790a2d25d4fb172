"""Fields: what may be asked for by name, with an example and the reading of each.

This one table is behind the parser, its complaints, completion and the help texts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from tagger.catalogue.query import values
from tagger.catalogue.query.tokens import Value
from tagger.catalogue.query.tree import (
    Added,
    Clear,
    Column,
    From,
    Has,
    InFolder,
    Lies,
    Like,
    Named,
    Near,
    Node,
    Not,
    Part,
    Pixels,
    Rated,
    Said,
    Shape,
    Size,
    Stands,
    Tagged,
    Taken,
    Twice,
)
from tagger.catalogue.query.values import Unreadable
from tagger.records import REJECTED, STARS, ImageState

Read = Callable[[Value], Node]
Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Field:
    """A name before a colon. `example` is a value, `means` what it finds.

    `choices` are all values there are, where that is a fixed list.
    """

    name: str
    example: str
    means: str
    read: Read
    choices: tuple[str, ...] = ()


_HAS: Mapping[str, Part] = {part.value: part for part in Part}
_LIES: Mapping[str, Shape] = {shape.value: shape for shape in Shape}
_SAID: Mapping[str, Said] = {"human": Said.HUMAN, "model": Said.MODEL}
_IS: Mapping[str, Node] = {"duplicate": Twice()}
_UNTAGGED = "untagged"
_LARGEST_ID = 2**63
_STATES: Mapping[str, tuple[ImageState, ...]] = {
    "tagged": (ImageState.TAGGED,),
    "review": (ImageState.REVIEW,),
    "failed": (ImageState.FAILED,),
    "missing": (ImageState.MISSING,),
    "unwritten": (ImageState.NOT_WRITTEN,),
    "waiting": (ImageState.NEW, ImageState.QUEUED),
    "new": (ImageState.NEW,),
    "queued": (ImageState.QUEUED,),
}
# What people call formats, by what the catalogue calls them.
_FORMATS = {"jpg": "jpeg", "heif": "heic", "tif": "tiff"}


def state_word(state: ImageState) -> str:
    """A state as the language writes it."""
    return "unwritten" if state is ImageState.NOT_WRITTEN else state.value


def _tag(value: Value) -> Node:
    name = value.text.strip()
    if value.quoted or not name.endswith("*"):
        return Tagged(_unstarred(value, name))
    return Tagged(_unstarred(value, name.removesuffix("*")), prefix=True)


def _unstarred(value: Value, name: str) -> str:
    if "*" in name and not value.quoted:
        raise Unreadable("a star at the end only, as in tag:moun*")
    if not name:
        raise Unreadable("the beginning of a tag before the star, as in tag:moun*")
    return name


def _named(column: Column) -> Read:
    def read(value: Value) -> Node:
        text = value.text.strip() if value.quoted else value.text.rstrip("*")
        if not text:
            raise Unreadable(f"a part of the name, as in {FIELDS[column].example}")
        if column is Column.FORMAT:
            text = _FORMATS.get(text.lower(), text)
        return Named(column, text)

    return read


def _folder(value: Value) -> Node:
    text = value.text.strip()
    if text.startswith("^"):
        return InFolder(text[1:], start=True)
    return InFolder(text)


def _taken(value: Value) -> Node:
    days = values.dates(value.text)
    return Taken(days.low, days.high)


def _added(value: Value) -> Node:
    days = values.utc_dates(value.text)
    return Added(days.low, days.high)


def _pixels(value: Value) -> Node:
    found = values.pixels(value.text)
    return Pixels(found.low, found.high)


def _bytes(value: Value) -> Node:
    found = values.sizes(value.text)
    return Size(found.low, found.high)


def _rating(value: Value) -> Node:
    """Stars; in a comparison neither photos without any nor rejected ones are meant."""
    word = value.text.strip().lower()
    if word in ("none", "0"):
        return Not(Has(Part.RATING))
    if word == "rejected":
        return Rated(REJECTED, REJECTED + 1)
    found = values.stars(word)
    low = max(1, found.low or 1)
    return Rated(low, STARS + 1 if found.high is None else found.high)


def _quality(value: Value) -> Node:
    found = values.percent(value.text)
    return Clear(found.low or 0, 101 if found.high is None else found.high)


def _state(value: Value) -> Node:
    word = value.text.strip().lower()
    if word == _UNTAGGED:
        return Not(Has(Part.TAGS))
    if word == ImageState.NOT_WRITTEN.value:
        word = "unwritten"
    if word not in _STATES:
        raise Unreadable(_one_of((*_STATES, _UNTAGGED)))
    return Stands(_STATES[word])


def _has(value: Value) -> Node:
    return Has(_chosen(value, _HAS))


def _orientation(value: Value) -> Node:
    return Lies(_chosen(value, _LIES))


def _source(value: Value) -> Node:
    return From(_chosen(value, _SAID))


def _like(value: Value) -> Node:
    text = value.text.strip()
    if not text.isdecimal() or not 0 < int(text) < _LARGEST_ID:
        raise Unreadable("the number of a photo, as in like:12")
    return Like(int(text))


def _chosen(value: Value, choices: Mapping[str, Choice]) -> Choice:
    word = value.text.strip().lower()
    if word not in choices:
        raise Unreadable(_one_of(tuple(choices)))
    return choices[word]


def _one_of(words: tuple[str, ...]) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} or {words[-1]}"


_EVERY = (
    Field("tag", "dog", "with exactly this tag", _tag),
    Field(
        "folder",
        "2024/italy",
        "in a folder whose path contains this",
        _folder,
    ),
    Field("taken", "2024-05", "taken on these days", _taken),
    Field("added", "today", "found on these days", _added),
    Field("camera", "fuji", "whose camera's name contains this", _named(Column.CAMERA)),
    Field("lens", "35mm", "whose lens's name contains this", _named(Column.LENS)),
    Field("format", "heic", "in this file format", _named(Column.FORMAT)),
    Field("size", ">12mp", "with so many megapixels", _pixels),
    Field("bytes", ">5mb", "whose file is so large", _bytes),
    Field("rating", ">=4", "with so many stars", _rating),
    Field("quality", ">60", "that are so sharp and well exposed", _quality),
    Field(
        "orientation",
        "portrait",
        "that lie or stand like this",
        _orientation,
        tuple(_LIES),
    ),
    Field("has", "gps", "that have this", _has, tuple(_HAS)),
    Field(
        "near",
        "45.4,12.3,5km",
        "taken within a distance of a place",
        lambda value: Near(*values.near(value.text)),
    ),
    Field("source", "human", "with words from these", _source, tuple(_SAID)),
    Field("model", "gemma", "answered by a model so named", _named(Column.MODEL)),
    Field(
        "is",
        "duplicate",
        "of which another one is the same picture",
        lambda value: _chosen(value, _IS),
        tuple(_IS),
    ),
    Field("like", "12", "that look like the photo of this number", _like),
    Field("state", "failed", "that stand so", _state, (*_STATES, _UNTAGGED)),
)
FIELDS: Mapping[str, Field] = MappingProxyType({field.name: field for field in _EVERY})
