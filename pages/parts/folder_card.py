"""Folder card: one folder with its photos, its settings, and what can be done to it."""

from collections.abc import Sequence

import streamlit as st

from pages.parts import (
    folder_inside,
    folder_list,
    folder_schedule,
    places,
    review_setting,
    told,
    who,
    wording,
)
from pages.parts.wording import plain
from tagger.acting import Role
from tagger.catalogue.questions import FolderCount
from tagger.errors import shown
from tagger.records import Folder, ImageState, Watching, WriteMode
from tagger.tracking import bindings, folders
from tagger.tracking.database import Database
from tagger.tracking.usable import mirror_tree
from tagger.web.runtime import Runtime


def show(
    app: Runtime,
    folder: Folder,
    counts: FolderCount | None,
    watching: Watching | None,
) -> None:
    """The card; each change is carried out at once."""
    with st.container(border=True, key=f"folder_{folder.id}"):
        _facts(folder, counts, watching)
        _actions(app.db, folder, counts)
        _words(app, folder)
        _servers(app.db, folder, app.config.server_names)
        folder_schedule.show(app.db, folder, app.config)
        folder_inside.show(app.catalogue, folder)


def _facts(
    folder: Folder, counts: FolderCount | None, watching: Watching | None
) -> None:
    st.code(shown(folder.path), language=None, wrap_lines=True)
    if folder.offline:
        st.warning(plain(folder.offline), icon=":material/link_off:")
    st.text(_summary(folder, counts))
    if not folder.offline:
        st.caption(plain(folder_list.state_of(folder, watching)[1]))


def _words(app: Runtime, folder: Folder) -> None:
    """Where its words go, and what that means."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _write_mode(app.db, folder)
        review_setting.show(app.db, folder)
    st.caption(wording.WRITE_MODE_HELP[folder.write_mode])
    if folder.write_mode is WriteMode.MIRROR:
        tree = shown(mirror_tree(folder, app.config.mirror_dir))
        st.code(tree, language=None, wrap_lines=True)


def _summary(folder: Folder, counts: FolderCount | None) -> str:
    within = "with the folders inside it" if folder.recursive else "this folder only"
    scanned = (
        f"looked through {wording.ago(folder.last_scan_at)}"
        if folder.last_scan_at
        else "not looked through yet"
    )
    return " · ".join([*_states(counts), within, scanned])


def _states(counts: FolderCount | None) -> list[str]:
    if counts is None:
        return ["no photo found so far"]
    named = {
        "tagged": counts.tagged,
        "to review": counts.review,
        "waiting": counts.waiting,
        "not queued": counts.new,
        "not written": counts.not_written,
        "failed": counts.failed,
        "missing": counts.missing,
    }
    states = [f"{number:,} {name}" for name, number in named.items() if number]
    return [wording.count(counts.total, "photo"), *states]


def _write_mode(db: Database, folder: Folder) -> None:
    key = f"folder_{folder.id}_mode"
    st.session_state[key] = folder.write_mode
    st.selectbox(
        "Words are written",
        list(WriteMode),
        format_func=wording.WRITE_MODES.__getitem__,
        key=key,
        width=190,
        help=" ".join(
            f"**{wording.WRITE_MODES[mode]}:** {text}"
            for mode, text in wording.WRITE_MODE_HELP.items()
        ),
        disabled=not who.may(Role.ADMIN),
        on_change=lambda: _set_mode(db, folder.id, WriteMode(st.session_state[key])),
    )


def _set_mode(db: Database, folder_id: int, mode: WriteMode) -> None:
    detail = {"folder_id": folder_id, "write_mode": mode}
    with told.refusals(), who.doing("change folder", needs=Role.ADMIN, **detail):
        folders.set_write_mode(db, folder_id, mode)
        st.toast(f"{wording.FROM_NOW_ON[mode]} {wording.STAYS}")


def _servers(db: Database, folder: Folder, known: Sequence[str]) -> None:
    bound = list(folder.servers or ())
    key = f"folder_{folder.id}_servers"
    st.session_state[key] = bound
    st.multiselect(
        "Photos may be sent to",
        list(dict.fromkeys([*known, *bound])),
        key=key,
        placeholder="any model server",
        help="No other server ever gets a photo of this folder, or of one inside it. "
        "builtin is the model that comes with the program: nothing leaves it.",
        disabled=not who.may(Role.ADMIN),
        on_change=lambda: _bind(db, folder.id, st.session_state[key]),
    )
    if lost := [name for name in bound if name not in known]:
        st.warning(plain(bindings.lost_sentence(folder.path, lost)))


def _bind(db: Database, folder_id: int, names: Sequence[str]) -> None:
    detail = {"folder_id": folder_id, "servers": list(names)}
    with told.refusals(), who.doing("bind folder", needs=Role.ADMIN, **detail):
        bindings.bind(db, folder_id, names or None)


def _active(db: Database, folder: Folder) -> None:
    key = f"folder_{folder.id}_active"
    st.session_state[key] = folder.active
    st.toggle(
        "Active",
        key=key,
        help="An active folder is watched, and its photos are tagged.",
        disabled=not who.may(Role.ADMIN),
        on_change=lambda: _set_active(db, folder.id, st.session_state[key]),
    )


def _set_active(db: Database, folder_id: int, active: bool) -> None:
    detail = {"folder_id": folder_id, "active": active}
    with told.refusals(), who.doing("activate folder", needs=Role.ADMIN, **detail):
        folders.set_active(db, folder_id, active)


def _actions(db: Database, folder: Folder, counts: FolderCount | None) -> None:
    key = f"folder_{folder.id}"
    with st.container(horizontal=True, vertical_alignment="center"):
        _active(db, folder)
        if st.button("Show photos", key=f"{key}_photos"):
            places.gallery(folder=str(folder.id))
        failed = counts.failed if counts else 0
        if failed and st.button(f"Show {failed:,} failed", key=f"{key}_failed"):
            places.gallery(folder=str(folder.id), state=ImageState.FAILED)
        review_setting.show_left(folder, counts)
        if not who.may(Role.ADMIN):
            return
        if st.button("Scan now", key=f"{key}_scan", disabled=not folder.active):
            _scan(db, folder.id)
        if st.button("Remove", key=f"{key}_remove"):
            _confirm_removal(db, folder)


def _scan(db: Database, folder_id: int) -> None:
    with (
        told.refusals(),
        who.doing("scan folder", needs=Role.ADMIN, folder_id=folder_id),
    ):
        folders.request_scan(db, folder_id)
        st.toast("The folder will be looked through.")


@st.dialog("Remove this folder?")
def _confirm_removal(db: Database, folder: Folder) -> None:
    st.text(shown(folder.path))
    st.write(
        "Its photos leave the catalogue. **No file is touched:** neither the photos "
        "nor what was written into them. Add the folder again and everything is back, "
        "without asking the model anew."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it", key="folders_keep"):
            st.rerun()
        if st.button(
            "Remove folder",
            type="primary",
            key="folders_remove",
            on_click=_remove,
            args=(db, folder),
        ):
            st.rerun()


def _remove(db: Database, folder: Folder) -> None:
    detail = {"folder_id": folder.id, "path": folder.path}
    with told.refusals(), who.doing("remove folder", needs=Role.ADMIN, **detail):
        folders.remove(db, folder.id)
        folder_list.choose(None)
