"""Searches: those that people gave a name, in `data/searches.json`.

A search is what is asked for and in what order; where in the list somebody stood is no
part of it. It is kept as the questions in SQL are: see `saved`.
"""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tagger.catalogue.query import parse
from tagger.catalogue.wanted import Sort
from tagger.errors import UsageError
from tagger.web import saved
from tagger.web.saved import LONGEST_NAME, MOST

NAME = "searches.json"
LONGEST_QUERY = 1000

_writing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Search:
    """A query, the order of what it finds (empty: the usual), and what it is called."""

    name: str
    query: str
    sort: str = ""


def every(data_dir: Path) -> list[Search]:
    """All of them by name. Raises `DataError` if the file is none of ours."""
    found = saved.load(
        data_dir / NAME,
        lambda one: Search(str(one["name"]), str(one["query"]), str(one["sort"])),
    )
    return sorted(found, key=lambda one: one.name.casefold())


def named(data_dir: Path, name: str) -> Search:
    """The search of this name. Raises `UsageError` if there is none."""
    for search in every(data_dir):
        if search.name == saved.tidy(name):
            return search
    raise UsageError(f"There is no saved search called {name}")


def save(data_dir: Path, name: str, query: str, sort: str = "") -> Search:
    """Keep a search under a name; one that had the name gives way.

    Raises `QueryError` for a query that cannot be read, and `UsageError`.
    """
    search = Search(_name(name), query.strip(), sort)
    if not search.query:
        raise UsageError("There is no search to save; write one first")
    if len(search.query) > LONGEST_QUERY:
        raise UsageError(f"A search has at most {LONGEST_QUERY:,} characters")
    if sort and sort not in [*Sort]:
        raise UsageError(f"There is no order {sort}; there are {', '.join(Sort)}")
    parse(search.query)

    def kept(known: list[Search]) -> list[Search]:
        others = [one for one in known if one.name != search.name]
        if len(others) >= MOST:
            raise UsageError(f"There are {MOST} saved searches; delete one first")
        return [*others, search]

    _change(data_dir, kept)
    return search


def rename(data_dir: Path, name: str, to: str) -> Search:
    """Call a search otherwise. Raises `UsageError` if another one is called so."""
    search = named(data_dir, name)
    renamed = replace(search, name=_name(to))

    def kept(known: list[Search]) -> list[Search]:
        others = [one for one in known if one.name != search.name]
        if renamed.name in [one.name for one in others]:
            raise UsageError(f"There is another search called {renamed.name}")
        return [*others, renamed]

    _change(data_dir, kept)
    return renamed


def remove(data_dir: Path, name: str) -> None:
    """Forget a search. Raises `UsageError` if there is none of this name."""
    gone = named(data_dir, name)
    _change(data_dir, lambda known: [one for one in known if one.name != gone.name])


def _name(name: str) -> str:
    found = saved.tidy(name)
    if not found or len(found) > LONGEST_NAME:
        raise UsageError(f"A name has 1 to {LONGEST_NAME} characters")
    return found


def _change(data_dir: Path, change: Callable[[list[Search]], list[Search]]) -> None:
    with _writing:
        rows = [asdict(one) for one in change(every(data_dir))]
        saved.replace(data_dir / NAME, rows)
