"""Folders: which are watched, what is written into their photos, and how it goes."""

import streamlit as st

from pages.parts import folder_add, folder_card, folder_list, told, who, wording
from tagger.acting import Role
from tagger.catalogue import questions
from tagger.tracking import folders, runs
from tagger.web import runtime

app = runtime.current()

st.title("Folders")

can_manage = who.may(Role.ADMIN)
if can_manage:
    added = folder_add.show(app, expanded=not folders.every(app.db))
    if added is not None:
        folder_list.choose(added.id)
else:
    st.caption("An admin adds folders and changes what is done with them.")

known = folders.every(app.db)
if not known:
    st.caption("No folder was added yet.")
    st.stop()

with st.container(horizontal=True, vertical_alignment="center"):
    st.subheader(wording.count(len(known), "folder"), anchor=False, width="stretch")
    if can_manage and st.button("Scan all now", icon=":material/refresh:"):
        with told.refusals(), who.doing("scan all", needs=Role.ADMIN):
            folders.request_scan(app.db, None)
            st.toast("Every active folder will be looked through.")

watching = runs.watching(app.db)
counts = {row.folder_id: row for row in questions.folder_counts(app.catalogue)}
chosen = folder_list.chosen(known)
if chosen is not None:
    folder_card.show(app, chosen, counts.get(chosen.id), watching.get(chosen.id))
elif folder_list.ADDRESS in st.query_params:
    st.info("The folder of this link is not among them (any more).")
else:
    st.caption("Click a folder for its settings, and for what is in it.")
if len(known) > 1:
    folder_list.show(known, counts, watching, app.config.schedule)
