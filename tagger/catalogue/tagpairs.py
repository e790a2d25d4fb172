"""Tag pairs: names that are probably one tag, found without comparing all with all.

Names that are probably one meet in a list under a word they share: that of all
spellings without accents, spaces and hyphens; a singular; or what is left of a word of
theirs without one or two of its letters (deletion neighbourhoods). Only what meets
there is compared.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from tagger.catalogue.spelling import distance

# Of words of five letters and more one may be wrong, from eight on two.
SHORTEST, SHORTEST_OF_TWO, LONGEST = 5, 8, 40
LONGEST_NAME = 200  # what is longer is a sentence, and no spelling of another
# Where so many meet, each is compared with the most frequent one of them only.
MOST_MEETING = 40
_NO_LETTERS = re.compile(r"[\W_]+")
# Letters that stand for others without an accent that could be taken off.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe"})

_IRREGULAR = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "people": "person",
    "feet": "foot",
    "teeth": "tooth",
    "geese": "goose",
    "mice": "mouse",
    "oxen": "ox",
    "dice": "die",
    "cacti": "cactus",
    "fungi": "fungus",
    "leaves": "leaf",
    "loaves": "loaf",
    "knives": "knife",
    "wives": "wife",
    "lives": "life",
    "wolves": "wolf",
    "calves": "calf",
    "halves": "half",
    "shelves": "shelf",
    "scarves": "scarf",
    "hooves": "hoof",
    "thieves": "thief",
    "elves": "elf",
}
# They end like plurals, and are none of the word they would come from.
_NO_PLURALS = frozenset(
    (
        "news",
        "lens",
        "species",
        "series",
        "glasses",
        "goods",
        "arms",
        "jeans",
        "customs",
    )
)


class Kind(StrEnum):
    """Why two tags are probably one; the surest first."""

    WRITING = "writing"  # accents, spaces, hyphens
    PLURAL = "plural"
    SPELLING = "spelling"  # a letter or two
    MEANING = "meaning"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tags, by their keys, and why they are probably one."""

    one: str
    other: str
    kind: Kind


def paired(one: str, other: str, kind: Kind) -> Pair:
    """Two keys as a pair: in order, so that it is one whichever comes first."""
    return Pair(min(one, other), max(one, other), kind)


def pairs(counts: Mapping[str, int]) -> list[Pair]:
    """The pairs among these keys, each once, for its surest reason.

    `counts` says how many photos have each.
    """
    keys = [key for key in counts if len(key) <= LONGEST_NAME]
    found: dict[tuple[str, str], Kind] = {}
    for kind, some in (
        (Kind.WRITING, _written(keys, counts)),
        (Kind.PLURAL, _plurals(keys)),
        (Kind.SPELLING, _misspelt(keys, counts)),
    ):
        for one, other in some:
            found.setdefault((min(one, other), max(one, other)), kind)
    return [Pair(one, other, kind) for (one, other), kind in found.items()]


def skeleton(key: str) -> str:
    """A name without accents and without what stands between its letters."""
    apart = unicodedata.normalize("NFKD", key.translate(_PLAIN))
    letters = "".join(c for c in apart if not unicodedata.combining(c))
    return _NO_LETTERS.sub("", letters)


def singulars(key: str) -> Iterator[str]:
    """What a name would be in the singular, if it is in an English plural."""
    head, _, word = key.rpartition(" ")
    before = f"{head} " if head else ""
    for one in _singular(word):
        yield before + one


def _singular(word: str) -> Iterator[str]:
    if word in _NO_PLURALS:
        return
    for many, one in _IRREGULAR.items():
        # also `policemen`, `bookshelves`
        if word == many or (many.endswith(("men", "ves")) and word.endswith(many)):
            yield word.removesuffix(many) + one
            return
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        yield word[:-2]
    yield word[:-1]


def _written(
    keys: Iterable[str], counts: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    meeting = defaultdict(list)
    for key in keys:
        if bare := skeleton(key):
            meeting[bare].append(key)
    for some in meeting.values():
        yield from _compared(some, counts)


def _plurals(keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    known = set(keys)
    for key in known:
        for one in singulars(key):
            if one in known and one != key:
                yield one, key


def _misspelt(
    keys: Iterable[str], counts: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    """Names that differ in one word of theirs, and there in a letter or two."""
    meeting = defaultdict(list)
    for key in keys:
        words = key.split(" ")
        for at, word in enumerate(words):
            if _can_be_misspelt(word):
                before, after = " ".join(words[:at]), " ".join(words[at + 1 :])
                for rest in _without_letters(word):
                    # No tag has a line break in it.
                    meeting[f"{before}\n{rest}\n{after}"].append((key, word))
    compared = set()
    for some in meeting.values():
        if len(some) > 1:
            word_of = dict(some)
            for one, other in _compared([*word_of], counts):
                if (one, other) not in compared:
                    compared.add((one, other))
                    if is_misspelt(word_of[one], word_of[other]):
                        yield one, other


def _can_be_misspelt(word: str) -> bool:
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()


def _without_letters(word: str) -> set[str]:
    """The word, and what is left of it without one or two letters."""
    letters = range(len(word))
    found = {word, *(word[:i] + word[i + 1 :] for i in letters)}
    if len(word) >= SHORTEST_OF_TWO:
        found.update(
            word[:i] + word[i + 1 : j] + word[j + 1 :]
            for i, j in combinations(letters, 2)
        )
    return found


def is_misspelt(one: str, other: str) -> bool:
    """Whether two words differ in as few letters as one that was mistyped.

    The first letter is seldom wrong, and in short words another one makes another word:
    `mouse` and `house`.
    """
    if one[:1] != other[:1] or not (_can_be_misspelt(one) and _can_be_misspelt(other)):
        return False
    most = 2 if min(len(one), len(other)) >= SHORTEST_OF_TWO else 1
    return abs(len(one) - len(other)) <= most and 0 < distance(one, other) <= most


def _compared(
    some: Sequence[str], counts: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    """All pairs of those that meet; of very many, each with the most frequent one."""
    if len(some) <= MOST_MEETING:
        yield from combinations(some, 2)
        return
    most = max(some, key=lambda key: counts[key])
    yield from ((key, most) for key in some if key != most)
