"""Folder inside: the folders in one, with how many photos lie in each and below."""

import streamlit as st

from pages.parts import places, wording
from tagger.catalogue import foldertree
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Wanted
from tagger.errors import shown
from tagger.records import Folder

MOST = 500


def show(catalogue: Catalogue, folder: Folder) -> None:
    """A table; a line that is selected shows its photos. Nothing where none is."""
    place = shown(folder.path).rstrip("/") + "/"
    inside = foldertree.branches(catalogue, Wanted(), [place])[place]
    if not inside:
        return
    with st.expander(f"{wording.count(len(inside), 'folder')} with photos in it"):
        event = st.dataframe(
            [{"Folder": one.name, "Photos": one.photos} for one in inside[:MOST]],
            hide_index=True,
            alt="The folders in this one, with the photos in and below each",
            on_select="rerun",
            selection_mode="single-row",
            key=f"folder_{folder.id}_inside",
        )
        if len(inside) > MOST:
            st.caption(f"The first {MOST} are listed; the gallery's tree has all.")
        for row in event.selection.rows:
            if row < len(inside):
                places.gallery(dir=inside[row].path)
