"""Audit: who changed what, when, and what came of it."""

import streamlit as st

from pages.parts import audit_table
from tagger import acting
from tagger.acting import Role
from tagger.web import runtime

acting.demand(Role.ADMIN)

st.title("Audit")
st.caption("What people changed here, in the API and on the command line.")
audit_table.show(runtime.current().db)
