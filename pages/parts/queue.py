"""Queue: how far it is, who answers, and the buttons by which people steer it."""

import streamlit as st

from pages.parts import servers, told, who, wording
from pages.parts.wording import plain
from tagger.acting import Role
from tagger.errors import shown
from tagger.records import Folder, Status
from tagger.tracking import cancelling, controls, folders
from tagger.web.runtime import Runtime

EVERYWHERE = "All folders"


def show(app: Runtime) -> None:
    """Nothing where nothing waits and nothing is asked."""
    status = app.status()
    wanted = controls.read(app.db)
    known = [folder for folder in folders.every(app.db) if folder.active]
    open_photos = status.queued + status.working + status.new
    if not (open_photos or wanted.paused_at or status.servers):
        return
    st.subheader("Queue", anchor=False)
    st.text(_sentence(status))
    if wanted.first is not None:
        st.caption(plain(f"Photos in {shown(wanted.first)} go first."))
    if who.may(Role.EDITOR):
        with st.container(horizontal=True, key="queue_actions"):
            _pause(app, paused=wanted.paused_at is not None)
            _order(app, known, wanted.first)
            if status.queued:
                _take_out(app, known)
            if status.new:
                _put_back(app, status.new)
    servers.show(status.servers)


def _sentence(status: Status) -> str:
    """What the queue does, and on what its time is reckoned."""
    waiting = status.queued + status.working
    left = f"{wording.count(waiting, 'photo')} left." if waiting else "Nothing waits."
    if status.paused_at:
        return f"{wording.upper(controls.said(status.paused_at))}. {left}"
    if status.eta_s is not None:
        return f"{wording.upper(wording.duration(status.eta_s))}, {status.eta_basis}."
    if not waiting:
        return left
    return f"{left} How long that takes shows once a few are done."


def _pause(app: Runtime, *, paused: bool) -> None:
    if paused:
        if st.button("Resume", icon=":material/play_arrow:", type="primary"):
            with told.refusals():
                with who.doing("resume"):
                    controls.resume(app.db)
                _changed(app)
    elif st.button(
        "Pause",
        icon=":material/pause:",
        help="What is at the servers is finished; nothing new is taken.",
    ):
        with told.refusals():
            with who.doing("pause"):
                controls.pause(app.db)
            _changed(app)


def _order(app: Runtime, known: list[Folder], first: bytes | None) -> None:
    with st.popover("Go first", icon=":material/vertical_align_top:"):
        chosen = _folder(known, "queue_first", "Photos of this folder go first")
        with st.container(horizontal=True):
            if st.button("Let them go first", disabled=chosen is None):
                with told.refusals():
                    with who.doing("put first", path=chosen):
                        controls.put_first(app.db, chosen)
                    _changed(app)
            if first is not None and st.button("No folder first"):
                with told.refusals():
                    with who.doing("put none first"):
                        controls.put_first(app.db, None)
                    _changed(app)


def _take_out(app: Runtime, known: list[Folder]) -> None:
    with st.popover("Take out", icon=":material/playlist_remove:"):
        st.write(
            "Photos that wait are taken out of the queue and stand as they were "
            "before. No file is touched, and they can be put back."
        )
        chosen = _folder(known, "queue_cancel", "Of", everywhere=True)
        if st.button("Take them out", type="primary"):
            with told.refusals():
                with who.doing("take out of queue", path=chosen):
                    count = cancelling.cancel(app.db, chosen)
                st.toast(f"{wording.count(count, 'photo')} taken out of the queue")
                _changed(app)


def _put_back(app: Runtime, new: int) -> None:
    if st.button(
        f"Put {wording.count(new, 'photo')} back", icon=":material/playlist_add:"
    ):
        with told.refusals():
            with who.doing("add to queue"):
                count = cancelling.put_back(app.db)
            st.toast(f"{wording.count(count, 'photo')} queued again")
            _changed(app)


def _folder(
    known: list[Folder], key: str, label: str, *, everywhere: bool = False
) -> bytes | None:
    """A folder chosen by its path; None is everywhere, or nothing chosen."""
    paths = {shown(folder.path): folder.path for folder in known}
    choices = ([EVERYWHERE] if everywhere else []) + list(paths)
    chosen = st.selectbox(label, choices, key=key, width=340)
    return paths.get(chosen or "")


def _changed(app: Runtime) -> None:
    app.forget_status()
    st.rerun()
