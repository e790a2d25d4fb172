"""The query language: what a person types, read into clauses, with good complaints.

    dog beach           both words, in any form (dogs, beaches), best matches first
    "red car"           these words in a row
    moun*               words that begin so
    -snow               without this word; also -"…", -tag:…, -folder:…
    tag:dog             with exactly this tag; tag:"red car", tag:moun*
    folder:2024/italy   where the path of the folder contains this

Every clause must hold. A mistake raises `UsageError`, which names the place (counted
in characters from 1) and says what would be right.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tagger.errors import UsageError
from tagger.texts import holdable

LONGEST_QUERY = 1_000
MOST_CLAUSES = 64
FIELDS = ("tag", "folder")


@dataclass(frozen=True, slots=True)
class Words:
    """Free text. `phrase`: in this order; `prefix`: the last word may go on."""

    text: str
    phrase: bool = False
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Tagged:
    """Has a tag of this name, or one that begins so."""

    name: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class InFolder:
    """Lies in a folder whose path contains this text."""

    part: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition, and whether it must hold or must not."""

    condition: Words | Tagged | InFolder
    wanted: bool = True


def parse(query: str) -> tuple[Clause, ...]:
    """The clauses of a query; none for an empty one."""
    if len(query) > LONGEST_QUERY:
        raise UsageError(
            f"The search is {len(query)} characters long; {LONGEST_QUERY} are allowed"
        )
    clauses = tuple(_Reader(holdable(query)).clauses())
    if len(clauses) > MOST_CLAUSES:
        raise UsageError(
            f"The search has {len(clauses)} parts; {MOST_CLAUSES} are allowed"
        )
    if query.strip() and not clauses:
        raise UsageError(
            "There is no letter or digit in the search; write a word such as dog"
        )
    return clauses


class _Reader:
    """Walks through a query once, from left to right."""

    def __init__(self, query: str) -> None:
        self._query = query
        self._at = 0

    def clauses(self) -> list[Clause]:
        found: list[Clause] = []
        while self._skip_space():
            clause = self._clause()
            if clause is not None:
                found.append(clause)
        return found

    def _clause(self) -> Clause | None:
        """One clause; None for a word of punctuation alone, such as a lone dash."""
        wanted = not self._take("-")
        if self._peek() == '"':
            text = self._quoted()
            self._end_of_clause()
            return self._words(text, wanted, phrase=True)
        start = self._at
        word = self._until(lambda c: c.isspace() or c in '":')
        if self._peek() == ":":
            return Clause(self._field(word, start), wanted)
        if self._peek() == '"':
            raise self._error("put a space before the quote")
        return self._words(self._starred(word, start), wanted, prefix=word[-1:] == "*")

    def _words(
        self, text: str, wanted: bool, *, phrase: bool = False, prefix: bool = False
    ) -> Clause | None:
        if not any(character.isalnum() for character in text):
            return None
        return Clause(Words(text, phrase=phrase, prefix=prefix), wanted)

    def _field(self, name: str, start: int) -> Tagged | InFolder:
        if name.lower() not in FIELDS:
            raise UsageError(
                f"Place {start + 1}: there is no field {name}: to search in. Use "
                'tag:dog or folder:italy, or put words with a colon in quotes: "10:30"'
            )
        self._at += 1
        quoted = self._peek() == '"'
        value_at = self._at
        value = self._quoted() if quoted else self._until(str.isspace)
        if quoted:
            self._end_of_clause()
        if not value.strip():
            self._at = value_at
            example = "dog" if name.lower() == "tag" else "italy"
            raise self._error(f"write what to look for, as in {name.lower()}:{example}")
        if name.lower() == "folder":
            return InFolder(value.strip())
        prefix = not quoted and value.endswith("*")
        return Tagged(value if quoted else self._starred(value, value_at), prefix)

    def _starred(self, word: str, start: int) -> str:
        """`word` without the star at its end; a star elsewhere is an error."""
        bare = word.removesuffix("*")
        inner = bare.find("*")
        if inner >= 0 and any(character.isalnum() for character in bare[inner:]):
            self._at = start + inner
            raise self._error("a star may stand only at the end of a word, as in moun*")
        return bare.replace("*", "")

    def _quoted(self) -> str:
        opened = self._at
        self._at += 1
        text = self._until(lambda c: c == '"')
        if not self._take('"'):
            self._at = opened
            raise self._error('this quote is not closed; add a " where the phrase ends')
        return text

    def _end_of_clause(self) -> None:
        if self._peek() and not self._peek().isspace():
            raise self._error("put a space after the quote")

    def _skip_space(self) -> bool:
        self._until(lambda c: not c.isspace())
        return self._at < len(self._query)

    def _until(self, stop: Callable[[str], bool]) -> str:
        start = self._at
        while self._at < len(self._query) and not stop(self._query[self._at]):
            self._at += 1
        return self._query[start : self._at]

    def _peek(self) -> str:
        return self._query[self._at : self._at + 1]

    def _take(self, character: str) -> bool:
        taken = self._peek() == character
        self._at += taken
        return taken

    def _error(self, advice: str) -> UsageError:
        return UsageError(f"Place {self._at + 1}: {advice}")
