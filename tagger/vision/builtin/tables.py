"""What the built-in models' numbers mean in everyday words, read from three tables.

A word belongs to groups, and what carries a word carries its groups too: a pug is a
dog is an animal. The probabilities of all classes below a group are added up, so a
wrong breed still gives the right group.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent / "tables"
CLASSES = 1_000
LEAF_MINIMUM = 0.60  # a single class is believed from here on
_AN_BY_SOUND = ("hour",)
_A_BY_SOUND = ("uni", "eu", "one")


@dataclass(frozen=True, slots=True)
class Word:
    """A tag, with how a sentence calls one and several of it.

    `minimum` is the smallest sum of probabilities that shows it, `groups` every group
    it brings along, near and far.
    """

    name: str
    one: str
    several: str | None
    minimum: float
    groups: frozenset[str]


@dataclass(frozen=True)
class Tables:
    """What the tables say. `weights[i, c]` is 1 where class c counts for word i."""

    words: tuple[Word, ...]
    weights: NDArray[np.float32]
    objects: tuple[Word, ...]
    by_name: Mapping[str, Word]


@cache
def load() -> Tables:
    """The tables of this package, read once."""
    groups = _groups()
    words = dict(groups)
    members: dict[str, set[int]] = {name: set() for name in groups}
    for number, name, shown, parents in _rows("classes.tsv"):
        above = _closed(_split(parents), groups)
        if shown != "no" and name.lower() not in groups:
            words[name.lower()] = _leaf(name, above, takes_article=shown == "one")
            above |= {name.lower()}
        for word in above:
            members.setdefault(word, set()).add(int(number))
    objects = tuple(_objects(words, groups))
    return Tables(
        words=tuple(words.values()),
        weights=_matrix([members[name] for name in words]),
        objects=objects,
        by_name={word.name: word for word in (*words.values(), *objects)},
    )


def digest() -> str:
    """A short hash of the tables' text."""
    text = hashlib.sha256()
    for path in sorted(HERE.glob("*.tsv")):
        text.update(path.read_bytes())
    return text.hexdigest()[:12]


def article(noun: str) -> str:
    """`noun` with `a` or `an`, by how English says it."""
    low = noun.lower()
    vowel = low.startswith(_AN_BY_SOUND) or (
        low[0] in "aeiou" and not low.startswith(_A_BY_SOUND)
    )
    return f"{'an' if vowel else 'a'} {noun}"


def _groups() -> dict[str, Word]:
    rows = list(_rows("groups.tsv"))
    parents = {name: _split(above) for name, _, _, above in rows}
    found = {}
    for name, phrase, minimum, _ in rows:
        above = _ancestors(name, parents)
        found[name] = Word(name, phrase, None, float(minimum), frozenset(above))
    return found


def _objects(words: Mapping[str, Word], groups: Mapping[str, Word]) -> Iterator[Word]:
    """The detector's words, joined with what the classifier knows by the same name."""
    for _, name, one, several, parents in _rows("objects.tsv"):
        above = _closed(_split(parents), groups)
        minimum = LEAF_MINIMUM
        if same := words.get(name):
            above |= same.groups
            minimum = same.minimum
        yield Word(name, one, several, minimum, frozenset(above))


def _leaf(name: str, above: set[str], *, takes_article: bool) -> Word:
    phrase = article(name) if takes_article else name
    return Word(name.lower(), phrase, None, LEAF_MINIMUM, frozenset(above))


def _closed(names: list[str], groups: Mapping[str, Word]) -> set[str]:
    """The groups named and every group above them."""
    return set(names).union(*(groups[name].groups for name in names))


def _ancestors(name: str, parents: Mapping[str, list[str]]) -> set[str]:
    above = set(parents[name])
    return above.union(*(_ancestors(parent, parents) for parent in parents[name]))


def _matrix(members: list[set[int]]) -> NDArray[np.float32]:
    matrix = np.zeros((len(members), CLASSES), np.float32)
    for row, classes in enumerate(members):
        matrix[row, sorted(classes)] = 1
    return matrix


def _rows(name: str) -> Iterator[list[str]]:
    for line in (HERE / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def _split(names: str) -> list[str]:
    return [name for name in names.split(", ") if name]
