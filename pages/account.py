"""Account: what somebody changes about themselves, whatever their role is."""

import streamlit as st

from pages.parts import account_form, token_form, told, who
from pages.parts.wording import plain
from tagger.acting import ABOUT, Role
from tagger.errors import Forbidden
from tagger.tracking import users
from tagger.web import runtime

app = runtime.current()
someone = who.person()
if someone is None or not who.is_signed_in():
    raise Forbidden("nobody is signed in here")

st.title("Account")
st.write(f"{plain(someone.name)}, {someone.role}: {ABOUT[someone.role]}.")

user = users.called(app.db, someone.name)
if user is None:
    st.caption("You are known by the proxy or provider in front, and not kept here.")
    st.stop()

with told.refusals():
    if user.has_password:
        account_form.password(app, user)
    account_form.everywhere(app, user)
    token_form.show(app, user, needs=Role.VIEWER)
