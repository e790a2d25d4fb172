"""The parser: tokens made into a tree, and a complaint with its place where that fails.

    query = some ("OR" some)*       some = one ("AND"? one)*
    one   = "-" one | "NOT" one | "(" query ")" | word | word* | "phrase" | field:value
          | ~words | ~"phrase"

A word of punctuation alone, such as a lone dash, says nothing and is passed over.
"""

import difflib
import re
from collections.abc import Callable

from tagger.catalogue.query.fields import FIELDS
from tagger.catalogue.query.tokens import Kind, Token, Value, tokens
from tagger.catalogue.query.tree import All, AnyOf, Means, Node, Not, Words, both
from tagger.catalogue.query.values import Unreadable
from tagger.errors import QueryError, UsageError

_HALVES = re.compile("[\ud800-\udfff]")
LONGEST_QUERY = 1_000
MOST_CONDITIONS = 64
DEEPEST = 20


def parse(query: str) -> Node:
    """The tree of a query; one that is empty asks for everything.

    Raises `QueryError`, which points at the mistake and says what would be right.
    """
    # Bytes of a terminal that are no text arrive as halves of characters.
    query = _HALVES.sub("\ufffd", query)
    if len(query) > LONGEST_QUERY:
        raise UsageError(
            f"The search is {len(query)} characters long; {LONGEST_QUERY} are allowed"
        )
    node = _Parser(query).parse()
    if node is None and query.strip():
        raise QueryError(
            query,
            1,
            "there is no letter or digit in the search; write a word such as dog",
        )
    return node or All(())


class _Parser:
    """Reads the tokens once, from left to right; None is a part that says nothing."""

    def __init__(self, query: str) -> None:
        self._query = query
        self._tokens = list(tokens(query))
        self._next = 0
        self._depth = 0
        self._conditions = 0

    def parse(self) -> Node | None:
        if not self._tokens:
            return None
        node = self._any()
        if token := self._peek():
            raise self._error(token, "this bracket was never opened; take it out")
        return node

    def _any(self) -> Node | None:
        parts = [self._all()]
        while self._take(Kind.OR):
            parts.append(self._all())
        known = tuple(part for part in parts if part is not None)
        return known[0] if len(known) == 1 else AnyOf(known) if known else None

    def _all(self) -> Node | None:
        parts = [self._one()]
        while (token := self._peek()) and token.kind not in (Kind.OR, Kind.CLOSE):
            self._take(Kind.AND)
            parts.append(self._one())
        known = [part for part in parts if part is not None]
        return both(*known) if known else None

    def _one(self) -> Node | None:
        token = self._peek()
        if token is None:
            before = self._tokens[self._next - 1]
            raise self._error(before, f"write something after {before.text}")
        self._next += 1
        if token.kind is Kind.NOT:
            node = self._deeper(token, self._one)
            return None if node is None else Not(node)
        if token.kind is Kind.OPEN:
            return self._deeper(token, lambda: self._group(token))
        if token.kind is Kind.CLOSE:
            raise self._error(token, _closes(self._tokens[: self._next - 1]))
        if token.kind in (Kind.AND, Kind.OR):
            advice = f'write something on both sides of {token.text}, or "{token.text}"'
            raise self._error(token, advice)
        return self._condition(token)

    def _group(self, opened: Token) -> Node | None:
        node = self._any()
        if not self._take(Kind.CLOSE):
            raise self._error(opened, "this bracket is not closed; add a )")
        return node

    def _deeper(self, token: Token, read: Callable[[], Node | None]) -> Node | None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(token, f"more than {DEEPEST} brackets inside each other")
        node = read()
        self._depth -= 1
        return node

    def _condition(self, token: Token) -> Node | None:
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise self._error(
                token, f"a search may have {MOST_CONDITIONS} parts and goes on here"
            )
        if token.kind is Kind.FIELD:
            return self._field(token)
        if token.kind is Kind.PHRASE:
            return _words(token.text, phrase=True)
        if token.kind is Kind.MEANING:
            return self._meaning(token)
        return self._word(token)

    def _meaning(self, token: Token) -> Node:
        text = " ".join(token.text.split())
        if not any(character.isalnum() for character in text):
            advice = "write behind the ~ what the photo shows, as in ~happy children"
            raise self._error(token, advice)
        return Means(text)

    def _word(self, token: Token) -> Node | None:
        bare = token.text.removesuffix("*")
        star = bare.find("*")
        if star >= 0 and any(character.isalnum() for character in bare[star:]):
            advice = "a star may stand only at the end of a word, as in moun*"
            raise QueryError(self._query, token.at + star + 1, advice)
        return _words(bare.replace("*", ""), prefix=bare != token.text)

    def _field(self, token: Token) -> Node:
        field = FIELDS.get(token.text.lower())
        value = token.value
        if field is None or value is None:
            raise self._error(token, _unknown(token.text))
        if not value.text.strip():
            example = f"{field.name}:{field.example}"
            raise self._error(value, f"write what to look for, as in {example}")
        try:
            return field.read(value)
        except Unreadable as error:
            raise self._error(value, f"{field.name}: takes {error}") from error

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self, kind: Kind) -> bool:
        token = self._peek()
        taken = token is not None and token.kind is kind
        self._next += taken
        return taken

    def _error(self, where: Token | Value, advice: str) -> QueryError:
        return QueryError(self._query, where.at + 1, advice)


def _words(text: str, *, phrase: bool = False, prefix: bool = False) -> Node | None:
    if not any(character.isalnum() for character in text):
        return None
    return Words(text, phrase=phrase, prefix=prefix)


def _closes(before: list[Token]) -> str:
    if before and before[-1].kind is Kind.OPEN:
        return "there is nothing in these brackets; write a word such as dog"
    if before and before[-1].kind in (Kind.NOT, Kind.AND, Kind.OR):
        return f"write something after {before[-1].text}"
    return "this bracket was never opened; take it out"


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name.lower(), FIELDS, n=1)
    meant = f"; did you mean {close[0]}:?" if close else "."
    return (
        f"there is no field {name}: to search in{meant} Fields are "
        f'{", ".join(FIELDS)}. Words with a colon go in quotes, as in "10:30"'
    )
