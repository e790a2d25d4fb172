"""Check-up: what doctor finds, and what to do about it."""

import streamlit as st

from pages.parts import told
from tagger import doctor
from tagger.catalogue.compare import differences
from tagger.doctor import Finding
from tagger.web.runtime import Runtime


def show(app: Runtime) -> None:
    """Look only when asked: a server that is away takes seconds to be given up."""
    if not st.button("Check now", type="primary", key="settings_check"):
        st.caption("Looks at exiftool, the model servers, the disk and the catalogue.")
        return
    with told.refusals(), st.spinner("Looking"):
        findings = doctor.findings(
            app.config,
            app.db,
            differences=lambda: differences(app.catalogue, app.db),
        )
        for finding in findings:
            _show(finding)


def _show(finding: Finding) -> None:
    with st.container(border=True):
        if finding.ok:
            st.badge("Fine", icon=":material/check_circle:", color="green")
        else:
            st.badge("To do", icon=":material/error:", color="orange")
        st.text(f"{finding.name}: {finding.found}")
        if finding.advice:
            st.text(finding.advice)
