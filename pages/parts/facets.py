"""Facets: the tags of what a search found; a click puts one into the search, or out."""

from collections.abc import Sequence

from pages.parts import chips, searchbox
from tagger.catalogue.query import parse, writing
from tagger.catalogue.query.tree import AnyOf
from tagger.catalogue.questions import TagCount


def show(tags: Sequence[TagCount], query: str) -> None:
    """Chips that put a tag into the query that found these photos, or out of it."""
    chips.show(
        [chips.Chip(tag.name, tag.count, chosen=has(query, tag.name)) for tag in tags],
        label="Tags of the photos found",
        key="search_facets",
        on_pick=lambda tag: searchbox.ask(toggled(query, tag)),
    )


def clause(tag: str) -> str:
    """The tag as a search writes it."""
    return writing.field("tag", tag)


def has(query: str, tag: str) -> bool:
    """Whether the query already asks for the tag."""
    return f" {clause(tag)} " in f" {query} "


def toggled(query: str, tag: str) -> str:
    """The query with the tag put in, or taken out if it was in."""
    if has(query, tag):
        return f" {query} ".replace(f" {clause(tag)} ", " ", 1).strip()
    if isinstance(parse(query), AnyOf):
        query = f"({query.strip()})"
    return f"{query.strip()} {clause(tag)}".strip()
