"""Folder form: adds a folder, by its path or by browsing what may be browsed."""

import streamlit as st

from pages.parts import browser, review_setting, told, who, wording
from pages.parts.wording import plain
from tagger.acting import Role
from tagger.errors import UsageError, shown
from tagger.records import Folder, WriteMode
from tagger.tracking import folders
from tagger.web.runtime import Runtime

TYPE, BROWSE = "Type its path", "Browse"
NO_ROOTS = (
    "To choose folders instead of typing them, and to allow no others, name those that "
    'photos may lie in, in `library.roots` of the settings ("Which folders photos may '
    'lie in").'
)


def show(app: Runtime, *, expanded: bool) -> Folder | None:
    """The form; answers the folder that was just added, if one was."""
    with st.expander("Add a folder", expanded=expanded or browser.is_open()):
        browsed = _browsed(app) if _is_browsing(app) else None
        return _form(app, browsed, is_browsing=browser.is_open())


def _is_browsing(app: Runtime) -> bool:
    if not app.config.library.roots:
        browser.open_at(None)
        st.caption(NO_ROOTS)
        return False
    key = "folders_how"
    st.session_state[key] = BROWSE if browser.is_open() else TYPE
    st.radio(
        "How to name the folder",
        [TYPE, BROWSE],
        key=key,
        horizontal=True,
        label_visibility="collapsed",
        on_change=lambda: browser.open_at(
            "" if st.session_state[key] == BROWSE else None
        ),
    )
    return browser.is_open()


def _browsed(app: Runtime) -> bytes | None:
    """The directory that one has gone into."""
    path = None
    with told.refusals():
        path = browser.show(app.config.library.roots)
    if path is None:
        st.caption("Go into the folder that holds the photos, then add it.")
    else:
        st.code(shown(path), language=None, wrap_lines=True)
    return path


def _form(app: Runtime, browsed: bytes | None, *, is_browsing: bool) -> Folder | None:
    with st.form("folders_add", border=False):
        typed = "" if is_browsing else _path_input()
        mode, mirror = _mode_inputs(app)
        review = review_setting.ask()
        recursive = st.checkbox("With the folders inside it", value=True)
        active = st.checkbox("Start at once, and watch it for new photos", value=True)
        wanted = st.form_submit_button("Add folder", type="primary")
    if not wanted:
        return None
    with told.refusals():
        if is_browsing and browsed is None:
            raise UsageError("Go into a folder first; the one you are in is added")
        path = browsed if browsed is not None else wording.typed_path(typed)
        with who.doing("add folder", needs=Role.ADMIN, path=path, write_mode=mode):
            added = folders.add(
                app.db,
                path,
                recursive=recursive,
                write_mode=mode,
                active=active,
                mirror=wording.typed_path(mirror) if mirror.strip() else None,
                review=review,
                data_dir=app.config.data_dir,
                roots=app.config.library.roots,
            )
        st.success(f"{plain(shown(added.path))} was added.", icon=":material/check:")
        return added
    return None


def _path_input() -> str:
    return st.text_input(
        "Path of the folder",
        key="folders_path",
        placeholder="/home/you/Pictures",
        help="The whole path on the machine this program runs on.",
    )


def _mode_inputs(app: Runtime) -> tuple[WriteMode, str]:
    """Where words go, and the mirror if they go into one."""
    usual = app.config.metadata.write_mode
    mode = st.radio(
        "Where should description and tags be written?",
        list(WriteMode),
        format_func=wording.WRITE_MODES.__getitem__,
        captions=list(wording.WRITE_MODE_HELP.values()),
        index=list(WriteMode).index(usual),
        key="folders_mode",
    )
    mirror = st.text_input(
        "Folder for the mirror, if words go into one",
        key="folders_mirror",
        placeholder=f"{app.config.mirror_dir}/…",
        help="Left empty, the mirror of all folders is used, which the settings name.",
    )
    return WriteMode(mode or usual), mirror
