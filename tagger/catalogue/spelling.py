"""Spelling: words that no photo has, replaced by the nearest that some have.

Asked only when a search found nothing. A word at one mistake is looked for by trying
every one-letter change of what was typed; at two, among the words that begin alike.
"""

from collections.abc import Iterator
from string import ascii_lowercase

import duckdb

from tagger.catalogue.query import writing
from tagger.catalogue.query.tokens import Kind, Token, tokens
from tagger.catalogue.store import Catalogue
from tagger.catalogue.textindex import TextIndex
from tagger.tracking import tagnames

SHORTEST = 3  # shorter words have too many neighbours
SHORTEST_OF_TWO = 6
LONGEST = 40


def respelt(catalogue: Catalogue, query: str) -> str | None:
    """The query with unknown words and tags replaced; None where nothing can be."""
    better, done, denied = [], 0, False
    with catalogue.cursor() as cursor:
        for token in tokens(query):
            new = None if denied else _instead(catalogue.text, cursor, token)
            denied = token.kind is Kind.NOT
            if new is not None:
                better += [query[done : token.at], new]
                done = token.end
    return "".join([*better, query[done:]]) if better else None


def is_half_typed(text: TextIndex, query: str) -> bool:
    """Whether the query ends with a word that no photo has, but some go on from."""
    last = list(tokens(query))[-1:]
    if not last or last[0].kind is not Kind.WORD or last[0].end != len(query):
        return False
    terms = text.plain.analyze(last[0].text)
    return (
        len(terms) == 1
        and not _known(text, terms[0])
        and bool(text.words(terms[0], limit=1))
    )


def _instead(
    text: TextIndex, cursor: duckdb.DuckDBPyConnection, token: Token
) -> str | None:
    if token.kind is Kind.WORD and not token.text.endswith("*"):
        return _word(text, token.text)
    if token.kind is Kind.PHRASE:
        words = [_word(text, word) or word for word in token.text.split()]
        phrase = " ".join(words)
        return None if phrase == token.text else writing.quoted(phrase)
    if token.kind is Kind.FIELD and token.text.lower() == "tag" and token.value:
        known = _tag(cursor, token.value.text)
        return None if known is None else writing.field("tag", known)
    return None


def _word(text: TextIndex, typed: str) -> str | None:
    terms = text.plain.analyze(typed)
    if len(terms) != 1 or not SHORTEST <= len(terms[0]) <= LONGEST:
        return None
    term = terms[0]
    if _known(text, term):
        return None
    searcher = text.searcher()
    near = {word: searcher.doc_freq("plain", word) for word in _one_off(term)}
    best = max(near, key=lambda word: near[word])
    if near[best]:
        return best
    return _two_off(text, term) if len(term) >= SHORTEST_OF_TWO else None


def _known(text: TextIndex, term: str) -> bool:
    searcher = text.searcher()
    stems = text.stemmed.analyze(term)
    return bool(searcher.doc_freq("plain", term)) or any(
        searcher.doc_freq("stemmed", stem) for stem in stems
    )


def _one_off(word: str) -> Iterator[str]:
    """Every word one letter more, less, other, or swapped with the next."""
    letters = sorted({*ascii_lowercase, *word})
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in letters:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]


def _two_off(text: TextIndex, term: str) -> str | None:
    """The most frequent word at two mistakes that begins with the same letter."""
    for word, _ in text.words(term[:1]):
        if abs(len(word) - len(term)) <= 2 and distance(word, term) <= 2:
            return word
    return None


def _tag(cursor: duckdb.DuckDBPyConnection, name: str) -> str | None:
    key = tagnames.key(name)
    most = 2 if len(key) >= SHORTEST_OF_TWO else 1
    if not SHORTEST <= len(key) <= LONGEST:
        return None
    cursor.execute(
        """SELECT name, damerau_levenshtein(key, ?) AS off FROM tags
        WHERE length(key) BETWEEN ? AND ? AND off <= ? ORDER BY off, key LIMIT 1""",
        [key, len(key) - most, len(key) + most, most],
    )
    found = cursor.fetchone()
    return None if found is None or found[1] == 0 else str(found[0])


def distance(one: str, other: str) -> int:
    """How many letters are more, less, other or swapped (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        row = [i]
        for j, right in enumerate(other, 1):
            cost = min(last[j] + 1, row[-1] + 1, last[j - 1] + (left != right))
            if i > 1 and j > 1 and (left, right) == (other[j - 2], one[i - 2]):
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
