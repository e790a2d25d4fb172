"""Account form: somebody's own password, and signing out wherever they are."""

import streamlit as st

from pages.parts import leaving, password_form, told, who
from tagger.acting import Role
from tagger.passwords import LONGEST
from tagger.tracking import signins
from tagger.tracking.users import User
from tagger.web import account
from tagger.web.runtime import Runtime


def password(app: Runtime, user: User) -> None:
    """Another password, for who knows the present one."""
    st.subheader("Password", anchor=False)
    with st.form("account_password", border=False, clear_on_submit=True):
        present = st.text_input(
            "Present password",
            type="password",
            key="account_present",
            max_chars=LONGEST,
            autocomplete="current-password",
            width=340,
        )
        typed, again = password_form.ask(key="account")
        wanted = st.form_submit_button("Change the password", key="account_go")
    if not wanted:
        return
    with told.refusals():
        known = who.shown()
        this = known.key if known is not None and known.kind == "signin" else None
        with who.doing("change own password", needs=Role.VIEWER):
            kept = account.new_password(user.name, typed, again)
            account.change_password(app.db, user.name, present, kept, but=this)
        app.people.forget()
        st.success("Changed. Other browsers have to sign in with it.")


def everywhere(app: Runtime, user: User) -> None:
    """Signing out in all browsers, this one, too."""
    st.subheader("Browsers", anchor=False)
    there = signins.open_of(app.db, user.id)
    st.caption(f"Signed in now: {there:,}.")
    if st.button("Sign out everywhere", key="account_everywhere", disabled=not there):
        with who.doing("sign out everywhere", needs=Role.VIEWER):
            signins.end_all(app.db, user.id)
        app.people.forget()
        leaving.sign_in("You are signed out everywhere.", key="account_signed_out")
        st.stop()
