"""Standing: banners about what holds the program back, until it is put right."""

import shutil

import streamlit as st

from pages.parts.wording import plain
from tagger.doctor import EXIFTOOL_ADVICE
from tagger.records import Status
from tagger.sections import BUILTIN
from tagger.web.runtime import Runtime


def show(app: Runtime) -> None:
    """What every screen says: the app's own notices, and that exiftool is missing."""
    for sentence in app.notices:
        st.warning(plain(sentence), icon=":material/warning:")
    if shutil.which(app.config.metadata.exiftool) is None:
        st.warning(
            f"exiftool is missing: {EXIFTOOL_ADVICE}. Photos whose words could not be "
            "written are caught up on by themselves.",
            icon=":material/edit_off:",
        )


def show_model(status: Status) -> None:
    """That the built-in model stands in for a server, and what that means."""
    if any(server.kind == BUILTIN and server.is_open for server in status.servers):
        st.info(
            f"{plain(status.backend or 'The built-in model is in use')}\n\n"
            "It gives plain tags; a model server sees far more (Settings, Model "
            "servers), and looks again at what was tagged meanwhile.",
            icon=":material/memory:",
        )
