"""Folders: which are watched, what is written into their photos, and how it goes."""

import streamlit as st

from pages.parts import folder_card, review_setting, told, wording
from pages.parts.wording import plain
from tagger.catalogue import questions
from tagger.errors import shown
from tagger.records import WriteMode
from tagger.tracking import folders, runs
from tagger.web import runtime

FOLDERS_A_PAGE = 25

app = runtime.current()
known = folders.every(app.db)

st.title("Folders")

with (
    st.expander("Add a folder", expanded=not known),
    st.form("folders_add", border=False),
):
    path = st.text_input(
        "Path of the folder",
        key="folders_path",
        placeholder="/home/you/Pictures",
        help="The whole path on the machine this program runs on.",
    )
    mode = st.radio(
        "Where should description and tags be written?",
        list(WriteMode),
        format_func=wording.WRITE_MODES.__getitem__,
        captions=list(wording.WRITE_MODE_HELP.values()),
        index=list(WriteMode).index(app.config.metadata.write_mode),
        key="folders_mode",
    )
    mirror = st.text_input(
        "Folder for the mirror, if words go into one",
        key="folders_mirror",
        placeholder=f"{app.config.mirror_dir}/…",
        help="Left empty, the mirror of all folders is used, which the settings name.",
    )
    review = review_setting.ask()
    recursive = st.checkbox("With the folders inside it", value=True)
    active = st.checkbox("Start at once, and watch it for new photos", value=True)
    wanted = st.form_submit_button("Add folder", type="primary")

if wanted:
    with told.refusals():
        added = folders.add(
            app.db,
            wording.typed_path(path),
            recursive=recursive,
            write_mode=WriteMode(mode or app.config.metadata.write_mode),
            active=active,
            mirror=wording.typed_path(mirror) if mirror.strip() else None,
            review=review,
            data_dir=app.config.data_dir,
        )
        st.success(f"{plain(shown(added.path))} was added.", icon=":material/check:")
        known = folders.every(app.db)

if not known:
    st.caption("No folder was added yet.")
    st.stop()

with st.container(horizontal=True, vertical_alignment="center"):
    st.subheader(wording.count(len(known), "folder"), anchor=False, width="stretch")
    if st.button("Scan all now", icon=":material/refresh:"):
        folders.request_scan(app.db, None)
        st.toast("Every active folder will be looked through.")

pages = -(-len(known) // FOLDERS_A_PAGE)
at = st.pagination(pages, key="folders_at") if pages > 1 else 1
watching = runs.watching(app.db)
counts = {row.folder_id: row for row in questions.folder_counts(app.catalogue)}
for folder in known[(at - 1) * FOLDERS_A_PAGE : at * FOLDERS_A_PAGE]:
    folder_card.show(
        app.db,
        folder,
        counts.get(folder.id),
        watching.get(folder.id),
        common_mirror=app.config.mirror_dir,
        servers=app.config.server_names,
    )
