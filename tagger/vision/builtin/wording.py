"""The sentence the built-in tagger makes of what it found, and nothing it did not.

"A photo of two people and a dog; brown and green, bright."
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tagger.vision.builtin.colours import Look
from tagger.vision.builtin.tables import Word

MOST_SUBJECTS = 4
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing a sentence may name, and how many were counted (1 if not counted)."""

    word: Word
    count: int
    score: float


def sentence(subjects: Sequence[Subject], look: Look) -> str:
    """One grammatical sentence; colours and light alone when nothing was recognised."""
    opening = "A black and white photo" if look.colourless else "A photo"
    colours = listed([tag.name for tag in look.colours])
    light = look.light.name if look.light else ""
    if subjects:
        named = listed([called(s) for s in subjects[:MOST_SUBJECTS]])
        qualities = ", ".join(part for part in (colours, light) if part)
        return f"{opening} of {named}" + (f"; {qualities}." if qualities else ".")
    if light and not look.colourless:
        opening = f"A {light} photo"
    elif light:
        opening = f"A {light} black and white photo"
    return f"{opening} in {colours}." if colours else f"{opening}."


def called(subject: Subject) -> str:
    """A subject with its article or number: `a dog`, `two people`, `several cars`."""
    if subject.count < 2 or subject.word.several is None:
        return subject.word.one
    small = subject.count < len(_NUMBERS)
    number = _NUMBERS[subject.count] if small else "several"
    return f"{number} {subject.word.several}"


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
