"""Facets: the tags of what a search found; a click puts one into the search, or out."""

from collections.abc import Sequence

import streamlit as st

from pages.parts import chips
from tagger.catalogue.questions import TagCount


def show(tags: Sequence[TagCount], query_key: str) -> None:
    """Chips that edit the query kept in the session under `query_key`."""
    query: str = st.session_state.get(query_key, "")
    offered = [tag for tag in tags if clause(tag.name)]
    chips.show(
        [
            chips.Chip(tag.name, tag.count, chosen=has(query, tag.name))
            for tag in offered
        ],
        label="Tags of the photos found",
        key="search_facets",
        on_pick=lambda name: _toggle(query_key, name),
    )


def clause(tag: str) -> str | None:
    """The tag as a search writes it; None for the few it has no way to write."""
    if '"' not in tag:
        return f'tag:"{tag}"' if " " in tag or tag.endswith("*") else f"tag:{tag}"
    return None


def has(query: str, tag: str) -> bool:
    """Whether the query already asks for the tag."""
    return f" {clause(tag)} " in f" {query} "


def toggled(query: str, tag: str) -> str:
    """The query with the tag put in, or taken out if it was in."""
    if has(query, tag):
        return f" {query} ".replace(f" {clause(tag)} ", " ", 1).strip()
    return f"{query.strip()} {clause(tag)}".strip()


def _toggle(query_key: str, tag: str) -> None:
    st.session_state[query_key] = toggled(st.session_state.get(query_key, ""), tag)
