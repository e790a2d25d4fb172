"""Contested: the records a comparison is made of, for the rest of the program."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How far a comparison is."""

    WAITING = "waiting"  # for a tagger, or taken by one
    DONE = "done"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """What came of one question."""

    ANSWERED = "answered"
    INVALID = "invalid"  # the model replied, but not with tags
    FAILED = "failed"  # no reply, or no picture to ask about
    WITHHELD = "withheld"  # the photo's folder is bound to other servers


class Verdict(StrEnum):
    """What a person thought of a photo's answers."""

    BEST = "best"
    TIE = "tie"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Somebody to be asked: a server's name, a model there, and what it is asked."""

    server: str
    model: str
    language: str
    tags_min: int
    tags_max: int
    extra_instruction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender(Wish):
    """One that is asked in a comparison."""

    id: int
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What one contender said of one photo, or why it said nothing."""

    contender_id: int
    file_id: int
    outcome: Outcome
    reason: str | None = None
    description: str | None = None
    text: str | None = None
    tags: tuple[str, ...] = ()
    seconds: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    prompt_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person chose for a photo; `contender_id` is there for `BEST` alone."""

    file_id: int
    verdict: Verdict
    contender_id: int | None
    blind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A comparison with how far it is. `is_worked_on`: somebody holds it now.

    `failed` are all questions without an answer, `invalid` those of them that will not
    be asked again.
    """

    id: int
    name: str
    state: State
    photos: tuple[int, ...]
    contenders: tuple[Contender, ...]
    answered: int
    failed: int
    invalid: int
    chosen: int
    is_worked_on: bool
    created_at: str
    ended_at: str | None

    @property
    def questions(self) -> int:
        """How many there are in all."""
        return len(self.photos) * len(self.contenders)

    @property
    def left(self) -> int:
        """How many can still be asked, or once more."""
        return self.questions - self.answered - self.invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A comparison with all that came of it."""

    comparison: Comparison
    answers: tuple[Answered, ...]
    choices: tuple[Choice, ...]
