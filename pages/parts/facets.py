"""Facets: what a search found, counted; a click puts a value into the search, or out.

They stand in the sidebar, which folds away on a phone. Tags are always counted, the
others once their fold is opened.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from pages.parts import chips, searchbox, wording
from tagger.catalogue import breakdown
from tagger.catalogue.breakdown import Asked
from tagger.catalogue.query import parse, writing
from tagger.catalogue.query.fields import state_word
from tagger.catalogue.query.tree import AnyOf
from tagger.catalogue.questions import TagCount, Wanted
from tagger.records import ImageState
from tagger.web.runtime import Runtime

MOST = 24
# By what else photos are narrowed, and the field of a search that says so.
FOLDS = {
    "years": ("Year taken", "taken"),
    "cameras": ("Camera", "camera"),
    "formats": ("Format", "format"),
    "models": ("Model", "model"),
    "states": ("State", "state"),
}


def show(app: Runtime, tags: Sequence[TagCount], wanted: Wanted) -> None:
    """The facets of the photos that `wanted` finds."""
    query = wanted.query
    with st.sidebar:
        st.caption("Narrow the search")
        chips.show(
            [
                chips.Chip(tag.name, tag.count, chosen=has(query, clause(tag.name)))
                for tag in tags
            ],
            label="Tags of the photos found",
            key="search_facets",
            on_pick=lambda tag: searchbox.ask(toggled(query, clause(tag))),
        )
        for by, (title, field) in FOLDS.items():
            fold = st.expander(title, key=f"search_fold_{by}", on_change="rerun")
            if fold.open:
                with fold:
                    _fold(app, wanted, by, field)


def _fold(app: Runtime, wanted: Wanted, by: str, field: str) -> None:
    asked = Asked(wanted=wanted, limit=MOST)
    rows = breakdown.break_down(app.catalogue, app.db, by, asked).rows
    clauses = {
        _label(by, str(value)): writing.field(field, _word(by, str(value)))
        for value, _ in rows
        if value is not None
    }
    if not clauses:
        st.caption("None of these photos says.")
        return
    counts = {_label(by, str(value)): count for value, count in rows}
    chips.show(
        [
            chips.Chip(label, counts[label], chosen=has(wanted.query, one))
            for label, one in clauses.items()
        ],
        label=FOLDS[by][0],
        key=f"search_facet_{by}",
        on_pick=_picker(wanted.query, clauses),
    )


def _picker(query: str, clauses: dict[str, str]) -> Callable[[str], None]:
    def pick(label: str) -> None:
        if label in clauses:
            searchbox.ask(toggled(query, clauses[label]))

    return pick


def _label(by: str, value: str) -> str:
    return wording.STATES[ImageState(value)] if by == "states" else value


def _word(by: str, value: str) -> str:
    return state_word(ImageState(value)) if by == "states" else value


def clause(tag: str) -> str:
    """The tag as a search writes it."""
    return writing.field("tag", tag)


def has(query: str, one: str) -> bool:
    """Whether the query already asks for this."""
    return f" {one} " in f" {query} "


def toggled(query: str, one: str) -> str:
    """The query with a condition put in, or taken out if it was in."""
    if has(query, one):
        return f" {query} ".replace(f" {one} ", " ", 1).strip()
    if isinstance(parse(query), AnyOf):
        query = f"({query.strip()})"
    return f"{query.strip()} {one}".strip()
