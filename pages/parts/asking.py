"""Asking: one photo goes ahead of all others, to any server or to one of choice."""

import streamlit as st

from pages.parts import told, who, wording
from tagger.acting import Role
from tagger.catalogue.questions import Image
from tagger.records import ImageState
from tagger.tracking import controls
from tagger.web import servers
from tagger.web.runtime import Runtime

FIRST_IN_LINE = "It goes ahead of all others, even while the queue is paused."


def show(app: Runtime, image: Image) -> None:
    """The buttons; a photo that is missing cannot be asked about."""
    if image.state is ImageState.MISSING or not who.may(Role.EDITOR):
        return
    done = image.state in (ImageState.TAGGED, ImageState.REVIEW, ImageState.NOT_WRITTEN)
    with st.container(horizontal=True):
        now = st.button(
            "Ask again now" if done else "Tag this photo now",
            icon=":material/bolt:",
            key="photo_now",
            help=FIRST_IN_LINE,
        )
        name = None
        if done:
            with st.popover("Ask again with…", key="photo_ask_with"):
                name = _chosen(app)
    if now or name is not None:
        _ask(app, image.id, name, again=done)


def _chosen(app: Runtime) -> str | None:
    """The server that is to be asked now, if one is."""
    models = {one.called: one.model for one in app.config.servers}
    name: str = st.selectbox(
        "Server",
        servers.names(app.config),
        format_func=lambda one: _named(one, models.get(one)),
        key="photo_server",
        help="This once; what is asked later goes where it always does.",
    )
    asked = st.button("Ask", key="photo_ask", type="primary", help=FIRST_IN_LINE)
    return name if asked else None


def _named(name: str, model: str | None) -> str:
    return "Built-in model" if model is None else f"{model} on {name}"


def _ask(app: Runtime, image_id: int, name: str | None, *, again: bool) -> None:
    detail = {"ids": [image_id], "ask_again": again, "server": name}
    with told.refusals(), who.doing("want now", **detail):
        controls.want_now(app.db, [image_id], ask_again=again, asked_with=name)
        app.forget_status()
        app.take()
        at = f" for {wording.plain(name)}" if name else ""
        st.toast(f"This photo is next in line{at}.")
