"""What must hold of a photo's words: plain Python that knows nothing of the program.

It claims only what a person could be angry about. Where an undo meets what happened
after the write it takes back, the claims that depend on it are dropped; and so are
those on which a file alone cannot decide.
"""

from dataclasses import dataclass, field
from pathlib import Path

from tests import support_hands as hands
from tests.support_hands import key


@dataclass(slots=True)
class Said:
    """What must hold of one photo's words.

    `words` maps each keyword of the person's to its spelling, None where that is open;
    `outside` are those that came by another program. `out` are the words the person
    took out. `description` is the person's, with the fields it is in; `silent` says
    that the person took the description out.
    """

    words: dict[str, str | None] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    out: set[str] = field(default_factory=set)
    description: tuple[tuple[str, ...], str] | None = None
    described_outside: bool = False
    silent: bool = False

    def copy(self) -> "Said":
        return Said(
            dict(self.words),
            set(self.outside),
            set(self.out),
            self.description,
            self.described_outside,
            self.silent,
        )

    def give(self, word: str, *, spelling: str | None, outside: bool) -> None:
        self.words[key(word)] = spelling
        self.out.discard(key(word))
        (self.outside.add if outside else self.outside.discard)(key(word))

    def take(self, word: str) -> None:
        self.words.pop(key(word), None)
        self.outside.discard(key(word))
        self.out.add(key(word))

    def weaken(self) -> None:
        """What holds whatever an undo did: what came from outside is there."""
        self.words = {k: v for k, v in self.words.items() if k in self.outside}
        self.out, self.silent = set(), False
        if not self.described_outside:
            self.description = None


@dataclass(slots=True)
class Event:
    """Something that happened to a photo: a write of ours with the state before it."""

    write_id: int | None
    before: Said


@dataclass(slots=True)
class Photo:
    """One photo of the library, and its story.

    `over` are writes an undo was at, which may stay listed for what it had to leave.
    `is_vague` says that claims were dropped, `is_synced` that a write of ours was the
    last thing to happen to it; `settled` is what the program had come to know so far.
    """

    path: Path
    picture: str
    pixels: str
    pristine: dict[str, object] | None
    said: Said = field(default_factory=Said)
    events: list[Event] = field(default_factory=list)
    undone: tuple[int, Said, list[Event]] | None = None
    over: set[int] = field(default_factory=set)
    is_vague: bool = False
    is_synced: bool = False
    settled: Said = field(default_factory=Said)

    @property
    def sidecar(self) -> Path:
        return hands.beside(self.path)

    def other(self) -> None:
        """Something happened that no write of ours did."""
        self.events.append(Event(None, self.said.copy()))
        self.undone, self.is_synced = None, False

    def entries(self, *besides: Path) -> set[str]:
        """The words that stand in it, in its sidecar, and in other files."""
        files = (self.path, self.sidecar, *besides)
        return set().union(*(hands.said_in(hands.found(one)) for one in files))
