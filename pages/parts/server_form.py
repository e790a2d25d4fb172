"""Server form: the model servers, each with a test that asks it what it has."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts import setting_form, told, wording
from pages.parts.wording import plain
from tagger.records import ServerState
from tagger.sections import Server
from tagger.web import masking, servers
from tagger.web.runtime import Runtime

Values = dict[str, Any]
SAMPLE_PX = 220


def show(app: Runtime, held: Mapping[str, str]) -> None:
    """One form a server; several share the work."""
    listed = [server.model_dump() for server in app.config.servers]
    st.write(
        "Photos go to these servers. While none of them answers, the built-in model "
        "gives plain tags; they are replaced once a server has seen the photo."
    )
    for position, server in enumerate(listed):
        others = [*listed[:position], *listed[position + 1 :]]
        with st.container(border=True, key=f"server_{position}"):
            edited = _form(position, server, held)
            if edited is not None:
                _save(app, [*listed[:position], edited, *listed[position + 1 :]])
            if others and st.button(
                "Remove this server", key=f"server_{position}_remove"
            ):
                _save(app, others)
                st.rerun()
    if st.button("Add a server", icon=":material/add:", key="server_add"):
        _save(app, [*listed, Server().model_dump()])
        st.rerun()


def _form(position: int, server: Values, held: Mapping[str, str]) -> Values | None:
    """The inputs of one server; what is to be saved, if anything."""
    with st.form(f"server_form_{position}", border=False):
        with st.container(horizontal=True):
            edited = {
                key: setting_form.field(
                    f"servers.{key}",
                    info,
                    server[key],
                    held.get(f"servers.{key}") or held.get("servers"),
                    unique=f"_{position}",
                )
                for key, info in Server.model_fields.items()
            }
        with st.container(horizontal=True):
            test = st.form_submit_button(
                "Test the connection", key=f"server_{position}_test"
            )
            sample = st.form_submit_button(
                "Test with a photo", key=f"server_{position}_sample"
            )
            save = st.form_submit_button(
                "Save", type="primary", key=f"server_{position}_save"
            )
    edited = masking.restored(edited, server)
    if test:
        _test(edited)
    if sample:
        _try_out(edited)
    return edited if save else None


def _test(server: Values) -> None:
    with told.refusals(), st.spinner("Asking the server"):
        _tell(servers.check(server))


def _try_out(server: Values) -> None:
    """Its answer to a photograph that comes with the program; none of yours is sent."""
    with told.refusals(), st.spinner("The server is looking at a sample photo"):
        tried = servers.try_out(server)
        answer = tried.answer
        took = wording.seconds(answer.seconds)
        st.success(plain(f"{answer.model} answered in {took}."))
        with st.container(horizontal=True):
            st.image(tried.jpeg, width=SAMPLE_PX, alt="The sample photo")
            with st.container():
                st.text(answer.description)
                st.text(", ".join(tag.name for tag in answer.tags))


def _tell(found: ServerState) -> None:
    if found.usable:
        st.success(plain(f"{found.url} answers and has {found.model}."))
    else:
        st.error(plain(found.problem or f"{found.url} cannot be used."))
    if found.models:
        st.caption("Models on this server")
        st.dataframe(
            [{"Model": name} for name in found.models], hide_index=True, width=420
        )


def _save(app: Runtime, listed: list[Values]) -> None:
    setting_form.save(app, {"servers": listed})
