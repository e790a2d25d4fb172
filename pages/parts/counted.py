"""Counted: what a gallery counts beside its photos, kept until the photos change.

Turning a page counts nothing anew: months and tags are those of the same catalogue at
the same change, in its tables and in its search index.
"""

import streamlit as st

from tagger.catalogue import questions
from tagger.catalogue.questions import TagCount, Wanted
from tagger.catalogue.store import Catalogue

MOST_KEPT = 200

State = tuple[str | None, int | None, int | None]


def months(catalogue: Catalogue, wanted: Wanted) -> list[tuple[str, int]]:
    """Months with the photos taken in each, oldest first."""
    return _months(catalogue, state(catalogue), wanted)


def tags(catalogue: Catalogue, *, limit: int) -> list[TagCount]:
    """The most frequent tags of all photos."""
    return _tags(catalogue, state(catalogue), limit)


def state(catalogue: Catalogue) -> State:
    """What changes with the photos: a count of one state need not be made again."""
    mark = catalogue.text.mark()
    change = None if mark is None else mark.change
    return catalogue.recall("catalogue_id"), catalogue.seen(), change


@st.cache_data(max_entries=MOST_KEPT, show_spinner=False)
def _months(
    _catalogue: Catalogue, state: State, wanted: Wanted
) -> list[tuple[str, int]]:
    return questions.months(_catalogue, wanted)


@st.cache_data(max_entries=MOST_KEPT, show_spinner=False)
def _tags(_catalogue: Catalogue, state: State, limit: int) -> list[TagCount]:
    return questions.tag_counts(_catalogue, limit=limit)
