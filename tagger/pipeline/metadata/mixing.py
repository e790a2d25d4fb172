"""Mixing: a list that others have gone on with loses what one write brought, no more.

Entries of a list field, and the words of a text that holds a list, are told apart: what
the write added goes, what it took out comes back, and all else stays where it is.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from tagger.pipeline.metadata import fields

Texts = tuple[str, ...]
Judge = Callable[[str], bool]

_LINES = frozenset({fields.XP_KEYWORDS, fields.PNG_KEYWORDS})


def is_line(name: str) -> bool:
    """Whether a field holds all its keywords in one text."""
    return name in _LINES


def mixed(
    stands: Texts, was: Texts, ours: Texts, *, keeps: Judge, returns: Judge
) -> Texts:
    """What a list shall hold that held `was` before a write, `ours` after it.

    Of the entries the write added those stay that `keeps` says, of those it took out
    those come back that `returns` says, unless the word is there again in any spelling.
    """
    added, gone = Counter(ours) - Counter(was), Counter(was) - Counter(ours)
    left: list[str] = []
    for entry in stands:
        if added[entry] and not keeps(entry):
            added[entry] -= 1
        else:
            left.append(entry)
    there = {fields.same(entry) for entry in left}
    back = [
        entry
        for entry in gone.elements()
        if returns(entry) and fields.same(entry) not in there
    ]
    return _in_order(left, back, was)


def _in_order(left: Sequence[str], back: Sequence[str], was: Texts) -> Texts:
    """All of them, and where some come back, those of old in their old order."""
    whole = Counter([*left, *back])
    if whole == Counter(was):
        return was
    if not back:
        return tuple(left)
    ordered = []
    for entry in [*was, *left]:
        if whole[entry]:
            whole[entry] -= 1
            ordered.append(entry)
    return tuple(ordered)


def mixed_line(
    name: str, stands: Texts, was: Texts, ours: Texts, *, keeps: Judge, returns: Judge
) -> Texts | None:
    """The same for a text with all keywords in one; None if they cannot be told."""
    separators = {
        between
        for text in (*stands, *was, *ours)
        if (between := _separator(name, text)) in text
    }
    if len(separators) > 1 or max(map(len, (stands, was, ours))) > 1:
        return None
    between = next(iter(separators), ";")
    spelt = {
        word.strip(): word for texts in (was, stands) for word in _words(texts, between)
    }
    parts = [
        tuple(word.strip() for word in _words(texts, between))
        for texts in (stands, was, ours)
    ]
    found = mixed(*parts, keeps=keeps, returns=returns)
    if found == parts[1]:
        return was
    if found == parts[0]:
        return stands
    line = between.join(spelt[word] for word in found)
    return (line.lstrip(" "),) if found else ()


def _words(texts: Texts, between: str) -> list[str]:
    return [word for text in texts if text for word in text.split(between)]


def _separator(name: str, text: str) -> str:
    commas = name == fields.PNG_KEYWORDS and "," in text and ";" not in text
    return "," if commas else ";"
