"""Finding: the photos a person means, with help where what was typed finds none.

While a person types, the last word may be half of one. After that, words that no photo
has are taken for the nearest that some have. The answer says which query it is of, so
that counts and exports beside it can be of the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tagger.catalogue.query.tokens import Kind, tokens
from tagger.catalogue.questions import Page, Wanted, page
from tagger.catalogue.spelling import is_half_typed, respelt
from tagger.catalogue.store import Catalogue


@dataclass(frozen=True, slots=True)
class Found:
    """A page of photos, and the question it answers."""

    page: Page
    wanted: Wanted


def find(
    catalogue: Catalogue,
    wanted: Wanted,
    *,
    after: str | None = None,
    limit: int = 60,
    typing: bool = False,
) -> Found:
    """A page of the photos wanted, or of those of the nearest query that finds some.

    The same question leads to the same query, so marks go on where they were.
    """
    if typing and is_half_typed(catalogue.text, wanted.query):
        wanted = replace(wanted, query=f"{wanted.query}*")
    listed = page(catalogue, wanted, after=after, limit=limit)
    if listed.total or not wanted.query.strip():
        return Found(listed, wanted)
    for query in _nearest(catalogue, wanted.query, typing):
        instead = replace(wanted, query=query)
        found = page(catalogue, instead, after=after, limit=limit)
        if found.total:
            return Found(found, instead)
    return Found(listed, wanted)


def _nearest(catalogue: Catalogue, query: str, typing: bool) -> Iterator[str]:
    if typing and _may_go_on(query):
        yield f"{query}*"
    better = respelt(catalogue, query.removesuffix("*") if typing else query)
    if better is not None:
        yield better


def _may_go_on(query: str) -> bool:
    """Whether what stands last may be half of it: a word or the name of a tag."""
    *_, last = tokens(query)
    is_word = last.kind is Kind.WORD or (
        last.kind is Kind.FIELD and last.text.lower() == "tag"
    )
    return is_word and query[-1:].isalnum()
