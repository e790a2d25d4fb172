"""Tokens: a query cut into words, phrases, fields with their values, and signs.

Places are counted in characters from 0. Inside quotes a backslash stands before a
quote or a backslash that is meant as itself; elsewhere it is an ordinary character.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tagger.errors import QueryError


class Kind(StrEnum):
    """What a token is."""

    WORD = "word"
    PHRASE = "phrase"
    FIELD = "field"
    MEANING = "~"
    OPEN = "("
    CLOSE = ")"
    NOT = "NOT"
    AND = "AND"
    OR = "OR"


_SIGNS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT}


@dataclass(frozen=True, slots=True)
class Value:
    """What stands behind the colon of a field."""

    text: str
    at: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a query, from `at` up to `end`; `value` is that of a field."""

    kind: Kind
    text: str
    at: int
    end: int
    value: Value | None = None


def tokens(query: str, *, open_end: bool = False) -> Iterator[Token]:
    """The tokens of a query. `open_end`: a quote may be left open at the end.

    Raises `QueryError` where a quote is not closed or touches a word.
    """
    return _Reader(query, open_end).tokens()


class _Reader:
    """Walks through a query once, from left to right."""

    def __init__(self, query: str, open_end: bool) -> None:
        self._query = query
        self._open_end = open_end
        self._at = 0

    def tokens(self) -> Iterator[Token]:
        while self._skip_space():
            yield self._token()

    def _token(self) -> Token:
        at = self._at
        if self._take("("):
            return Token(Kind.OPEN, "(", at, self._at)
        if self._take(")"):
            return Token(Kind.CLOSE, ")", at, self._at)
        if self._peek() == "-" and self._peek(1).strip() not in ("", ")"):
            self._at += 1
            return Token(Kind.NOT, "-", at, self._at)
        if self._take("~"):
            text = self._quoted() if self._peek() == '"' else self._plain_words()
            return Token(Kind.MEANING, text, at, self._at)
        if self._peek() == '"':
            text = self._quoted()
            return Token(Kind.PHRASE, text, at, self._at)
        word = self._bare(lambda character: character in '":')
        if self._take(":"):
            value = self._value()
            return Token(Kind.FIELD, word, at, self._at, value)
        if self._peek() == '"':
            raise self._error("put a space before the quote")
        return Token(_SIGNS.get(word, Kind.WORD), word, at, self._at)

    def _value(self) -> Value:
        at, quoted = self._at, self._peek() == '"'
        text = self._quoted() if quoted else self._bare(lambda character: False)
        return Value(text, at, quoted)

    def _bare(self, stop: Callable[[str], bool]) -> str:
        """Up to a space, or to a bracket that was not opened in the word itself."""
        start, depth = self._at, 0
        while (character := self._peek()) and not character.isspace():
            depth += {"(": 1, ")": -1}.get(character, 0)
            if depth < 0 or stop(character):
                break
            self._at += 1
        return self._query[start : self._at]

    def _plain_words(self) -> str:
        """Words up to whatever is none: a field, a sign, a quote or a bracket."""
        words: list[str] = []
        end = self._at
        while self._skip_space() and self._peek() not in ("(", ")", '"', "~"):
            if self._peek() == "-" and self._peek(1).strip() not in ("", ")"):
                break
            word = self._bare(lambda character: character in '":')
            if word in _SIGNS or self._peek() in (":", '"'):
                break
            words.append(word)
            end = self._at
        self._at = end
        return " ".join(words)

    def _quoted(self) -> str:
        opened = self._at
        self._at += 1
        text: list[str] = []
        while not self._take('"'):
            if self._peek() == "\\" and self._peek(1) in ('"', "\\"):
                self._at += 1
            elif not self._peek():
                return self._unclosed(opened, "".join(text))
            text.append(self._peek())
            self._at += 1
        if self._peek() and not self._peek().isspace() and self._peek() != ")":
            raise self._error("put a space after the quote")
        return "".join(text)

    def _unclosed(self, opened: int, text: str) -> str:
        if self._open_end:
            return text
        self._at = opened
        raise self._error('this quote is not closed; add a " where the phrase ends')

    def _skip_space(self) -> bool:
        while self._peek().isspace():
            self._at += 1
        return self._at < len(self._query)

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._query[at : at + 1]

    def _take(self, character: str) -> bool:
        taken = self._peek() == character
        self._at += taken
        return taken

    def _error(self, advice: str) -> QueryError:
        return QueryError(self._query, self._at + 1, advice)
