"""Told: what cannot be done is said in the words of the error, and the page goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pages.parts.wording import plain
from tagger.errors import TaggerError


@contextmanager
def refusals() -> Iterator[None]:
    """Show a `TaggerError` as a message; anything else is a bug and passes."""
    try:
        yield
    except TaggerError as error:
        st.error(plain(str(error)), icon=":material/error:")
