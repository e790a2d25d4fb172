"""Similar: the photos that look most like the one that is open, in a row below it."""

import streamlit as st

from pages.parts import grid, places
from tagger.catalogue import questions
from tagger.catalogue.questions import Wanted
from tagger.catalogue.store import Catalogue

PHOTOS = 10
ROW_PX = 88


def show(catalogue: Catalogue, image_id: int) -> int | None:
    """The row; answers the photo just opened, if any. Nothing where none is similar."""
    if catalogue.likeness is None or not catalogue.likeness.knows(image_id):
        return None
    query = f"like:{image_id}"
    wanted = Wanted(query=query, sort="relevance")
    page = questions.page(catalogue, wanted, limit=PHOTOS + 1)
    others = [card for card in page.images if card.id != image_id]
    if not others:
        return None
    st.caption("Similar photos")
    opened = grid.show(
        others[:PHOTOS], label="Similar photos", key="photo_similar", row_px=ROW_PX
    )
    if page.total > PHOTOS + 1 and st.button("Show more", key="photo_similar_more"):
        places.search(query)
    return opened
