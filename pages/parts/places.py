"""Places: from one screen to another, with what is wanted there in the address."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import streamlit as st

PAGES = Path(__file__).resolve().parent.parent


def gallery(**wanted: str) -> NoReturn:
    """Go to the gallery with these filters and no others: `gallery(tag="dog")`."""
    st.switch_page(PAGES / "gallery.py", query_params=wanted)


def photo(photo_id: int) -> NoReturn:
    """Go to the gallery with one photo open."""
    gallery(photo=str(photo_id))


def search(query: str, *, sort: str = "") -> NoReturn:
    """Go to the search page with this in its box, in an order other than the usual."""
    address = {"q": query, "sort": sort} if sort else {"q": query}
    st.switch_page(PAGES / "search.py", query_params=address)


def review(**wanted: str) -> NoReturn:
    """Go where answers wait for a person: `review(folder="3")`."""
    st.switch_page(PAGES / "review.py", query_params=wanted)


def folders() -> NoReturn:
    """Go where folders are added."""
    st.switch_page(PAGES / "folders.py")


def compare(ids: Sequence[int]) -> NoReturn:
    """Go where models are compared on these photos."""
    wanted = {"ids": ",".join(str(one) for one in ids)}
    st.switch_page(PAGES / "compare.py", query_params=wanted)
