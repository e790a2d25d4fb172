"""Completing: what may stand where the caret is, for the one search box of screens.

Names of fields, their values, tags and words that photos have. What most photos have
comes first. The part of the query that an option replaces goes from `start` to `end`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tagger.catalogue import facets
from tagger.catalogue.query import writing
from tagger.catalogue.query.fields import FIELDS
from tagger.catalogue.query.tokens import Kind, Token, Value, tokens
from tagger.catalogue.query.tree import Column
from tagger.catalogue.store import Catalogue
from tagger.errors import QueryError
from tagger.tracking import tagnames

MOST_OPTIONS = 10
MOST_WORDS = 5
MOST_FIELDS = 4
_DATES = ("taken", "added")


@dataclass(frozen=True, slots=True)
class Option:
    """Text to put into the query, and what it finds. `goes_on`: more is to follow."""

    text: str
    means: str
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """The options for one place, and the characters they replace."""

    start: int
    end: int
    options: tuple[Option, ...]


def complete(
    catalogue: Catalogue,
    query: str,
    at: int | None = None,
    *,
    limit: int = MOST_OPTIONS,
) -> Completion:
    """What could stand at the caret, `at` characters into the query."""
    end = len(query) if at is None else max(0, min(at, len(query)))
    try:
        token = _touched(query[:end])
    except QueryError:
        return Completion(end, end, ())
    if token is None or token.kind in (Kind.OPEN, Kind.NOT):
        found, start = _anything(catalogue, ""), end
    elif token.kind is Kind.FIELD and token.value is not None:
        found, start = _values(catalogue, token.text.lower(), token.value), token.at
    elif token.kind in (Kind.PHRASE, Kind.CLOSE, Kind.MEANING):
        found, start = [], end
    else:
        found, start = _anything(catalogue, token.text), token.at
    typed = query[start:end]
    options = [option for option in found if option.text != typed]
    return Completion(start, end, tuple(options[:limit]))


def tags(catalogue: Catalogue, part: str) -> list[str]:
    """Tags with a word that begins so, those of most photos first."""
    return _tags(catalogue, part)


def _touched(head: str) -> Token | None:
    """The token the text ends with; None behind a space."""
    last = list(tokens(head, open_end=True))[-1:]
    return last[0] if last and last[0].end == len(head) else None


def _anything(catalogue: Catalogue, typed: str) -> list[Option]:
    """Fields, tags and words that begin so."""
    start = typed.lower()
    fields = [
        Option(
            f"{field.name}:", f"{field.means}, as in {field.name}:{field.example}", True
        )
        for field in FIELDS.values()
        if field.name.startswith(start)
    ]
    if not start:
        return fields
    tags = [
        Option(writing.field("tag", name), "tag") for name in _tags(catalogue, typed)
    ]
    terms = catalogue.text.plain.analyze(typed)
    words = catalogue.text.words(terms[0], MOST_WORDS) if len(terms) == 1 else []
    return [
        *fields[:MOST_FIELDS],
        *tags[:MOST_WORDS],
        *(Option(word, "word") for word, _ in words),
    ]


def _values(catalogue: Catalogue, name: str, typed: Value) -> list[Option]:
    field = FIELDS.get(name)
    if field is None:
        return []
    part = typed.text.strip().rstrip("*")
    values: Iterable[str]
    if field.choices:
        values = [choice for choice in field.choices if choice.startswith(part.lower())]
    elif name == "tag":
        values = _tags(catalogue, part)
    elif name == "folder":
        values = _folders(catalogue, part)
    elif name in _DATES:
        values = _dates(catalogue, name, part)
    elif name in tuple(Column):
        values = _names(catalogue, name, part)
    else:
        values = [] if part else [field.example]
    return [Option(writing.field(name, value), field.means) for value in values]


def _tags(catalogue: Catalogue, part: str) -> list[str]:
    """Tags with a word that begins so, those of most photos first."""
    if not part:
        counted = facets.tag_counts(catalogue, limit=MOST_OPTIONS)
        return [tag.name for tag in counted]
    key = tagnames.key(part)
    with catalogue.cursor() as cursor:
        cursor.execute(
            "SELECT tag_id, name FROM tags "
            "WHERE starts_with(key, ?) OR contains(key, ' ' || ?)",
            [key, key],
        )
        known = cursor.fetchall()
    searcher = catalogue.text.searcher()
    counted_by = {name: searcher.doc_freq("tag_id", tag_id) for tag_id, name in known}
    names = sorted(counted_by, key=lambda name: (-counted_by[name], name))
    return [name for name in names if counted_by[name]][:MOST_OPTIONS]


def _folders(catalogue: Catalogue, part: str) -> list[str]:
    """The ends of paths that contain this, from the name of the folder added on."""
    with catalogue.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT rtrim(substr(d.path, length(f.path) + 2), '/') AS below
            FROM directories d JOIN folders f ON starts_with(d.path, f.path || '/')
            WHERE contains(lower(below), lower(?)) AND below <> ''
            ORDER BY length(below), below LIMIT ?""",
            [part, MOST_OPTIONS],
        )
        return [str(row[0]) for row in cursor.fetchall()]


def _names(catalogue: Catalogue, field: str, part: str) -> list[str]:
    return [
        value
        for value, _ in catalogue.text.values(field)
        if part.casefold() in value.casefold()
    ]


def _dates(catalogue: Catalogue, name: str, part: str) -> list[str]:
    """Years, and the months of a year once it is typed."""
    if name == "added":
        words = ("today", "yesterday", "7d", "30d")
        return [word for word in words if word.startswith(part.lower())]
    months = sorted((month for month, _ in facets.months(catalogue)), reverse=True)
    years = list(dict.fromkeys(month[:4] for month in months))
    known = years if len(part) < 4 else months
    return [value for value in known if value.startswith(part)]
