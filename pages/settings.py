"""Settings: model servers, everything else that can be set, and a check-up."""

import streamlit as st

from pages.parts import check_up, server_form, setting_form
from tagger import acting, config
from tagger.acting import Role
from tagger.web import runtime, settings

acting.demand(Role.ADMIN)
app = runtime.current()
held = settings.overridden()

st.title("Settings")
st.caption("Kept in this file, with its comments; it may as well be edited by hand.")
st.code(str(config.config_path()), language=None, wrap_lines=True)

servers, rest, doctor = st.tabs(
    ["Model servers", "Everything else", "Check-up"],
    key="settings_tab",
    on_change="rerun",
)
if servers.open:
    with servers:
        server_form.show(app, held)
if rest.open:
    with rest:
        setting_form.show(app, held)
if doctor.open:
    with doctor:
        check_up.show(app)
